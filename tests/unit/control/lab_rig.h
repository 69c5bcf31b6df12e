/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of labs share: from text to a model, as apply does it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "control/model.h"
#include "control/problem.h"

#define LAB_RIG_CLUSTER "default"
#define LAB_RIG_HOST "h1"
#define LAB_RIG_RUN_DIR "/run/weft"

/* NULL with a problem. */
struct model *lab_rig_apply(const char *text, size_t bytes, bool is_yaml,
			    const struct model *current, bool prune, struct problem *problem);

/* That must be good, and the model numbered. current NULL: nothing was there. */
struct model *lab_rig_apply_yaml(const char *text, const struct model *current, bool prune);

struct lab_rig_bad {
	const char *text;
	const char *code;
	const char *words; /* that the detail must contain */
};

/* Each is refused so, in one line, as the client's fault. */
void lab_rig_assert_refused(const struct lab_rig_bad *bad, size_t n, bool is_yaml);
