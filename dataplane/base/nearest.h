/* SPDX-License-Identifier: BSD-3-Clause */
/* "Did you mean": the nearest of some words to a mistyped one. Pure; any thread. */
#pragma once

#include <stddef.h>

/* The word nearest to `typed`, or NULL if none is near enough to be meant. */
const char *nearest_word(const char *typed, const char *const *words, size_t n_words);
