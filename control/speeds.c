/* SPDX-License-Identifier: BSD-3-Clause */
/* Speeds of links as capacities of pools. Runs on weftd's thread. */
#include "control/speeds.h"

#include <string.h>

#include "control/channels.h"
#include "dataplane/api/dp_msg.h"
#include "tap/link_speed.h"

static uint64_t known_before(const struct model *former, const struct model_pool *pool,
			     const char *ifname)
{
	const struct model_pool *was = model_pool(former, pool->name);
	const char *former_ifname = was != NULL ? channels_pool_ifname(former, was) : NULL;

	if (former_ifname == NULL || !was->is_derived || strcmp(former_ifname, ifname) != 0)
		return 0;
	return was->capacity_bps[DP_TX];
}

static uint64_t find(const struct model *model, const struct model *former,
		     const struct model_pool *pool, bool is_forced)
{
	const char *ifname = channels_pool_ifname(model, pool);
	uint64_t speed_bps = 0;

	if (ifname != NULL && link_speed_read(ifname, &speed_bps) < 0)
		speed_bps = known_before(former, pool, ifname);
	if (speed_bps > DP_RATE_BPS_MAX || (speed_bps == 0 && is_forced))
		speed_bps = DP_RATE_BPS_MAX;
	return speed_bps;
}

bool speeds_find(struct model *model, const struct model *former, bool is_forced)
{
	bool is_changed = false;

	for (size_t i = 0; i < model->n_pools; i++) {
		struct model_pool *pool = model->pools[i];

		if (!pool->is_derived)
			continue;
		uint64_t speed_bps = find(model, former, pool, is_forced);

		is_changed |= speed_bps != pool->capacity_bps[DP_TX];
		pool->capacity_bps[DP_TX] = pool->capacity_bps[DP_RX] = speed_bps;
	}
	return is_changed;
}
