/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A revision on trial (`apply --confirm 60s`): unless the user confirms it in time, the one before
 * it comes back. The deadline is stored as wall-clock time, so it holds for a weftd that was dead
 * meanwhile; while weftd runs it counts monotonic time, so nobody who sets the clock moves it.
 *
 * The way back may be refused: what was before breaks a rule by now (another host name, say), or
 * the store cannot be written. Then it is tried again, after 2 s and later every 5 minutes, and
 * what stands in the way is shown; confirming what is there, or going back to another revision,
 * ends it. Runs on weftd's thread.
 */
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "control/control.h"

#define TRIAL_S_MAX 86400

/* Looks at what is stored: at the start, and after every change but one of loans. */
void trial_arm(struct control *control);

/* Goes back if it is time to. Returns ms until it wants to be called again; -1: nothing is on
 * trial. */
int trial_run(struct control *control, uint64_t now_ns);

/* {"deadline", "left_s", "back_to"}, and once the way back was refused "refused": {"tries",
 * "next_s", "why"}; NULL: nothing is on trial. New reference. */
json_t *trial_format(const struct control *control);
