/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes and destroys a dataplane; main's turn; forgetting of what is gone. Main thread. */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <rte_pause.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dataplane/balance.h"
#include "dataplane/base/loop.h"
#include "dataplane/captures.h"
#include "dataplane/channel/buffers.h"
#include "dataplane/counters.h"
#include "dataplane/follow.h"
#include "dataplane/learn.h"
#include "dataplane/neigh.h"
#include "dataplane/overlay.h"
#include "dataplane/replays.h"
#include "dataplane/vhost/fault.h"
#include "dataplane/vhost/leftover.h"
#include "dataplane/vhost/reaper.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

#define SWEEP_INTERVAL_S 10
/* A piece of a sweep takes about a millisecond; who asks main for something at that time, many
 * times in a row even, shall not wait for one each time. */
#define SWEEP_BUCKETS 4096
#define SWEEP_PLACES 8192
#define SWEEP_GAP_NS 20000000ULL
#define PORTS_TICK_NS 100000000ULL
#define SPINS_BEFORE_YIELD 1000 /* a turn takes some microseconds */
#define WATCH_NS 30000000ULL
#define STOP_LOOK_US 500

static void synchronize(void *ctx)
{
	dataplane_synchronize(ctx);
}

static int create_parts(struct dataplane *dp)
{
	struct fdb_config fdb = {
		.memory = dp->config.fdb_memory.alloc != NULL ? dp->config.fdb_memory
							      : dp->config.memory,
		.capacity = dp->config.fdb_capacity,
		.seed = dp->config.hash_seed,
		.synchronize = synchronize,
		.ctx = dp,
	};
	int error = loop_create(&dp->loop);

	if (error == 0)
		error = counters_create(PORTS_MAX, CHANNELS_MAX, dp->config.n_workers,
					dp->config.epoch, dp->config.tsc_hz, &dp->counters);
	if (error == 0)
		error = fdb_create(&fdb, &dp->fdb);
	if (error == 0)
		error = neigh_create(dp->config.hash_seed, &dp->neigh);
	if (error == 0)
		error = pool_create_rounds(dp, &dp->rounds);
	if (error == 0)
		error = buffers_create(dp->config.queue_bytes != 0 ? dp->config.queue_bytes
								   : BUFFERS_BYTES_DEFAULT,
				       &dp->buffers);
	if (error == 0)
		error = fault_install();
	if (error == 0)
		error = worker_catch_signal();
	if (error == 0)
		error = reaper_create(&dp->reaper);
	if (error < 0)
		return error;
	dp->qsbr = dp->config.memory.alloc(rte_rcu_qsbr_get_memsize(WORKERS_MAX), 64);
	if (dp->qsbr == NULL || rte_rcu_qsbr_init(dp->qsbr, WORKERS_MAX) != 0)
		return -ENOMEM;
	error = news_create(&dp->news, dp->loop);
	for (unsigned int i = 0; error == 0 && i < dp->config.n_workers; i++)
		error = worker_create(dp, i, &dp->workers[i]);
	return error;
}

int dataplane_create(const struct dataplane_config *config, struct dataplane **out)
{
	struct dataplane *dp;

	if (config->n_workers == 0 || config->n_workers > WORKERS_MAX)
		return -EINVAL;
	dp = config->memory.alloc(sizeof(*dp), 64);
	if (dp == NULL)
		return -ENOMEM;
	dp->config = *config;
	dp->news.fd = -1;
	dp->ports_end = dp->segments_end = 1;
	dp->ports_free_from = dp->segments_free_from = 1;
	int error = create_parts(dp);

	if (error < 0) {
		dataplane_destroy(dp);
		return error;
	}
	fault_enter(&dp->faults);
	*out = dp;
	return 0;
}

static void destroy_objects(struct dataplane *dp)
{
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL) {
			port_unpublish(port);
			port_destroy(port);
		}
	}
	for (unsigned int i = 1; i < dp->segments_end; i++)
		segment_destroy(atomic_load(&dp->segments[i]));
}

static void destroy_channels(struct dataplane *dp)
{
	loan_end_all(dp);
	for (unsigned int i = 1; i < CHANNELS_MAX; i++) {
		struct channel *channel = atomic_load(&dp->channels[i]);

		if (channel != NULL) {
			channel_unpublish(channel);
			channel_destroy(channel);
		}
	}
	for (unsigned int i = 1; i < POOLS_MAX; i++) {
		struct pool *pool = dp->pools[i];

		if (pool != NULL) {
			pool_unpublish(pool);
			pool_destroy(pool);
		}
	}
	pool_destroy_rounds(dp, dp->rounds);
}

void dataplane_destroy(struct dataplane *dp)
{
	if (dp == NULL)
		return;
	dp->is_ending = true;
	captures_close_all(dp, NULL);
	replays_close_all(dp, NULL);
	follow_close_all(dp, NULL);
	destroy_objects(dp);
	destroy_channels(dp);
	buffers_destroy(dp->buffers);
	leftover_free_all(&dp->leftovers);
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		worker_destroy(dp->workers[i]);
	news_destroy(&dp->news);
	dp->config.memory.free(dp->qsbr);
	reaper_destroy(dp->reaper);
	fault_enter(NULL);
	fdb_destroy(dp->fdb);
	neigh_destroy(dp->neigh);
	overlay_destroy(atomic_load(&dp->overlay));
	counters_destroy(dp->counters);
	loop_destroy(dp->loop);
	dp->config.memory.free(dp);
}

static void watch_workers(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		worker_watch(dp->workers[i]);
}

static bool does_any_run(const struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->config.n_workers; i++) {
		if (atomic_load(&dp->workers[i]->is_running))
			return true;
	}
	return false;
}

void dataplane_stop_workers(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		worker_stop(dp->workers[i]);
	/* A turn takes some microseconds, so as a rule this ends at once. */
	for (unsigned int looks = 1; does_any_run(dp); looks++) {
		usleep(STOP_LOOK_US);
		if (looks % (WATCH_NS / 1000 / STOP_LOOK_US) == 0)
			watch_workers(dp);
	}
}

void dataplane_synchronize(struct dataplane *dp)
{
	uint64_t token = rte_rcu_qsbr_start(dp->qsbr);
	uint64_t watched_ns = 0;

	for (unsigned int spins = 1; rte_rcu_qsbr_check(dp->qsbr, token, false) != 1; spins++) {
		rte_pause();
		if (spins < SPINS_BEFORE_YIELD)
			continue;
		/* Whom we wait for may wait for this CPU. */
		sched_yield();
		uint64_t now_ns = loop_clock_ns();

		/* A worker that hangs in a call would hang us too: only we can free it. */
		if (watched_ns != 0 && now_ns - watched_ns > WATCH_NS)
			watch_workers(dp);
		if (watched_ns == 0 || now_ns - watched_ns > WATCH_NS)
			watched_ns = now_ns;
	}
}

struct sweep {
	struct dataplane *dp;
	uint32_t now_s;
};

/* Is the port not there, or blocked, or not in the segment, or the segment not there? */
static bool has_left(const struct dataplane *dp, uint16_t port_index, uint16_t segment)
{
	struct port *port = atomic_load(&dp->ports[port_index]);

	return atomic_load(&dp->segments[segment]) == NULL || port == NULL ||
	       !port_is_in(port, segment) || port_state_blocks(atomic_load(&port->state));
}

static bool has_static_mac(const struct port *port, uint64_t key)
{
	for (unsigned int i = 0; i < port->n_macs; i++) {
		if (fdb_key(fdb_key_segment(key), port->macs[i]) == key)
			return true;
	}
	return false;
}

static bool is_to_forget(void *ctx, const struct fdb_entry *entry)
{
	const struct sweep *sweep = ctx;
	uint16_t index = fdb_key_segment(entry->key);
	bool forget = has_left(sweep->dp, entry->port, index);

	if (!forget && !entry->is_static)
		forget = !atomic_load(&atomic_load(&sweep->dp->ports[entry->port])->is_teaching);
	if (!forget && entry->is_static)
		return !has_static_mac(atomic_load(&sweep->dp->ports[entry->port]), entry->key);
	if (!forget) {
		struct segment *segment = atomic_load(&sweep->dp->segments[index]);
		int32_t age_s = (int32_t)(sweep->now_s - entry->seen_s);

		forget = age_s > (int32_t)atomic_load(&segment->age_s);
	}
	return forget;
}

/* Without memory for an entry the next sweep tries again. */
static void bind_in(struct dataplane *dp, const struct port *port, uint16_t segment)
{
	uint32_t now_s = (uint32_t)(loop_clock_ns() / 1000000000ULL);

	for (unsigned int k = 0; k < port->n_macs && !has_left(dp, port->index, segment); k++)
		fdb_bind(dp->fdb, fdb_key(segment, port->macs[k]), port->index, now_s);
}

void dataplane_bind(struct dataplane *dp, const struct port *port)
{
	const struct vlan_map *vlans = atomic_load(&port->vlans);

	if (port->n_macs == 0)
		return;
	for (uint16_t i = 1; port->is_peer && i < dp->segments_end; i++)
		bind_in(dp, port, i);
	if (vlans == NULL && !port->is_peer)
		bind_in(dp, port, atomic_load(&port->segment));
	for (uint16_t i = 1; vlans != NULL && i < vlans->n_segments; i++)
		bind_in(dp, port, i);
}

static bool is_neigh_to_forget(void *ctx, const struct neigh_entry *entry)
{
	const struct sweep *sweep = ctx;

	return has_left(sweep->dp, entry->port, fdb_key_segment(entry->key)) ||
	       (int32_t)(sweep->now_s - entry->seen_s) > NEIGH_AGE_S;
}

static void bind_all(struct dataplane *dp)
{
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		const struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL)
			dataplane_bind(dp, port);
	}
}

static void note_addresses(struct dataplane *dp, uint32_t now_s)
{
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		const struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL)
			neigh_note_configured(dp, port, now_s);
	}
}

/* A piece of the sweep that is under way. Lookups know an old entry by themselves: it takes room
 * for some seconds more, that is all. */
static void sweep_on(struct dataplane *dp, uint32_t now_s)
{
	struct sweep sweep = {.dp = dp, .now_s = now_s};

	if (dp->sweep == DATAPLANE_SWEEP_FDB) {
		dp->sweep_bucket =
			fdb_sweep(dp->fdb, dp->sweep_bucket, SWEEP_BUCKETS, is_to_forget, &sweep);
		if (dp->sweep_bucket != 0)
			return;
		/* What is bound to another port now was forgotten first. */
		bind_all(dp);
		note_addresses(dp, now_s);
		dp->sweep = DATAPLANE_SWEEP_NEIGH;
		dp->sweep_place = NEIGH_ALL;
	}
	if (dp->sweep == DATAPLANE_SWEEP_NEIGH) {
		dp->sweep_place = neigh_sweep(dp->neigh, dp->sweep_place, SWEEP_PLACES,
					      is_neigh_to_forget, &sweep);
		if (dp->sweep_place == 0)
			dp->sweep = DATAPLANE_SWEEP_NONE;
	}
}

static void sweep_turn(struct dataplane *dp, uint64_t now_ns)
{
	uint32_t now_s = (uint32_t)(now_ns / 1000000000ULL);

	if (dp->sweep == DATAPLANE_SWEEP_NONE && now_s - dp->swept_s >= SWEEP_INTERVAL_S) {
		dp->sweep = DATAPLANE_SWEEP_FDB;
		dp->sweep_bucket = 0;
		dp->swept_s = now_s;
	}
	if (dp->sweep == DATAPLANE_SWEEP_NONE || now_ns - dp->sweep_piece_ns < SWEEP_GAP_NS)
		return;
	dp->sweep_piece_ns = now_ns;
	sweep_on(dp, now_s);
}

void dataplane_drain(struct dataplane *dp)
{
	for (unsigned int i = 0; i < dp->config.n_workers; i++) {
		learn_requests(dp, dp->workers[i]->learn);
		neigh_requests(dp, dp->workers[i]->neigh);
	}
}

void dataplane_turn(struct dataplane *dp, uint64_t now_ns)
{
	news_turn(&dp->news, now_ns);
	dataplane_drain(dp);
	loan_turn(dp, now_ns);
	sweep_turn(dp, now_ns);
	if (!atomic_exchange(&dp->news.ports_want_turn, false) &&
	    now_ns - dp->ticked_ns < PORTS_TICK_NS)
		return;
	dp->ticked_ns = now_ns;
	balance_turn(dp, now_ns);
	watch_workers(dp);
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL && port->type->turn != NULL)
			port->type->turn(port, now_ns);
	}
}

void dataplane_forget(struct dataplane *dp, uint16_t port)
{
	/* The time of the last sweep as "now" lets no entry look older than it is. */
	struct sweep sweep = {.dp = dp, .now_s = dp->swept_s};

	fdb_forget(dp->fdb, port, is_to_forget, &sweep);
	neigh_forget(dp->neigh, port, is_neigh_to_forget, &sweep);
}
