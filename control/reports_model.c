/* SPDX-License-Identifier: BSD-3-Clause */
/* What the model says of channels, as reports need it. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/contracts.h"
#include "control/reports.h"

static int compare_pools(const void *a, const void *b)
{
	const struct reports_pool *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void fill(const struct model *model, const struct contracts *contracts,
		 struct reports_channel *channels, struct reports_pool *pools)
{
	for (size_t i = 0; i < contracts->n; i++) {
		const struct contract *contract = &contracts->items[i];

		channels[i] = (struct reports_channel){
			.id = contract->id,
			.pool_id = contract->pool_id,
			.assured_bps = {contract->ways[DP_TX].assured_bps,
					contract->ways[DP_RX].assured_bps},
		};
	}
	for (size_t i = 0; i < model->n_pools; i++) {
		pools[i].id = (uint32_t)model->pools[i]->id;
		memcpy(pools[i].capacity_bps, model->pools[i]->capacity_bps,
		       sizeof(pools[i].capacity_bps));
	}
	if (model->n_pools != 0)
		qsort(pools, model->n_pools, sizeof(*pools), compare_pools);
}

int reports_follow(struct reports *reports, const struct model *model)
{
	struct contracts contracts;
	int error = contracts_list(model, &contracts);

	if (error < 0)
		return error;
	struct reports_channel *channels = calloc(contracts.n + 1, sizeof(*channels));
	struct reports_pool *pools = calloc(model->n_pools + 1, sizeof(*pools));
	error = channels != NULL && pools != NULL ? 0 : -ENOMEM;
	if (error == 0) {
		fill(model, &contracts, channels, pools);
		error = reports_configure(reports, channels, contracts.n, pools, model->n_pools);
	}
	free(channels);
	free(pools);
	contracts_fini(&contracts);
	return error;
}
