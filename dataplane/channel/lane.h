/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes: what of a port passes through a channel, one way. On the way to the port (rx, as its
 * machine sees it) a lane holds the frames that the channel, or a full receiver, does not let pass
 * yet. On the way from it (tx) guests wait in their own ring, and a lane holds only what has no
 * ring that could hold it: frames of taps and uplinks, of a trunk whose segments have different
 * channels, of ports with queue=switch, and the pieces of a large TCP frame of a slow channel.
 *
 * Frames are held in an FQ-CoDel queue (fq.h), copied. Any worker may add under the lane's lock;
 * the worker whose frame made it not empty owns it, and takes out, until it is empty again and all
 * that it took out is sent. Until then the lane is busy, and nobody passes it: so the frames of a
 * flow stay in order, whichever worker brings them.
 *
 *	rx:  forward -> shape --- there is credit ---> gate -> port tx
 *	                  |                             ^
 *	                  +--> lane ~ turnstile ~ serve +
 *
 *	tx:  port rx -> shape --- there is credit ---> classify -> ...
 *	                  |                             ^
 *	                  +--> lane ~ turnstile ~ serve +
 *
 * On their way to a port, frames are held as they were before the gate (forward.h), and pass it
 * when they leave: what has changed meanwhile counts. The id of a frame's segment waits with it, so
 * an index that another segment has got is no way out. On their way from a port, frames are held
 * before they are classified, as they would be in a ring.
 *
 * The accounting identity counts a held frame as queued, at its port.
 */
#pragma once

#include <rte_spinlock.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"
#include "dataplane/channel/fq.h"
#include "dataplane/channel/room.h"
#include "dataplane/channel/turnstile.h"

/* A large TCP frame that takes longer at the channel's rate is cut before it waits. */
#define LANE_CUT_NS 200000ULL

struct channel_way;
struct counters_block;
struct dataplane;
struct port;
struct worker;

struct lane;

/* Where a worker keeps a lane that waits. */
struct lane_place {
	struct waiter waiter;  /* for credit */
	struct room_link link; /* for room */
	struct lane *lane;
};

struct lane {
	struct port *port;
	enum dp_way direction;
	uint16_t segment; /* of a trunk: whose frames; 0: of any */

	/* Main writes. NULL: it has no channel just now, and passes on what it has. */
	_Atomic(struct channel_way *) way;
	_Atomic bool is_lossless; /* nothing is marked or dropped: a ring waits behind it */

	rte_spinlock_t lock;
	_Atomic bool is_busy;	    /* holds frames, or they are being sent */
	_Atomic unsigned int owner; /* worker that takes them out, while it is busy */

	/* The receiver has no room: its owner writes. */
	_Atomic bool wants_room;
	_Atomic bool is_stuffed; /* and it holds so much that it takes in nothing more */
	_Atomic bool is_stuck;	 /* it had none for so long that nobody waits for it */
	uint64_t full_since_ns;

	/* Under the lock. */
	const struct channel_way *level_way; /* in whose counters is told what it holds, ... */
	uint16_t level_channel;		     /* ... its channel, ... */
	uint64_t level_bytes;		     /* ... and how much was told */
	struct fq fq;
	struct lane_place places[]; /* one for each worker: each uses its own */
};

/* Main. 0 or -ENOMEM. */
int lane_create(struct port *port, enum dp_way direction, uint16_t segment, struct lane **lane);
/* Frees what it holds, too: that is accounted for when the port's counters go. No worker knows it
 * any more. NULL is legal. */
void lane_destroy(struct lane *lane);

/* Workers. */

/* No frame passes it then. */
static inline bool lane_is_busy(const struct lane *lane)
{
	return atomic_load_explicit(&lane->is_busy, memory_order_acquire);
}

/* Before frames come to a lane that is busy: lets go what may go, if it is this worker's. */
void lane_let_go(struct lane *lane, struct worker *worker, struct channel_way *way);

/* Its receiver has had no room for long, and has none. Then nobody waits for it: what has credit
 * goes there and is lost as it would be without a lane, or is for another queue of the receiver,
 * that has room. */
bool lane_is_still_stuck(struct lane *lane);

static inline bool lane_is_stuck(struct lane *lane)
{
	return __builtin_expect(atomic_load_explicit(&lane->is_stuck, memory_order_relaxed), 0) &&
	       lane_is_still_stuck(lane);
}

/* Beginning of a turn: does it wait for room? If there is some, it waits at its turnstile. If there
 * was none for too long, what it holds is lost. */
bool lane_still_wants_room(struct lane *lane, struct worker *worker);

/* Takes frames burst->frames[order[0 .. n)] in, copied, and counts them: as queued, or as dropped
 * where there is no room. What they cost was asked for. count: of the lane's port. */
void lane_hold(struct lane *lane, struct worker *worker, const struct burst *burst,
	       const uint8_t *order, unsigned int n, struct counters_block *count);

/* Cuts a large TCP frame that a guest has sent, and takes all its pieces in. Its ring is to wait
 * until the lane is not busy any more. Counts the pieces as queued, and as segments all but one;
 * the frame itself is counted by the caller. false: it cannot be cut, or there is no memory:
 * nothing was done. */
bool lane_hold_pieces(struct lane *lane, struct worker *worker, const struct frame *frame,
		      struct counters_block *count);

/* Lanes that this worker owns and that wait nowhere, as after another epoch of channels: they wait
 * anew, at the channel that they have now. Those that have none pass on what they hold, all of it
 * at once; what others have added meanwhile waits for the next turn. Between bursts. */
void lane_wait_anew(struct worker *worker);
