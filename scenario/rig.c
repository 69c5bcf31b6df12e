/* SPDX-License-Identifier: BSD-3-Clause */
/* The rig: a dataplane of stations, stepped through virtual time. */
#include "scenario/rig.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model.h"
#include "control/plan.h"
#include "dataplane/channel/turnstile.h"
#include "dataplane/counters.h"
#include "dataplane/port_peer.h"
#include "dataplane/txn.h"
#include "dataplane/worker.h"
#include "scenario/rig_stage.h"

#define FDB_CAPACITY 65536
#define NS_PER_STEP 1000    /* where nobody knows better */
#define NS_PER_LOOK 1000000 /* while somebody waits for a guest to read */

int rig_create(struct rig *rig, char *why, size_t why_bytes)
{
	struct dataplane_config config = {
		.run_dir = "/nonexistent",
		.port_types = rig->set.list,
		.memory = memory_plain,
		.n_workers = 1,
		.fdb_capacity = FDB_CAPACITY,
		.hash_seed = 1,
		.epoch = 1,
	};

	rig->now_ns = 0;
	rig->stations.now_ns = &rig->now_ns;
	station_fill_set(&rig->set, &rig->stations);
	int error = model_create(&rig->model);

	if (error == 0)
		error = dataplane_create(&config, &rig->dp);
	if (error < 0)
		snprintf(why, why_bytes, "cannot make a dataplane: %s", strerror(-error));
	return error;
}

void rig_destroy(struct rig *rig)
{
	dataplane_destroy(rig->dp);
	model_destroy(rig->model);
	station_free_all(&rig->stations);
	rig->dp = NULL;
	rig->model = NULL;
}

struct port *rig_port(const struct rig *rig, const char *name)
{
	for (unsigned int i = 1; i < rig->dp->ports_end; i++) {
		struct port *port = atomic_load(&rig->dp->ports[i]);

		if (port != NULL && strcmp(port->spec.name, name) == 0)
			return port;
	}
	return NULL;
}

/* --- from model to model --- */

static int make_stations(struct rig *rig, const struct model *model)
{
	for (size_t i = 0; i < model->n_ports; i++) {
		if (station_make(&rig->stations, model->ports[i]->name) == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void add_block(struct counters_block *sum, const struct counters_block *block)
{
	const uint64_t *from = (const uint64_t *)block;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(uint64_t); i++)
		to[i] += from[i];
}

static void take_block(struct counters_block *sum, const struct counters_block *block)
{
	const uint64_t *from = (const uint64_t *)block;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(uint64_t); i++)
		to[i] -= from[i];
}

/* A port that goes takes its counters along, to slot 0: the station keeps them. What becomes of
 * frames that waited for it is counted there only as it goes: the last of several has that. */
static void commit(struct rig *rig, struct txn *txn)
{
	const struct counters_block *retired = counters_block(rig->dp->counters, 0, 0);
	struct counters_block retired_before = *retired, rest;
	struct station *last = NULL;
	struct counters_block *before = calloc(rig->stations.n + 1, sizeof(*before));
	struct port **ports = calloc(rig->stations.n + 1, sizeof(struct port *));

	if (before == NULL || ports == NULL)
		abort();
	for (size_t i = 0; i < rig->stations.n; i++) {
		ports[i] = rig_port(rig, rig->stations.list[i]->name);
		if (ports[i] != NULL)
			before[i] = *counters_block(rig->dp->counters, ports[i]->slot, 0);
	}
	txn_commit(txn);
	for (size_t i = 0; i < rig->stations.n; i++) {
		struct station *station = rig->stations.list[i];

		if (ports[i] == NULL || rig_port(rig, station->name) == ports[i])
			continue;
		add_block(&station->gone, &before[i]);
		add_block(&retired_before, &before[i]);
		last = station;
	}
	rest = *retired;
	take_block(&rest, &retired_before);
	if (last != NULL)
		add_block(&last->gone, &rest);
	free(before);
	free(ports);
}

int rig_apply(struct rig *rig, struct model *wanted, char *why, size_t why_bytes)
{
	struct plan plan = {0};
	struct txn *txn = NULL;
	int error = plan_make(rig->model, wanted, &plan); /* gives ids */

	plan_fini(&plan);
	snprintf(why, why_bytes, "%s", strerror(-error));
	if (error == 0)
		error = make_stations(rig, wanted);
	if (error == 0)
		error = txn_begin(rig->dp, &txn);
	if (error == 0)
		error = rig_stage(txn, rig->model, wanted);
	if (error == 0)
		error = txn_prepare(txn, why, why_bytes);
	if (error < 0) {
		txn_abort(txn);
		model_destroy(wanted);
		return error;
	}
	commit(rig, txn);
	model_destroy(rig->model);
	rig->model = wanted;
	return 0;
}

int rig_nexthop(const struct rig *rig, const char *peer, const char *uplink,
		const struct dp_nexthop *nexthop, char *why, size_t why_bytes)
{
	struct port *from = rig_port(rig, peer);
	const struct port *through = uplink != NULL ? rig_port(rig, uplink) : NULL;
	struct dp_nexthop message = *nexthop;

	if (from == NULL || !from->is_peer) {
		snprintf(why, why_bytes, "there is no peer %s", peer);
		return -ENOENT;
	}
	message.peer_id = from->spec.id;
	message.uplink_id = through != NULL ? through->spec.id : 0;
	return port_peer_nexthop(from, &message, why, why_bytes);
}

/* --- time --- */

static void lose_before(struct station *station, uint64_t end_ns)
{
	while (station->taken < station->in.n &&
	       station->in.list[station->taken].time_ns < end_ns) {
		station->taken++;
		station->n_lost++;
	}
}

static void sooner(uint64_t *time_ns, uint64_t other_ns)
{
	if (other_ns < *time_ns)
		*time_ns = other_ns;
}

/* When something will happen before end_ns: input that is still to come, or somebody who waits for
 * his channel. What has come and is not taken waits, too, in its ring. false: nothing will. */
static bool next_time(const struct rig *rig, uint64_t end_ns, uint64_t *time_ns)
{
	uint64_t due_ns = turnstile_next_due_ns(rig->dp->workers[0]);
	uint64_t next_ns = UINT64_MAX;

	for (size_t i = 0; i < rig->stations.n; i++) {
		const struct station *station = rig->stations.list[i];

		if (station->taken < station->in.n &&
		    station->in.list[station->taken].time_ns > rig->now_ns)
			sooner(&next_ns, station->in.list[station->taken].time_ns);
	}
	if (due_ns != TURNSTILE_NEVER_NS)
		sooner(&next_ns, due_ns > rig->now_ns ? due_ns : rig->now_ns + NS_PER_STEP);
	if (rig->dp->workers[0]->room.n != 0)
		sooner(&next_ns, rig->now_ns + NS_PER_LOOK);
	if (next_ns == UINT64_MAX)
		return false;
	/* Until then pools go on dividing, while there is something to divide, and loans end. */
	if (pool_due_ns(rig->dp) > rig->now_ns)
		sooner(&next_ns, pool_due_ns(rig->dp));
	if (rig->dp->n_loans != 0 && rig->dp->loans_due_ns > rig->now_ns)
		sooner(&next_ns, rig->dp->loans_due_ns);
	*time_ns = next_ns;
	return next_ns < end_ns;
}

/* Turns of the worker and of main until nothing moves any more at this time. */
static void settle(struct rig *rig)
{
	while (worker_turn(rig->dp->workers[0], rig->now_ns) != 0)
		dataplane_turn(rig->dp, rig->now_ns);
	dataplane_turn(rig->dp, rig->now_ns);
}

void rig_play(struct rig *rig, uint64_t end_ns)
{
	for (size_t i = 0; i < rig->stations.n; i++) {
		struct station *station = rig->stations.list[i];

		if (rig_port(rig, station->name) == NULL)
			lose_before(station, end_ns);
	}
	if (rig->now_ns < end_ns)
		settle(rig);
	for (uint64_t time_ns; next_time(rig, end_ns, &time_ns);) {
		rig->now_ns = time_ns;
		settle(rig);
	}
}

void rig_wait(struct rig *rig, uint64_t time_ns)
{
	if (time_ns > rig->now_ns)
		rig->now_ns = time_ns;
	dataplane_turn(rig->dp, rig->now_ns);
}

/* --- counters --- */

struct counters_block rig_counters(const struct rig *rig, const char *name)
{
	const struct station *station = station_find(&rig->stations, name);
	const struct port *port = rig_port(rig, name);
	struct counters_block sum = {0};

	if (station != NULL)
		sum = station->gone;
	if (port != NULL)
		add_block(&sum, counters_block(rig->dp->counters, port->slot, 0));
	return sum;
}

/* Sum over all ports, those that are gone too. */
static struct counters_block totals(const struct rig *rig)
{
	struct counters_block sum = {0};

	for (unsigned int slot = 0; slot < PORTS_MAX; slot++)
		add_block(&sum, counters_block(rig->dp->counters, slot, 0));
	return sum;
}

bool rig_accounts_for_all(const struct rig *rig, char *text, size_t text_bytes)
{
	struct counters_block sum = totals(rig);
	uint64_t drops = 0;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		drops += sum.drops[i];
	snprintf(text, text_bytes,
		 "rx %" PRIu64 " + generated %" PRIu64 " + copies %" PRIu64 " + segments %" PRIu64
		 " = tx %" PRIu64 " + drops %" PRIu64 " + queued %" PRIu64,
		 sum.rx_frames, sum.generated, sum.copies, sum.segments, sum.tx_frames, drops,
		 sum.queued);
	return sum.rx_frames + sum.generated + sum.copies + sum.segments ==
	       sum.tx_frames + drops + sum.queued;
}
