/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Port type uplink: an interface of the host towards other hosts. weftd opens its sockets and hands
 * them over (tap/uplink_device.h): one for each queue and, with a VTEP, one that only keeps the
 * VXLAN port; then those that the driver wants besides. How frames come and go is the driver's;
 * here is what all drivers have in common.
 */
#include "dataplane/uplink/port_uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/api/kinds.h"
#include "dataplane/base/log.h"
#include "dataplane/offload.h"
#include "dataplane/uplink/af_packet.h"
#include "dataplane/uplink/af_xdp.h"
#include "dataplane/uplink/dpdk.h"

#define KEPT_MAX 3
#define LOOK_NS 100000000ULL /* how often the interface is looked at */

struct uplink_port {
	struct port *port;
	const struct uplink_driver *driver;
	uint64_t look_ns; /* when the interface is looked at next */
	uint64_t lost;	  /* frames, since it was made */
	struct uplink_link link;
	unsigned int n_kept;
	int kept_fds[KEPT_MAX]; /* of the UDP port, if there is a VTEP; and the driver's */
	unsigned int n_queues;
	struct uplink_queue queues[];
};

static const struct uplink_driver *const drivers[] = {&af_packet_driver, &af_xdp_driver,
						      &dpdk_driver};

static struct uplink_queue *queue_of(struct rxq *rxq)
{
	return (struct uplink_queue *)((char *)rxq - offsetof(struct uplink_queue, rxq));
}

/* --- life: main --- */

static void close_all(struct uplink_port *uplink)
{
	for (unsigned int i = 0; i < uplink->n_queues; i++)
		port_detach_rxq(uplink->port, &uplink->queues[i].rxq);
	for (unsigned int i = uplink->n_queues; i-- > 0;) {
		uplink->driver->close(&uplink->queues[i]);
		if (uplink->queues[i].fd >= 0)
			close(uplink->queues[i].fd);
	}
	for (unsigned int i = 0; i < uplink->n_kept; i++)
		close(uplink->kept_fds[i]);
}

static int open_queue(struct uplink_port *uplink, int fd, unsigned int n_queues, char *why,
		      size_t why_bytes)
{
	struct uplink_queue *queue = &uplink->queues[uplink->n_queues];

	*queue = (struct uplink_queue){
		.fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0),
		.is_underlay = uplink->port->spec.n_addresses != 0,
	};
	if (queue->fd < 0 && fd >= 0)
		return -errno;
	queue->watcher_fd =
		uplink->driver->n_own_fds == 0 ? queue->fd : uplink->kept_fds[uplink->n_kept - 1];
	queue->rxq = (struct rxq){.port = uplink->port,
				  .wake_fd = queue->fd,
				  .worker = -1,
				  .index = (uint16_t)uplink->n_queues};
	int error = uplink->driver->open(queue, n_queues, why, why_bytes);

	if (error < 0 && queue->fd >= 0)
		close(queue->fd);
	if (error == 0)
		uplink->n_queues++;
	return error;
}

static int keep_fds(struct uplink_port *uplink, const int *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return -errno;
		uplink->kept_fds[uplink->n_kept++] = fd;
	}
	return 0;
}

/* fds: of the queues, then those that are kept. */
static int open_all(struct uplink_port *uplink, const int *fds, unsigned int n_fds, char *why,
		    size_t why_bytes)
{
	const struct dp_option *wanted = port_option(uplink->port, "queues");
	const struct uplink_driver *driver = uplink->driver;
	unsigned int n_queues = wanted != NULL ? (unsigned int)wanted->number : 1;
	unsigned int n_first = driver->has_tap ? 1 : n_queues;
	unsigned int n_kept = (uplink->port->spec.n_addresses != 0) + driver->n_own_fds;
	int error = n_fds == n_first + n_kept && n_kept <= KEPT_MAX ? 0 : -EINVAL;

	if (error == 0)
		error = keep_fds(uplink, fds + n_first, n_kept);
	for (unsigned int i = 0; i < n_queues && error == 0; i++)
		error = open_queue(uplink, driver->has_tap ? -1 : fds[i], n_queues, why, why_bytes);
	if (error == 0 && driver->has_tap)
		error = open_queue(uplink, fds[0], n_queues, why, why_bytes);
	return error;
}

static const struct uplink_driver *find_driver(const struct port *port)
{
	const struct dp_option *wanted = port_option(port, "driver");
	uint64_t number = wanted != NULL ? wanted->number : 0;

	return number < sizeof(drivers) / sizeof(drivers[0]) ? drivers[number] : NULL;
}

static int uplink_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
			  size_t why_bytes)
{
	char reason[DP_TEXT_BYTES] = "";
	struct uplink_port *uplink =
		calloc(1, sizeof(*uplink) + PORT_QUEUES_MAX * sizeof(uplink->queues[0]));
	const struct uplink_driver *driver = find_driver(port);
	int error = uplink == NULL ? -ENOMEM : driver == NULL ? -ENOTSUP : 0;

	if (error == 0) {
		uplink->port = port;
		uplink->driver = driver;
		error = open_all(uplink, fds, n_fds, reason, sizeof(reason));
		if (error < 0)
			close_all(uplink);
	}
	if (error < 0) {
		snprintf(why, why_bytes, "port %s: %s%s", port->spec.name,
			 reason[0] != '\0' ? reason : "no usable sockets came with it: ",
			 reason[0] != '\0' ? "" : strerror(-error));
		free(uplink);
		return error;
	}
	port->impl = uplink;
	/* Frames for peers are cut before outer headers come in front of them: no one sends them
	 * here but by send(). */
	atomic_store_explicit(&port->offload_caps, driver->offload_caps, memory_order_relaxed);
	return 0;
}

static void uplink_publish(struct port *port)
{
	struct uplink_port *uplink = port->impl;

	for (unsigned int i = 0; i < uplink->n_queues; i++) {
		struct uplink_queue *queue = &uplink->queues[i];

		uplink->driver->start(queue);
		if (port_attach_rxq(port, &queue->rxq) < 0)
			log_error("uplink", "port %s: queue %u cannot be polled", port->spec.name,
				  i);
	}
}

static void uplink_close(struct port *port)
{
	close_all(port->impl);
	free(port->impl);
}

static void uplink_turn(struct port *port, uint64_t now_ns)
{
	struct uplink_port *uplink = port->impl;
	struct uplink_link link;

	if (now_ns < uplink->look_ns)
		return;
	uplink->look_ns = now_ns + LOOK_NS;
	for (unsigned int i = 0; i < uplink->n_queues; i++) {
		if (uplink->driver->turn != NULL)
			uplink->driver->turn(&uplink->queues[i]);
		uplink->lost += uplink->driver->lost(&uplink->queues[i]);
	}
	uplink->driver->look(&uplink->queues[0], &link);
	if (strcmp(link.reason, uplink->link.reason) != 0)
		log_info("uplink", "port %s: %s", port->spec.name,
			 link.reason[0] != '\0' ? link.reason : "up");
	uplink->link = link;
}

static void uplink_state(const struct port *port, struct dp_port_state *state)
{
	const struct uplink_port *uplink = port->impl;
	struct uplink_link link;

	for (unsigned int i = 0; i < uplink->n_queues; i++)
		state->n_queues += uplink->queues[i].rxq.worker >= 0;
	state->attaches = 1;
	state->lost = uplink->lost;
	/* Whoever asks is told what is, not what was a moment ago. */
	uplink->driver->look(&uplink->queues[0], &link);
	state->link = link.link;
	memcpy(state->reason, link.reason, sizeof(state->reason));
}

static unsigned int uplink_give_fds(const struct port *port, int *fds)
{
	const struct uplink_port *uplink = port->impl;
	unsigned int n = 0;

	for (unsigned int i = 0; i < uplink->n_queues; i++) {
		if (uplink->queues[i].fd >= 0)
			fds[n++] = uplink->queues[i].fd;
	}
	for (unsigned int i = 0; i < uplink->n_kept; i++)
		fds[n++] = uplink->kept_fds[i];
	return n;
}

/* --- frames: worker --- */

static void uplink_rx(struct rxq *rxq, struct burst *burst)
{
	const struct uplink_port *uplink = rxq->port->impl;

	uplink->driver->rx(queue_of(rxq), burst);
}

static void uplink_rx_done(struct rxq *rxq, struct burst *burst)
{
	const struct uplink_port *uplink = rxq->port->impl;

	uplink->driver->rx_done(queue_of(rxq));
}

/* What leaves takes the first queue: the kernel spreads flows over the queues of the card. */
static void uplink_send(struct port *port, const struct port_out *out, unsigned int n,
			struct counters_block *count)
{
	struct uplink_port *uplink = port->impl;

	uplink->driver->send(&uplink->queues[0], out, n, count);
}

static void uplink_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		      struct counters_block *count)
{
	struct port_out out[BURST_FRAMES];

	for (unsigned int i = 0; i < n; i++)
		out[i] = (struct port_out){.frame = &burst->frames[order[i]]};
	uplink_send(port, out, n, count);
}

static bool uplink_arm(struct rxq *rxq)
{
	const struct uplink_port *uplink = rxq->port->impl;

	return uplink->driver->arm(queue_of(rxq));
}

static void uplink_disarm(struct rxq *rxq)
{
	/* The kernel wakes whoever waits; nobody does while it polls. */
}

const struct port_type port_uplink_type = {
	.kind = &kind_uplink,
	.prepare = uplink_prepare,
	.publish = uplink_publish,
	.close = uplink_close,
	.turn = uplink_turn,
	.state = uplink_state,
	.give_fds = uplink_give_fds,
	.rx = uplink_rx,
	.rx_done = uplink_rx_done,
	.tx = uplink_tx,
	.send = uplink_send,
	.arm = uplink_arm,
	.disarm = uplink_disarm,
};
