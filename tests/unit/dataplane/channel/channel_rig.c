/* SPDX-License-Identifier: BSD-3-Clause */
/* See channel_rig.h. */
#include "tests/unit/dataplane/channel/channel_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "dataplane/txn.h"
#include "dataplane/txn_channels.h"

struct dp_pool channel_rig_pool(uint32_t id, uint64_t capacity_bps)
{
	struct dp_pool pool = {.id = id, .capacity_bps = {capacity_bps, capacity_bps}};

	snprintf(pool.name, sizeof(pool.name), "pool%u", id);
	return pool;
}

struct dp_channel channel_rig_channel(uint32_t id, uint32_t pool_id, uint64_t rate_bps,
				      uint64_t ceil_bps, uint32_t weight)
{
	struct dp_channel_way way = {
		.assured_bps = rate_bps,
		.ceiling_bps = ceil_bps,
		.burst_bytes = 2 * FRAME_BYTES,
		.weight = weight,
		.target_us = 5000,
	};
	struct dp_channel channel = {.id = id, .pool_id = pool_id, .ways = {way, way}};

	snprintf(channel.name, sizeof(channel.name), "channel%u", id);
	return channel;
}

static void commit(struct txn *txn)
{
	char why[DP_TEXT_BYTES] = "";

	if (txn_prepare(txn, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	txn_commit(txn);
}

void channel_rig_put_pool(struct dataplane *dp, uint32_t id, uint64_t capacity_bps)
{
	struct dp_pool pool = channel_rig_pool(id, capacity_bps);
	struct txn *txn;

	assert_int_equal(txn_begin(dp, &txn), 0);
	assert_int_equal(txn_channels_put_pool(txn, &pool), 0);
	commit(txn);
}

struct channel *channel_rig_put(struct dataplane *dp, const struct dp_channel *spec)
{
	struct txn *txn;

	assert_int_equal(txn_begin(dp, &txn), 0);
	assert_int_equal(txn_channels_put_channel(txn, spec), 0);
	commit(txn);
	return channel_find(dp, spec->id);
}

struct source channel_rig_source(struct dataplane *dp, uint32_t channel_id, uint64_t offered_bps)
{
	struct channel *channel = channel_find(dp, channel_id);

	assert_non_null(channel);
	return (struct source){.way = &channel->ways[DP_TX],
			       .offered_bps = offered_bps,
			       .frame_bytes = FRAME_BYTES};
}

/* Frames that came in one step. */
static void offer(struct source *source)
{
	uint64_t frame_bits = (uint64_t)source->frame_bytes * 8 * SECOND;

	if (source->offered_bps == UINT64_MAX) {
		source->backlog_bytes = 1000LL * source->frame_bytes;
		return;
	}
	for (source->owed_bits += source->offered_bps * STEP_NS; source->owed_bits >= frame_bits;
	     source->owed_bits -= frame_bits)
		source->backlog_bytes += source->frame_bytes;
}

/* Takes what it may of what there is, as a held ring does. */
static void take(struct source *source, uint64_t now_ns)
{
	struct bucket *bucket = &source->way->bucket;
	int64_t bytes = 0, frames = 0;

	if (source->waits && bucket_due_ns(bucket) > now_ns)
		return;
	if (source->backlog_bytes == 0) {
		if (source->waits)
			channel_note_rest(source->way);
		source->waits = false;
		return;
	}
	int64_t credit = bucket_credit(bucket, now_ns, source->waits);
	int64_t credit_frames = bucket_credit_frames(bucket, now_ns, source->waits);

	while (credit > bytes && credit_frames > frames && source->backlog_bytes > bytes) {
		bytes += source->frame_bytes;
		frames++;
	}
	if (bytes != 0) {
		bucket_charge(bucket, now_ns, (uint64_t)bytes, (uint64_t)frames, source->waits);
		channel_count_taken(source->way, (uint64_t)bytes);
	}
	source->sent_bytes += (uint64_t)bytes;
	source->backlog_bytes -= bytes;
	if (source->waits && source->backlog_bytes == 0)
		channel_note_rest(source->way);
	source->waits = source->backlog_bytes != 0;
	if (source->waits)
		channel_note_wait(source->way, now_ns);
}

void channel_rig_run(struct dataplane *dp, struct source *sources, unsigned int n, uint64_t *now_ns,
		     uint64_t ns)
{
	for (uint64_t end_ns = *now_ns + ns; *now_ns < end_ns; *now_ns += STEP_NS) {
		pool_turn(dp, *now_ns);
		for (unsigned int i = 0; i < n; i++) {
			offer(&sources[i]);
			take(&sources[i], *now_ns);
		}
	}
}

uint64_t channel_rig_bps(const struct source *source, uint64_t ns)
{
	return (uint64_t)((unsigned __int128)source->sent_bytes * 8 * SECOND / ns);
}

void channel_rig_reset(struct source *sources, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		sources[i].sent_bytes = 0;
}
