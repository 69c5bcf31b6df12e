/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which worker polls which receive queue. Main thread.
 *
 * A queue that starts goes to the worker that has fewest. Once a second main looks at the cycles
 * that each queue cost its worker; when one worker is busy and another has clearly less to do, the
 * queue that evens them out best moves. It never moves a queue that costs more than half of the
 * difference, so the two do not change places and no queue goes back and forth.
 *
 * A move loses nothing and keeps every flow in order, because a burst is carried to its end in the
 * turn that took it: when the old worker has passed a quiescent point nothing of the queue is on
 * its way any more, and only then the new worker starts (worker_move_rxq()).
 *
 * One place decides, so this is where distance will count: a worker's node and the node of a
 * guest's memory belong in the comparisons of balance.c, with a remote queue as if it cost more.
 */
#pragma once

#include <stdint.h>

struct dataplane;
struct rxq;

/* The worker for a queue that starts. */
unsigned int balance_choose(const struct dataplane *dp, const struct rxq *rxq);

/* Measures, and moves what should move. Does nothing most of the time. */
void balance_turn(struct dataplane *dp, uint64_t now_ns);

/* A queue that is polled, or NULL. */
struct rxq *balance_find(const struct dataplane *dp, uint64_t port_id, unsigned int queue);

/* By hand: the queue goes to that worker and stays there, also when it stops and starts, until
 * balance_unpin(). 0 or -errno; then it is where it was. */
int balance_pin(struct dataplane *dp, struct rxq *rxq, unsigned int worker);
void balance_unpin(struct rxq *rxq);
