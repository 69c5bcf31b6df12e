/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhost-user on the wire, front-end side: numbers and layouts from QEMU's docs/interop/
 * vhost-user.rst, and sending and receiving with a deadline. Written apart from dataplane/vhost, so
 * that a misreading of the protocol there is not repeated here.
 *
 * Every message is  request u32 | flags u32 | payload bytes u32 | payload,  host byte order.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum vhu_request {
	VHU_GET_FEATURES = 1,
	VHU_SET_FEATURES = 2,
	VHU_SET_OWNER = 3,
	VHU_RESET_OWNER = 4,
	VHU_SET_MEM_TABLE = 5,
	VHU_SET_LOG_BASE = 6,
	VHU_SET_LOG_FD = 7,
	VHU_SET_VRING_NUM = 8,
	VHU_SET_VRING_ADDR = 9,
	VHU_SET_VRING_BASE = 10,
	VHU_GET_VRING_BASE = 11,
	VHU_SET_VRING_KICK = 12,
	VHU_SET_VRING_CALL = 13,
	VHU_SET_VRING_ERR = 14,
	VHU_GET_PROTOCOL_FEATURES = 15,
	VHU_SET_PROTOCOL_FEATURES = 16,
	VHU_GET_QUEUE_NUM = 17,
	VHU_SET_VRING_ENABLE = 18,
	VHU_SEND_RARP = 19,
	VHU_NET_SET_MTU = 20,
	VHU_SET_BACKEND_REQ_FD = 21,
	VHU_IOTLB_MSG = 22,
	VHU_POSTCOPY_ADVISE = 28,
	VHU_POSTCOPY_LISTEN = 29,
	VHU_GET_INFLIGHT_FD = 31,
	VHU_SET_INFLIGHT_FD = 32,
	VHU_ADD_MEM_REG = 37,
};

#define VHU_VERSION 0x1U
#define VHU_REPLY 0x4U
#define VHU_NEED_REPLY 0x8U

#define VHU_F_LOG_ALL 26	   /* bits of the virtio features */
#define VHU_F_PROTOCOL_FEATURES 30 /* bit of the virtio features */

enum vhu_protocol_feature {
	VHU_PROTOCOL_MQ = 0,
	VHU_PROTOCOL_LOG_SHMFD = 1,
	VHU_PROTOCOL_REPLY_ACK = 3,
	VHU_PROTOCOL_MTU = 4,
};

#define VHU_REGIONS_MAX 8
#define VHU_FDS_MAX 64	 /* of one sendmsg: more than any honest message has */
#define VHU_NO_FD 0x100U /* in the u64 of KICK, CALL, ERR: no descriptor comes with it */

struct vhu_header {
	uint32_t request;
	uint32_t flags;
	uint32_t bytes; /* of the payload */
};

struct vhu_ring_state {
	uint32_t index;
	uint32_t number;
};

struct vhu_ring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc; /* addresses in the front-end's own address space */
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct vhu_region {
	uint64_t guest_address;
	uint64_t bytes;
	uint64_t user_address;
	uint64_t file_offset;
};

struct vhu_memory {
	uint32_t n_regions;
	uint32_t padding;
	struct vhu_region regions[VHU_REGIONS_MAX];
};

struct vhu_message {
	struct vhu_header header;
	union {
		uint64_t number;
		struct vhu_ring_state state;
		struct vhu_ring_addr addr;
		struct vhu_memory memory;
	} payload;
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct vhu_header) == 12, "layout");
_Static_assert(offsetof(struct vhu_message, payload) == 12, "layout");

/* Sends exactly these bytes, the descriptors with the first of them. 0, -ETIMEDOUT or -errno. */
int vhu_send(int fd, const void *bytes, size_t n_bytes, const int *fds, unsigned int n_fds,
	     uint64_t deadline_ns);

/* Header and payload of one request in one send. */
int vhu_request(int fd, struct vhu_message *message, const int *fds, unsigned int n_fds,
		uint64_t deadline_ns);

/* One whole message from the back-end; descriptors with it are closed. 0, -ETIMEDOUT, -ECONNRESET
 * when the peer has closed, -EPROTO when it is no reply or too long. */
int vhu_receive(int fd, struct vhu_message *message, uint64_t deadline_ns);
