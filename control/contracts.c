/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in force for each channel. Pure. */
#include "control/contracts.h"

#include <errno.h>
#include <stdlib.h>

#include "control/channels.h"

static struct contract contract_of(const struct model *model, const struct model_channel *channel)
{
	const struct model_pool *pool = model_pool(model, channel->pool);
	struct contract contract = {
		.name = channel->name,
		.pool = channel->pool,
		.id = (uint32_t)channel->id,
		.pool_id = pool != NULL ? (uint32_t)pool->id : 0,
	};

	for (enum dp_way way = DP_TX; way < DP_WAYS; way++)
		contract.ways[way] = (struct contract_way){
			.assured_bps = pool != NULL ? channel->ways[way].rate_bps : 0,
			.ceiling_bps = channels_ceiling_bps(pool, channel, way),
			.weight = channel->ways[way].weight,
		};
	return contract;
}

static int compare(const void *a, const void *b)
{
	const struct contract *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static struct contract *find(const struct contracts *contracts, uint32_t id)
{
	const struct contract key = {.id = id};

	return contracts->n == 0
		       ? NULL
		       : bsearch(&key, contracts->items, contracts->n, sizeof(key), compare);
}

const struct contract *contracts_find(const struct contracts *contracts, uint32_t id)
{
	return find(contracts, id);
}

static struct contract *find_name(const struct contracts *contracts, const struct model *model,
				  const char *name)
{
	const struct model_channel *channel = model_channel(model, name);

	return channel != NULL ? find(contracts, (uint32_t)channel->id) : NULL;
}

/* The ceiling of who is assured of more than that is raised. */
static void lend(struct contract *from, struct contract *to, const struct model_loan *loan)
{
	for (enum dp_way way = DP_TX; way < DP_WAYS; way++) {
		struct contract_way *giver = &from->ways[way], *taker = &to->ways[way];

		if ((loan->ways >> way & 1) == 0)
			continue;
		giver->lent_bps += loan->rate_bps;
		giver->assured_bps -=
			giver->assured_bps < loan->rate_bps ? giver->assured_bps : loan->rate_bps;
		taker->borrowed_bps += loan->rate_bps;
		taker->assured_bps += loan->rate_bps;
		if (taker->ceiling_bps != 0 && taker->ceiling_bps < taker->assured_bps)
			taker->ceiling_bps = taker->assured_bps;
	}
}

int contracts_list(const struct model *model, struct contracts *contracts)
{
	contracts->n = 0;
	contracts->items = calloc(model->n_channels + 1, sizeof(contracts->items[0]));
	if (contracts->items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < model->n_channels; i++)
		contracts->items[contracts->n++] = contract_of(model, model->channels[i]);
	if (channels_default(model, &contracts->fallback))
		contracts->items[contracts->n++] = contract_of(model, &contracts->fallback);
	if (contracts->n != 0)
		qsort(contracts->items, contracts->n, sizeof(contracts->items[0]), compare);
	for (size_t i = 0; i < model->n_loans; i++) {
		struct contract *from = find_name(contracts, model, model->loans[i]->from);
		struct contract *to = find_name(contracts, model, model->loans[i]->to);

		if (from != NULL && to != NULL)
			lend(from, to, model->loans[i]);
	}
	return 0;
}

void contracts_fini(struct contracts *contracts)
{
	free(contracts->items);
	contracts->items = NULL;
	contracts->n = 0;
}
