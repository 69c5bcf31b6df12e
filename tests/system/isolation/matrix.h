/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every port sends every shape of frame to every kind of address, one frame at a time: who gets it,
 * what it looks like there and what is counted where must be just what the model says. One thread.
 */
#pragma once

#include "tests/system/isolation/model.h"

#define MATRIX_ERRORS_MAX 12 /* then it gives up */

struct matrix_result {
	unsigned int n_sent;
	unsigned int n_received;	/* as expected */
	unsigned int n_foreign;		/* frames at a port of another segment */
	unsigned int n_missing;
	unsigned int n_surplus;		/* in the right segment, but not for this port, or twice */
	unsigned int n_changed;		/* other bytes than were sent */
	unsigned int n_miscounted;	/* counters that differ from what was seen */
	unsigned int n_mislearned;
	uint64_t drops[DROP_COUNT];	/* expected, and found */
};

/* 0: everything as the model says; -EUCLEAN: not, each deviation said on stderr; -errno: could not
 * be carried out. */
int matrix_run(struct rig *rig, struct matrix_result *result);
void matrix_print(const struct matrix_result *result);
