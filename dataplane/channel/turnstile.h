/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Turnstiles: where those wait who may not take from their channel just now. Each worker has one
 * for each way of each channel; the waiting are rings that are not polled meanwhile, and lanes
 * (lane.h), which hold frames. When the bucket allows, they are served in turn, each up to a
 * quantum of bytes: deficit round robin. Nothing here is per frame, and a worker looks only at the
 * turnstiles that somebody waits at: at their times, which lie close together in one array.
 *
 * Main changes channels, ports and queues without knowing who waits where: it makes the change,
 * then counts dataplane.channels_epoch up, then waits for a grace period. A worker that sees another
 * epoch at the start of a turn forgets all turnstiles without looking at who waited (they may be
 * gone): queues are polled as any other again, and of the lanes of published ports those that this
 * worker owns and that hold frames wait anew, at the channel that they now have.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct channel_way;
struct waiter;
struct worker;

/* What a service did. */
struct served {
	int64_t bytes;		/* charged to the channel */
	bool is_done;		/* has nothing more: leaves */
};

/* In a queue or a lane. Written by the worker that it belongs to. */
struct waiter {
	/* Moves frames while budget_bytes is positive; what it moves it charges itself. */
	struct served (*serve)(struct worker *worker, struct waiter *waiter, int64_t budget_bytes);
	struct waiter *next;
	struct channel_way *way;
	uint32_t epoch;		/* waits only if it is the worker's */
	int32_t deficit_bytes;
};
