/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loans that end. The dataplane ends one by itself, to the millisecond and also without weftd; here
 * its record goes. Runs on weftd's thread.
 */
#pragma once

#include <stdint.h>

#include "control/control.h"

/* Ends what is due. Returns ms until it wants to be called again; -1: there is nothing to end. */
int loans_run(struct control *control, uint64_t now_ns);

/* Gives `wanted` the loans of `current`: they go on whatever becomes of the configuration. Those
 * that make no sense with it go if `is_forced`, else rules_check() will refuse it. 0 or -ENOMEM. */
int loans_carry(const struct model *current, struct model *wanted, bool is_forced);
