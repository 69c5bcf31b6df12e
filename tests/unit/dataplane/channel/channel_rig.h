/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channels without ports: sources that send all they may, stepped with a clock of their own, the
 * pool's rounds as a worker's turn would run them. And messages for transactions.
 */
#pragma once

#include "dataplane/channel/channel.h"
#include "tests/unit/dataplane/rig.h"

#define US 1000ULL
#define MS 1000000ULL
#define SECOND 1000000000ULL
#define M 1000000ULL
#define G 1000000000ULL
#define STEP_NS (10 * US)
#define FRAME_BYTES 1514

/* Who sends through one way of a channel. */
struct source {
	struct channel_way *way;
	uint64_t offered_bps; /* 0: nothing, UINT64_MAX: always something */
	uint32_t frame_bytes;
	uint64_t owed_bits; /* offered and not yet a frame; times a second in ns */
	int64_t backlog_bytes;
	uint64_t sent_bytes;
	bool waits;
};

/* Everything is put by a transaction, asserted to succeed. Both ways are alike. */
struct dp_pool channel_rig_pool(uint32_t id, uint64_t capacity_bps);
struct dp_channel channel_rig_channel(uint32_t id, uint32_t pool_id, uint64_t rate_bps,
				      uint64_t ceil_bps, uint32_t weight);
void channel_rig_put_pool(struct dataplane *dp, uint32_t id, uint64_t capacity_bps);
struct channel *channel_rig_put(struct dataplane *dp, const struct dp_channel *spec);

struct source channel_rig_source(struct dataplane *dp, uint32_t channel_id, uint64_t offered_bps);

/* From *now_ns for so long. */
void channel_rig_run(struct dataplane *dp, struct source *sources, unsigned int n, uint64_t *now_ns,
		     uint64_t ns);

/* Sent since the last reset, as a rate over that time. */
uint64_t channel_rig_bps(const struct source *source, uint64_t ns);
void channel_rig_reset(struct source *sources, unsigned int n);
