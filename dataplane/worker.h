/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: polls its receive queues and carries what they have through the stages to the ports.
 * When nothing comes for a while it sleeps on the queues' descriptors.
 *
 * worker_turn() is the whole path and can be stepped by any single thread with any clock.
 * worker_run() is the thread's loop around it: clock, RCU, sleep, and the account of busy and idle
 * cycles.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/channel/room.h"
#include "dataplane/forward.h"
#include "dataplane/port.h"

struct dataplane;
struct rte_ring;
struct turnstiles;
struct write_ring;

#define WORKER_RXQS_MAX (2 * PORTS_MAX)

struct worker {
	struct dataplane *dp;
	unsigned int index;
	struct rte_ring *learn;		/* requests to main */
	struct rte_ring *neigh;		/* the same, for the neighbour table */
	struct counters_worker *count;
	struct forward_lists lists;
	struct burst *burst;
	struct recorder *recorder;
	struct burst *tunnelled;	/* of frames that came out of tunnels; and answers */
	struct burst *let_go;		/* of frames that lanes let go to ports */
	struct turnstiles *turnstiles;	/* who waits for credit of a channel */
	_Atomic(struct write_ring *) write_ring;	/* while its thread runs; NULL: none */
	struct room room;		/* lanes that wait for room at their receivers */
	bool has_lanes;			/* that wait, or are emptied, from the next turn on */
	int epoll_fd;			/* what wakes it: its queues' descriptors and wake_fd */
	int wake_fd;			/* eventfd by which main wakes it */
	bool main_has_work;		/* this turn found something for main */
	bool is_armed;			/* its queues were asked to wake it, and not yet not to */
	unsigned int n_held_frames;	/* that this turn has let go, of those who waited */
	bool has_channels;		/* some port that it polled has one: time is shared out */
	bool sees_channels;		/* the same of this turn so far */
	uint32_t work;			/* done ever, as fair.h reckons it, while it has_channels */
	unsigned int n_sourced;		/* frames of replays, which no poll has returned */
	unsigned int first;		/* queue that the next turn begins with: it woke it */
	pthread_t thread;
	_Atomic bool is_awake;		/* in a turn, or between two */
	_Atomic uint64_t beats;		/* turns begun */
	uint64_t last_beats;		/* main: at the last look of the watchdog */
	uint64_t seen_cycles;		/* main: busy cycles at the last look of balance.c */
	bool weighs_queues;		/* there are other workers that could have them */
	_Atomic bool is_stopping;
	_Atomic bool is_running;	/* from before its first turn until after its last */
	/* Main writes. When one goes the last takes its place, so a turn that runs meanwhile may
	 * poll one queue twice or leave one out: both are harmless. */
	_Atomic unsigned int n_rxqs;
	_Atomic(struct rxq *) rxqs[WORKER_RXQS_MAX];
};

int worker_create(struct dataplane *dp, unsigned int index, struct worker **worker);
void worker_destroy(struct worker *worker);	/* NULL is legal; it may not be running */

/* One round over all queues. Returns the frames taken. now_ns: any monotonic clock. Worker. */
unsigned int worker_turn(struct worker *worker, uint64_t now_ns);

/* The thread: runs until worker_stop(). */
void worker_run(struct worker *worker);
void worker_stop(struct worker *worker);	/* main */
void worker_wake(struct worker *worker);	/* any thread */

/* A worker makes no system call that can wait, but one: calling a guest, whose front-end can make
 * the descriptor block. Main looks now and then whether the worker has moved since the last look;
 * if not, a signal interrupts the call. worker_catch_signal(): once per process, makes the signal
 * harmless. */
void worker_watch(struct worker *worker);
int worker_catch_signal(void);

/* Main: a queue comes or goes. detach returns after no worker uses it. */
int worker_attach_rxq(struct worker *worker, struct rxq *rxq);
void worker_detach_rxq(struct worker *worker, struct rxq *rxq);

/* Main: from one worker to another. Nothing of the queue is on its way when the new one begins. 0
 * or -errno; then it is where it was. */
int worker_move_rxq(struct worker *from, struct worker *to, struct rxq *rxq);
