/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in force for each channel of a model: loans are counted in. Pure, but for memory. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "control/model.h"

struct contract_way {
	uint64_t assured_bps;
	uint64_t ceiling_bps; /* 0: none */
	uint64_t lent_bps;    /* by loans, to others; counted in assured_bps, as the next */
	uint64_t borrowed_bps;
	uint32_t weight;
};

struct contract {
	const char *name; /* the model's, as the next */
	const char *pool; /* "" : none */
	uint32_t id, pool_id;
	struct contract_way ways[DP_WAYS];
};

struct contracts {
	struct contract *items; /* by id */
	size_t n;
	struct model_channel fallback; /* the default, if there is one: its name is this one's */
};

/* With the default channel, if there is one. To be moved nowhere. 0 or -ENOMEM. */
int contracts_list(const struct model *model, struct contracts *contracts);
void contracts_fini(struct contracts *contracts);

/* NULL: there is none. */
const struct contract *contracts_find(const struct contracts *contracts, uint32_t id);
