/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loans that end. The dataplane ends one by itself, to the millisecond and also without weftd; here
 * its record goes. The end is stored as wall-clock time, so it holds for a weftd that was dead
 * meanwhile; while weftd runs it counts monotonic time, as the dataplane does, so nobody who sets
 * the clock moves it. Runs on weftd's thread.
 */
#pragma once

#include <stdint.h>

#include "control/control.h"

/* When the loan ends by loop_clock_ns(), of which now_ns is the present: what is left of it by the
 * wall clock, which has now_ms since 1970, but no more than it was made for. */
void loans_arm(struct model_loan *loan, int64_t now_ms, uint64_t now_ns);

/* The same of all that were stored; at the start. */
void loans_start(struct control *control);

/* Ends what is due. Returns ms until it wants to be called again; -1: there is nothing to end. */
int loans_run(struct control *control, uint64_t now_ns);

/* Gives `wanted` the loans of `current`: they go on whatever becomes of the configuration. Those
 * that make no sense with it go if `is_forced`, else rules_check() will refuse it. 0 or -ENOMEM. */
int loans_carry(const struct model *current, struct model *wanted, bool is_forced);
