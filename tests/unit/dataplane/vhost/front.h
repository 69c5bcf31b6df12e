/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of session and queues share: a front-end on a socket pair, a session, and a port
 * that notes what it is told. tear_down counts descriptors and mappings. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/vhost/session.h"
#include "tests/unit/dataplane/vhost/vhost_rig.h"

#define SECOND UINT64_C(1000000000)
#define START (100 * SECOND)
#define MIB (UINT64_C(1) << 20)
#define N_PAIRS 2
#define UVA UINT64_C(0x7f1234000000) /* of the first region, in the front-end */
#define HIGH_UVA UINT64_C(0x7f8000000000)
#define HIGH_GPA (UINT64_C(4) << 30)
#define RING_SIZE 256

#define OFFERED                                                                                    \
	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) |                 \
	 VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF))
#define PACKED VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)
#define LOG_ALL VIRTIO_FEATURE(VHOST_F_LOG_ALL)
#define WITH_PROTOCOL (OFFERED | VIRTIO_FEATURE(VHOST_F_PROTOCOL_FEATURES))

/* What the port was told of a ring. */
struct front_seen {
	unsigned n_starts, n_stops, n_signals, n_forgets;
	bool is_running;
	struct session_ring ring;
	uint16_t next_base;		/* what ring_stop() will say */
};

/* A front-end, the session that serves it, and a port that notes what it is told. */
struct front {
	struct vhost_rig_count *count;
	struct fault_registry *faults;
	struct session *session;
	int socket;
	int memory_fd;
	int start_error;
	uint64_t now_ns;
	struct front_seen seen[2 * N_PAIRS];
};

/* For cmocka; a test that needs several calls them itself. */
int front_set_up(void **state);
int front_set_up_offering(void **state, uint64_t more_features);
int front_tear_down(void **state);

/* Hands the session what was sent. Its answer; or asserts that it is good, or bad due to `text`. */
int front_deliver(struct front *front);
void front_accepted(struct front *front);
void front_refused(struct front *front, int error, const char *text);

/* What the others send: two regions in one memfd, and 64 KiB in the high one for each ring. */
extern const struct vhost_memory_table front_table;
struct vhost_ring_addr front_addr(unsigned index);

void front_send_u64(struct front *front, uint32_t request, uint64_t value);
void front_send_state(struct front *front, uint32_t request, uint32_t index, uint32_t num);
void front_send_nothing(struct front *front, uint32_t request);
/* An eventfd of its own, not kept. */
void front_send_event(struct front *front, uint32_t request, uint64_t index);
void front_send_table(struct front *front, const struct vhost_memory_table *table);
void front_send_addr(struct front *front, const struct vhost_ring_addr *addr);
/* Size, base, addresses and kick. */
void front_send_ring(struct front *front, unsigned index);
/* All that makes rings 0 and 1 run. */
void front_start(struct front *front);

/* Takes a reply to `request` off the socket: the size in its header; the u64. */
uint32_t front_receive(struct front *front, uint32_t request, void *payload, size_t bytes);
uint64_t front_receive_u64(struct front *front, uint32_t request);
void front_nothing_to_receive(struct front *front);
/* GET_VRING_BASE: the base. */
uint32_t front_stop_ring(struct front *front, unsigned index);
