/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of a scenario's text that says what is dropped and lost, written anew; the rest stays as
 * it is, comments too. */
#pragma once

#include <jansson.h>

/* The text with `drops:` and `lost:` in place of what it had. What is empty is left out. The caller
 * frees it; NULL: no memory. */
char *drops_text_replace(const char *text, const json_t *drops, const json_t *lost);

/* The same of a file. 0 or -errno. */
int drops_text_rewrite(const char *path, const json_t *drops, const json_t *lost);
