/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's part of following real frames (follow.h). A burst that has one that is wanted is cut
 * there: the frames before it are carried as ever, it is carried alone, with an observer, then the
 * rest. So it goes where it would have gone, in its order, and what is said of it is what has
 * become of it.
 *
 * Between a port's rx and its rx_done, frames from the first that is wanted on have SHAPE_HELD: the
 * path counts them as received and does nothing else, and rx_done carries them. Nothing is asked on
 * the path while nobody follows: it is in the functions that port.io points at then (recorder.h).
 *
 * What is found out is put as facts into a ring of this worker, which main takes out. When it is
 * full, frames are not followed, and counted. Worker threads, but for follower_create() to
 * follower_take().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame.h"
#include "dataplane/trace_view.h"

#define FOLLOWER_RECORDS 64   /* a power of two */
#define FOLLOWER_RECEIVERS 32 /* that are followed to their ends, as those of a trace */
#define FOLLOWER_FACTS (12 + 4 * FOLLOWER_RECEIVERS)

struct counters_block;
struct follow;
struct follower;
struct port;
struct worker;

/* One frame that was followed. */
struct follower_record {
	uint64_t time_ns; /* of its burst */
	uint64_t port_id; /* that it came from */
	uint32_t len;
	uint16_t head_len;
	uint16_t n_facts;
	uint8_t head[FRAME_HEAD_BYTES];
	struct trace_fact facts[FOLLOWER_FACTS];
};

/* Main. NULL: no memory. */
struct follower *follower_create(struct follow *follow, struct worker *worker);
void follower_destroy(struct follower *follower); /* NULL is legal */
/* The oldest record, or NULL; it stays until follower_take(). */
const struct follower_record *follower_peek(const struct follower *follower);
void follower_take(struct follower *follower);
uint64_t follower_missed(const struct follower *follower);

/* Behind rx of a port: holds back what is to be carried alone and what is behind it. false: there
 * is nothing. */
bool follower_hold(struct follower *follower, const struct port *port, struct burst *burst);
/* Before rx_done: carries that. */
void follower_release(struct follower *follower, struct port *port, struct burst *burst);

/* Carries a burst that no poll has returned. false: it has none that is wanted. */
bool follower_carry(struct worker *worker, struct port *port, struct burst *burst);

/* A frame was dropped while one is followed; count: whose drop it is. */
void follower_drop(struct follower *follower, const struct counters_block *count,
		   const struct frame *frame, enum drop_reason reason);
