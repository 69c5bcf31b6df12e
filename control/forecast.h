/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What channels would have if all of their pool wanted as much as they may: each way by itself, by
 * the same division as the dataplane's (share.h). Pure, but for memory.
 */
#pragma once

#include "control/contracts.h"

struct forecast {
	struct contracts contracts;
	/* Of the contract at the same place. */
	struct {
		uint64_t ways[DP_WAYS];
	} * shares_bps; /* 0 of one of no pool and no ceiling: it may have all there is */
};

/* 0 or -ENOMEM. The model has to stay. */
int forecast_make(const struct model *model, struct forecast *forecast);
void forecast_fini(struct forecast *forecast);

/* Assured to all channels of a pool. */
uint64_t forecast_assured_bps(const struct forecast *forecast, uint32_t pool_id, enum dp_way way);
