/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold between pools, channels, loans and those that use them: a part of rules_check().
 * What is assured must be there, and what is lent must be the lender's. Pure.
 */
#pragma once

#include "control/model.h"
#include "control/problem.h"

/*
 * 0, or -errno with the first offence; where problems are collected, 0 with all of them noted.
 * former: what was in force before. If a link has become slower than what was assured of it then, a
 * change is measured by that: it passes unless it makes more of it.
 */
int rules_channel_check(const struct model *model, const struct model *former,
			struct problem *problem);

/* Does a loan make sense by itself, and is what it lends there? Else why not. */
int rules_channel_check_loan(const struct model *model, const struct model_loan *loan,
			     struct problem *problem);
