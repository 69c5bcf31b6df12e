/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What makes an uplink of an interface: one file for each `driver` of the option. Everything that
 * is the same for all is in port_uplink.c. Functions run where those of a port type do (port.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dataplane/port.h"

struct uplink_queue {
	struct rxq rxq;
	int fd;		  /* ours; -1: none */
	int watcher_fd;	  /* a packet socket that is bound to the interface; may be fd */
	bool is_underlay; /* has a VTEP: what comes is tunnelled */
	void *impl;	  /* the driver's own */
};

/* What has become of an interface. */
struct uplink_link {
	enum dp_link link;
	char reason[DP_TEXT_BYTES]; /* "" : up */
};

struct uplink_driver {
	const char *name; /* word of the option `driver` */
	/* Descriptors of all queues, the last of them the packet socket; 0: fd is one. */
	unsigned int n_own_fds;
	/* The only descriptor is a companion tap's: of one queue more, behind the others. */
	bool has_tap;
	unsigned int offload_caps; /* enum offload_cap, of frames without outer headers */

	/* main */
	/* Makes the queue ready, in order; `queues` share what memory an uplink has. 0 or -errno,
	 * with one line in `why` or none. */
	int (*open)(struct uplink_queue *queue, unsigned int queues, char *why, size_t why_bytes);
	/* Right before it is polled: what came until now came for nobody. */
	void (*start)(struct uplink_queue *queue);
	void (*turn)(struct uplink_queue *queue);  /* now and then after start(); may be NULL */
	void (*close)(struct uplink_queue *queue); /* after open(), the last one first */
	/* Frames lost before they could be taken, since the last call. */
	uint64_t (*lost)(struct uplink_queue *queue);
	void (*look)(const struct uplink_queue *queue, struct uplink_link *link);

	/* workers */
	void (*rx)(struct uplink_queue *queue, struct burst *burst);
	void (*rx_done)(struct uplink_queue *queue);
	bool (*arm)(struct uplink_queue *queue);
	/* Several workers at the same time. With outer headers a frame has no offloads. */
	void (*send)(struct uplink_queue *queue, const struct port_out *out, unsigned int n,
		     struct counters_block *count);
};
