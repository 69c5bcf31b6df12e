/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dataplane in one thread whose ports are rings: port N of those that send always has as many
 * frames in its ring as fit, each with a number; the last port takes what comes and looks whether
 * anything is missing or out of order. The clock is the test's.
 */
#pragma once

#include "dataplane/channel/channel.h"
#include "dataplane/dataplane.h"

#define HOLD_RIG_SENDERS 64
#define HOLD_RIG_START (5 * 1000000000ULL)
#define HOLD_RIG_RING 256 /* descriptors */

struct packed_rig;
struct ring_rig;

/* A port that sends. */
struct hold_sender {
	struct rxq rxq;
	struct ring_rig *split; /* one of the two */
	struct packed_rig *packed;
	const uint16_t *lens; /* of its frames, in turn; NULL: it sends nothing */
	unsigned int n_lens;
	uint16_t mss; /* not 0: its frames are to be cut to it */
	bool floods;  /* to all ports */
	uint8_t tos;  /* of their IPv4 header */
	uint32_t n_offered;
	uint32_t n_freed; /* of a split ring */
};

/* What came of one sender. */
struct hold_got {
	uint64_t frames, bytes;
	uint32_t next;	   /* number expected */
	uint64_t n_wrong;  /* not that one */
	uint32_t sequence; /* of the last piece of a large one */
	uint64_t n_marked;
};

struct hold_rig {
	struct dataplane *dp;
	unsigned int n_senders;
	uint64_t now_ns;
	struct channel *channels[4];
	struct hold_sender senders[HOLD_RIG_SENDERS + 1]; /* from 1 on, as ports' ids */
	struct hold_got got[HOLD_RIG_SENDERS + 1];
};

/* One of a test's at a time. Senders are silent until they have lens. */
struct hold_rig *hold_rig_create(unsigned int n_workers, unsigned int n_senders, bool is_packed);
void hold_rig_destroy(struct hold_rig *rig);

/* Frames of one length, or of IMIX for 0. */
void hold_rig_send(struct hold_rig *rig, unsigned int sender, uint16_t len);
void hold_rig_stop(struct hold_rig *rig, unsigned int sender);

/* Channel i of the rig, whose tx way has this rate. 0: no limit. */
void hold_rig_set_rate(struct hold_rig *rig, unsigned int i, uint64_t rate_bps,
		       uint64_t burst_bytes);
/* No port has it any more. */
void hold_rig_drop(struct hold_rig *rig, unsigned int i);
/* Gives a port to channel i; -1: to none. */
void hold_rig_assign(struct hold_rig *rig, unsigned int sender, int i);

/* The lane for pieces of large frames of a port that has a channel. */
void hold_rig_add_lane(struct hold_rig *rig, unsigned int sender);

/* A turn of every worker, with rings full; then `step_ns` pass. */
void hold_rig_turn(struct hold_rig *rig, uint64_t step_ns);
void hold_rig_run(struct hold_rig *rig, uint64_t span_ns, uint64_t step_ns);

/* What was got is forgotten, but for the numbers. */
void hold_rig_forget(struct hold_rig *rig);

/* Nothing was dropped, missing or out of order. */
void hold_rig_assert_in_order(const struct hold_rig *rig);

/* bytes are this rate over a time, to 0.1 % or `slack_bytes`. */
void hold_rig_assert_rate(uint64_t bytes, uint64_t rate_bps, uint64_t ns, uint64_t slack_bytes);

const struct counters_channel *hold_rig_count(const struct hold_rig *rig, unsigned int channel,
					      unsigned int worker);

/* What may go at once beside the rate: what is taken ahead, and a frame. */
uint64_t hold_rig_slack(uint64_t rate_bps, uint64_t frame_bytes);
