/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a vhost-user port is made of, and what workers do with its queues: the rx and tx of the port
 * type. main starts and stops rings (port_vhost.c); workers see only those that run.
 */
#pragma once

#include <rte_spinlock.h>

#include "dataplane/base/log.h"
#include "dataplane/port.h"
#include "dataplane/vhost/door.h"
#include "dataplane/vhost/journal.h"
#include "dataplane/vhost/ring.h"

struct loop_watch;
struct session;

struct vhost_queue {
	struct rxq rxq; /* what the guest sends: polled by one worker */
	struct ring take;
	bool is_shared;		    /* there are several workers: then put takes the lock */
	rte_spinlock_t put_lock;    /* workers that have frames for the guest, per burst */
	_Atomic(struct ring *) put; /* &put_ring while it runs */
	struct ring put_ring;
	/* Bits of enum vhost_call: main asks the worker for a call, since a call can block
	 * (ring.h). */
	_Atomic uint32_t calls;
};

enum vhost_call {
	VHOST_CALL_TAKE = 1,
	VHOST_CALL_PUT = 2,
};

struct vhost_port {
	struct port *port;
	struct door door;
	struct session *session; /* NULL: no front-end */
	struct loop_watch *session_watch;
	uint64_t features; /* of the last ring that started */
	uint32_t attaches;
	int session_fd;		   /* the session's, to see whether the front-end has gone */
	uint64_t refused_until_ns; /* after a blocked call: nobody may connect before */
	uint64_t penalty_ns;	   /* how long the next time */
	struct log_limit limit;
	char reason[DP_TEXT_BYTES]; /* why it is down */
	struct journal journal;	    /* of its packed rings */
	bool was_published;
	unsigned int n_pairs;	     /* that the guest may use */
	struct vhost_queue queues[]; /* n_pairs of them */
};

/* Worker threads; as struct port_type has them. */
void vhost_io_rx(struct rxq *rxq, struct burst *burst);
void vhost_io_rx_done(struct rxq *rxq, struct burst *burst);
bool vhost_io_arm(struct rxq *rxq);
void vhost_io_disarm(struct rxq *rxq);
void vhost_io_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		 struct counters_block *count);
void vhost_io_tx_soon(const struct port *port);
bool vhost_io_has_room(const struct port *port, unsigned int n_buffers);
