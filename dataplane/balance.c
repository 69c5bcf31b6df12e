/* SPDX-License-Identifier: BSD-3-Clause */
/* Placement of receive queues on workers, by count and by load. Main thread. */
#include "dataplane/balance.h"

#include <stddef.h>

#include "dataplane/base/log.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/worker.h"

#define LOOK_NS UINT64_C(1000000000)
/* In permille of a CPU: below the first a worker has nothing to complain of; a smaller difference
 * than the second is noise; a queue below the third is not worth a grace period. */
#define BUSY_MIN 500
#define DIFFERENCE_MIN 200
#define QUEUE_MIN 20
#define MOVES_PER_LOOK 8

static unsigned int count_rxqs(const struct worker *worker)
{
	return atomic_load_explicit(&worker->n_rxqs, memory_order_relaxed);
}

static struct rxq *rxq_at(const struct worker *worker, unsigned int i)
{
	return atomic_load_explicit(&worker->rxqs[i], memory_order_relaxed);
}

unsigned int balance_choose(const struct dataplane *dp, const struct rxq *rxq)
{
	unsigned int least = 0;

	if (rxq->pin != 0)
		return rxq->pin - 1u;
	for (unsigned int i = 1; i < dp->config.n_workers; i++) {
		if (count_rxqs(dp->workers[i]) < count_rxqs(dp->workers[least]))
			least = i;
	}
	return least;
}

/* --- measuring --- */

static uint16_t permille(uint64_t cycles, uint64_t of_cycles)
{
	uint64_t share = of_cycles != 0 ? cycles * 1000 / of_cycles : 0;

	return share < 1000 ? (uint16_t)share : 1000;
}

/* Half of it is the past, so that one burst moves nothing. */
static uint32_t smooth(uint32_t before, uint32_t now)
{
	return (before + now) / 2;
}

static void measure_queue(struct rxq *rxq, uint64_t elapsed_cycles)
{
	uint64_t busy = atomic_load_explicit(&rxq->busy_cycles, memory_order_relaxed);

	rxq->load = smooth(rxq->load, permille(busy - rxq->seen_cycles, elapsed_cycles));
	rxq->seen_cycles = busy;
}

static void measure(struct dataplane *dp, uint64_t elapsed_cycles)
{
	for (unsigned int i = 0; i < dp->config.n_workers; i++) {
		struct worker *worker = dp->workers[i];
		uint64_t busy = __atomic_load_n(&worker->count->busy_cycles, __ATOMIC_RELAXED);

		worker->count->busy_permille = permille(busy - worker->seen_cycles, elapsed_cycles);
		worker->seen_cycles = busy;
		for (unsigned int k = 0; k < count_rxqs(worker); k++)
			measure_queue(rxq_at(worker, k), elapsed_cycles);
	}
}

/* --- moving --- */

static uint32_t load_of(const struct worker *worker)
{
	uint32_t load = 0;

	for (unsigned int i = 0; i < count_rxqs(worker); i++)
		load += rxq_at(worker, i)->load;
	return load;
}

/* The queue that brings both closest together without making the second the busier one. */
static struct rxq *find_movable(const struct worker *from, uint32_t difference)
{
	struct rxq *best = NULL;

	for (unsigned int i = 0; i < count_rxqs(from); i++) {
		struct rxq *rxq = rxq_at(from, i);

		if (rxq->pin != 0 || rxq->load < QUEUE_MIN || rxq->load > difference / 2)
			continue;
		if (best == NULL || rxq->load > best->load)
			best = rxq;
	}
	return best;
}

/* One move from the busiest to the least busy. false: all is well. */
static bool even_out(struct dataplane *dp)
{
	struct worker *busiest = dp->workers[0], *least = dp->workers[0];

	for (unsigned int i = 1; i < dp->config.n_workers; i++) {
		if (load_of(dp->workers[i]) > load_of(busiest))
			busiest = dp->workers[i];
		if (load_of(dp->workers[i]) < load_of(least))
			least = dp->workers[i];
	}
	uint32_t difference = load_of(busiest) - load_of(least);

	if (load_of(busiest) < BUSY_MIN || difference < DIFFERENCE_MIN)
		return false;
	struct rxq *rxq = find_movable(busiest, difference);

	if (rxq == NULL || worker_move_rxq(busiest, least, rxq) < 0)
		return false;
	log_info("balance", "queue %u of port %s: from worker %u to %u", rxq->index,
		 rxq->port->spec.name, busiest->index, least->index);
	return true;
}

void balance_turn(struct dataplane *dp, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - dp->balanced_ns;

	if (elapsed_ns < LOOK_NS)
		return;
	/* Some time ago, if main was kept from looking: the shares are still right. */
	dp->balanced_ns = now_ns;
	measure(dp, (uint64_t)((double)elapsed_ns * (double)dp->config.tsc_hz / 1e9));
	for (unsigned int i = 0; i < MOVES_PER_LOOK && even_out(dp); i++)
		;
}

/* --- by hand --- */

struct rxq *balance_find(const struct dataplane *dp, uint64_t port_id, unsigned int queue)
{
	for (unsigned int i = 0; i < dp->config.n_workers; i++) {
		for (unsigned int k = 0; k < count_rxqs(dp->workers[i]); k++) {
			struct rxq *rxq = rxq_at(dp->workers[i], k);

			if (rxq->port->spec.id == port_id && rxq->index == queue)
				return rxq;
		}
	}
	return NULL;
}

int balance_pin(struct dataplane *dp, struct rxq *rxq, unsigned int worker)
{
	if (rxq->worker != (int)worker) {
		int error = worker_move_rxq(dp->workers[rxq->worker], dp->workers[worker], rxq);

		if (error < 0)
			return error;
	}
	rxq->pin = (uint16_t)(worker + 1);
	return 0;
}

void balance_unpin(struct rxq *rxq)
{
	rxq->pin = 0;
}
