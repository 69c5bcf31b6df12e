/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * driver=af_xdp. Frames lie in chunks of one piece of memory that this process and the kernel, or
 * the card itself, share; which chunk is whose four rings say (the kernel's networking/af_xdp.rst):
 *
 *      received:   kernel -- rx ----> worker -- fill --> kernel
 *      sent:       worker -- tx ----> kernel -- done --> worker
 *
 * A frame that came stays in its chunk until the burst is done. One that leaves is copied once,
 * from wherever it lies into a chunk; `tx` and `done` have room for all chunks for sending.
 *
 * The socket and the program that feeds it are weftd's work (tap/uplink_device.h): nothing here
 * needs a privilege, and nothing of it is left when this process dies.
 */
#include "dataplane/uplink/af_xdp.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_xdp.h>
#include <rte_spinlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "dataplane/recorder.h"
#include "dataplane/uplink/driver_frame.h"
#include "dataplane/uplink/interface.h"
#include "dataplane/vlan.h"
#include "tap/uplink_device.h"

#define RX_CHUNKS 2048u /* powers of two, all; rings have one entry for each */
#define TX_CHUNKS 1024u
#define CHUNK_BYTES_MIN 2048u
#define CHUNK_BYTES_MAX 4096u /* the kernel takes no more than a page */
#define HEADROOM_BYTES 256u   /* of a chunk, the kernel's, in front of what came */
#define OVERHEAD_BYTES (ETH_HLEN + 2u * VLAN_BYTES)

_Static_assert(CHUNK_BYTES_MAX - HEADROOM_BYTES - OVERHEAD_BYTES == UPLINK_XDP_MTU_MAX,
	       "as weftd has it");

struct ring {
	void *map;
	size_t map_bytes;
	uint32_t *producer, *consumer; /* shared: each written by one side */
	const uint32_t *flags;
	void *entries;
	uint32_t mask, at; /* `at`: of ours */
};

struct xdp_queue {
	uint8_t *memory;
	size_t memory_bytes;
	uint32_t chunk_bytes;
	int bind_error; /* main: 0: bound */
	uint64_t lost;	/* main: frames, at the last look */

	/* The worker's. */
	struct ring rx, fill;
	uint64_t taken[BURST_FRAMES];
	unsigned int n_taken;

	/* Of whoever has the lock. */
	rte_spinlock_t lock;
	struct ring tx, done;
	uint32_t n_free;
	uint64_t free[TX_CHUNKS];
};

/* Entries that the other side has put and we have not taken. */
static uint32_t count_come(const struct ring *ring)
{
	return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - ring->at;
}

static void publish(uint32_t *index, const struct ring *ring)
{
	__atomic_store_n(index, ring->at, __ATOMIC_RELEASE);
}

static bool wants_kick(const struct ring *ring)
{
	return (__atomic_load_n(ring->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP) != 0;
}

static struct xdp_desc *desc_at(const struct ring *ring, uint32_t i)
{
	return (struct xdp_desc *)ring->entries + (i & ring->mask);
}

static uint64_t *chunk_at(const struct ring *ring, uint32_t i)
{
	return (uint64_t *)ring->entries + (i & ring->mask);
}

/* --- life: main --- */

static int set_number(int fd, int name, uint32_t value)
{
	return setsockopt(fd, SOL_XDP, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int map_ring(int fd, struct ring *ring, uint64_t page, const struct xdp_ring_offset *offset,
		    uint32_t entries, size_t entry_bytes)
{
	size_t bytes = offset->desc + entries * entry_bytes;
	uint8_t *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
			    (off_t)page);

	if (map == MAP_FAILED)
		return -errno;
	*ring = (struct ring){.map = map, .map_bytes = bytes, .mask = entries - 1};
	ring->producer = (void *)(map + offset->producer);
	ring->consumer = (void *)(map + offset->consumer);
	ring->flags = (void *)(map + offset->flags);
	ring->entries = map + offset->desc;
	return 0;
}

static int map_rings(int fd, struct xdp_queue *xdp)
{
	struct xdp_mmap_offsets offsets;
	socklen_t bytes = sizeof(offsets);

	if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &bytes) < 0)
		return -errno;
	/* An older kernel has no flags, and another layout. */
	if (bytes != sizeof(offsets))
		return -ENOTSUP;
	int error = map_ring(fd, &xdp->rx, XDP_PGOFF_RX_RING, &offsets.rx, RX_CHUNKS,
			     sizeof(struct xdp_desc));

	if (error == 0)
		error = map_ring(fd, &xdp->fill, XDP_UMEM_PGOFF_FILL_RING, &offsets.fr, RX_CHUNKS,
				 sizeof(uint64_t));
	if (error == 0)
		error = map_ring(fd, &xdp->tx, XDP_PGOFF_TX_RING, &offsets.tx, TX_CHUNKS,
				 sizeof(struct xdp_desc));
	if (error == 0)
		error = map_ring(fd, &xdp->done, XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr,
				 TX_CHUNKS, sizeof(uint64_t));
	return error;
}

static int give_memory(int fd, struct xdp_queue *xdp)
{
	struct xdp_umem_reg registration;

	xdp->memory_bytes = (size_t)(RX_CHUNKS + TX_CHUNKS) * xdp->chunk_bytes;
	void *memory = mmap(NULL, xdp->memory_bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	xdp->memory = memory;
	registration = (struct xdp_umem_reg){.addr = (uint64_t)(uintptr_t)memory,
					     .len = xdp->memory_bytes,
					     .chunk_size = xdp->chunk_bytes};
	return setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &registration, sizeof(registration)) < 0
		       ? -errno
		       : 0;
}

static int set_up(int fd, struct xdp_queue *xdp)
{
	int error = give_memory(fd, xdp);

	if (error == 0)
		error = set_number(fd, XDP_UMEM_FILL_RING, RX_CHUNKS);
	if (error == 0)
		error = set_number(fd, XDP_UMEM_COMPLETION_RING, TX_CHUNKS);
	if (error == 0)
		error = set_number(fd, XDP_RX_RING, RX_CHUNKS);
	if (error == 0)
		error = set_number(fd, XDP_TX_RING, TX_CHUNKS);
	if (error == 0)
		error = map_rings(fd, xdp);
	if (error < 0)
		return error;
	for (; xdp->fill.at < RX_CHUNKS; xdp->fill.at++)
		*chunk_at(&xdp->fill, xdp->fill.at) = (uint64_t)xdp->fill.at * xdp->chunk_bytes;
	publish(xdp->fill.producer, &xdp->fill);
	for (; xdp->n_free < TX_CHUNKS; xdp->n_free++)
		xdp->free[xdp->n_free] = (uint64_t)(RX_CHUNKS + xdp->n_free) * xdp->chunk_bytes;
	return 0;
}

static void unmap(struct xdp_queue *xdp)
{
	struct ring *rings[] = {&xdp->rx, &xdp->fill, &xdp->tx, &xdp->done};

	for (unsigned int i = 0; i < 4; i++) {
		if (rings[i]->map != NULL)
			munmap(rings[i]->map, rings[i]->map_bytes);
	}
	/* The kernel holds its pages for as long as somebody has the socket. */
	if (xdp->memory != NULL)
		munmap(xdp->memory, xdp->memory_bytes);
	free(xdp);
}

static int af_xdp_open(struct uplink_queue *queue, unsigned int n_queues, char *why,
		       size_t why_bytes)
{
	struct xdp_queue *xdp = calloc(1, sizeof(*xdp));
	struct uplink_device_info info;
	int error = xdp == NULL ? -ENOMEM : uplink_device_look(queue->watcher_fd, &info);

	if (error == 0) {
		rte_spinlock_init(&xdp->lock);
		xdp->bind_error = -ENOTCONN;
		xdp->chunk_bytes =
			info.mtu_bytes + OVERHEAD_BYTES <= CHUNK_BYTES_MIN - HEADROOM_BYTES
				? CHUNK_BYTES_MIN
				: CHUNK_BYTES_MAX;
		error = set_up(queue->fd, xdp);
	}
	if (error == 0)
		queue->impl = xdp;
	else if (xdp != NULL)
		unmap(xdp);
	return error;
}

/* Frames come from now on. A queue of an interface has one socket: while an uplink is replaced, the
 * former one has it until it is closed. */
static void af_xdp_turn(struct uplink_queue *queue)
{
	struct xdp_queue *xdp = queue->impl;
	struct uplink_device_info info;
	struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = XDP_USE_NEED_WAKEUP,
		.sxdp_queue_id = queue->rxq.index,
	};
	const void *any = &address;

	if (xdp->bind_error == 0 || uplink_device_look(queue->watcher_fd, &info) < 0)
		return;
	address.sxdp_ifindex = (uint32_t)info.ifindex;
	xdp->bind_error = bind(queue->fd, any, sizeof(address)) < 0 ? -errno : 0;
}

static void af_xdp_close(struct uplink_queue *queue)
{
	unmap(queue->impl);
}

static uint64_t af_xdp_lost(struct uplink_queue *queue)
{
	struct xdp_queue *xdp = queue->impl;
	struct xdp_statistics stats = {0};
	socklen_t bytes = sizeof(stats);
	uint64_t before = xdp->lost;

	if (getsockopt(queue->fd, SOL_XDP, XDP_STATISTICS, &stats, &bytes) < 0)
		return 0;
	xdp->lost = stats.rx_dropped + stats.rx_ring_full;
	return xdp->lost - before;
}

static void af_xdp_look(const struct uplink_queue *queue, struct uplink_link *link)
{
	const struct xdp_queue *xdp = queue->impl;
	uint32_t mtu_max = xdp->chunk_bytes - HEADROOM_BYTES - OVERHEAD_BYTES;
	struct uplink_device_info info;

	interface_look(queue->watcher_fd, &info, link);
	if (link->link != DP_LINK_UP)
		return;
	if (xdp->bind_error != 0) {
		link->link = DP_LINK_BROKEN;
		snprintf(link->reason, sizeof(link->reason),
			 "queue %u of interface %s cannot be had: %s", queue->rxq.index,
			 info.ifname, strerror(-xdp->bind_error));
	} else if (info.mtu_bytes > mtu_max) {
		link->link = DP_LINK_BROKEN;
		snprintf(link->reason, sizeof(link->reason),
			 "interface %s has an MTU of %u, and its buffers are made for %u: %s",
			 info.ifname, info.mtu_bytes, mtu_max,
			 xdp->chunk_bytes < CHUNK_BYTES_MAX ? "make the uplink anew"
							    : "use driver=af_packet");
	}
}

/* --- receiving: worker --- */

static void af_xdp_rx(struct uplink_queue *queue, struct burst *burst)
{
	struct xdp_queue *xdp = queue->impl;
	struct ring *rx = &xdp->rx;
	uint32_t n = count_come(rx);

	if (n > BURST_FRAMES)
		n = BURST_FRAMES;
	for (uint32_t i = 0; i < n; i++, rx->at++) {
		const struct xdp_desc *desc = desc_at(rx, rx->at);

		__builtin_prefetch(xdp->memory + desc_at(rx, rx->at + 1)->addr);
		xdp->taken[i] = desc->addr & ~(uint64_t)(xdp->chunk_bytes - 1);
		driver_frame_take(burst, xdp->memory + desc->addr, desc->len);
	}
	xdp->n_taken = n;
	if (n != 0)
		publish(rx->consumer, rx);
}

static void af_xdp_rx_done(struct uplink_queue *queue)
{
	struct xdp_queue *xdp = queue->impl;
	struct ring *fill = &xdp->fill;

	for (unsigned int i = 0; i < xdp->n_taken; i++)
		*chunk_at(fill, fill->at++) = xdp->taken[i];
	xdp->n_taken = 0;
	publish(fill->producer, fill);
	if (wants_kick(fill))
		recv(queue->fd, NULL, 0, MSG_DONTWAIT);
}

/* --- sending: worker --- */

/* Frames that the kernel has not looked at yet. */
static uint32_t count_unsent(const struct ring *tx)
{
	return tx->at - __atomic_load_n(tx->consumer, __ATOMIC_ACQUIRE);
}

/* One call sends some tens. What the interface does not take now stays in the ring. */
static void kick(int fd, const struct ring *tx)
{
	uint32_t before, after = count_unsent(tx);

	do {
		before = after;
		if (before == 0 || !wants_kick(tx))
			return;
		if (send(fd, NULL, 0, MSG_DONTWAIT) < 0 && errno != EAGAIN)
			return;
		after = count_unsent(tx);
	} while (after < before);
}

/* Chunks whose frames have left. */
static void take_back(struct xdp_queue *xdp)
{
	struct ring *done = &xdp->done;
	uint32_t n = count_come(done);

	for (uint32_t i = 0; i < n; i++)
		xdp->free[xdp->n_free++] = *chunk_at(done, done->at++);
	if (n != 0)
		publish(done->consumer, done);
}

static enum drop_reason put(struct xdp_queue *xdp, const struct port_out *out)
{
	uint32_t bytes = driver_frame_bytes(out);

	if (bytes > xdp->chunk_bytes)
		return DROP_UPLINK_ERROR;
	if (xdp->n_free == 0)
		return DROP_UPLINK_FULL;
	uint64_t chunk = xdp->free[--xdp->n_free];

	driver_frame_write(out, xdp->memory + chunk);
	*desc_at(&xdp->tx, xdp->tx.at++) = (struct xdp_desc){.addr = chunk, .len = bytes};
	return DROP_NONE;
}

static void af_xdp_send(struct uplink_queue *queue, const struct port_out *out, unsigned int n,
			struct counters_block *count)
{
	struct xdp_queue *xdp = queue->impl;

	rte_spinlock_lock(&xdp->lock);
	take_back(xdp);
	for (unsigned int i = 0; i < n; i++) {
		enum drop_reason reason = put(xdp, &out[i]);

		if (reason != DROP_NONE) {
			drop_frame(recorder_of(queue->rxq.port, count), count, out[i].frame,
				   reason);
			continue;
		}
		count->tx_frames++;
		count->tx_bytes += out[i].frame->len;
	}
	publish(xdp->tx.producer, &xdp->tx);
	kick(queue->fd, &xdp->tx);
	rte_spinlock_unlock(&xdp->lock);
}

static bool af_xdp_arm(struct uplink_queue *queue)
{
	struct xdp_queue *xdp = queue->impl;

	/* What found the interface busy must not wait for a next frame. */
	if (rte_spinlock_trylock(&xdp->lock)) {
		kick(queue->fd, &xdp->tx);
		rte_spinlock_unlock(&xdp->lock);
	}
	/* The descriptor is watched edge-triggered: the kernel fills the ring, then it wakes. */
	return count_come(&xdp->rx) == 0;
}

const struct uplink_driver af_xdp_driver = {
	.name = "af_xdp",
	.n_own_fds = 2,
	.open = af_xdp_open,
	.start = af_xdp_turn,
	.turn = af_xdp_turn,
	.close = af_xdp_close,
	.lost = af_xdp_lost,
	.look = af_xdp_look,
	.rx = af_xdp_rx,
	.rx_done = af_xdp_rx_done,
	.arm = af_xdp_arm,
	.send = af_xdp_send,
};
