/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a transaction with the dataplane is made of: everything that differs between it and the
 * model, or, where it is known to have the model before, the steps of the plan alone. Both begin
 * the transaction and end with its prepare. Runs on weftd's thread.
 */
#pragma once

#include "control/broken.h"
#include "control/mirror.h"
#include "control/plan.h"

/* All that differs. A port in `broken` that has not changed since is left out. 0 or -errno, with
 * one line in `why`. */
int stage_all(struct mirror *mirror, const struct model *model, const struct table *wanted,
	      const struct broken_list *broken, char why[DP_TEXT_BYTES]);

/* Do the steps say all that the dataplane must be told? What the change of one object means for
 * others (of a segment for its ports, of a pool for its channels) they do not say. */
bool stage_can_follow(const struct model *current, const struct model *wanted,
		      const struct plan *plan);

/* The steps from `current`, which the dataplane has, to `wanted`. As above. */
int stage_steps(struct mirror *mirror, const struct model *current, const struct model *wanted,
		const struct plan *plan, char why[DP_TEXT_BYTES]);
