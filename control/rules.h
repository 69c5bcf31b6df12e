/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What must hold between the objects of a model: references that exist, and names, numbers,
 * addresses and devices that no two may share. Pure.
 */
#pragma once

#include "control/model.h"
#include "control/problem.h"

/* 0, or -EINVAL / -EEXIST / -ENOMEM with the first offence found. former: what was in force before,
 * whose pools may promise more than a slower link has by now (rules_channel.h); host: name of this
 * host; run_dir: where ports have their sockets unless they say otherwise. */
int rules_check(const struct model *model, const struct model *former, const char *host,
		const char *run_dir, struct problem *problem);
