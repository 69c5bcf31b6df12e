/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dataplane in virtual time whose ports send what they are told and look at what they get: of
 * each flow how much, in which order, and how long it was on its way. Frames are UDP, and TCP where
 * they are large; a flow is a source port. Ports are of kind tap. For tests of channels.
 */
#pragma once

#include "dataplane/channel/channel.h"
#include "dataplane/channel/lane.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/dataplane.h"

#define SHAPE_FLOWS 8
#define SHAPE_PENDING 4096
#define SHAPE_PORTS 8
#define SHAPE_HEADERS 42 /* Ethernet, IPv4, UDP */

struct shape_flow {
	uint64_t frames, bytes, marks;
	uint64_t reordered, large;
	uint64_t delay_ns, delay_max_ns; /* the last one, the longest */
	uint32_t next;			 /* serial number that comes next, at least */
};

struct shape_frame {
	uint64_t sent_ns;
	uint32_t dst; /* station: the port that it is for */
	uint32_t len, serial;
	uint16_t flow, vlan; /* vlan 0: no tag */
	uint16_t gso_bytes;  /* of payload in each piece; 0: not large */
	uint8_t tos;
};

struct shape_port {
	struct rxq rxq;
	uint32_t station;
	unsigned int first;	/* of pending: a ring */
	_Atomic unsigned int n; /* a test may look while a worker runs */
	struct shape_frame pending[SHAPE_PENDING];
	unsigned int n_taken;
	_Atomic unsigned int n_allowed; /* that may be taken, ever: all, unless a test says so */
	rte_spinlock_t lock;		/* of what it gets: workers may send at the same time */
	uint32_t serials[SHAPE_FLOWS];
	struct shape_flow got[SHAPE_FLOWS];
	uint64_t got_frames, got_bytes;
	int64_t room;	    /* buffers that it takes; below 0: any number, and nobody asks */
	uint16_t full_flow; /* its frames are for a queue that has no room; 0: none */
	struct shape_port *refilled; /* when this one is polled, that one has room; or NULL */
	void (*on_tx)(void *ctx);    /* called after each burst that it got; or NULL */
	void *on_tx_ctx;
	bool lets_sleep; /* a worker that found nothing here */
};

struct shape_rig {
	struct dataplane *dp;
	uint64_t now_ns;
};

/* A dataplane with so many workers; queue_bytes as in its config. */
void shape_rig_create(struct shape_rig *rig, unsigned int n_workers, uint64_t queue_bytes);
/* Asserts that every frame is accounted for and all memory is back. */
void shape_rig_destroy(struct shape_rig *rig);

/* For cmocka: one worker, ports 1 to 3 in segment 1, 4 in segment 2, a station behind each. */
int shape_rig_set_up(void **state);
int shape_rig_tear_down(void **state);

/* A channel of a dataplane: ceilings of both ways in bits per second, 0: no limit. */
struct channel *shape_rig_channel(struct shape_rig *rig, uint32_t id, uint64_t tx_bps,
				  uint64_t rx_bps);

/* Gives a port, or a segment, a channel; NULL: none. */
void shape_rig_assign(struct shape_rig *rig, uint64_t port_id, const struct channel *channel);
void shape_rig_assign_segment(struct shape_rig *rig, uint32_t segment_id,
			      const struct channel *channel);

struct shape_port *shape_rig_port(const struct shape_rig *rig, uint64_t id);

/* A frame from one port to the station of another; waits until it is polled. */
void shape_rig_send(struct shape_rig *rig, uint64_t from, uint32_t to, uint16_t flow, uint32_t len);
/* The same with all that can be said. */
void shape_rig_send_frame(struct shape_rig *rig, uint64_t from, struct shape_frame frame);

/* Makes the station of every port known: what it sends for that is not counted. */
void shape_rig_teach(struct shape_rig *rig);

/* A turn of all, step_ns after the last. */
void shape_rig_turn(struct shape_rig *rig, uint64_t step_ns);

/* What the dataplane holds, in frames. */
uint64_t shape_rig_queued(const struct shape_rig *rig);
uint64_t shape_rig_drops(const struct shape_rig *rig, uint64_t port_id, enum drop_reason reason);

/* What the first worker has counted of a way of a channel. */
struct counters_channel shape_rig_counts(const struct shape_rig *rig, const struct channel *channel,
					 enum dp_way way);
