/* SPDX-License-Identifier: BSD-3-Clause */
/* What the counters of a lane's channel and port are told of it. */
#pragma once

#include "dataplane/channel/fq.h"
#include "dataplane/fates.h"

struct burst;
struct channel_way;
struct counters_block;
struct counters_channel;
struct fq_account;
struct lane;
struct worker;

struct counters_channel *lane_told_counters(const struct worker *worker,
					    const struct channel_way *way);

/* How much it holds, as of a way; NULL: of none. Under the lane's lock. */
void lane_told_level(struct lane *lane, const struct channel_way *way, unsigned int worker);

/* Counts what the queue has dropped and marked since `before`, and its level. Under the lock. */
void lane_told_settle(struct lane *lane, struct worker *worker, const struct channel_way *way,
		      const struct fq_account *before, struct counters_block *count);

/* What the queue drops meanwhile, for who asks later. */
struct lane_drops {
	struct fq_drops drops;
	struct worker *worker;
	const struct counters_block *count;
	uint64_t port_id;
	uint16_t segment; /* index, 0: not known */
};

/* Until lane_told_settle(), under the lock. */
void lane_told_note(struct lane *lane, struct worker *worker, const struct counters_block *count,
		    struct lane_drops *drops);

/* Frames burst->frames[order[0 .. n)] are dropped: what its receiver would have lost, too. */
void lane_told_refuse(struct worker *worker, const struct channel_way *way,
		      const struct burst *burst, const uint8_t *order, unsigned int n,
		      struct counters_block *count);

/* That a frame begins or ends to wait, if it is a replay's: whether it is. */
bool lane_told_fate(const struct lane *lane, struct worker *worker, const struct frame *frame,
		    enum fate_kind kind);

/* All that it holds is lost: its receiver had no room for too long. Under the lock. */
void lane_told_lose(struct lane *lane, struct worker *worker, const struct channel_way *way,
		    struct counters_block *count);
