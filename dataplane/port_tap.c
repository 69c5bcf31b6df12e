/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Port type tap: a kernel network device. weftd makes the device and hands over its descriptor;
 * here frames are read and written, each whole and with its virtio-net header, 64 KiB of TCP too. A
 * read is a system call; the writes of a burst of four frames and more are one, where the kernel
 * has io_uring. What a guest sends is written straight from guest memory.
 */
#include "dataplane/port_tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dataplane/api/kinds.h"
#include "dataplane/base/log.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/drop.h"
#include "dataplane/flow.h"
#include "dataplane/offload.h"
#include "dataplane/worker.h"
#include "dataplane/write_ring.h"
#include "tap/tap.h"

struct tap_queue {
	struct rxq rxq;
	int fd;
};

struct tap_port {
	struct port *port;
	char ifname[IF_NAMESIZE];
	_Atomic int error;		/* errno of a device that is gone; workers write */
	bool is_error_logged;		/* main */
	unsigned int n_queues;
	struct tap_queue queues[];
};

_Static_assert(TAP_HEADER_BYTES == sizeof(struct virtio_net_hdr_mrg_rxbuf), "one header for all");

/* Frames of 60 bytes, cycles each, Linux 6.18: 2,840 by write(); by io_uring 3,400, 2,860, 2,570,
 * 2,310 if there are 2, 4, 8, 64 of them. */
#define TOGETHER_MIN 4

/* What every tap has, in the words of virtio-net: checksum and TSO, both ways. */
#define TAP_FEATURES                                                                               \
	(1ULL << VIRTIO_NET_F_CSUM | 1ULL << VIRTIO_NET_F_GUEST_CSUM |                             \
	 1ULL << VIRTIO_NET_F_GUEST_TSO4 | 1ULL << VIRTIO_NET_F_GUEST_TSO6 |                       \
	 1ULL << VIRTIO_NET_F_GUEST_ECN | 1ULL << VIRTIO_NET_F_HOST_TSO4 |                         \
	 1ULL << VIRTIO_NET_F_HOST_TSO6 | 1ULL << VIRTIO_NET_F_HOST_ECN)

static struct tap_queue *queue_of(struct rxq *rxq)
{
	return (struct tap_queue *)((char *)rxq - offsetof(struct tap_queue, rxq));
}

/* --- life: main --- */

static void close_queues(struct tap_port *tap)
{
	const struct dataplane *dp = tap->port->dp;

	for (unsigned int i = 0; i < tap->n_queues; i++) {
		port_detach_rxq(tap->port, &tap->queues[i].rxq);
		for (unsigned int w = 0; w < dp->config.n_workers; w++)
			write_ring_let_go(atomic_load(&dp->workers[w]->write_ring),
					  tap->queues[i].fd);
		close(tap->queues[i].fd);
	}
}

/* A queue for each descriptor, all of one device: whoever sent them made them so. */
static int open_queues(struct tap_port *tap, const int *fds, unsigned int n_fds)
{
	for (unsigned int i = 0; i < n_fds; i++) {
		struct tap_queue *queue = &tap->queues[i];
		int error = tap_check(fds[i], tap->ifname);

		if (error < 0)
			return error;
		queue->fd = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (queue->fd < 0)
			return -errno;
		queue->rxq = (struct rxq){.port = tap->port,
					  .wake_fd = queue->fd,
					  .worker = -1,
					  .index = (uint16_t)i};
		tap->n_queues++;
	}
	return 0;
}

static int tap_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
		       size_t why_bytes)
{
	const struct dp_option *wanted = port_option(port, "queues");
	struct tap_port *tap = calloc(1, sizeof(*tap) + n_fds * sizeof(tap->queues[0]));
	int error = tap == NULL ? -ENOMEM : -EINVAL;

	if (tap != NULL)
		tap->port = port;
	if (tap != NULL && n_fds == (wanted != NULL ? wanted->number : 1))
		error = open_queues(tap, fds, n_fds);
	if (error < 0) {
		snprintf(why, why_bytes, "port %s: no usable tap descriptor came with it: %s",
			 port->spec.name, strerror(-error));
		if (tap != NULL)
			close_queues(tap);
		free(tap);
		return error;
	}
	port->impl = tap;
	atomic_store_explicit(&port->offload_caps, OFFLOAD_ALL, memory_order_relaxed);
	return 0;
}

static void tap_publish(struct port *port)
{
	struct tap_port *tap = port->impl;

	for (unsigned int i = 0; i < tap->n_queues; i++) {
		int error = port_attach_rxq(port, &tap->queues[i].rxq);

		if (error < 0)
			atomic_store(&tap->error, -error);
	}
}

static void tap_port_close(struct port *port)
{
	close_queues(port->impl);
	free(port->impl);
}

static void describe(const struct tap_port *tap, int error, char *text, size_t bytes)
{
	snprintf(text, bytes, "device %s: %s", tap->ifname,
		 error == EBADFD ? "it is gone, was its namespace deleted?" : strerror(error));
}

static void tap_turn(struct port *port, uint64_t now_ns)
{
	struct tap_port *tap = port->impl;
	int error = atomic_load(&tap->error);
	char text[DP_TEXT_BYTES];

	if (error == 0 || tap->is_error_logged)
		return;
	tap->is_error_logged = true;
	describe(tap, error, text, sizeof(text));
	log_warn("tap", "port %s: %s", port->spec.name, text);
}

static void tap_state(const struct port *port, struct dp_port_state *state)
{
	const struct tap_port *tap = port->impl;
	int error = atomic_load(&tap->error);

	for (unsigned int i = 0; i < tap->n_queues; i++)
		state->n_queues += tap->queues[i].rxq.worker >= 0;
	state->features = TAP_FEATURES;
	state->attaches = 1;
	state->link = error == 0 ? DP_LINK_UP : DP_LINK_BROKEN;
	if (error != 0)
		describe(tap, error, state->reason, sizeof(state->reason));
}

static unsigned int tap_give_fds(const struct port *port, int *fds)
{
	const struct tap_port *tap = port->impl;

	for (unsigned int i = 0; i < tap->n_queues; i++)
		fds[i] = tap->queues[i].fd;
	return tap->n_queues;
}

/* --- frames: worker --- */

/* A frame of `bytes` (with header) lies at `at`, in the arena. */
static void fill_frame(struct burst *burst, const uint8_t *at, uint32_t bytes)
{
	struct frame *frame = &burst->frames[burst->n++];

	frame->len = bytes - TAP_HEADER_BYTES;
	frame->head_len = (uint16_t)(frame->len < FRAME_HEAD_BYTES ? frame->len : FRAME_HEAD_BYTES);
	frame->out = FRAME_OUT_DROP;
	frame->drop = DROP_NONE;
	frame->n_iov = 0;
	memcpy(&frame->vnet, at, TAP_HEADER_BYTES);
	memcpy(frame->head, at + TAP_HEADER_BYTES, frame->head_len);
	if (frame->len > FRAME_HEAD_BYTES) {
		struct iovec *piece = &burst->pieces[burst->n_pieces++];

		piece->iov_base = (void *)(uintptr_t)(at + TAP_HEADER_BYTES + FRAME_HEAD_BYTES);
		piece->iov_len = frame->len - FRAME_HEAD_BYTES;
		frame->iov = piece;
		frame->n_iov = 1;
	}
	if (!offload_check(frame, OFFLOAD_ALL))
		frame->drop = DROP_BAD_OFFLOAD;
}

static void tap_rx(struct rxq *rxq, struct burst *burst)
{
	struct tap_port *tap = rxq->port->impl;
	int fd = queue_of(rxq)->fd;
	size_t at = 0;

	/* Frames lie close together in the arena: small ones share its first pages. */
	while (burst->n < BURST_FRAMES &&
	       at + TAP_HEADER_BYTES + FRAME_BYTES_MAX <= BURST_ARENA_BYTES) {
		ssize_t bytes = read(fd, burst->arena + at, TAP_HEADER_BYTES + FRAME_BYTES_MAX);

		if (bytes < TAP_HEADER_BYTES) {
			/* What else a read can say concerns one frame, not the device. */
			if (bytes < 0 && (errno == EBADFD || errno == EIO))
				atomic_store(&tap->error, errno);
			break;
		}
		fill_frame(burst, burst->arena + at, (uint32_t)bytes);
		at = (at + (size_t)bytes + 63) & ~(size_t)63;
	}
}

static void tap_rx_done(struct rxq *rxq, struct burst *burst)
{
	/* The arena is the burst's: nothing to give back. */
}

static bool tap_arm(struct rxq *rxq)
{
	/* The last read found the device empty, and the descriptor is watched edge-triggered:
	 * whatever came since is an edge that the wait will report. */
	return true;
}

static void tap_disarm(struct rxq *rxq)
{
	/* The kernel wakes whoever waits; nobody does while it polls. */
}

/* Why the kernel did not take a frame. */
static enum drop_reason reason_of(int error)
{
	if (error == EAGAIN || error == ENOBUFS)
		return DROP_TAP_FULL;
	return error == EFAULT ? DROP_GUEST_FAULT : DROP_TAP_ERROR;
}

/* A frame that is in one piece, as small ones are, goes by write(): the kernel takes it for a tenth
 * less than by writev(). Bytes, or -errno. */
static ssize_t write_frame(int fd, struct frame *frame)
{
	struct iovec iov[1 + FRAME_IOV_MAX];
	size_t bytes = sizeof(frame->vnet) + frame->head_len;
	ssize_t written;

	if (frame->n_iov == 0) {
		written = write(fd, &frame->vnet, bytes);
	} else {
		iov[0].iov_base = &frame->vnet;
		iov[0].iov_len = bytes;
		memcpy(&iov[1], frame->iov, frame->n_iov * sizeof(iov[0]));
		written = writev(fd, iov, 1 + frame->n_iov);
	}
	return written < 0 ? -errno : written;
}

static void count_written(struct burst *burst, const struct frame *frame, ssize_t written,
			  struct counters_block *count)
{
	if (written < 0) {
		drop_frame(burst->recorder, count, frame, reason_of((int)-written));
		return;
	}
	count->tx_frames++;
	count->tx_bytes += frame->len;
	count->tx_gso_frames += frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

/* As far as it goes. Returns how many. */
static unsigned int write_together(struct write_ring *ring, int fd, struct burst *burst,
				   const uint8_t *order, unsigned int n,
				   struct counters_block *count)
{
	int32_t written[WRITE_RING_ENTRIES];
	unsigned int n_added = 0;

	for (; n_added < n; n_added++) {
		struct frame *frame = &burst->frames[order[n_added]];
		struct iovec first = {&frame->vnet, sizeof(frame->vnet) + frame->head_len};

		if (!write_ring_add(ring, fd, first, frame->iov, frame->n_iov))
			break;
	}
	unsigned int n_done = write_ring_run(ring, written);

	for (unsigned int i = 0; i < n_done; i++)
		count_written(burst, &burst->frames[order[i]], written[i], count);
	return n_done;
}

static void write_frames(const struct port *port, int fd, struct burst *burst, const uint8_t *order,
			 unsigned int n, struct counters_block *count)
{
	unsigned int worker = counters_worker_of(port->dp->counters, count);
	struct write_ring *ring =
		atomic_load_explicit(&port->dp->workers[worker]->write_ring, memory_order_relaxed);
	bool is_together = ring != NULL && n >= TOGETHER_MIN;
	unsigned int n_done = 0;

	while (is_together && n_done < n) {
		unsigned int more =
			write_together(ring, fd, burst, order + n_done, n - n_done, count);

		n_done += more;
		is_together = more != 0;
	}
	for (; n_done < n; n_done++) {
		struct frame *frame = &burst->frames[order[n_done]];

		count_written(burst, frame, write_frame(fd, frame), count);
	}
}

/* Workers may write to one queue at the same time: the kernel keeps them apart. */
static void tap_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		   struct counters_block *count)
{
	const struct tap_port *tap = port->impl;
	struct flow_lists lists;

	if (tap->n_queues == 1) {
		write_frames(port, tap->queues[0].fd, burst, order, n, count);
		return;
	}
	flow_spread(burst, order, n, tap->n_queues, &lists);
	for (unsigned int i = 0; i < tap->n_queues; i++)
		write_frames(port, tap->queues[i].fd, burst, lists.order[i], lists.n[i], count);
}

const struct port_type port_tap_type = {
	.kind = &kind_tap,
	.prepare = tap_prepare,
	.publish = tap_publish,
	.close = tap_port_close,
	.turn = tap_turn,
	.state = tap_state,
	.give_fds = tap_give_fds,
	.rx = tap_rx,
	.rx_done = tap_rx_done,
	.tx = tap_tx,
	.arm = tap_arm,
	.disarm = tap_disarm,
};
