/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loans: for a time, one channel of a pool is assured of less and another of so much more. They end
 * by main's clock, whether weftd is there or not; time runs from the first turn of main after the
 * loan has begun. Main thread.
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_msg.h"

#define LOANS_MAX 4096
#define LOANS_BY_ID 1024 /* chains of dataplane.loans_by_id */

struct dataplane;

struct loan {
	struct loan *next_by_id;
	uint64_t end_ns; /* 0: its time has not begun to run */
	struct dp_loan spec;
};

/* 0 or -errno. Nothing is lent yet. */
int loan_create(const struct dp_loan *spec, struct loan **loan);
void loan_destroy(struct loan *loan); /* NULL is legal; it has ended, or never begun */

/* Both channels are published, then and until the loan ends. The caller says channel_changed(). */
void loan_begin(struct dataplane *dp, struct loan *loan);
void loan_end(struct dataplane *dp, struct loan *loan);

struct loan *loan_find(const struct dataplane *dp, uint32_t id); /* of those that have begun */

/* What is left, rounded up. */
uint64_t loan_remaining_ms(const struct loan *loan, uint64_t now_ns);

/* Ends, and frees, those whose time is over; all. */
void loan_turn(struct dataplane *dp, uint64_t now_ns);
void loan_end_all(struct dataplane *dp);
