/* SPDX-License-Identifier: BSD-3-Clause */
/* Which keys of two objects differ, by kind: the `compare` of kinds.h. Pure. */
#pragma once

#include "control/model.h"
#include "control/plan.h"

void plan_compare_segments(const struct model_object *a, const struct model_object *b,
			   struct plan_step *step);
void plan_compare_ports(const struct model_object *a, const struct model_object *b,
			struct plan_step *step);
void plan_compare_pools(const struct model_object *a, const struct model_object *b,
			struct plan_step *step);
void plan_compare_channels(const struct model_object *a, const struct model_object *b,
			   struct plan_step *step);
void plan_compare_vms(const struct model_object *a, const struct model_object *b,
		      struct plan_step *step);
void plan_compare_loans(const struct model_object *a, const struct model_object *b,
			struct plan_step *step);
