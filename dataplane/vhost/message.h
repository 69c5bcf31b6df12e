/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user on the wire: header, payloads, request numbers and feature bits, as QEMU's
 * docs/interop/vhost-user.rst and VIRTIO 1.2 define them. Only what weft speaks. Host byte order.
 *
 *	request u32 | flags u32 | size u32 | payload, `size` bytes; descriptors travel beside it
 */
#pragma once

#include <assert.h>
#include <stdint.h>

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_RESET_OWNER = 4,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_LOG_BASE = 6,
	VHOST_SET_LOG_FD = 7,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_SET_VRING_ERR = 14,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_GET_QUEUE_NUM = 17,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_SEND_RARP = 19,		/* refused */
	VHOST_NET_SET_MTU = 20,
	VHOST_REQUEST_COUNT
};

/* Header flags. The two lowest bits are the version of the protocol. */
#define VHOST_FLAGS_VERSION UINT32_C(1)
#define VHOST_FLAGS_REPLY (UINT32_C(1) << 2)
#define VHOST_FLAGS_NEED_REPLY (UINT32_C(1) << 3)

/* Payload of SET_VRING_KICK, _CALL and _ERR: ring index, and whether a descriptor comes along. */
#define VHOST_FD_INDEX_MASK UINT64_C(0xff)
#define VHOST_FD_NONE (UINT64_C(1) << 8)

#define VHOST_MAX_REGIONS 8	  /* without CONFIGURE_MEM_SLOTS, which weft does not offer */
#define VHOST_MAX_RING_SIZE 32768 /* VIRTIO 1.2, 2.7: a power of two, at most 2^15 */
#define VHOST_MAX_QUEUE_PAIRS 128 /* ring indices are 8 bits in SET_VRING_KICK */

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;			/* payload bytes */
};
static_assert(sizeof(struct vhost_header) == 12, "wire format");

struct vhost_ring_state {
	uint32_t index;
	uint32_t num;
};
static_assert(sizeof(struct vhost_ring_state) == 8, "wire format");

struct vhost_ring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;			/* user addresses of the front-end, like the next two */
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};
static_assert(sizeof(struct vhost_ring_addr) == 40, "wire format");

#define VHOST_RING_F_LOG UINT32_C(1) /* in flags: writes to the ring are logged, too */

struct vhost_log {
	uint64_t bytes;
	uint64_t offset;		/* where it starts in its file */
};
static_assert(sizeof(struct vhost_log) == 16, "wire format");

struct vhost_region {
	uint64_t gpa;			/* guest physical address */
	uint64_t bytes;
	uint64_t uva;			/* user address in the front-end */
	uint64_t offset;		/* where the region starts in its file */
};
static_assert(sizeof(struct vhost_region) == 32, "wire format");

struct vhost_memory_table {
	uint32_t n_regions;
	uint32_t padding;
	struct vhost_region regions[VHOST_MAX_REGIONS];
};
static_assert(sizeof(struct vhost_memory_table) == 264, "wire format");

union vhost_payload {
	uint64_t u64;
	struct vhost_ring_state state;
	struct vhost_ring_addr addr;
	struct vhost_log log;
	struct vhost_memory_table memory;
};

/* Features of the device and its driver (VIRTIO 1.2: 5.1.3 and 6). */
#define VIRTIO_FEATURE(bit) (UINT64_C(1) << (bit))
#define VIRTIO_NET_F_CSUM 0	  /* the device takes frames without checksum */
#define VIRTIO_NET_F_GUEST_CSUM 1 /* the driver takes frames without checksum */
#define VIRTIO_NET_F_MTU 3
#define VIRTIO_NET_F_MAC 5
#define VIRTIO_NET_F_GUEST_TSO4 7
#define VIRTIO_NET_F_GUEST_TSO6 8
#define VIRTIO_NET_F_GUEST_ECN 9
#define VIRTIO_NET_F_GUEST_UFO 10
#define VIRTIO_NET_F_HOST_TSO4 11
#define VIRTIO_NET_F_HOST_TSO6 12
#define VIRTIO_NET_F_HOST_ECN 13
#define VIRTIO_NET_F_HOST_UFO 14
#define VIRTIO_NET_F_MRG_RXBUF 15
#define VIRTIO_NET_F_STATUS 16
#define VIRTIO_NET_F_CTRL_VQ 17
#define VIRTIO_NET_F_GUEST_ANNOUNCE 21
#define VIRTIO_NET_F_MQ 22
#define VIRTIO_F_NOTIFY_ON_EMPTY 24
#define VHOST_F_LOG_ALL 26
#define VIRTIO_F_ANY_LAYOUT 27
#define VIRTIO_F_INDIRECT_DESC 28
#define VIRTIO_F_EVENT_IDX 29
#define VHOST_F_PROTOCOL_FEATURES 30 /* vhost-user only; no guest ever sees it */
#define VIRTIO_F_VERSION_1 32
#define VIRTIO_F_RING_PACKED 34
#define VIRTIO_F_IN_ORDER 35

/* Features between front-end and back-end. */
#define VHOST_PROTOCOL_FEATURE(bit) (UINT64_C(1) << (bit))
#define VHOST_PROTOCOL_F_MQ 0
#define VHOST_PROTOCOL_F_LOG_SHMFD 1
#define VHOST_PROTOCOL_F_REPLY_ACK 3
#define VHOST_PROTOCOL_F_NET_MTU 4
