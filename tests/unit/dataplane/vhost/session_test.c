/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/session.c and queues.c: a front-end on a socket pair, a port that notes what
 * it is told. After each test descriptors and mappings are what they were before. */
#include "dataplane/vhost/session.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/dataplane/vhost/vhost_rig.h"

#define SECOND		UINT64_C(1000000000)
#define START		(100 * SECOND)
#define MIB		(UINT64_C(1) << 20)
#define N_PAIRS		2
#define UVA		UINT64_C(0x7f1234000000)	/* of the first region, in the front-end */
#define HIGH_UVA	UINT64_C(0x7f8000000000)
#define HIGH_GPA	(UINT64_C(4) << 30)
#define RING_SIZE	256

#define OFFERED		(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) | \
			 VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF))
#define WITH_PROTOCOL	(OFFERED | VIRTIO_FEATURE(VHOST_F_PROTOCOL_FEATURES))

/* What the port was told of a ring. */
struct seen {
	unsigned n_starts, n_stops, n_signals;
	bool is_running;
	struct session_ring ring;
	uint16_t next_base;		/* what ring_stop() will say */
};

struct rig {
	struct vhost_rig_count *count;
	struct fault_registry *faults;
	struct session *session;
	int front;
	int memory_fd;
	int start_error;
	uint64_t now_ns;
	struct seen seen[2 * N_PAIRS];
};

static int ring_start(void *ctx, const struct session_ring *ring)
{
	struct rig *rig = ctx;
	struct seen *seen = &rig->seen[ring->index];

	assert_false(seen->is_running);
	if (rig->start_error != 0)
		return rig->start_error;
	seen->n_starts++;
	seen->is_running = true;
	seen->ring = *ring;
	seen->next_base = ring->base;
	return 0;
}

static uint16_t ring_stop(void *ctx, unsigned index)
{
	struct rig *rig = ctx;
	struct seen *seen = &rig->seen[index];

	assert_true(seen->is_running);
	/* The ring is there to the last moment. */
	memset(seen->ring.used, 0, 4);
	assert_true(fcntl(seen->ring.kick_fd, F_GETFD) >= 0);
	assert_true(fcntl(seen->ring.call_fd, F_GETFD) >= 0);
	seen->n_stops++;
	seen->is_running = false;
	return seen->next_base;
}

static void ring_signal(void *ctx, unsigned index)
{
	struct rig *rig = ctx;

	assert_true(rig->seen[index].is_running);
	rig->seen[index].n_signals++;
}

static const struct session_ops ops = {ring_start, ring_stop, ring_signal};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct session_config config = {
		.features = OFFERED,
		.n_queue_pairs = N_PAIRS,
		.max_mtu = 1500,
		.max_memory_bytes = 64 * MIB,
		.ops = &ops,
		.ctx = rig,
	};
	int sockets[2];

	rig->count = vhost_rig_count();
	rig->faults = calloc(1, sizeof(*rig->faults));
	config.faults = rig->faults;
	rig->now_ns = START;
	rig->memory_fd = vhost_rig_memfd(4 * MIB);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	rig->front = sockets[0];
	assert_int_equal(session_create(&rig->session, sockets[1], &config, START), 0);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	session_destroy(rig->session);
	for (unsigned i = 0; i < 2 * N_PAIRS; i++) {
		assert_false(rig->seen[i].is_running);
		assert_int_equal(rig->seen[i].n_starts, rig->seen[i].n_stops);
	}
	for (unsigned i = 0; i < FAULT_MAX_MEMORIES; i++)
		assert_null(atomic_load(&rig->faults->memories[i]));
	close(rig->front);
	close(rig->memory_fd);
	vhost_rig_assert_no_leak(rig->count);
	free(rig->faults);
	free(rig);
	return 0;
}

/* The front-end. */

static int deliver(struct rig *rig)
{
	return session_readable(rig->session, EPOLLIN, rig->now_ns);
}

static void accepted(struct rig *rig)
{
	if (deliver(rig) != 0)
		fail_msg("%s", session_why(rig->session));
}

static void refused(struct rig *rig, int error, const char *text)
{
	assert_int_equal(deliver(rig), error);
	if (strstr(session_why(rig->session), text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, session_why(rig->session));
}

static void send_u64(struct rig *rig, uint32_t request, uint64_t value)
{
	vhost_rig_send(rig->front, request, &value, sizeof(value), NULL, 0);
}

static void send_state(struct rig *rig, uint32_t request, uint32_t index, uint32_t num)
{
	struct vhost_ring_state state = {index, num};

	vhost_rig_send(rig->front, request, &state, sizeof(state), NULL, 0);
}

static void send_nothing(struct rig *rig, uint32_t request)
{
	vhost_rig_send(rig->front, request, NULL, 0, NULL, 0);
}

/* Sends an own eventfd and keeps none. */
static void send_event(struct rig *rig, uint32_t request, uint64_t index)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	vhost_rig_send(rig->front, request, &index, sizeof(index), &fd, 1);
	close(fd);
}

static const struct vhost_memory_table honest_table = {
	.n_regions = 2,
	.regions = {{.gpa = 0, .bytes = MIB, .uva = UVA, .offset = 0},
		    {.gpa = HIGH_GPA, .bytes = 2 * MIB, .uva = HIGH_UVA, .offset = MIB}},
};

static void send_table(struct rig *rig, const struct vhost_memory_table *table)
{
	int fds[VHOST_MAX_REGIONS];

	for (unsigned i = 0; i < VHOST_MAX_REGIONS; i++)
		fds[i] = rig->memory_fd;
	vhost_rig_send(rig->front, VHOST_SET_MEM_TABLE, table, 8 + 32 * table->n_regions, fds,
		       table->n_regions);
}

/* Each ring has 64 KiB in the high region. */
static struct vhost_ring_addr honest_addr(unsigned index)
{
	return (struct vhost_ring_addr){
		.index = index,
		.desc = HIGH_UVA + 65536 * index,
		.avail = HIGH_UVA + 65536 * index + 16384,
		.used = HIGH_UVA + 65536 * index + 32768,
	};
}

static void send_addr(struct rig *rig, const struct vhost_ring_addr *addr)
{
	vhost_rig_send(rig->front, VHOST_SET_VRING_ADDR, addr, sizeof(*addr), NULL, 0);
}

static void send_ring(struct rig *rig, unsigned index)
{
	struct vhost_ring_addr addr = honest_addr(index);

	send_state(rig, VHOST_SET_VRING_NUM, index, RING_SIZE);
	send_state(rig, VHOST_SET_VRING_BASE, index, 0);
	send_addr(rig, &addr);
	send_event(rig, VHOST_SET_VRING_KICK, index);
}

/* Up to running rings 0 and 1. */
static void start(struct rig *rig)
{
	send_u64(rig, VHOST_SET_FEATURES, WITH_PROTOCOL);
	send_table(rig, &honest_table);
	for (unsigned i = 0; i < 2; i++) {
		send_event(rig, VHOST_SET_VRING_CALL, i);
		send_ring(rig, i);
		send_state(rig, VHOST_SET_VRING_ENABLE, i, 1);
	}
	accepted(rig);
	assert_true(rig->seen[0].is_running && rig->seen[1].is_running);
}

static uint32_t receive(struct rig *rig, uint32_t request, void *payload, size_t bytes)
{
	uint8_t reply[sizeof(struct vhost_header) + 264];
	struct vhost_header header;
	ssize_t n = recv(rig->front, reply, sizeof(header) + bytes, MSG_DONTWAIT);

	assert_int_equal(n, sizeof(header) + bytes);
	memcpy(&header, reply, sizeof(header));
	memcpy(payload, reply + sizeof(header), bytes);
	assert_int_equal(header.request, request);
	assert_int_equal(header.flags, VHOST_FLAGS_VERSION | VHOST_FLAGS_REPLY);
	return header.size;
}

static uint64_t receive_u64(struct rig *rig, uint32_t request)
{
	uint64_t value;

	assert_int_equal(receive(rig, request, &value, sizeof(value)), sizeof(value));
	return value;
}

static void nothing_to_receive(struct rig *rig)
{
	char byte;

	assert_int_equal(recv(rig->front, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static uint32_t stop_ring(struct rig *rig, unsigned index)
{
	struct vhost_ring_state state;

	send_state(rig, VHOST_GET_VRING_BASE, index, 0);
	accepted(rig);
	assert_int_equal(receive(rig, VHOST_GET_VRING_BASE, &state, sizeof(state)), sizeof(state));
	assert_int_equal(state.index, index);
	return state.num;
}

/* Honest front-ends. */

static void a_ring_starts_with_the_right_pointers(void **state)
{
	struct rig *rig = *state;
	char *file = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, rig->memory_fd, 0);

	start(rig);
	for (unsigned i = 0; i < 2; i++) {
		const struct session_ring *ring = &rig->seen[i].ring;
		char *area = file + MIB + 65536 * i;

		assert_int_equal(ring->size, RING_SIZE);
		assert_int_equal(ring->base, 0);
		assert_true(ring->features == OFFERED);
		memcpy(area, "desc", 4);
		memcpy(area + 16384, "avail", 5);
		memcpy(area + 32768, "used", 4);
		assert_memory_equal(ring->desc, "desc", 4);
		assert_memory_equal(ring->avail, "avail", 5);
		assert_memory_equal(ring->used, "used", 4);
		assert_int_equal(ring->memory->n_regions, 2);
	}
	munmap(file, 4 * MIB);
}

static void what_is_offered_is_told(void **state)
{
	struct rig *rig = *state;

	send_nothing(rig, VHOST_GET_FEATURES);
	send_nothing(rig, VHOST_GET_PROTOCOL_FEATURES);
	send_nothing(rig, VHOST_GET_QUEUE_NUM);
	accepted(rig);
	assert_true(receive_u64(rig, VHOST_GET_FEATURES) == WITH_PROTOCOL);
	assert_true(receive_u64(rig, VHOST_GET_PROTOCOL_FEATURES) ==
		    (VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_MQ) |
		     VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_REPLY_ACK) |
		     VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_NET_MTU)));
	assert_int_equal(receive_u64(rig, VHOST_GET_QUEUE_NUM), N_PAIRS);
}

/* As QEMU 7.2 does: acknowledged table, enable first, calls early and again and again. */
static void qemu_starts_masks_stops_and_starts_again(void **state)
{
	struct rig *rig = *state;
	struct vhost_header header = {VHOST_SET_MEM_TABLE,
				      VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY, 8 + 2 * 32};
	int fds[] = {rig->memory_fd, rig->memory_fd};

	send_state(rig, VHOST_SET_VRING_ENABLE, 0, 1);
	send_state(rig, VHOST_SET_VRING_ENABLE, 1, 1);
	send_nothing(rig, VHOST_SET_OWNER);
	send_u64(rig, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
	for (unsigned i = 0; i < 4; i++) {
		send_event(rig, VHOST_SET_VRING_CALL, i);
		send_event(rig, VHOST_SET_VRING_ERR, i);
	}
	for (unsigned round = 1; round <= 3; round++) {
		send_u64(rig, VHOST_SET_FEATURES, WITH_PROTOCOL);
		vhost_rig_send_raw(rig->front, &header, &honest_table, header.size, fds, 2);
		accepted(rig);
		assert_int_equal(receive_u64(rig, VHOST_SET_MEM_TABLE), 0);
		for (unsigned i = 0; i < 2; i++) {
			send_ring(rig, i);
			send_event(rig, VHOST_SET_VRING_CALL, i);
		}
		/* The second pair repeats the features. */
		send_u64(rig, VHOST_SET_FEATURES, WITH_PROTOCOL);
		accepted(rig);
		for (unsigned i = 0; i < 100; i++) {
			send_event(rig, VHOST_SET_VRING_CALL, 0);
			accepted(rig);
		}
		assert_int_equal(rig->seen[0].n_starts, round);
		assert_int_equal(rig->seen[1].n_starts, round);
		assert_int_equal(rig->seen[0].n_signals, round * 101);
		assert_int_equal(stop_ring(rig, 0), 0);
		assert_int_equal(stop_ring(rig, 1), 0);
		assert_int_equal(rig->seen[0].n_stops, round);
	}
}

/* As DPDK 22.11's virtio-user does: calls first, then enable; memory grows; stop and start. */
static void virtio_user_starts_grows_stops_and_starts_again(void **state)
{
	struct rig *rig = *state;
	struct vhost_memory_table one = honest_table;

	one.n_regions = 1;
	one.regions[0] = honest_table.regions[1];
	send_nothing(rig, VHOST_SET_OWNER);
	for (unsigned round = 1; round <= 2; round++) {
		for (unsigned i = 0; i < 2; i++)
			send_event(rig, VHOST_SET_VRING_CALL, i);
		send_u64(rig, VHOST_SET_FEATURES, WITH_PROTOCOL);
		send_table(rig, &one);
		send_ring(rig, 0);
		send_ring(rig, 1);
		accepted(rig);
		assert_false(rig->seen[0].is_running);
		for (unsigned i = 0; i < 2; i++)
			send_state(rig, VHOST_SET_VRING_ENABLE, i, 1);
		accepted(rig);
		assert_true(rig->seen[0].is_running && rig->seen[1].is_running);
		for (unsigned i = 0; i < 2; i++)
			send_state(rig, VHOST_SET_VRING_ENABLE, i, 0);
		send_table(rig, &honest_table);
		accepted(rig);
		assert_false(rig->seen[0].is_running);
		for (unsigned i = 0; i < 2; i++)
			send_state(rig, VHOST_SET_VRING_ENABLE, i, 1);
		accepted(rig);
		assert_int_equal(rig->seen[0].ring.memory->n_regions, 2);
		for (unsigned i = 0; i < 2; i++)
			send_state(rig, VHOST_SET_VRING_ENABLE, i, 0);
		for (unsigned i = 0; i < 4; i++)
			stop_ring(rig, i);
		assert_int_equal(rig->seen[0].n_stops, 2 * round);
	}
}

static void a_front_end_without_protocol_features_needs_no_enable(void **state)
{
	struct rig *rig = *state;

	send_u64(rig, VHOST_SET_FEATURES, OFFERED);
	send_table(rig, &honest_table);
	send_ring(rig, 1);
	accepted(rig);
	assert_true(rig->seen[1].is_running);
}

static void any_order_ends_in_a_running_ring(void **state)
{
	struct rig *rig = *state;
	struct vhost_ring_addr addr = honest_addr(0);

	send_state(rig, VHOST_SET_VRING_ENABLE, 0, 1);
	send_event(rig, VHOST_SET_VRING_KICK, 0);
	send_addr(rig, &addr);
	send_table(rig, &honest_table);
	send_u64(rig, VHOST_SET_FEATURES, WITH_PROTOCOL);
	accepted(rig);
	assert_false(rig->seen[0].is_running);
	send_state(rig, VHOST_SET_VRING_NUM, 0, RING_SIZE);
	accepted(rig);
	assert_true(rig->seen[0].is_running);
}

static void a_ring_that_lacks_one_thing_does_not_run(void **state)
{
	for (unsigned lacking = 0; lacking <= 6; lacking++) {
		struct vhost_ring_addr addr = honest_addr(0);
		struct rig *rig;
		void *fresh;

		set_up(&fresh);
		rig = fresh;
		if (lacking != 1)
			send_u64(rig, VHOST_SET_FEATURES, WITH_PROTOCOL);
		if (lacking != 2)
			send_table(rig, &honest_table);
		if (lacking != 3)
			send_state(rig, VHOST_SET_VRING_NUM, 0, RING_SIZE);
		if (lacking != 4)
			send_addr(rig, &addr);
		if (lacking != 5)
			send_event(rig, VHOST_SET_VRING_KICK, 0);
		if (lacking != 6)
			send_state(rig, VHOST_SET_VRING_ENABLE, 0, 1);
		accepted(rig);
		assert_true(rig->seen[0].is_running == (lacking == 0));
		tear_down(&fresh);
	}
}

static void enable_before_anything_starts_nothing(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < 2 * N_PAIRS; i++)
		send_state(rig, VHOST_SET_VRING_ENABLE, i, 1);
	accepted(rig);
	for (unsigned i = 0; i < 2 * N_PAIRS; i++)
		assert_int_equal(rig->seen[i].n_starts, 0);
}

static void the_base_travels_from_stop_to_start(void **state)
{
	struct rig *rig = *state;

	start(rig);
	rig->seen[0].next_base = 65530;
	assert_int_equal(stop_ring(rig, 0), 65530);
	assert_int_equal(stop_ring(rig, 0), 65530);
	send_state(rig, VHOST_SET_VRING_BASE, 0, 77);
	send_event(rig, VHOST_SET_VRING_KICK, 0);
	accepted(rig);
	assert_int_equal(rig->seen[0].ring.base, 77);
	rig->seen[0].next_base = 80;
	send_state(rig, VHOST_SET_VRING_ENABLE, 0, 0);
	send_state(rig, VHOST_SET_VRING_ENABLE, 0, 1);
	accepted(rig);
	assert_int_equal(rig->seen[0].ring.base, 80);
}

static void the_base_of_a_ring_that_never_ran_is_what_was_set(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(stop_ring(rig, 3), 0);
	send_state(rig, VHOST_SET_VRING_BASE, 3, 5);
	assert_int_equal(stop_ring(rig, 3), 5);
}

static void a_stopped_ring_waits_for_a_new_kick_descriptor(void **state)
{
	struct rig *rig = *state;

	start(rig);
	stop_ring(rig, 0);
	send_table(rig, &honest_table);
	send_state(rig, VHOST_SET_VRING_ENABLE, 0, 1);
	accepted(rig);
	assert_false(rig->seen[0].is_running);
	assert_true(rig->seen[1].is_running);
	send_event(rig, VHOST_SET_VRING_KICK, 0);
	accepted(rig);
	assert_true(rig->seen[0].is_running);
}

static void a_new_memory_table_pauses_running_rings(void **state)
{
	struct rig *rig = *state;
	struct vhost_memory_table table = honest_table;

	start(rig);
	rig->seen[1].next_base = 9;
	table.regions[1].bytes = 3 * MIB;
	send_table(rig, &table);
	accepted(rig);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(rig->seen[i].n_stops, 1);
		assert_int_equal(rig->seen[i].n_starts, 2);
	}
	assert_int_equal(rig->seen[1].ring.base, 9);
	assert_true(rig->seen[1].ring.memory->regions[1].bytes == 3 * MIB);
}

static void new_addresses_and_a_new_kick_pause_only_their_ring(void **state)
{
	struct rig *rig = *state;
	struct vhost_ring_addr addr = honest_addr(3);
	char *desc;

	start(rig);
	desc = rig->seen[0].ring.desc;
	addr.index = 0;
	send_addr(rig, &addr);
	send_event(rig, VHOST_SET_VRING_KICK, 0);
	accepted(rig);
	assert_int_equal(rig->seen[0].n_stops, 2);
	assert_ptr_equal(rig->seen[0].ring.desc, desc + 3 * 65536);
	assert_int_equal(rig->seen[1].n_stops, 0);
}

static uint64_t drain(int event)
{
	uint64_t value = 0;

	return read(event, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

static void a_call_swap_keeps_the_number_and_stops_nothing(void **state)
{
	struct rig *rig = *state;
	int events[2] = {eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
			 eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	uint64_t index = 0;
	int call_fd;

	vhost_rig_send(rig->front, VHOST_SET_VRING_CALL, &index, 8, &events[0], 1);
	send_u64(rig, VHOST_SET_FEATURES, OFFERED);
	send_table(rig, &honest_table);
	send_ring(rig, 0);
	accepted(rig);
	call_fd = rig->seen[0].ring.call_fd;
	eventfd_write(call_fd, 1);
	assert_int_equal(drain(events[0]), 1);
	assert_int_equal(rig->seen[0].n_signals, 0);

	vhost_rig_send(rig->front, VHOST_SET_VRING_CALL, &index, 8, &events[1], 1);
	accepted(rig);
	assert_int_equal(rig->seen[0].n_signals, 1);
	eventfd_write(call_fd, 2);
	assert_int_equal(drain(events[0]), 0);
	assert_int_equal(drain(events[1]), 2);

	send_u64(rig, VHOST_SET_VRING_CALL, VHOST_FD_NONE);
	accepted(rig);
	assert_int_equal(eventfd_write(call_fd, 3), 0);
	assert_int_equal(drain(events[1]), 0);
	assert_int_equal(rig->seen[0].n_stops, 0);
	close(events[0]);
	close(events[1]);
}

static void a_ring_without_call_descriptor_has_a_silent_one(void **state)
{
	struct rig *rig = *state;

	send_u64(rig, VHOST_SET_FEATURES, OFFERED);
	send_table(rig, &honest_table);
	send_ring(rig, 0);
	accepted(rig);
	assert_int_equal(eventfd_write(rig->seen[0].ring.call_fd, 1), 0);
}

static void event_descriptors_never_block(void **state)
{
	struct rig *rig = *state;

	start(rig);
	assert_true(fcntl(rig->seen[0].ring.call_fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(rig->seen[0].ring.kick_fd, F_GETFL) & O_NONBLOCK);
}

static void reset_owner_stops_all_rings(void **state)
{
	struct rig *rig = *state;

	start(rig);
	send_nothing(rig, VHOST_RESET_OWNER);
	accepted(rig);
	assert_false(rig->seen[0].is_running || rig->seen[1].is_running);
}

static void an_mtu_that_fits_is_accepted_and_one_that_does_not_is_answered_no(void **state)
{
	static const uint64_t wrong[] = {0, 67, 1501, UINT64_C(1) << 32 | 1500};
	struct rig *rig = *state;
	struct vhost_header header = {VHOST_NET_SET_MTU,
				      VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY, 8};
	uint64_t mtu = 1500;

	send_u64(rig, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
	vhost_rig_send_raw(rig->front, &header, &mtu, 8, NULL, 0);
	accepted(rig);
	assert_int_equal(receive_u64(rig, VHOST_NET_SET_MTU), 0);
	for (unsigned i = 0; i < 4; i++) {
		vhost_rig_send_raw(rig->front, &header, &wrong[i], 8, NULL, 0);
		accepted(rig);
		assert_int_equal(receive_u64(rig, VHOST_NET_SET_MTU), 1);
	}
	send_u64(rig, VHOST_NET_SET_MTU, 9000);
	refused(rig, -EOPNOTSUPP, "NET_SET_MTU: ");
}

static void acknowledgements_come_only_if_negotiated_and_asked_for(void **state)
{
	struct rig *rig = *state;
	struct vhost_header header = {VHOST_SET_OWNER,
				      VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY, 0};

	vhost_rig_send_raw(rig->front, &header, NULL, 0, NULL, 0);
	accepted(rig);
	nothing_to_receive(rig);
	send_u64(rig, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
	send_nothing(rig, VHOST_SET_OWNER);
	accepted(rig);
	nothing_to_receive(rig);
	vhost_rig_send_raw(rig->front, &header, NULL, 0, NULL, 0);
	accepted(rig);
	assert_int_equal(receive_u64(rig, VHOST_SET_OWNER), 0);
	/* A request with an answer gets one answer. */
	header.request = VHOST_GET_FEATURES;
	vhost_rig_send_raw(rig->front, &header, NULL, 0, NULL, 0);
	accepted(rig);
	receive_u64(rig, VHOST_GET_FEATURES);
	nothing_to_receive(rig);
}

static void a_refusal_is_told_before_the_connection_ends(void **state)
{
	struct rig *rig = *state;
	struct vhost_header header = {VHOST_SET_VRING_NUM,
				      VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY, 8};
	struct vhost_ring_state three = {0, 3};

	send_u64(rig, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
	vhost_rig_send_raw(rig->front, &header, &three, 8, NULL, 0);
	refused(rig, -EINVAL, "SET_VRING_NUM: ");
	assert_int_equal(receive_u64(rig, VHOST_SET_VRING_NUM), 1);
}

static void an_unknown_request_is_answered_no_or_ends_it(void **state)
{
	static const uint32_t requests[] = {0, VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD,
					    VHOST_SEND_RARP, 21, 24, 31, 32, 37, 41, UINT32_MAX};
	static const uint8_t zeros[264];

	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct vhost_header header = {requests[i], VHOST_FLAGS_VERSION |
					      VHOST_FLAGS_NEED_REPLY, i * 20};
		struct rig *rig;
		void *fresh;

		set_up(&fresh);
		rig = fresh;
		send_u64(rig, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
		vhost_rig_send_raw(rig->front, &header, zeros, header.size, NULL, 0);
		accepted(rig);
		assert_int_equal(receive_u64(rig, requests[i]), 1);
		header.flags = VHOST_FLAGS_VERSION;
		vhost_rig_send_raw(rig->front, &header, zeros, header.size, NULL, 0);
		refused(rig, -EOPNOTSUPP, "not supported");
		tear_down(&fresh);
	}
}

/* Hostile front-ends. */

static void silence_within_a_message_ends_it(void **state)
{
	struct rig *rig = *state;
	struct vhost_header header = {VHOST_SET_MEM_TABLE, VHOST_FLAGS_VERSION, 264};
	int fds[] = {rig->memory_fd, rig->memory_fd};

	start(rig);
	vhost_rig_send_raw(rig->front, &header, &honest_table, 100, fds, 2);
	accepted(rig);
	assert_true(session_deadline_ns(rig->session) == START + SECOND);
	assert_int_equal(session_tick(rig->session, START + SECOND - 1), 0);
	assert_int_equal(session_tick(rig->session, START + SECOND), -ETIMEDOUT);
	assert_true(strlen(session_why(rig->session)) > 0);
	assert_true(rig->seen[0].is_running);
}

static void a_hang_up_ends_it_with_rings_running(void **state)
{
	struct rig *rig = *state;

	start(rig);
	assert_int_equal(session_readable(rig->session, EPOLLIN | EPOLLHUP, START), -ECONNRESET);
	shutdown(rig->front, SHUT_WR);
	refused(rig, -ECONNRESET, "closed");
}

static void bad_ring_sizes_are_refused(void **state)
{
	static const uint32_t sizes[] = {0, 3, 255, 257, 65536, 32769, 1u << 31, UINT32_MAX};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		void *fresh;

		set_up(&fresh);
		send_state(fresh, VHOST_SET_VRING_NUM, 0, sizes[i]);
		refused(fresh, -EINVAL, "SET_VRING_NUM: a ring's size");
		tear_down(&fresh);
	}
}

static void a_ring_that_is_not_there_is_refused_in_every_request(void **state)
{
	static const uint32_t states[] = {VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE,
					  VHOST_GET_VRING_BASE, VHOST_SET_VRING_ENABLE};
	static const uint32_t events[] = {VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
					  VHOST_SET_VRING_ERR};
	static const uint32_t indices[] = {2 * N_PAIRS, 255, 256, 1u << 31, UINT32_MAX};

	for (unsigned i = 0; i < 5; i++) {
		struct vhost_ring_addr addr = honest_addr(0);
		void *fresh;

		for (unsigned j = 0; j < 4; j++) {
			set_up(&fresh);
			send_state(fresh, states[j], indices[i], 1);
			refused(fresh, -EINVAL, "no ring of that index");
			tear_down(&fresh);
		}
		for (unsigned j = 0; j < 3; j++) {
			set_up(&fresh);
			send_event(fresh, events[j], i == 0 ? 2 * N_PAIRS : 255);
			refused(fresh, -EINVAL, "no ring of that index");
			tear_down(&fresh);
		}
		set_up(&fresh);
		addr.index = indices[i];
		send_addr(fresh, &addr);
		refused(fresh, -EINVAL, "no ring of that index");
		tear_down(&fresh);
	}
}

static void features_that_were_not_offered_are_refused(void **state)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		void *fresh;

		if (WITH_PROTOCOL & VIRTIO_FEATURE(bit))
			continue;
		set_up(&fresh);
		send_u64(fresh, VHOST_SET_FEATURES, WITH_PROTOCOL | VIRTIO_FEATURE(bit));
		refused(fresh, -EINVAL, "SET_FEATURES: a feature was not offered");
		tear_down(&fresh);
		set_up(&fresh);
		send_u64(fresh, VHOST_SET_PROTOCOL_FEATURES, VIRTIO_FEATURE(bit) & ~UINT64_C(0x19));
		if (bit == VHOST_PROTOCOL_F_MQ || bit == VHOST_PROTOCOL_F_REPLY_ACK ||
		    bit == VHOST_PROTOCOL_F_NET_MTU)
			accepted(fresh);
		else
			refused(fresh, -EINVAL, "not offered");
		tear_down(&fresh);
	}
}

static void a_running_ring_keeps_its_features_size_and_base(void **state)
{
	struct rig *rig = *state;

	start(rig);
	send_u64(rig, VHOST_SET_FEATURES, WITH_PROTOCOL & ~VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX));
	refused(rig, -EBUSY, "SET_FEATURES: ");
	send_state(rig, VHOST_SET_VRING_NUM, 0, 128);
	refused(rig, -EBUSY, "SET_VRING_NUM: ");
	send_state(rig, VHOST_SET_VRING_BASE, 0, 1);
	refused(rig, -EBUSY, "SET_VRING_BASE: ");
	assert_int_equal(rig->seen[0].n_stops, 0);
}

/* One byte too far, one byte off its alignment, nowhere, wrapping: each area, each way. */
static void ring_addresses_outside_memory_or_unaligned_are_refused(void **state)
{
	const uint64_t end = HIGH_UVA + 2 * MIB;
	const struct {
		uint64_t desc, avail, used;
	} cases[] = {
		{end - 16 * RING_SIZE + 16, HIGH_UVA, HIGH_UVA},
		{HIGH_UVA, end - (6 + 2 * RING_SIZE) + 2, HIGH_UVA},
		{HIGH_UVA, HIGH_UVA, end - (6 + 8 * RING_SIZE) + 2},
		{HIGH_UVA + 8, HIGH_UVA, HIGH_UVA},
		{HIGH_UVA, HIGH_UVA + 1, HIGH_UVA},
		{HIGH_UVA, HIGH_UVA, HIGH_UVA + 2},
		{0, HIGH_UVA, HIGH_UVA},
		{HIGH_UVA, UINT64_MAX - 1, HIGH_UVA},
		{HIGH_UVA, HIGH_UVA, UINT64_MAX - 3},
		{HIGH_UVA - 16, HIGH_UVA, HIGH_UVA},
		{UVA + MIB - 16, HIGH_UVA, HIGH_UVA},
		{HIGH_GPA, HIGH_UVA, HIGH_UVA},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vhost_ring_addr addr = {.index = 0, .desc = cases[i].desc,
					       .avail = cases[i].avail, .used = cases[i].used};
		struct rig *rig;
		void *fresh;

		set_up(&fresh);
		rig = fresh;
		start(rig);
		send_addr(rig, &addr);
		refused(rig, -EFAULT, "SET_VRING_ADDR: a ring is not aligned");
		assert_false(rig->seen[0].is_running);
		tear_down(&fresh);
	}
}

static void a_ring_may_end_with_its_region(void **state)
{
	struct rig *rig = *state;
	const uint64_t end = HIGH_UVA + 2 * MIB;
	struct vhost_ring_addr addr = {.index = 0};

	start(rig);
	addr.desc = end - 16 * RING_SIZE;
	addr.avail = end - (6 + 2 * RING_SIZE);
	addr.used = end - (8 + 8 * RING_SIZE);
	send_addr(rig, &addr);
	accepted(rig);
	assert_true(rig->seen[0].is_running);
}

static void addresses_that_new_memory_does_not_hold_are_refused(void **state)
{
	struct rig *rig = *state;
	struct vhost_memory_table table = honest_table;

	start(rig);
	table.regions[1].bytes = 65536;
	send_table(rig, &table);
	refused(rig, -EFAULT, "SET_MEM_TABLE: a ring");
	assert_int_equal(rig->seen[1].n_starts, 1);
}

static void the_dirty_log_is_refused(void **state)
{
	struct rig *rig = *state;
	struct vhost_ring_addr addr = honest_addr(0);

	addr.flags = 1;
	send_addr(rig, &addr);
	refused(rig, -EINVAL, "SET_VRING_ADDR: the log");
}

static void bad_memory_is_refused_and_leaves_nothing(void **state)
{
	static const struct vhost_region wrong[] = {
		{HIGH_GPA, 2 * MIB, HIGH_UVA, 3 * MIB},
		{MIB - 1, MIB, HIGH_UVA, MIB},
		{-MIB, 2 * MIB, HIGH_UVA, MIB},
		{HIGH_GPA, 0, HIGH_UVA, MIB},
		{HIGH_GPA, 65 * MIB, HIGH_UVA, 0},
	};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct vhost_memory_table table = honest_table;
		struct rig *rig;
		void *fresh;

		set_up(&fresh);
		rig = fresh;
		start(rig);
		table.regions[1] = wrong[i];
		send_table(rig, &table);
		refused(rig, -EINVAL, "SET_MEM_TABLE: ");
		assert_false(rig->seen[0].is_running);
		tear_down(&fresh);
	}
}

static void an_empty_table_is_refused(void **state)
{
	struct rig *rig = *state;
	struct vhost_memory_table table = {0};

	send_table(rig, &table);
	refused(rig, -EINVAL, "1 to 8");
}

static void a_descriptor_that_is_no_eventfd_is_refused(void **state)
{
	static const uint32_t requests[] = {VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
					    VHOST_SET_VRING_ERR};

	for (unsigned i = 0; i < 3; i++) {
		int pipes[2], fds[4];

		assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
		fds[0] = pipes[0];
		fds[1] = pipes[1];
		fds[2] = vhost_rig_memfd(8);
		fds[3] = epoll_create1(EPOLL_CLOEXEC);
		for (unsigned j = 0; j < 4; j++) {
			uint64_t index = 0;
			struct rig *rig;
			void *fresh;

			set_up(&fresh);
			rig = fresh;
			vhost_rig_send(rig->front, requests[i], &index, 8, &fds[j], 1);
			refused(rig, -EINVAL, "not an eventfd");
			tear_down(&fresh);
		}
		for (unsigned j = 0; j < 4; j++)
			close(fds[j]);
	}
}

static void a_ring_without_kicks_is_refused(void **state)
{
	struct rig *rig = *state;

	send_u64(rig, VHOST_SET_VRING_KICK, VHOST_FD_NONE);
	refused(rig, -EINVAL, "ioeventfd=on");
}

static void other_wrong_numbers_are_refused(void **state)
{
	void *fresh;

	set_up(&fresh);
	send_state(fresh, VHOST_SET_VRING_BASE, 0, 65536);
	refused(fresh, -EINVAL, "SET_VRING_BASE: ");
	tear_down(&fresh);
	set_up(&fresh);
	send_state(fresh, VHOST_SET_VRING_ENABLE, 0, 2);
	refused(fresh, -EINVAL, "SET_VRING_ENABLE: ");
	tear_down(&fresh);
}

static void a_port_that_cannot_run_a_ring_ends_it(void **state)
{
	struct rig *rig = *state;

	rig->start_error = -ENOMEM;
	send_u64(rig, VHOST_SET_FEATURES, OFFERED);
	send_table(rig, &honest_table);
	send_ring(rig, 0);
	refused(rig, -ENOMEM, "SET_VRING_KICK: the port cannot");
}

static void memory_that_faulted_ends_it(void **state)
{
	struct rig *rig = *state;

	start(rig);
	atomic_store(&rig->seen[0].ring.memory->faulted, true);
	assert_int_equal(session_tick(rig->session, START), -EFAULT);
	assert_non_null(strstr(session_why(rig->session), "took away memory"));
}

/* Every call takes its share of a storm, then the socket is not watched until the deadline. */
static void a_storm_is_put_off_not_answered_at_once(void **state)
{
	struct rig *rig = *state;
	unsigned n_calls = 0;

	while (session_events(rig->session) == EPOLLIN && n_calls < 1000) {
		for (unsigned i = 0; i < 32; i++)
			send_nothing(rig, VHOST_SET_OWNER);
		accepted(rig);
		n_calls++;
	}
	assert_in_range(n_calls, 62, 64);
	assert_int_equal(session_events(rig->session), 0);
	rig->now_ns = session_deadline_ns(rig->session);
	assert_true(rig->now_ns > START && rig->now_ns < START + SECOND / 10);
	assert_int_equal(session_tick(rig->session, rig->now_ns), 0);
	assert_int_equal(session_events(rig->session), EPOLLIN);
}

static void one_call_handles_a_few_messages_only(void **state)
{
	struct rig *rig = *state;
	unsigned n_replies = 0;
	uint8_t reply[20];

	for (unsigned i = 0; i < 100; i++)
		send_nothing(rig, VHOST_GET_FEATURES);
	accepted(rig);
	while (recv(rig->front, reply, sizeof(reply), MSG_DONTWAIT) == sizeof(reply))
		n_replies++;
	assert_int_equal(n_replies, 32);
}

static void a_front_end_that_reads_no_replies_is_dropped(void **state)
{
	struct rig *rig = *state;
	int ret = 0;

	for (unsigned i = 0; i < 100000 && ret == 0; i++) {
		send_nothing(rig, VHOST_GET_FEATURES);
		rig->now_ns += SECOND / 100;
		ret = deliver(rig);
	}
	assert_int_equal(ret, -EPIPE);
	assert_non_null(strstr(session_why(rig->session), "does not read"));
}

static void destroying_nothing_is_legal(void **state)
{
	session_destroy(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_ring_starts_with_the_right_pointers),
		TEST(what_is_offered_is_told),
		TEST(qemu_starts_masks_stops_and_starts_again),
		TEST(virtio_user_starts_grows_stops_and_starts_again),
		TEST(a_front_end_without_protocol_features_needs_no_enable),
		TEST(any_order_ends_in_a_running_ring),
		cmocka_unit_test(a_ring_that_lacks_one_thing_does_not_run),
		TEST(enable_before_anything_starts_nothing),
		TEST(the_base_travels_from_stop_to_start),
		TEST(the_base_of_a_ring_that_never_ran_is_what_was_set),
		TEST(a_stopped_ring_waits_for_a_new_kick_descriptor),
		TEST(a_new_memory_table_pauses_running_rings),
		TEST(new_addresses_and_a_new_kick_pause_only_their_ring),
		TEST(a_call_swap_keeps_the_number_and_stops_nothing),
		TEST(a_ring_without_call_descriptor_has_a_silent_one),
		TEST(event_descriptors_never_block),
		TEST(reset_owner_stops_all_rings),
		TEST(an_mtu_that_fits_is_accepted_and_one_that_does_not_is_answered_no),
		TEST(acknowledgements_come_only_if_negotiated_and_asked_for),
		TEST(a_refusal_is_told_before_the_connection_ends),
		cmocka_unit_test(an_unknown_request_is_answered_no_or_ends_it),
		TEST(silence_within_a_message_ends_it),
		TEST(a_hang_up_ends_it_with_rings_running),
		cmocka_unit_test(bad_ring_sizes_are_refused),
		cmocka_unit_test(a_ring_that_is_not_there_is_refused_in_every_request),
		cmocka_unit_test(features_that_were_not_offered_are_refused),
		TEST(a_running_ring_keeps_its_features_size_and_base),
		cmocka_unit_test(ring_addresses_outside_memory_or_unaligned_are_refused),
		TEST(a_ring_may_end_with_its_region),
		TEST(addresses_that_new_memory_does_not_hold_are_refused),
		TEST(the_dirty_log_is_refused),
		cmocka_unit_test(bad_memory_is_refused_and_leaves_nothing),
		TEST(an_empty_table_is_refused),
		cmocka_unit_test(a_descriptor_that_is_no_eventfd_is_refused),
		TEST(a_ring_without_kicks_is_refused),
		cmocka_unit_test(other_wrong_numbers_are_refused),
		TEST(a_port_that_cannot_run_a_ring_ends_it),
		TEST(memory_that_faulted_ends_it),
		TEST(a_storm_is_put_off_not_answered_at_once),
		TEST(one_call_handles_a_few_messages_only),
		TEST(a_front_end_that_reads_no_replies_is_dropped),
		cmocka_unit_test(destroying_nothing_is_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
