/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * driver=af_packet. Frames come through a ring of slots that the kernel fills and this process
 * maps (packet(7), TPACKET_V2): the head is copied out once, the body stays in its slot until the
 * burst is done. Frames leave by one system call a burst, gathered from where they lie.
 *
 *      slot   | tpacket2_hdr .. | virtio-net header | frame ...............    |
 *             0                 tp_mac - 10         tp_mac                     slot_bytes
 *
 * A frame larger than a slot (TCP segments that the kernel has merged or not cut yet, up to 64 KiB)
 * has its beginning there, and TP_STATUS_COPY says that it waits whole at the socket. The kernel
 * puts it there under the lock under which it advances the ring, so they come in the order of their
 * slots.
 *
 * No PACKET_QDISC_BYPASS: frames go through the interface's queueing discipline, as those of the
 * host's own programs do. Past it a busy card would drop what the discipline holds for a moment,
 * and the host's ARP would have to compete with bursts that no one shapes.
 */
#include "dataplane/uplink/af_packet.h"

#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "dataplane/drop.h"
#include "dataplane/offload.h"
#include "dataplane/recorder.h"
#include "dataplane/uplink/interface.h"
#include "dataplane/vlan.h"
#include "tap/uplink_device.h"

#define RING_BYTES (8u << 20)	  /* of all queues of an uplink */
#define RING_BYTES_MIN (1u << 20) /* of one */
#define BLOCK_BYTES (128u << 10)  /* what the kernel allocates in one piece */
#define SLOT_BYTES_MIN 2048u
#define SLOT_BYTES_MAX 16384u	 /* larger frames come by the socket */
#define SLOT_OVERHEAD_BYTES 128u /* headers of the kernel, of Ethernet and VLAN */

#define BATCH_IOV 512
#define OUT_IOV_MAX (3 + FRAME_IOV_MAX) /* virtio-net header, outer headers, head, body */

_Static_assert(UPLINK_HEADER_BYTES == sizeof(struct virtio_net_hdr), "what the sockets have");
_Static_assert(OUT_IOV_MAX <= BATCH_IOV, "any frame fits an empty batch");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the sockets' header is the host's");

struct ring {
	uint8_t *map;
	size_t map_bytes;
	uint32_t slot_bytes; /* powers of two, both */
	uint32_t n_slots;

	/* The worker's: slots from `done` to `next` are the burst's that is on its way. */
	uint32_t next, done;
};

static struct tpacket2_hdr *slot_at(const struct ring *ring, uint32_t i)
{
	void *slot = ring->map + (size_t)(i & (ring->n_slots - 1)) * ring->slot_bytes;

	return slot;
}

/* Has the kernel filled the slot? What it wrote before it said so is there then. */
static bool is_filled(const struct tpacket2_hdr *slot, uint32_t *status)
{
	*status = __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
	return (*status & TP_STATUS_USER) != 0;
}

static void give_back(struct ring *ring)
{
	for (; ring->done != ring->next; ring->done++)
		__atomic_store_n(&slot_at(ring, ring->done)->tp_status, TP_STATUS_KERNEL,
				 __ATOMIC_RELEASE);
}

/* --- life: main --- */

static uint32_t slot_bytes_for(uint32_t mtu_bytes)
{
	uint32_t bytes = SLOT_BYTES_MIN;

	while (bytes < SLOT_BYTES_MAX && bytes < mtu_bytes + SLOT_OVERHEAD_BYTES)
		bytes *= 2;
	return bytes;
}

static uint32_t ring_bytes_for(unsigned int n_queues)
{
	uint32_t bytes = RING_BYTES;

	while (bytes > RING_BYTES_MIN && bytes * n_queues > RING_BYTES)
		bytes /= 2;
	return bytes;
}

static int set_ring(int fd, const struct tpacket_req *request)
{
	return setsockopt(fd, SOL_PACKET, PACKET_RX_RING, request, sizeof(*request)) < 0 ? -errno
											 : 0;
}

/* A ring that a process before us has left goes, and with it what waits at the socket: the two
 * belong together. */
static int make_ring(int fd, struct ring *ring)
{
	struct tpacket_req request = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = (uint32_t)(ring->map_bytes / BLOCK_BYTES),
		.tp_frame_size = ring->slot_bytes,
		.tp_frame_nr = ring->n_slots,
	};
	int error = set_ring(fd, &(struct tpacket_req){0});

	if (error == 0)
		error = set_ring(fd, &request);
	if (error < 0)
		return error;
	void *map = mmap(NULL, ring->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	ring->map = map;
	return 0;
}

static int af_packet_open(struct uplink_queue *queue, unsigned int n_queues, char *why,
			  size_t why_bytes)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	struct uplink_device_info info;
	int error = ring == NULL ? -ENOMEM : uplink_device_check(queue->fd);

	if (error == 0)
		error = uplink_device_look(queue->fd, &info);
	if (error == 0) {
		ring->map_bytes = ring_bytes_for(n_queues);
		ring->slot_bytes = slot_bytes_for(info.mtu_bytes);
		ring->n_slots = (uint32_t)(ring->map_bytes / ring->slot_bytes);
		error = make_ring(queue->fd, ring);
	}
	if (error < 0)
		free(ring);
	else
		queue->impl = ring;
	return error;
}

static void af_packet_close(struct uplink_queue *queue)
{
	struct ring *ring = queue->impl;

	munmap(ring->map, ring->map_bytes);
	/* weftd may keep the socket: nobody is to fill a ring that nobody reads. */
	set_ring(queue->fd, &(struct tpacket_req){0});
	free(ring);
}

/* Throws away one frame that waits at the socket. */
static void skip_copy(int fd)
{
	uint8_t nothing[UPLINK_HEADER_BYTES];

	/* An error that the socket has noted (the interface was down) is reported instead, once. */
	if (recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT) < 0 && errno != EAGAIN)
		recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT);
}

static void af_packet_start(struct uplink_queue *queue)
{
	struct ring *ring = queue->impl;
	uint32_t status;

	/* At most once around: the kernel may be filling it as fast as it is emptied. */
	for (uint32_t i = 0; i < ring->n_slots && is_filled(slot_at(ring, ring->next), &status);
	     i++) {
		if ((status & TP_STATUS_COPY) != 0)
			skip_copy(queue->fd);
		ring->next++;
		give_back(ring);
	}
}

static uint64_t af_packet_lost(struct uplink_queue *queue)
{
	struct tpacket_stats stats = {0}; /* since it was last asked */
	socklen_t bytes = sizeof(stats);

	return getsockopt(queue->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) < 0
		       ? 0
		       : stats.tp_drops;
}

static void af_packet_look(const struct uplink_queue *queue, struct uplink_link *link)
{
	struct uplink_device_info info;

	interface_look(queue->watcher_fd, &info, link);
}

/* --- receiving: worker --- */

/* The tag stands where the sender put it: the kernel took it off and noted it. */
static void put_tag(struct frame *frame, const struct tpacket2_hdr *slot, uint32_t status)
{
	uint16_t tpid =
		(status & TP_STATUS_VLAN_TPID_VALID) != 0 ? slot->tp_vlan_tpid : ETH_P_8021Q;
	uint16_t tag[2] = {htobe16(tpid), htobe16(slot->tp_vlan_tci)};

	memcpy(frame->head + 2 * ETH_ALEN, tag, sizeof(tag));
	if (frame->vnet.hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		frame->vnet.hdr.csum_start =
			htole16((uint16_t)(le16toh(frame->vnet.hdr.csum_start) + VLAN_BYTES));
}

/* The rest of a frame, behind its head. */
static void set_body(struct burst *burst, struct frame *frame, uint8_t *at, uint32_t bytes)
{
	if (bytes == 0)
		return;
	struct iovec *piece = &burst->pieces[burst->n_pieces++];

	*piece = (struct iovec){.iov_base = at, .iov_len = bytes};
	frame->iov = piece;
	frame->n_iov = 1;
}

/* A frame that lies in its slot. tag_bytes: room that the head keeps for the tag. */
static void read_slot(struct burst *burst, struct frame *frame, uint8_t *at, uint32_t len,
		      uint32_t tag_bytes)
{
	uint32_t head_len = FRAME_HEAD_BYTES - tag_bytes;

	if (len < head_len)
		head_len = len;
	memcpy(&frame->vnet.hdr, at - UPLINK_HEADER_BYTES, UPLINK_HEADER_BYTES);
	memcpy(frame->head, at, 2 * ETH_ALEN);
	memcpy(frame->head + 2 * ETH_ALEN + tag_bytes, at + 2 * ETH_ALEN, head_len - 2 * ETH_ALEN);
	frame->head_len = (uint16_t)(head_len + tag_bytes);
	set_body(burst, frame, at + head_len, len - head_len);
}

static ssize_t receive(int fd, struct msghdr *message)
{
	ssize_t bytes = recvmsg(fd, message, MSG_DONTWAIT | MSG_TRUNC);

	/* An error that the socket has noted (the interface was down) is reported instead, once. */
	if (bytes < 0 && errno != EAGAIN)
		bytes = recvmsg(fd, message, MSG_DONTWAIT | MSG_TRUNC);
	return bytes;
}

/* A frame that waits whole at the socket; what its head has no room for goes to `at`. */
static bool read_copy(int fd, struct burst *burst, struct frame *frame, uint8_t *at, uint32_t len,
		      uint32_t tag_bytes)
{
	uint32_t head_len = FRAME_HEAD_BYTES - tag_bytes;
	struct iovec iov[] = {
		{&frame->vnet.hdr, UPLINK_HEADER_BYTES},
		{frame->head, 2 * ETH_ALEN},
		{frame->head + 2 * ETH_ALEN + tag_bytes, head_len - 2 * ETH_ALEN},
		{at, FRAME_BYTES_MAX - head_len},
	};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = sizeof(iov) / sizeof(iov[0])};
	ssize_t bytes = receive(fd, &message);

	/* `bytes` is the whole frame's length (MSG_TRUNC), also where there was no room for it. */
	if (bytes != (ssize_t)len + UPLINK_HEADER_BYTES || len < head_len ||
	    (message.msg_flags & MSG_TRUNC) != 0)
		return false;
	frame->head_len = FRAME_HEAD_BYTES;
	set_body(burst, frame, at, len - head_len);
	return true;
}

/* Takes the frame of a slot into the burst. arena_at: room that is used of the arena. */
static void take_frame(struct uplink_queue *queue, struct burst *burst, struct tpacket2_hdr *slot,
		       uint32_t status, size_t *arena_at)
{
	struct frame *frame = &burst->frames[burst->n++];
	uint32_t tag_bytes = (status & TP_STATUS_VLAN_VALID) != 0 ? VLAN_BYTES : 0;
	uint32_t len = slot->tp_len;
	uint8_t *at = (uint8_t *)slot + slot->tp_mac;

	frame->len = len + tag_bytes;
	frame->head_len = 0;
	frame->out = FRAME_OUT_DROP;
	frame->drop = DROP_NONE;
	frame->n_iov = 0;
	frame->vnet = (struct virtio_net_hdr_mrg_rxbuf){0};
	if (len < ETH_HLEN) {
		frame->drop = DROP_RUNT;
	} else if ((status & TP_STATUS_COPY) != 0) {
		if (!read_copy(queue->fd, burst, frame, burst->arena + *arena_at, len, tag_bytes))
			frame->drop = len > FRAME_BYTES_MAX ? DROP_OVERSIZE : DROP_UPLINK_ERROR;
		*arena_at += (len + 63) & ~(size_t)63;
	} else if (slot->tp_snaplen < len) {
		/* The rest of it found no room at the socket. */
		frame->drop = DROP_UPLINK_FULL;
	} else {
		read_slot(burst, frame, at, len, tag_bytes);
	}
	if (frame->drop != DROP_NONE)
		return;
	if (tag_bytes != 0)
		put_tag(frame, slot, status);
	if (!offload_check(frame, queue->is_underlay ? OFFLOAD_ALL | OFFLOAD_TUNNEL : OFFLOAD_ALL))
		frame->drop = DROP_BAD_OFFLOAD;
}

static void af_packet_rx(struct uplink_queue *queue, struct burst *burst)
{
	struct ring *ring = queue->impl;
	size_t arena_at = 0;

	while (burst->n < BURST_FRAMES && arena_at + FRAME_BYTES_MAX <= BURST_ARENA_BYTES) {
		struct tpacket2_hdr *slot = slot_at(ring, ring->next);
		uint32_t status;

		if (!is_filled(slot, &status))
			break;
		__builtin_prefetch(slot_at(ring, ring->next + 1));
		take_frame(queue, burst, slot, status, &arena_at);
		ring->next++;
	}
}

static void af_packet_rx_done(struct uplink_queue *queue)
{
	give_back(queue->impl);
}

static bool af_packet_arm(struct uplink_queue *queue)
{
	struct ring *ring = queue->impl;
	uint32_t status;

	/* The descriptor is watched edge-triggered: the kernel fills the slot, then it wakes. */
	return !is_filled(slot_at(ring, ring->next), &status);
}

/* --- sending: worker --- */

struct batch {
	struct mmsghdr messages[BURST_FRAMES];
	const struct port_out *outs[BURST_FRAMES];
	struct iovec iov[BATCH_IOV];
	unsigned int n, n_iov;
};

static const struct virtio_net_hdr no_offloads;

static struct iovec piece_of(const void *at, size_t bytes)
{
	/* The kernel only reads them, but struct iovec is not const. */
	return (struct iovec){.iov_base = (void *)(uintptr_t)at, .iov_len = bytes};
}

static void add_out(struct batch *batch, const struct port_out *out)
{
	const struct frame *frame = out->frame;
	struct iovec *iov = &batch->iov[batch->n_iov];
	unsigned int n = 0;

	iov[n++] = piece_of(out->outer_len != 0 ? &no_offloads : &frame->vnet.hdr,
			    UPLINK_HEADER_BYTES);
	if (out->outer_len != 0)
		iov[n++] = piece_of(out->outer, out->outer_len);
	iov[n++] = piece_of(frame->head, frame->head_len);
	if (frame->n_iov != 0)
		memcpy(&iov[n], frame->iov, frame->n_iov * sizeof(iov[0]));
	n += frame->n_iov;
	batch->messages[batch->n].msg_hdr = (struct msghdr){.msg_iov = iov, .msg_iovlen = n};
	batch->outs[batch->n++] = out;
	batch->n_iov += n;
}

/* Why the kernel did not take a frame. */
static enum drop_reason reason_of(int error)
{
	if (error == EAGAIN || error == ENOBUFS)
		return DROP_UPLINK_FULL;
	return error == EFAULT ? DROP_GUEST_FAULT : DROP_UPLINK_ERROR;
}

static void count_sent(const struct port_out *out, struct counters_block *count)
{
	const struct frame *frame = out->frame;

	count->tx_frames++;
	count->tx_bytes += frame->len;
	count->tx_gso_frames += frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
}

/* The kernel stops at the first frame that it does not take, and says why if asked once more. A
 * full send buffer is full for those behind it, too. */
static void flush(const struct uplink_queue *queue, struct batch *batch,
		  struct counters_block *count)
{
	struct recorder *recorder = recorder_of(queue->rxq.port, count);
	unsigned int at = 0;
	bool is_asked_again = false;

	while (at < batch->n) {
		int sent = sendmmsg(queue->fd, &batch->messages[at], batch->n - at, MSG_DONTWAIT);

		for (int i = 0; i < sent; i++)
			count_sent(batch->outs[at + (unsigned int)i], count);
		if (sent > 0) {
			at += (unsigned int)sent;
		} else if (errno == EAGAIN) {
			for (; at < batch->n; at++)
				drop_frame(recorder, count, batch->outs[at]->frame,
					   DROP_UPLINK_FULL);
		} else if (errno == ENETDOWN && !is_asked_again) {
			/* It may only be what the socket noted when the interface was down. */
			is_asked_again = true;
		} else {
			drop_frame(recorder, count, batch->outs[at]->frame, reason_of(errno));
			at++;
		}
	}
	batch->n = 0;
	batch->n_iov = 0;
}

static void af_packet_send(struct uplink_queue *queue, const struct port_out *out, unsigned int n,
			   struct counters_block *count)
{
	struct batch batch;

	batch.n = 0;
	batch.n_iov = 0;
	for (unsigned int i = 0; i < n; i++) {
		if (batch.n == BURST_FRAMES || batch.n_iov + OUT_IOV_MAX > BATCH_IOV)
			flush(queue, &batch, count);
		add_out(&batch, &out[i]);
	}
	flush(queue, &batch, count);
}

const struct uplink_driver af_packet_driver = {
	.name = "af_packet",
	.offload_caps = OFFLOAD_ALL,
	.open = af_packet_open,
	.start = af_packet_start,
	.close = af_packet_close,
	.lost = af_packet_lost,
	.look = af_packet_look,
	.rx = af_packet_rx,
	.rx_done = af_packet_rx_done,
	.arm = af_packet_arm,
	.send = af_packet_send,
};
