/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters: the layout of the one memfd in which the dataplane counts and others read.
 *
 * weft-dataplane creates the memfd, seals its size, and hands a read-only descriptor to whoever
 * says DP_HELLO. Layout, every part on a cache-line boundary:
 *
 *     struct counters_header
 *     struct counters_slot   [n_slots]                  whose counters the blocks of a slot are
 *     struct counters_worker [n_workers]                one per worker
 *     struct counters_block  [n_slots][n_workers]       one writer each: that worker
 *     struct counters_slot   [n_channels]               whose counters these are
 *     struct counters_channel [n_channels][n_workers][2]  by enum dp_way; one writer each
 *
 * Slot 0 belongs to no port: when a port goes, its sums are added to slot 0, so the totals over
 * all slots never go back. Main writes slot 0 and the slot table; a worker writes its own blocks.
 *
 * Nobody resets a counter. A reader that wants "since" keeps a baseline, together with the slot's
 * object_id and generation: if either differs, the slot has a new owner and the baseline is void.
 *
 * Accounting identity (checked by tests at quiescence, summed over all slots and workers):
 *     rx_frames + generated + copies + segments = tx_frames + sum(drops) + queued
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/drop_reasons.h"

#define COUNTERS_MAGIC 0x7765667463747231ULL /* "weftctr1" */
#define COUNTERS_VERSION 3
#define COUNTERS_LINE 64

struct counters_header {
	uint64_t magic;
	uint32_t version;
	uint32_t n_slots;
	uint32_t n_workers;
	uint32_t n_reasons;	/* DROP_COUNT of the writer */
	uint64_t slots_offset;	/* bytes from the start of the memfd, as the next two */
	uint64_t workers_offset;
	uint64_t blocks_offset;
	uint64_t total_bytes;
	uint64_t epoch;		/* differs for every start of the dataplane */
	uint64_t tsc_hz;	/* cycles per second of the *_cycles counters */
	uint32_t n_channels;	/* slots for channels; slot 0 belongs to none */
	uint32_t n_flights;	/* flight recorders that have stopped so far, modulo 2^32 */
	uint64_t channel_slots_offset;
	uint64_t channels_offset;
	uint64_t memory_bytes;	/* the dataplane's (footprint.h), a second old; 0: untold */
};

struct counters_slot {
	uint64_t object_id;	/* port id of the control plane; 0: free, or slot 0 */
	uint64_t generation;	/* counts the owners of this slot */
};

/* What one worker did with its time, and with what. Written by that worker, up to the levels. */
struct counters_worker {
	uint64_t turns;
	uint64_t busy_cycles;	/* turns that moved at least one frame */
	uint64_t idle_cycles;	/* turns that moved none; sleep is not counted */
	uint64_t busy_frames;	/* frames taken in busy turns */
	uint64_t sleeps;	/* times it waited on its descriptors */
	uint64_t learn_lost;	/* learn requests that did not fit the ring to main */
	uint64_t claims_lost;	/* addresses for the neighbour table that did not fit the ring */
	/* Levels, written by main. */
	uint32_t n_queues;	/* that it polls */
	uint16_t cpu;		/* on which it runs */
	uint16_t busy_permille;	/* of the last second */
} __attribute__((aligned(COUNTERS_LINE)));

/* One port on one worker. rx: taken from the port. tx: given to the port. */
struct counters_block {
	uint64_t rx_frames;
	uint64_t rx_bytes;	/* layer-2 bytes without FCS */
	uint64_t rx_gso_frames;	/* of rx_frames: larger than one packet, to be cut later (TSO) */
	uint64_t tx_frames;
	uint64_t tx_bytes;
	uint64_t tx_gso_frames;
	uint64_t generated;	/* frames that weft itself made (ICMP, RARP, probes) */
	uint64_t copies;	/* frame instances added by flooding: receivers - 1 */
	uint64_t segments;	/* frame instances added by cutting large frames: pieces - 1 */
	uint64_t queued;	/* a level, not a count: frames that weft holds */
	/* Of an uplink: outer frames that carried those which are counted at the peers' ports. Not
	 * part of the identity. */
	uint64_t carried_rx_frames;
	uint64_t carried_rx_bytes;
	uint64_t carried_tx_frames;
	uint64_t carried_tx_bytes;
	uint64_t drops[DROP_COUNT];	/* by reason, at the port where it happened */
} __attribute__((aligned(COUNTERS_LINE)));

/* Delays are counted in buckets, four to each power of two, from 1 us on: bucket 4 * n + q counts
 * delays from (4 + q) / 4 * 2^n us on, the first also those below. */
#define COUNTERS_DELAYS 96

/* One way of one channel on one worker. The memory of slots that were never used costs nothing. */
struct counters_channel {
	/* That came to the channel: passed, held or dropped. A ring that is held asks when it is
	 * served. */
	uint64_t asked_frames, asked_bytes;
	uint64_t passed_frames, passed_bytes;	/* as the channel accounts them */
	uint64_t held_ns;	/* that somebody waited at this worker's turnstile */
	uint64_t marks;		/* ECN: frames that said so in place of being dropped */
	uint64_t drops;		/* by the queues of its lanes; each is in a port's drops too */
	uint64_t queued_bytes;	/* a level: in lanes */
	/* Of frames that passed: in lanes measured, in rings what lay before them over the rate. */
	uint64_t delays[COUNTERS_DELAYS];
} __attribute__((aligned(COUNTERS_LINE)));
