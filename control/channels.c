/* SPDX-License-Identifier: BSD-3-Clause */
/* What channels mean. Pure. */
#include "control/channels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/kinds.h"

#define ETHER_HEADER_BYTES 14
#define BURST_US 100	    /* at the ceiling: what goes at once anyway costs others no more */
#define LATENCY_US_MIN 5000 /* as RFC 8289 has it; less starves TCP on a busy host */
#define LATENCY_FRAMES 2    /* at the ceiling: one on its way, one behind it */
#define US_PER_S 1000000ULL

/* Ids are given by one counter: a pool's with this bit is nobody else's. */
#define DEFAULT_ID_BIT 0x80000000U

bool channels_default(const struct model *model, struct model_channel *channel)
{
	const struct model_pool *pool = model_pool(model, CHANNELS_HOST_POOL);

	if (pool == NULL)
		return false;
	memset(channel, 0, sizeof(*channel));
	snprintf(channel->name, sizeof(channel->name), "%s", CHANNELS_DEFAULT);
	snprintf(channel->pool, sizeof(channel->pool), "%s", pool->name);
	channel->id = pool->id | DEFAULT_ID_BIT;
	channel->generation = pool->generation;
	channel->ways[DP_TX].weight = channel->ways[DP_RX].weight = 1;
	return true;
}

uint64_t channels_frame_bytes(const struct model *model)
{
	return model_largest_mtu(model) + ETHER_HEADER_BYTES;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t channels_ceiling_bps(const struct model_pool *pool, const struct model_channel *channel,
			      enum dp_way way)
{
	const struct model_channel_way *given = &channel->ways[way];

	if (given->ceil_bps != 0)
		return given->ceil_bps;
	/* Of a link that has become slower than what is assured, there is no more than it carries
	 * anyway. */
	return pool != NULL ? larger(pool->capacity_bps[way], given->rate_bps) : given->rate_bps;
}

/* Of a ceiling; 0: none. */
static uint32_t latency_us_of(uint64_t ceiling_bps, uint64_t frame_bytes)
{
	uint64_t us = LATENCY_US_MIN;

	if (ceiling_bps != 0)
		us = larger(us, LATENCY_FRAMES * frame_bytes * 8 * US_PER_S / ceiling_bps);
	return (uint32_t)(us < DP_TARGET_US_MAX ? us : DP_TARGET_US_MAX);
}

void channels_derive(const struct model *model, const struct model_channel *channel,
		     uint64_t frame_bytes, struct dp_channel_way ways[DP_WAYS])
{
	const struct model_pool *pool = model_pool(model, channel->pool);

	for (enum dp_way which = DP_TX; which < DP_WAYS; which++) {
		const struct model_channel_way *way = &channel->ways[which];
		uint64_t ceiling_bps = channels_ceiling_bps(pool, channel, which);
		uint64_t burst_bytes = ceiling_bps * BURST_US / US_PER_S / 8;

		ways[which] = (struct dp_channel_way){
			.assured_bps = pool != NULL ? way->rate_bps : 0,
			.ceiling_bps = ceiling_bps,
			.burst_bytes = way->burst_bytes != 0 ? way->burst_bytes
							     : larger(frame_bytes, burst_bytes),
			.weight = way->weight,
			.target_us = way->latency_us != 0 ? way->latency_us
							  : latency_us_of(ceiling_bps, frame_bytes),
			.frames_per_s = way->frames_per_s,
		};
	}
}

/* Of a peer: that of the underlays that may lead to it, if they have one and the same. */
static const char *channel_of_underlay(const struct model *model)
{
	const char *channel = NULL;

	for (size_t i = 0; i < model->n_ports; i++) {
		const struct model_port *port = model->ports[i];

		if (!model_is_underlay(port))
			continue;
		if (channel != NULL && strcmp(channel, port->channel) != 0)
			return "";
		channel = port->channel;
	}
	return channel != NULL ? channel : "";
}

const char *channels_of_port(const struct model *model, const struct model_port *port)
{
	const struct model_vm *vm;

	if (port->channel[0] != '\0')
		return port->channel;
	if (port->kind == &kind_peer)
		return channel_of_underlay(model);
	vm = port->vm[0] != '\0' ? model_vm(model, port->vm) : NULL;
	return vm != NULL ? vm->channel : "";
}

static uint32_t id_of(const struct model *model, const char *name)
{
	const struct model_channel *channel = name[0] != '\0' ? model_channel(model, name) : NULL;

	return channel != NULL ? (uint32_t)channel->id : 0;
}

bool channels_resolve(const struct model *model, const struct model_port *port,
		      struct model_channel *channel)
{
	const struct model_segment *segment = model_segment(model, port->segment);
	const struct model_channel *found;
	const char *name = channels_of_port(model, port);

	/* A trunk has one only by itself: which segment a frame is in, the frame says. */
	if (name[0] == '\0' && (port->trunk != NULL || segment == NULL))
		return false;
	if (name[0] == '\0')
		name = segment->channel;
	if (name[0] == '\0')
		return channels_default(model, channel);
	found = model_channel(model, name);
	if (found != NULL)
		*channel = *found;
	return found != NULL;
}

uint32_t channels_port_id(const struct model *model, const struct model_port *port)
{
	return id_of(model, channels_of_port(model, port));
}

uint32_t channels_segment_id(const struct model *model, const struct model_segment *segment)
{
	struct model_channel fallback;

	if (segment->channel[0] != '\0')
		return id_of(model, segment->channel);
	return channels_default(model, &fallback) ? (uint32_t)fallback.id : 0;
}

uint64_t channels_lent_bps(const struct model *model, const char *channel, enum dp_way way)
{
	uint64_t sum_bps = 0;

	for (size_t i = 0; i < model->n_loans; i++) {
		if ((model->loans[i]->ways >> way & 1) != 0 &&
		    strcmp(model->loans[i]->from, channel) == 0)
			sum_bps += model->loans[i]->rate_bps;
	}
	return sum_bps;
}

const char *channels_pool_ifname(const struct model *model, const struct model_pool *pool)
{
	const struct model_port *port = model_port(model, pool->uplink);

	return port != NULL && port->kind == &kind_uplink ? model_ifname(port) : NULL;
}

int channels_assured_init(struct channels_assured *assured, const struct model *model)
{
	size_t place;

	*assured = (struct channels_assured){.model = model};
	if (model->n_pools == 0)
		return 0;
	assured->bps = calloc(model->n_pools, sizeof(assured->bps[0]));
	if (assured->bps == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < model->n_channels; i++) {
		const struct model_channel *channel = model->channels[i];

		if (!model_place(model, MODEL_POOL, channel->pool, &place))
			continue;
		for (enum dp_way way = DP_TX; way < DP_WAYS; way++)
			assured->bps[place][way] += channel->ways[way].rate_bps;
	}
	return 0;
}

void channels_assured_fini(struct channels_assured *assured)
{
	free(assured->bps);
	*assured = (struct channels_assured){0};
}

uint64_t channels_assured_bps(const struct channels_assured *assured, const char *pool,
			      enum dp_way way)
{
	size_t place;

	return assured->bps != NULL && model_place(assured->model, MODEL_POOL, pool, &place)
		       ? assured->bps[place][way]
		       : 0;
}
