/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bounded FQ-CoDel queue (RFC 8290, RFC 8289) of copies of frames: flows by hash, served in turn
 * by bytes, sparse ones first; each flow's delay controlled by marking ECN, then by dropping. Time
 * is passed in. Not thread-safe: its lane has a lock.
 *
 * Which flow a frame is of is told by its hash; a flow may have one of eight places, so two share a
 * place only when nine are waiting that may have the same eight. What a queue holds is bounded by
 * its own limit, and by what others have left: it may have as much as is still free. So many queues
 * that are full leave room for one that is not. Beyond that the fattest flow loses its oldest
 * frame.
 *
 * What it knows of flows lies in the same memory, while there is something in it: a queue that
 * nobody uses is some words.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/channel/buffers.h"
#include "dataplane/frame.h"

#define FQ_WAYS 8
#define FQ_FLOWS 128
#define FQ_PART 32		 /* flows that one block knows */
#define FQ_QUANTUM_BYTES 1514u	/* of a turn, or the largest frame of late */

struct fq_flow {
	uint64_t first_above_ns; /* CoDel: when the delay will have been too long; 0: it is not */
	uint64_t next_drop_ns;
	uint32_t first, last;	 /* frames, by their first block */
	uint32_t n_drops, n_drops_before;
	int32_t deficit_bytes;
	uint8_t next;		 /* in its list */
	uint8_t list;		 /* enum in fq.c */
	bool is_dropping;
};

struct fq_part {
	uint32_t hashes[FQ_PART];
	uint32_t bytes[FQ_PART];
	struct fq_flow flows[FQ_PART];
};

struct fq_list {
	uint8_t first, last;
};

/* What became of frames, ever. */
struct fq_account {
	uint64_t marks;
	uint64_t late, late_bytes;	/* dropped by CoDel */
	uint64_t full, full_bytes;	/* dropped for want of room */
};

/* A frame that was dropped. */
struct fq_dropped {
	const uint8_t *bytes;	/* the first ones, all of those of a short one */
	uint32_t len;
	enum drop_reason reason;
	struct frame_mark mark;
};

struct fq_drops {
	void (*take)(struct fq_drops *drops, const struct fq_dropped *dropped);
};

struct fq {
	struct buffers *buffers;
	struct fq_drops *drops;	/* while the caller holds it; NULL: nobody asks */
	uint64_t target_ns;	/* 0: delays are not controlled */
	uint64_t interval_ns;
	uint32_t max_blocks;	/* limit of its own */
	uint32_t n_reserved;	/* blocks set aside for it */
	uint32_t n_blocks, n_frames;
	uint64_t n_bytes;
	uint32_t quantum_bytes;
	uint64_t seed;
	struct fq_account account;
	struct fq_list lists[2];
	uint32_t table;		/* its parts, a chain of blocks; BUFFERS_NONE: nothing is in it */
	struct fq_part *parts[FQ_FLOWS / FQ_PART];
};

/* Empty. seed: of the flows' hashes, so that nobody knows which share a place. */
void fq_init(struct fq *fq, struct buffers *buffers, uint64_t seed);
/* Gives back what it holds; who asks is told that it was dropped for want of room at the
 * receiver. */
void fq_clear(struct fq *fq);
/* If it is empty: forgets the flows, and gives back what it knew of them. */
void fq_rest(struct fq *fq);

/* target_ns 0: no control of delays; then nothing is marked or dropped but for want of room. */
void fq_set(struct fq *fq, uint64_t target_ns, uint64_t max_bytes);

/* Copies a frame in, with a word of the caller's. false: there is no room, and it is not counted.
 * What had to go for it is. */
bool fq_put(struct fq *fq, const struct frame *frame, uint32_t word, uint64_t now_ns);

/* Sets so many blocks aside for what is put next, and the queue's own: then nothing is dropped or
 * refused for want of memory. To be ended. false: there are not so many. */
bool fq_reserve(struct fq *fq, uint32_t n_blocks);
void fq_end_reserve(struct fq *fq);

/* A frame that was taken out: it is the last of a burst. */
struct fq_taken {
	uint64_t waited_ns;
	uint32_t block;	/* its first: the caller gives them back when the burst has left */
	uint32_t word;	/* that came with it */
};

/* Adds the next frame to the burst, which has room for one, and for its pieces. false: there is
 * none. */
bool fq_take(struct fq *fq, struct burst *burst, uint64_t now_ns, struct fq_taken *taken);

/* Blocks that a frame of so many bytes takes. */
unsigned int fq_n_blocks(uint32_t len);
