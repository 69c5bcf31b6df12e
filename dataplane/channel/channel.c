/* SPDX-License-Identifier: BSD-3-Clause */
/* Channels as objects, and whose they are. Main thread. */
#include "dataplane/channel/channel.h"

#include <errno.h>

#include "dataplane/captures.h"
#include "dataplane/channel/pool.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/worker.h"

_Static_assert(DP_RATE_BPS_MIN == BUCKET_RATE_BPS_MIN && DP_RATE_BPS_MAX == BUCKET_RATE_BPS_MAX,
	       "the door and the bucket agree");

#define WIRE_EXTRA_BYTES 24 /* preamble, FCS and gap of Ethernet */

static uint64_t rate_before_rounds(const struct dp_channel_way *spec)
{
	return spec->assured_bps != 0 ? spec->assured_bps : spec->ceiling_bps;
}

int channel_create(struct dataplane *dp, const struct dp_channel *spec, struct channel **out)
{
	struct channel *channel = dp->config.memory.alloc(sizeof(*channel), 64);

	if (channel == NULL)
		return -ENOMEM;
	int slot = counters_take_channel(dp->counters, spec->id);

	if (slot < 0) {
		dp->config.memory.free(channel);
		return slot;
	}
	channel->dp = dp;
	channel->index = (uint16_t)slot;
	channel->spec = *spec;
	for (unsigned int i = 0; i < DP_WAYS; i++) {
		struct channel_way *way = &channel->ways[i];

		way->channel = channel->index;
		way->way = (uint8_t)i;
		way->counts = counters_channel(dp->counters, channel->index, 0, (enum dp_way)i);
		/* Until the first round: what nobody can take from it. */
		way->rate_bps = rate_before_rounds(&spec->ways[i]);
		bucket_init(&way->bucket, way->rate_bps, spec->ways[i].burst_bytes,
			    spec->ways[i].frames_per_s);
		way->told_bps = way->rate_bps;
		way->set_burst_bytes = spec->ways[i].burst_bytes;
		way->set_frames_per_s = spec->ways[i].frames_per_s;
	}
	*out = channel;
	return 0;
}

void channel_destroy(struct channel *channel)
{
	if (channel == NULL)
		return;
	counters_return_channel(channel->dp->counters, channel->index);
	channel->dp->config.memory.free(channel);
}

static struct channel **chain_of(struct dataplane *dp, uint32_t id)
{
	return &dp->channels_by_id[id % CHANNELS_BY_ID];
}

void channel_publish(struct channel *channel)
{
	struct channel **chain = chain_of(channel->dp, channel->spec.id);

	channel->next_by_id = *chain;
	*chain = channel;
	atomic_store_explicit(&channel->dp->channels[channel->index], channel,
			      memory_order_release);
	for (unsigned int i = 0; i < DP_WAYS; i++)
		pool_want_round(channel->dp, &channel->ways[i]);
}

void channel_unpublish(struct channel *channel)
{
	struct channel **link = chain_of(channel->dp, channel->spec.id);

	while (*link != channel)
		link = &(*link)->next_by_id;
	*link = channel->next_by_id;
	captures_forget(channel->dp, channel);
	atomic_store_explicit(&channel->dp->channels[channel->index], NULL, memory_order_release);
}

struct channel *channel_find(const struct dataplane *dp, uint32_t id)
{
	struct channel *channel = dp->channels_by_id[id % CHANNELS_BY_ID];

	while (channel != NULL && channel->spec.id != id)
		channel = channel->next_by_id;
	return channel;
}

static void apply_way(struct channel_way *way, const struct dp_channel_way *spec, int64_t lent_bps)
{
	int64_t assured_bps = (int64_t)spec->assured_bps - lent_bps;
	uint64_t ceiling_bps = spec->ceiling_bps;

	if (assured_bps < 0)
		assured_bps = 0;
	/* What is borrowed can be used. */
	if (ceiling_bps != 0 && ceiling_bps < (uint64_t)assured_bps)
		ceiling_bps = (uint64_t)assured_bps;
	atomic_store(&way->assured_bps, (uint64_t)assured_bps);
	atomic_store(&way->ceiling_bps, ceiling_bps);
	atomic_store(&way->burst_bytes, spec->burst_bytes);
	atomic_store(&way->weight, spec->weight);
	atomic_store(&way->target_ns, spec->target_us * 1000ULL);
	atomic_store(&way->frames_per_s, spec->frames_per_s);
}

void channel_apply(struct channel *channel, const struct dp_channel *spec, struct pool *pool)
{
	uint8_t extra_bytes = spec->account == DP_ACCOUNT_WIRE ? WIRE_EXTRA_BYTES : 0;

	channel->spec = *spec;
	atomic_store(&channel->pool, pool);
	for (unsigned int i = 0; i < DP_WAYS; i++) {
		struct channel_way *way = &channel->ways[i];

		atomic_store(&way->frame_extra_bytes, extra_bytes);
		apply_way(way, &spec->ways[i], channel->lent_bps[i]);
		pool_want_round(channel->dp, way);
	}
}

void channel_lend(struct channel *channel, enum dp_way way, int64_t bps)
{
	channel->lent_bps[way] += bps;
	apply_way(&channel->ways[way], &channel->spec.ways[way], channel->lent_bps[way]);
	pool_want_round(channel->dp, &channel->ways[way]);
}

void channel_changed(struct dataplane *dp)
{
	atomic_fetch_add(&dp->channels_epoch, 1);
	/* Who sleeps until a channel has credit again does so by a rate that has changed. */
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		worker_wake(dp->workers[i]);
}

bool channel_resolve_segment(struct dataplane *dp, struct segment *segment)
{
	struct channel *channel = channel_find(dp, segment->spec.channel_id);

	return atomic_exchange(&segment->channel, channel) != channel;
}

void channel_resolve_port(struct dataplane *dp, struct port *port)
{
	struct channel *channel = channel_find(dp, port->spec.channel_id);
	uint16_t index = atomic_load(&port->segment);
	struct segment *segment = atomic_load(&dp->segments[index]);

	if (channel == NULL && segment != NULL)
		channel = atomic_load(&segment->channel);
	atomic_store_explicit(&port->channel, channel, memory_order_release);
}

void channel_wake(struct channel_way *way)
{
	pool_want_round(channel_of(way)->dp, way);
}
