/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * driver=dpdk. The device is this process's alone; the kernel has a companion tap in its place:
 *
 *      device -- weft's? -- yes --> burst                 (a queue for each of the device's)
 *                        \- no ---> companion tap
 *      companion tap -------------> device                (one queue more, which brings no burst)
 *
 * Weft's is VXLAN for the VTEP or, on a trunk, what has a VLAN tag. The tap has the device's MAC
 * address, so the kernel's ARP, ND and ICMP are those of the device.
 *
 * Nothing wakes a worker here: it polls for as long as it has such a queue, which is what devices
 * like these are for. A frame that came stays in its buffer until the burst is done; one that
 * leaves is copied once.
 */
#include "dataplane/uplink/dpdk.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_spinlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "dataplane/recorder.h"
#include "dataplane/uplink/driver_frame.h"
#include "dataplane/uplink/ethdev.h"
#include "dataplane/vlan.h"
#include "tap/tap.h"
#include "tap/uplink_filter.h"

#define TAP_FRAMES_PER_POLL 32
/* How often it is looked at while it brings nothing: that is a system call. */
#define TAP_PAUSE_NS 20000
#define MBUFS_IOV_MAX 16 /* pieces of a frame that is written to the tap or taken */

struct device {
	struct ethdev ethdev;
	_Atomic bool is_open; /* workers may use it */
	int error;	      /* main: why it is not; 0: it is */
	char why[DP_TEXT_BYTES];
	unsigned int n_queues;
	bool is_underlay;
	struct uplink_vtep vtep;
	_Atomic int tap_fd; /* of the queue behind the others; -1: not yet */
	uint64_t lost;	    /* main: frames, at the last look */
	rte_spinlock_t tx_lock;
};

struct dpdk_queue {
	struct device *device;
	unsigned int n_taken;
	struct rte_mbuf *taken[BURST_FRAMES];
	bool has_more;	 /* the tap's: the last look has not emptied it */
	uint64_t tap_ns; /* when it is looked at again */
};

static struct device *device_of(const struct uplink_queue *queue)
{
	const struct dpdk_queue *dpdk = queue->impl;

	return dpdk->device;
}

static bool is_open(const struct device *device)
{
	return atomic_load_explicit(&device->is_open, memory_order_acquire);
}

/* The queue behind the device's own. */
static bool is_tap(const struct uplink_queue *queue)
{
	return queue->fd >= 0;
}

/* --- life: main --- */

static void read_vtep(struct device *device, const struct port *port)
{
	const struct dp_address *address = &port->spec.addresses[0];
	const struct dp_option *udp_port = port_option(port, "vxlan_port");

	device->is_underlay = port->spec.n_addresses != 0;
	device->vtep.family = address->version == 6 ? AF_INET6 : AF_INET;
	device->vtep.udp_port = udp_port != NULL ? (uint16_t)udp_port->number : 4789;
	memcpy(device->vtep.address, address->ip, sizeof(device->vtep.address));
}

/* The tap's MAC address, by its own descriptor: that needs no privilege. Frames that the kernel
 * sends before come from another one, and are not answered. */
static void give_mac(const struct device *device)
{
	int fd = atomic_load_explicit(&device->tap_fd, memory_order_relaxed);
	struct ifreq request = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

	if (fd < 0 || !is_open(device))
		return;
	memcpy(request.ifr_hwaddr.sa_data, device->ethdev.mac, sizeof(device->ethdev.mac));
	ioctl(fd, SIOCSIFHWADDR, &request);
}

static void open_device(struct device *device, const struct port *port)
{
	const struct dp_option *devargs = port_option(port, "devargs");

	device->error = devargs == NULL
				? -EINVAL
				: ethdev_open(devargs->text, device->n_queues, port->index,
					      &device->ethdev, device->why, sizeof(device->why));
	atomic_store_explicit(&device->is_open, device->error == 0, memory_order_release);
	give_mac(device);
}

static struct device *make_device(const struct port *port, unsigned int n_queues)
{
	struct device *device = calloc(1, sizeof(*device));

	if (device == NULL)
		return NULL;
	device->n_queues = n_queues;
	device->tap_fd = -1;
	rte_spinlock_init(&device->tx_lock);
	read_vtep(device, port);
	open_device(device, port);
	return device;
}

static void free_device(struct device *device)
{
	if (is_open(device))
		ethdev_close(&device->ethdev);
	free(device);
}

/* The first queue makes the device, the others share it. While an uplink is replaced the former one
 * has it: then turn() takes it once that is gone. */
static int dpdk_open(struct uplink_queue *queue, unsigned int n_queues, char *why, size_t why_bytes)
{
	const struct uplink_queue *first = queue - queue->rxq.index;
	struct dpdk_queue *dpdk = calloc(1, sizeof(*dpdk));
	struct device *device = NULL;
	int error = dpdk == NULL ? -ENOMEM : 0;

	if (error == 0)
		device = queue == first ? make_device(queue->rxq.port, n_queues) : device_of(first);
	if (error == 0)
		error = device == NULL ? -ENOMEM : device->error == -EBUSY ? 0 : device->error;
	if (error < 0) {
		if (device != NULL)
			snprintf(why, why_bytes, "%s", device->why);
		if (device != NULL && queue == first)
			free_device(device);
		free(dpdk);
		return error;
	}
	dpdk->device = device;
	queue->impl = dpdk;
	if (is_tap(queue)) {
		atomic_store_explicit(&device->tap_fd, queue->fd, memory_order_relaxed);
		give_mac(device);
	}
	return 0;
}

static void dpdk_close(struct uplink_queue *queue)
{
	struct dpdk_queue *dpdk = queue->impl;

	if (queue->rxq.index == 0)
		free_device(dpdk->device);
	free(dpdk);
}

static void dpdk_turn(struct uplink_queue *queue)
{
	struct device *device = device_of(queue);

	if (queue->rxq.index == 0 && device->error != 0)
		open_device(device, queue->rxq.port);
}

static void dpdk_start(struct uplink_queue *queue)
{
	struct device *device = device_of(queue);
	struct rte_mbuf *mbufs[BURST_FRAMES];
	uint16_t n = BURST_FRAMES;

	if (is_tap(queue) || !is_open(device))
		return;
	/* At most once around: more may come as fast as it is thrown away. */
	for (unsigned int i = 0; i < 64 && n == BURST_FRAMES; i++) {
		n = rte_eth_rx_burst(device->ethdev.port_id, queue->rxq.index, mbufs, BURST_FRAMES);
		rte_pktmbuf_free_bulk(mbufs, n);
	}
}

static uint64_t dpdk_lost(struct uplink_queue *queue)
{
	struct device *device = device_of(queue);
	struct rte_eth_stats stats;
	uint64_t before = device->lost;

	if (queue->rxq.index != 0 || !is_open(device) ||
	    rte_eth_stats_get(device->ethdev.port_id, &stats) != 0)
		return 0;
	device->lost = stats.imissed + stats.rx_nombuf;
	return device->lost - before;
}

static void dpdk_look(const struct uplink_queue *queue, struct uplink_link *link)
{
	const struct device *device = device_of(queue);
	struct rte_eth_link state = {0};

	*link = (struct uplink_link){.link = DP_LINK_UP};
	if (device->error != 0) {
		link->link = DP_LINK_BROKEN;
		snprintf(link->reason, sizeof(link->reason), "%s", device->why);
	} else if (rte_eth_link_get_nowait(device->ethdev.port_id, &state) == 0 &&
		   state.link_status == RTE_ETH_LINK_DOWN) {
		link->link = DP_LINK_DOWN;
		snprintf(link->reason, sizeof(link->reason),
			 "the device has no carrier: is its cable plugged in, its other end up?");
	}
}

/* --- receiving: worker --- */

/* Looks at the first piece: devices keep all headers in it. */
static bool is_ours(const struct device *device, const struct rte_mbuf *mbuf)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	size_t bytes = rte_pktmbuf_data_len(mbuf);

	if (device->is_underlay)
		return uplink_filter_is_vxlan(&device->vtep, frame, bytes);
	return bytes >= ETH_HLEN && vlan_is_tag((uint16_t)(frame[12] << 8 | frame[13]));
}

/* The pieces from a byte on. 0: there are too many. */
static unsigned int list_pieces(const struct rte_mbuf *mbuf, uint32_t skip,
				struct iovec iov[MBUFS_IOV_MAX])
{
	unsigned int n = 0;

	for (; mbuf != NULL; mbuf = mbuf->next) {
		uint32_t bytes = rte_pktmbuf_data_len(mbuf);

		if (bytes > skip) {
			if (n == MBUFS_IOV_MAX)
				return 0;
			iov[n++] = (struct iovec){rte_pktmbuf_mtod_offset(mbuf, void *, skip),
						  bytes - skip};
		}
		skip -= bytes < skip ? bytes : skip;
	}
	return n;
}

static void write_to_tap(const struct device *device, const struct rte_mbuf *mbuf)
{
	static const uint8_t header[TAP_HEADER_BYTES];
	struct iovec iov[1 + MBUFS_IOV_MAX] = {{(void *)(uintptr_t)header, sizeof(header)}};
	unsigned int n = list_pieces(mbuf, 0, iov + 1);
	int fd = atomic_load_explicit(&device->tap_fd, memory_order_relaxed);

	/* A tap that is down or full loses it, as a card would; the kernel counts that. */
	if (n != 0 && writev(fd, iov, (int)n + 1) < 0)
		return;
}

static void take_pieces(struct burst *burst, struct rte_mbuf *mbuf)
{
	struct frame *frame = driver_frame_take(burst, rte_pktmbuf_mtod(mbuf, uint8_t *),
						rte_pktmbuf_data_len(mbuf));
	struct iovec iov[MBUFS_IOV_MAX];

	if (mbuf->nb_segs == 1)
		return;
	unsigned int n = list_pieces(mbuf, frame->head_len, iov);

	frame->len = rte_pktmbuf_pkt_len(mbuf);
	burst->n_pieces -= frame->n_iov;
	frame->iov = &burst->pieces[burst->n_pieces];
	frame->n_iov = (uint16_t)n;
	burst->n_pieces += n;
	memcpy(&burst->pieces[burst->n_pieces - n], iov, n * sizeof(iov[0]));
	if (n == 0 || frame->head_len < FRAME_HEAD_BYTES)
		frame->drop = DROP_UPLINK_ERROR;
}

static void rx_device(struct uplink_queue *queue, struct burst *burst)
{
	struct dpdk_queue *dpdk = queue->impl;
	struct device *device = dpdk->device;
	struct rte_mbuf *mbufs[BURST_FRAMES];
	uint16_t n =
		rte_eth_rx_burst(device->ethdev.port_id, queue->rxq.index, mbufs, BURST_FRAMES);

	for (uint16_t i = 0; i < n; i++) {
		if (is_ours(device, mbufs[i])) {
			take_pieces(burst, mbufs[i]);
			dpdk->taken[dpdk->n_taken++] = mbufs[i];
		} else {
			write_to_tap(device, mbufs[i]);
			rte_pktmbuf_free(mbufs[i]);
		}
	}
}

/* Hands over what the device takes now; the rest is freed. Returns how many it took. */
static unsigned int put_all(struct device *device, struct rte_mbuf **mbufs, unsigned int n)
{
	rte_spinlock_lock(&device->tx_lock);
	unsigned int sent = rte_eth_tx_burst(device->ethdev.port_id, 0, mbufs, (uint16_t)n);

	rte_spinlock_unlock(&device->tx_lock);
	rte_pktmbuf_free_bulk(mbufs + sent, n - sent);
	return sent;
}

/* What the kernel sends on the tap. */
static void forward_tap(struct uplink_queue *queue, uint64_t now_ns)
{
	struct dpdk_queue *dpdk = queue->impl;
	struct device *device = dpdk->device;
	uint8_t header[TAP_HEADER_BYTES];
	unsigned int n = 0;
	bool is_empty = false;
	struct rte_mbuf *mbufs[TAP_FRAMES_PER_POLL];

	/* What comes meanwhile wakes who sleeps, and who was woken polls for longer than this. */
	if (now_ns < dpdk->tap_ns)
		return;
	while (n < TAP_FRAMES_PER_POLL && !is_empty) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(device->ethdev.pool);

		if (mbuf == NULL)
			break;
		struct iovec iov[] = {{header, sizeof(header)},
				      {rte_pktmbuf_mtod(mbuf, void *), rte_pktmbuf_tailroom(mbuf)}};
		ssize_t bytes = readv(queue->fd, iov, 2);

		if (bytes <= (ssize_t)sizeof(header)) {
			rte_pktmbuf_free(mbuf);
			is_empty = true;
			continue;
		}
		rte_pktmbuf_append(mbuf, (uint16_t)((size_t)bytes - sizeof(header)));
		mbufs[n++] = mbuf;
	}
	dpdk->has_more = !is_empty;
	dpdk->tap_ns = n == TAP_FRAMES_PER_POLL ? now_ns : now_ns + TAP_PAUSE_NS;
	/* Of what it does not take nobody counts. */
	if (n != 0)
		put_all(device, mbufs, n);
}

static void dpdk_rx(struct uplink_queue *queue, struct burst *burst)
{
	if (!is_open(device_of(queue)))
		return;
	if (is_tap(queue))
		forward_tap(queue, burst->now_ns);
	else
		rx_device(queue, burst);
}

static void dpdk_rx_done(struct uplink_queue *queue)
{
	struct dpdk_queue *dpdk = queue->impl;

	rte_pktmbuf_free_bulk(dpdk->taken, dpdk->n_taken);
	dpdk->n_taken = 0;
}

static bool dpdk_arm(struct uplink_queue *queue)
{
	const struct dpdk_queue *dpdk = queue->impl;

	/* The tap's descriptor wakes; the device has none. */
	return is_tap(queue) ? !dpdk->has_more : !is_open(dpdk->device);
}

/* --- sending: worker --- */

/* Up to n buffers, as the pool has them: all at once, or what there is. */
static unsigned int take_buffers(struct rte_mempool *pool, struct rte_mbuf **mbufs, unsigned int n)
{
	unsigned int i = 0;

	if (rte_mempool_get_bulk(pool, (void **)mbufs, n) == 0)
		return n;
	while (i < n && (mbufs[i] = rte_mbuf_raw_alloc(pool)) != NULL)
		i++;
	return i;
}

/* One piece of so many bytes, nothing left to the device. A buffer from the pool has these refcnt
 * and nb_segs already and no `next` (rte_mbuf_raw_alloc()); the two are written all the same, since
 * with data_off and port they are one word. tx_offload nobody sets; vlan_tci and hash, which may be
 * left of a frame that was received, mean nothing without their flags. */
static inline void start_buffer(struct rte_mbuf *mbuf, uint32_t bytes)
{
	mbuf->data_off = RTE_PKTMBUF_HEADROOM;
	mbuf->refcnt = 1;
	mbuf->nb_segs = 1;
	mbuf->port = RTE_MBUF_PORT_INVALID;
	mbuf->ol_flags = 0;
	mbuf->packet_type = 0;
	mbuf->pkt_len = bytes;
	mbuf->data_len = (uint16_t)bytes;
}

static void drop_out(const struct port *port, const struct port_out *out, unsigned int n,
		     enum drop_reason reason, struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++)
		drop_frame(recorder_of(port, count), count, out[i].frame, reason);
}

/* At most BURST_FRAMES, up to the first that is longer than the device takes. Returns how many
 * these are. */
static unsigned int send_run(struct device *device, const struct port *port,
			     const struct port_out *out, unsigned int n,
			     struct counters_block *count)
{
	const uint32_t bytes_max = device->ethdev.frame_bytes_max;
	struct rte_mbuf *mbufs[BURST_FRAMES];
	unsigned int n_taken = take_buffers(device->ethdev.pool, mbufs, n), i;
	uint64_t bytes = 0;

	for (i = 0; i < n_taken; i++) {
		uint32_t frame_bytes = driver_frame_bytes(&out[i]);

		if (__builtin_expect(frame_bytes > bytes_max, 0))
			break;
		start_buffer(mbufs[i], frame_bytes);
		driver_frame_write(&out[i], rte_pktmbuf_mtod(mbufs[i], uint8_t *));
		bytes += out[i].frame->len;
	}
	if (__builtin_expect(i < n_taken, 0)) {
		rte_pktmbuf_free_bulk(mbufs + i, n_taken - i);
		n = i;
	}
	unsigned int sent = i != 0 ? put_all(device, mbufs, i) : 0;

	for (unsigned int k = sent; k < i; k++)
		bytes -= out[k].frame->len;
	count->tx_frames += sent;
	count->tx_bytes += bytes;
	/* What found no buffer, too. */
	drop_out(port, out + sent, n - sent, DROP_UPLINK_FULL, count);
	return n;
}

static void dpdk_send(struct uplink_queue *queue, const struct port_out *out, unsigned int n,
		      struct counters_block *count)
{
	struct device *device = device_of(queue);
	const struct port *port = queue->rxq.port;

	if (!is_open(device)) {
		drop_out(port, out, n, DROP_UPLINK_ERROR, count);
		return;
	}
	while (n != 0) {
		unsigned int run = n < BURST_FRAMES ? n : BURST_FRAMES;
		unsigned int done = send_run(device, port, out, run, count);

		if (done < run)
			drop_out(port, &out[done++], 1, DROP_UPLINK_ERROR, count);
		out += done;
		n -= done;
	}
}

const struct uplink_driver dpdk_driver = {
	.name = "dpdk",
	.has_tap = true,
	.open = dpdk_open,
	.start = dpdk_start,
	.turn = dpdk_turn,
	.close = dpdk_close,
	.lost = dpdk_lost,
	.look = dpdk_look,
	.rx = dpdk_rx,
	.rx_done = dpdk_rx_done,
	.arm = dpdk_arm,
	.send = dpdk_send,
};
