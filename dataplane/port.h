/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ports: one place where something plugs in, and the contract of the port types.
 *
 * Life of a port, all steps on main:
 *   1. prepare   opens what can fail: sockets, descriptors, memory. Nobody sees the port yet.
 *                On an error it has closed everything again and said why in one line.
 *   2. publish   cannot fail. From now on frames may come and go. Types whose peer comes and goes
 *                (vhost-user) attach and detach their queues later, by port_attach_rxq().
 *   3. close     after the port has been unpublished and every worker has passed a quiescent point;
 *                also right after prepare when a transaction is aborted.
 * and on workers, any number of times between publish and close:
 *   rx           takes up to BURST_FRAMES frames from a queue into an empty burst. A frame that
 *                is unusable is taken too, with `drop` set: whatever arrives is counted. A type
 *                that holds_rx takes no more than the burst's budget, which may be 0, and says what
 *                it has left; others know of none.
 *   rx_done      the frames of the last rx are through; gives their buffers back.
 *   tx           sends frames; counts what was sent and what was not, by reason. Workers may call
 *                it at the same time: the type locks per burst.
 *   tx_soon      frames will be sent in a moment: fetches into the cache what tx looks at first, so
 *                that it need not wait for another CPU's lines. May do nothing.
 *   has_room     would so many buffers be there for tx? None is smaller than a full frame. Without
 *                it nobody knows, and what does not fit is lost.
 *   arm          asks to be woken by the queue's descriptor. false: frames are waiting, do not
 *                sleep. Undone by disarm when the worker polls again.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/counters.h"
#include "dataplane/api/dp_msg.h"
#include "dataplane/api/port_kinds.h"
#include "dataplane/api/port_options.h"
#include "dataplane/channel/turnstile.h"
#include "dataplane/frame.h"
#include "dataplane/storm.h"

#define PORTS_MAX 8192		/* indices 1 .. PORTS_MAX - 1 */

struct channel;
struct dataplane;
struct guard;
struct lane_set;
struct port;
struct segment_set;
struct vlan_map;

/* A receive queue: the unit that a worker polls. Embedded in the type's own queue. */
struct rxq {
	struct port *port;
	int wake_fd;		/* becomes readable when frames come; -1: none */
	uint16_t index;		/* of the port's queues */
	struct waiter waiter;	/* the worker's: for credit of the port's channel */
	int32_t owed_work;	/* the worker's: what it has cost beyond its share (fair.h) */
	uint16_t fair_frames;	/* the worker's: that make its share, of late; 0: any number */

	/* Main's. */
	uint16_t pin;		/* worker + 1 that it must stay with; 0: any (balance.h) */
	int worker;		/* that polls it; -1: detached */
	uint32_t load;		/* permille of a CPU, of late */
	uint64_t seen_cycles;	/* busy_cycles at the last look */

	/* The worker's, if there are several: what it has cost. */
	_Atomic uint64_t busy_cycles;
};

/* A frame that leaves with something in front of it: the outer headers of a tunnel. */
struct port_out {
	const struct frame *frame;
	const uint8_t *outer;
	uint16_t outer_len;	/* bytes; 0: as it is */
};

struct port_type {
	const struct port_kind *kind;

	/* main */
	/* What the port takes of the host that no two ports can have, as a path. May be NULL. */
	void (*claim)(const struct dataplane *dp, const struct dp_port *spec, char *text,
		      size_t text_bytes);
	int (*prepare)(struct port *port, const int *fds, unsigned int n_fds, char *why,
		       size_t why_bytes);
	void (*publish)(struct port *port);
	void (*close)(struct port *port);
	void (*turn)(struct port *port, uint64_t now_ns);	/* now and then; may be NULL */
	void (*state)(const struct port *port, struct dp_port_state *state);
	unsigned int (*give_fds)(const struct port *port, int *fds);	/* may be NULL */

	/* workers */
	bool holds_rx;		/* frames can wait where they are: in the sender's ring */
	void (*rx)(struct rxq *rxq, struct burst *burst);
	void (*rx_done)(struct rxq *rxq, struct burst *burst);
	void (*tx)(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		   struct counters_block *count);
	void (*tx_soon)(const struct port *port);	/* may be NULL */
	bool (*has_room)(const struct port *port, unsigned int n_buffers);	/* may be NULL */
	/* As tx, with outer headers, without offloads. Uplinks only, else NULL. `count`: of the
	 * peer that the frames are for; its tx_bytes are those of the frames alone. */
	void (*send)(struct port *port, const struct port_out *out, unsigned int n,
		     struct counters_block *count);
	bool (*arm)(struct rxq *rxq);
	void (*disarm)(struct rxq *rxq);
};

#define CAPTURES_FOLLOWED (1u << DP_CAPTURES_MAX) /* somebody follows its frames (follow.h) */
/* Some segment of it has a flight recorder. */
#define CAPTURES_IN_FLIGHT (1u << (DP_CAPTURES_MAX + 1))

struct port {
	/* Config: main writes, before the port is published. */
	const struct port_type *type;
	/* Where workers find rx, rx_done, tx and send: the type's; those of recorder.h while
	 * somebody captures the port or follows its frames. Changed in place, also between
	 * rx and rx_done; away from those that have held back frames only after a grace period
	 * in which they do so no more. */
	_Atomic(const struct port_type *) io;
	struct dataplane *dp;
	void *impl;			/* the type's own */
	uint16_t index;			/* in dataplane.ports, and in the FDB */
	uint16_t slot;			/* in the counters */
	bool is_peer;			/* PORT_PLACE_VNI: another host; it is never polled */

	/* Changed in place by main, read by workers once per burst. */
	_Atomic uint16_t segment;	/* index of the access segment; 0: none, or a trunk */
	_Atomic(struct vlan_map *) vlans;	/* of a trunk; NULL: an access port, or a peer */
	_Atomic(struct segment_set *) segments;	/* of a peer, never NULL; else NULL */
	_Atomic bool takes_tags;	/* tags that mean no segment may pass as payload (QinQ) */
	_Atomic bool is_isolated;	/* exchanges frames only with ports that are not */
	_Atomic bool is_teaching;	/* what it sends is learned */
	_Atomic uint32_t offload_caps;	/* enum offload_cap: what it takes; the rest is done here */
	_Atomic(struct guard *) guard;	/* never NULL */
	/* Its own, or its machine's, or that of its access segment; NULL: there is none, or of a
	 * trunk or peer: that of the segment of each frame. */
	_Atomic(struct channel *) channel;
	_Atomic(struct lane_set *) lanes[DP_WAYS];	/* what waits for channels; NULL: none */
	struct storm storm;
	struct rate claims;		/* that it may make to the neighbour table */
	struct rate learns_easy, learns;	/* addresses that main learns of it (learn.h) */
	struct rate answers;		/* that it is given */
	_Atomic uint8_t state;		/* enum port_state */
	/* Bits: of dataplane.captures; CAPTURES_FOLLOWED, CAPTURES_IN_FLIGHT. */
	_Atomic uint16_t captures;

	/* Main only. */
	bool is_published;
	struct port *next_by_id;	/* in dataplane.ports_by_id */
	uint64_t name_hash, claim_hash;	/* of what no two ports may share (txn_unique.c) */
	uint32_t max_macs;		/* that are learned behind it at most */
	uint8_t macs[PORT_OPTIONS_MACS_MAX][6];	/* static: bound to it in each of its segments */
	unsigned int n_macs;
	struct dp_port spec;		/* as weftd put it */
};

/* Prepared port with an index and a counters slot, not yet published. Main. 0 or -errno and one
 * line in `why`. */
int port_create(struct dataplane *dp, const struct dp_port *spec, const int *fds,
		unsigned int n_fds, struct port **port, char *why, size_t why_bytes);
/* The end of a published port, in this order: port_unpublish(), a grace period, port_close() (no
 * queue of it is polled any more), dataplane_forget() (no table names it any more), port_free().
 * Main. */
void port_close(struct port *port);
void port_free(struct port *port);

/* Both, for a port that no table has ever named. NULL is legal. Main. */
void port_destroy(struct port *port);

/* Carries out the options of the spec that are common to all kinds: they are live. Main. */
void port_apply(struct port *port);

static inline const struct port_type *port_io(const struct port *port)
{
	return atomic_load_explicit(&port->io, memory_order_acquire);
}

/* Does this state let no frame pass, either way? Any thread. */
static inline bool port_state_blocks(uint8_t state)
{
	return state == PORT_STATE_BLOCKED || state == PORT_STATE_STANDBY;
}

/* The segment of all that comes from it; 0: the tag of each frame says. Worker. */
static inline uint16_t port_only_segment(const struct port *port)
{
	return atomic_load_explicit(&port->vlans, memory_order_relaxed) != NULL
		       ? 0
		       : atomic_load_explicit(&port->segment, memory_order_relaxed);
}

/* Segments that it is in, of a published port. Main or worker. */
bool port_is_in(const struct port *port, uint16_t segment);

/* Marks the indices of its segments. Main. */
void port_mark_segments(const struct port *port, bool marks[]);

/* Makes it findable by workers and lets it move frames. Main. */
void port_publish(struct port *port);

/* First half of removal: workers no longer find it once they pass a quiescent point. Main. */
void port_unpublish(struct port *port);

/* A queue starts or ends to be polled. detach waits until no worker uses it. Main. */
int port_attach_rxq(struct port *port, struct rxq *rxq);
void port_detach_rxq(struct port *port, struct rxq *rxq);

/* The worker that polls the queue, if any, will do so soon. Main. */
void port_wake_rxq(struct port *port, struct rxq *rxq);

/* The value that the spec has for an option of the port's kind, or NULL. Main. */
const struct dp_option *port_option(const struct port *port, const char *key);

struct port *port_find(const struct dataplane *dp, uint64_t id);	/* published ones. Main */

/* Is another port of this one's name and type published? Main. */
bool port_has_successor(const struct port *port);

/* NULL: no such kind. */
const struct port_type *port_find_type(const struct dataplane *dp, const char *kind);

/* The value that a spec has for a row of its kind's option table, or NULL. */
const struct dp_option *port_spec_option(const struct dp_port *spec, const struct port_kind *kind,
					 const char *key);
