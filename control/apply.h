/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A change, whole or not at all: check, plan, prepare (devices, dataplane), commit (store), publish
 * (dataplane), claim. Whatever fails before the store has it leaves everything as it was. Runs on
 * weftd's thread.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "control/control.h"
#include "control/problem.h"

enum apply_mode {
	APPLY_DIFF, /* plan only; objects are checked, the host is not */
	APPLY_FOR_REAL,
};

/* From the present model to `wanted`, which becomes apply's. *answer: the plan, as the API gives
 * it. 0, or -errno with a problem. */
int apply_model(struct control *control, struct model *wanted, enum apply_mode mode,
		json_t **answer, struct problem *problem);
