/* SPDX-License-Identifier: BSD-3-Clause */
/* Shares under full demand. Pure. */
#include "control/forecast.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/api/share.h"

/* Those of a pool, in a list. */
static struct share *link_members(const struct forecast *forecast, uint32_t pool_id,
				  enum dp_way way, struct share *shares)
{
	struct share *first = NULL;

	for (size_t i = 0; i < forecast->contracts.n; i++) {
		const struct contract *contract = &forecast->contracts.items[i];
		const struct contract_way *terms = &contract->ways[way];

		if (contract->pool_id != pool_id)
			continue;
		shares[i] = (struct share){
			.next = first,
			.assured_bps = terms->assured_bps,
			.ceiling_bps = terms->ceiling_bps,
			.demand_bps = SHARE_ALL,
			.weight = terms->weight,
		};
		first = &shares[i];
	}
	return first;
}

static void divide(struct forecast *forecast, const struct model_pool *pool, enum dp_way way,
		   struct share *shares)
{
	struct share *first = link_members(forecast, (uint32_t)pool->id, way, shares);

	if (first != NULL)
		share_out(pool->capacity_bps[way], 0, first);
	for (const struct share *share = first; share != NULL; share = share->next)
		forecast->shares_bps[share - shares].ways[way] = share->given_bps;
}

int forecast_make(const struct model *model, struct forecast *forecast)
{
	int error = contracts_list(model, &forecast->contracts);

	if (error < 0)
		return error;
	struct share *shares = calloc(forecast->contracts.n + 1, sizeof(*shares));
	forecast->shares_bps = calloc(forecast->contracts.n + 1, sizeof(forecast->shares_bps[0]));
	if (shares == NULL || forecast->shares_bps == NULL) {
		free(shares);
		forecast_fini(forecast);
		return -ENOMEM;
	}
	for (enum dp_way way = DP_TX; way < DP_WAYS; way++) {
		for (size_t i = 0; i < model->n_pools; i++)
			divide(forecast, model->pools[i], way, shares);
		for (size_t i = 0; i < forecast->contracts.n; i++) {
			const struct contract *contract = &forecast->contracts.items[i];

			if (contract->pool_id == 0)
				forecast->shares_bps[i].ways[way] = contract->ways[way].ceiling_bps;
		}
	}
	free(shares);
	return 0;
}

void forecast_fini(struct forecast *forecast)
{
	contracts_fini(&forecast->contracts);
	free(forecast->shares_bps);
	forecast->shares_bps = NULL;
}

uint64_t forecast_assured_bps(const struct forecast *forecast, uint32_t pool_id, enum dp_way way)
{
	uint64_t sum_bps = 0;

	for (size_t i = 0; i < forecast->contracts.n; i++) {
		if (forecast->contracts.items[i].pool_id == pool_id)
			sum_bps += forecast->contracts.items[i].ways[way].assured_bps;
	}
	return sum_bps;
}
