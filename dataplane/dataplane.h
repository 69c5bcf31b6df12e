/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The dataplane as one value: everything that forwards frames hangs on a struct dataplane. There
 * are no globals, so a process can make and destroy thousands of them (tests do), and a dataplane
 * can be stepped by one thread with a clock of its own: dataplane_turn() and worker_turn() get the
 * time passed in.
 *
 * Threads. main owns all configuration and every table; workers read them under RCU (QSBR: a worker
 * holds nothing between two turns), count, and send main requests. main waits for a grace period in
 * dataplane_synchronize(), which is short: a worker never waits for a guest.
 */
#pragma once

#include <rte_rcu_qsbr.h>
#include <stdatomic.h>
#include <stdint.h>

#include "dataplane/channel/channel.h"
#include "dataplane/channel/loan.h"
#include "dataplane/channel/pool.h"
#include "dataplane/fdb.h"
#include "dataplane/memory.h"
#include "dataplane/news.h"
#include "dataplane/port.h"
#include "dataplane/segment.h"
#include "dataplane/vhost/fault.h"

#define WORKERS_MAX 64
#define PORTS_BY_ID 4096 /* chains of ports_by_id */
#define SEGMENTS_BY_ID 4096

struct buffers;
struct capture;
struct fates;
struct counters;
struct follow;
struct leftover;
struct loop;
struct neigh;
struct overlay;
struct reaper;
struct replay;
struct worker;

struct dataplane_config {
	const char *run_dir;		/* where vhost/NAME.sock are made */
	const struct port_type *const *port_types;	/* ended by NULL; port_types.c has ours */
	struct memory memory;
	struct memory fdb_memory;	/* of the forwarding table; none: as the rest */
	uint64_t queue_bytes;		/* for frames that wait, as they do; 0: the default */
	unsigned int n_workers;
	const int *worker_cpus;		/* only to be told; NULL: none is known */
	uint32_t fdb_capacity;
	uint64_t hash_seed;		/* secret; fixed in tests */
	uint64_t epoch;			/* of this start */
	uint64_t tsc_hz;
	/* The time within a turn, for who measures; NULL: that of its beginning will do. */
	uint64_t (*clock_ns)(void);
};

/* What of a sweep is under way: a turn does a piece of it. */
enum dataplane_sweep {
	DATAPLANE_SWEEP_NONE = 0,
	DATAPLANE_SWEEP_FDB,
	DATAPLANE_SWEEP_NEIGH,
};

struct dataplane {
	struct dataplane_config config;
	struct loop *loop;		/* descriptors of main */
	struct counters *counters;
	struct fault_registry faults;
	struct reaper *reaper;		/* closes what front-ends send */
	struct leftover *leftovers;	/* files of deleted vhost ports */
	bool is_ending;			/* what is destroyed was not deleted */
	struct rte_rcu_qsbr *qsbr;
	struct fdb *fdb;
	struct neigh *neigh;
	struct buffers *buffers;	/* for frames that wait for their channels */
	_Atomic(struct overlay *) overlay;	/* NULL: there are no underlays and no peers */
	struct worker *workers[WORKERS_MAX];
	struct news news;		/* from workers to main */
	uint32_t swept_s;		/* when main last began to sweep out aged addresses */
	uint64_t sweep_bucket;		/* where it goes on in the FDB */
	uint32_t sweep_place;		/* and then among the neighbours */
	uint64_t sweep_piece_ns;	/* when it did its last piece */
	enum dataplane_sweep sweep;
	uint64_t ticked_ns;		/* when the ports last had their turn */
	uint64_t balanced_ns;		/* when main last looked at the load of queues */

	unsigned int ports_end, segments_end;	/* beyond the highest index in use */
	unsigned int ports_free_from, segments_free_from;	/* no index below is free */
	unsigned int n_ports;		/* published */
	struct learn_crowd crowd;	/* of all ports */
	bool ports_taken[PORTS_MAX];	/* from prepare until nothing names the index any more */
	bool segments_taken[SEGMENTS_MAX];
	struct port *ports_by_id[PORTS_BY_ID];	/* published ones, chained; main */
	struct segment *segments_by_id[SEGMENTS_BY_ID];	/* the same */
	struct channel *channels_by_id[CHANNELS_BY_ID];
	_Atomic(struct channel *) channels[CHANNELS_MAX];
	_Atomic uint32_t channels_epoch;	/* counts changes by main: what waits, waits anew */
	_Atomic uint32_t rates_epoch;	/* counts rounds after which some need not wait so long */
	struct pool_rounds *rounds;
	struct pool *pools[POOLS_MAX];	/* published ones; main */
	bool pools_taken[POOLS_MAX];
	struct loan *loans_by_id[LOANS_BY_ID];	/* main, as the next two */
	unsigned int n_loans;
	_Atomic(struct capture *) captures[DP_CAPTURES_MAX];
	_Atomic uint8_t drop_captures;	/* bits: those that want what is dropped */
	uint64_t last_capture_id;
	_Atomic(struct follow *) follow;	/* NULL: nobody follows frames */
	uint64_t last_follow_id;
	_Atomic uint32_t n_flights;	/* published segments with a flight recorder */
	struct replay *replays[DP_REPLAYS_MAX];	/* main, as the next one */
	uint64_t last_replay_id;
	_Atomic(struct fates *) fates[DP_REPLAYS_MAX];	/* each in the place of its replay */
	_Atomic uint32_t n_fates;	/* of them that are there */
	uint64_t loans_due_ns;		/* before then none ends; 0: not yet known */
	_Atomic(struct port *) ports[PORTS_MAX];
	_Atomic(struct segment *) segments[SEGMENTS_MAX];
};

/* 0 or -errno. The calling thread becomes its main. */
int dataplane_create(const struct dataplane_config *config, struct dataplane **dp);
void dataplane_destroy(struct dataplane *dp);	/* NULL is legal; no worker may be running */

/* Main's share of the work apart from descriptors: learns, looks after ports, forgets the old. */
void dataplane_turn(struct dataplane *dp, uint64_t now_ns);

/* Asks all workers to stop, and returns when none runs any more: one that hangs in a call of a
 * guest is freed meanwhile. Main. */
void dataplane_stop_workers(struct dataplane *dp);

/* Waits until every running worker has passed a quiescent point. Main. */
void dataplane_synchronize(struct dataplane *dp);

/* Carries out all pending requests. After a grace period none names a port or a segment that is not
 * published, or a port that has left the segment. Main. */
void dataplane_drain(struct dataplane *dp);

/* After this no entry of a table names the port by this index, which is gone or has changed, in a
 * segment that it is not in; dataplane_drain() must be over. FDB_NO_PORT: the same for the static
 * addresses of all ports. When all ports of a segment were forgotten so, nothing names it. What it
 * costs is what the port has learned. Main. */
void dataplane_forget(struct dataplane *dp, uint16_t port);

/* Binds the port's static addresses in each of its segments. Main. */
void dataplane_bind(struct dataplane *dp, const struct port *port);
