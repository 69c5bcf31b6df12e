/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who has what: a set of texts, each with its owner, for what no two may share. Thousands of ports
 * are checked at every change, so adding one costs no allocation as a rule. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taken_slot;
struct taken_block;

/* Begins as {0}. */
struct taken {
	struct taken_slot *slots;
	size_t n, n_slots;
	struct taken_block *blocks; /* that the texts lie in */
};

void taken_fini(struct taken *taken);

/* The owner, NULL if nobody has it. */
const char *taken_owner(const struct taken *taken, const char *what);

/* What nobody has. `what` is copied, `owner` must outlive it. 0 or -ENOMEM. */
int taken_add(struct taken *taken, const char *what, const char *owner);
