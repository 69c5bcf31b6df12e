/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A change, whole or not at all: check, plan, prepare (devices, dataplane), commit (store), publish
 * (dataplane), claim. Whatever fails before the store has it leaves everything as it was. Runs on
 * weftd's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "control/control.h"
#include "control/problem.h"

enum apply_mode {
	APPLY_DIFF, /* plan only; objects are checked, the host is not */
	APPLY_FOR_REAL,
	APPLY_REGARDLESS, /* what the host refuses now is stored all the same, and tried again */
};

#define APPLY_COMMENT_CHARS_MAX 200

/* What is to happen, and what the history says about it. */
struct apply_change {
	enum apply_mode mode;
	bool is_of_loans;    /* and nothing else: it makes no revision */
	bool ends_trial;     /* goes back, so it is taken while a revision is on trial */
	const char *how;     /* "apply", "change", "rollback", "expired" */
	const char *lab;     /* NULL: none */
	const char *comment; /* NULL: none */
	const char *user;    /* who asked; NULL: weftd itself */
	int64_t uid;	     /* -1: none */
	uint32_t trial_s;    /* 0, or seconds after which it goes back unless confirmed */
	uint64_t start_ns;   /* when work on it began; 0: now */
	uint64_t devices_ns; /* what had been spent on devices by then (taps.h) */
};

/* Notes when work on the change begins. */
void apply_start(const struct control *control, struct apply_change *change);

/* From the present model to `wanted`, which becomes apply's. *answer: the plan, as the API gives
 * it. 0, or -errno with a problem. */
int apply_model(struct control *control, struct model *wanted, const struct apply_change *change,
		json_t **answer, struct problem *problem);
