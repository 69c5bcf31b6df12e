/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/queues.c, through a session: when rings run, and with what. */
#include "dataplane/vhost/queues.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/dataplane/vhost/front.h"

static void a_ring_starts_with_the_right_pointers(void **state)
{
	struct front *front = *state;
	char *file = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, front->memory_fd, 0);

	front_start(front);
	for (unsigned i = 0; i < 2; i++) {
		const struct session_ring *ring = &front->seen[i].ring;
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

/* As QEMU 7.2 does: acknowledged table, enable first, calls early and again and again. */
static void qemu_starts_masks_stops_and_starts_again(void **state)
{
	struct front *front = *state;
	struct vhost_header header = {VHOST_SET_MEM_TABLE,
				      VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY, 8 + 2 * 32};
	int fds[] = {front->memory_fd, front->memory_fd};

	front_send_state(front, VHOST_SET_VRING_ENABLE, 0, 1);
	front_send_state(front, VHOST_SET_VRING_ENABLE, 1, 1);
	front_send_nothing(front, VHOST_SET_OWNER);
	front_send_u64(front, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
	for (unsigned i = 0; i < 4; i++) {
		front_send_event(front, VHOST_SET_VRING_CALL, i);
		front_send_event(front, VHOST_SET_VRING_ERR, i);
	}
	for (unsigned round = 1; round <= 3; round++) {
		front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL);
		vhost_rig_send_raw(front->socket, &header, &front_table, header.size, fds, 2);
		front_accepted(front);
		assert_int_equal(front_receive_u64(front, VHOST_SET_MEM_TABLE), 0);
		for (unsigned i = 0; i < 2; i++) {
			front_send_ring(front, i);
			front_send_event(front, VHOST_SET_VRING_CALL, i);
		}
		/* The second pair repeats the features. */
		front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL);
		front_accepted(front);
		for (unsigned i = 0; i < 100; i++) {
			front_send_event(front, VHOST_SET_VRING_CALL, 0);
			front_accepted(front);
		}
		assert_int_equal(front->seen[0].n_starts, round);
		assert_int_equal(front->seen[1].n_starts, round);
		assert_int_equal(front->seen[0].n_signals, round * 101);
		assert_int_equal(front_stop_ring(front, 0), 0);
		assert_int_equal(front_stop_ring(front, 1), 0);
		assert_int_equal(front->seen[0].n_stops, round);
	}
}

/* As DPDK 22.11's virtio-user does: calls first, then enable; memory grows; stop and start. */
static void virtio_user_starts_grows_stops_and_starts_again(void **state)
{
	struct front *front = *state;
	struct vhost_memory_table one = front_table;

	one.n_regions = 1;
	one.regions[0] = front_table.regions[1];
	front_send_nothing(front, VHOST_SET_OWNER);
	for (unsigned round = 1; round <= 2; round++) {
		for (unsigned i = 0; i < 2; i++)
			front_send_event(front, VHOST_SET_VRING_CALL, i);
		front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL);
		front_send_table(front, &one);
		front_send_ring(front, 0);
		front_send_ring(front, 1);
		front_accepted(front);
		assert_false(front->seen[0].is_running);
		for (unsigned i = 0; i < 2; i++)
			front_send_state(front, VHOST_SET_VRING_ENABLE, i, 1);
		front_accepted(front);
		assert_true(front->seen[0].is_running && front->seen[1].is_running);
		for (unsigned i = 0; i < 2; i++)
			front_send_state(front, VHOST_SET_VRING_ENABLE, i, 0);
		front_send_table(front, &front_table);
		front_accepted(front);
		assert_false(front->seen[0].is_running);
		for (unsigned i = 0; i < 2; i++)
			front_send_state(front, VHOST_SET_VRING_ENABLE, i, 1);
		front_accepted(front);
		assert_int_equal(front->seen[0].ring.memory->n_regions, 2);
		for (unsigned i = 0; i < 2; i++)
			front_send_state(front, VHOST_SET_VRING_ENABLE, i, 0);
		for (unsigned i = 0; i < 4; i++)
			front_stop_ring(front, i);
		assert_int_equal(front->seen[0].n_stops, 2 * round);
	}
}

static void a_front_end_without_protocol_features_needs_no_enable(void **state)
{
	struct front *front = *state;

	front_send_u64(front, VHOST_SET_FEATURES, OFFERED);
	front_send_table(front, &front_table);
	front_send_ring(front, 1);
	front_accepted(front);
	assert_true(front->seen[1].is_running);
}

static void any_order_ends_in_a_running_ring(void **state)
{
	struct front *front = *state;
	struct vhost_ring_addr addr = front_addr(0);

	front_send_state(front, VHOST_SET_VRING_ENABLE, 0, 1);
	front_send_event(front, VHOST_SET_VRING_KICK, 0);
	front_send_addr(front, &addr);
	front_send_table(front, &front_table);
	front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL);
	front_accepted(front);
	assert_false(front->seen[0].is_running);
	front_send_state(front, VHOST_SET_VRING_NUM, 0, RING_SIZE);
	front_accepted(front);
	assert_true(front->seen[0].is_running);
}

static void a_ring_that_lacks_one_thing_does_not_run(void **state)
{
	for (unsigned lacking = 0; lacking <= 6; lacking++) {
		struct vhost_ring_addr addr = front_addr(0);
		struct front *front;
		void *fresh;

		front_set_up(&fresh);
		front = fresh;
		if (lacking != 1)
			front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL);
		if (lacking != 2)
			front_send_table(front, &front_table);
		if (lacking != 3)
			front_send_state(front, VHOST_SET_VRING_NUM, 0, RING_SIZE);
		if (lacking != 4)
			front_send_addr(front, &addr);
		if (lacking != 5)
			front_send_event(front, VHOST_SET_VRING_KICK, 0);
		if (lacking != 6)
			front_send_state(front, VHOST_SET_VRING_ENABLE, 0, 1);
		front_accepted(front);
		assert_true(front->seen[0].is_running == (lacking == 0));
		front_tear_down(&fresh);
	}
}

static void enable_before_anything_starts_nothing(void **state)
{
	struct front *front = *state;

	for (unsigned i = 0; i < 2 * N_PAIRS; i++)
		front_send_state(front, VHOST_SET_VRING_ENABLE, i, 1);
	front_accepted(front);
	for (unsigned i = 0; i < 2 * N_PAIRS; i++)
		assert_int_equal(front->seen[i].n_starts, 0);
}

static void the_base_travels_from_stop_to_start(void **state)
{
	struct front *front = *state;

	front_start(front);
	front->seen[0].next_base = 65530;
	assert_int_equal(front_stop_ring(front, 0), 65530);
	assert_int_equal(front_stop_ring(front, 0), 65530);
	front_send_state(front, VHOST_SET_VRING_BASE, 0, 77);
	front_send_event(front, VHOST_SET_VRING_KICK, 0);
	front_accepted(front);
	assert_int_equal(front->seen[0].ring.base, 77);
	front->seen[0].next_base = 80;
	front_send_state(front, VHOST_SET_VRING_ENABLE, 0, 0);
	front_send_state(front, VHOST_SET_VRING_ENABLE, 0, 1);
	front_accepted(front);
	assert_int_equal(front->seen[0].ring.base, 80);
}

static void the_base_of_a_ring_that_never_ran_is_what_was_set(void **state)
{
	struct front *front = *state;

	assert_int_equal(front_stop_ring(front, 3), 0);
	front_send_state(front, VHOST_SET_VRING_BASE, 3, 5);
	assert_int_equal(front_stop_ring(front, 3), 5);
}

static void a_stopped_ring_waits_for_a_new_kick_descriptor(void **state)
{
	struct front *front = *state;

	front_start(front);
	front_stop_ring(front, 0);
	front_send_table(front, &front_table);
	front_send_state(front, VHOST_SET_VRING_ENABLE, 0, 1);
	front_accepted(front);
	assert_false(front->seen[0].is_running);
	assert_true(front->seen[1].is_running);
	front_send_event(front, VHOST_SET_VRING_KICK, 0);
	front_accepted(front);
	assert_true(front->seen[0].is_running);
}

static void a_new_memory_table_pauses_running_rings(void **state)
{
	struct front *front = *state;
	struct vhost_memory_table table = front_table;

	front_start(front);
	front->seen[1].next_base = 9;
	table.regions[1].bytes = 3 * MIB;
	front_send_table(front, &table);
	front_accepted(front);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(front->seen[i].n_stops, 1);
		assert_int_equal(front->seen[i].n_starts, 2);
	}
	assert_int_equal(front->seen[1].ring.base, 9);
	assert_true(front->seen[1].ring.memory->regions[1].bytes == 3 * MIB);
}

static void new_addresses_and_a_new_kick_pause_only_their_ring(void **state)
{
	struct front *front = *state;
	struct vhost_ring_addr addr = front_addr(3);
	char *desc;

	front_start(front);
	desc = front->seen[0].ring.desc;
	addr.index = 0;
	front_send_addr(front, &addr);
	front_send_event(front, VHOST_SET_VRING_KICK, 0);
	front_accepted(front);
	assert_int_equal(front->seen[0].n_stops, 2);
	assert_ptr_equal(front->seen[0].ring.desc, desc + 3 * 65536);
	assert_int_equal(front->seen[1].n_stops, 0);
}

static uint64_t drain(int event)
{
	uint64_t value = 0;

	return read(event, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

static void a_call_swap_keeps_the_number_and_stops_nothing(void **state)
{
	struct front *front = *state;
	int events[2] = {eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
			 eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	uint64_t index = 0;
	int call_fd;

	vhost_rig_send(front->socket, VHOST_SET_VRING_CALL, &index, 8, &events[0], 1);
	front_send_u64(front, VHOST_SET_FEATURES, OFFERED);
	front_send_table(front, &front_table);
	front_send_ring(front, 0);
	front_accepted(front);
	call_fd = front->seen[0].ring.call_fd;
	eventfd_write(call_fd, 1);
	assert_int_equal(drain(events[0]), 1);
	assert_int_equal(front->seen[0].n_signals, 0);

	vhost_rig_send(front->socket, VHOST_SET_VRING_CALL, &index, 8, &events[1], 1);
	front_accepted(front);
	assert_int_equal(front->seen[0].n_signals, 1);
	eventfd_write(call_fd, 2);
	assert_int_equal(drain(events[0]), 0);
	assert_int_equal(drain(events[1]), 2);

	front_send_u64(front, VHOST_SET_VRING_CALL, VHOST_FD_NONE);
	front_accepted(front);
	assert_int_equal(eventfd_write(call_fd, 3), 0);
	assert_int_equal(drain(events[1]), 0);
	assert_int_equal(front->seen[0].n_stops, 0);
	close(events[0]);
	close(events[1]);
}

static void a_ring_without_call_descriptor_has_a_silent_one(void **state)
{
	struct front *front = *state;

	front_send_u64(front, VHOST_SET_FEATURES, OFFERED);
	front_send_table(front, &front_table);
	front_send_ring(front, 0);
	front_accepted(front);
	assert_int_equal(eventfd_write(front->seen[0].ring.call_fd, 1), 0);
}

static void event_descriptors_never_block(void **state)
{
	struct front *front = *state;

	front_start(front);
	assert_true(fcntl(front->seen[0].ring.call_fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(front->seen[0].ring.kick_fd, F_GETFL) & O_NONBLOCK);
}

static void reset_owner_stops_all_rings(void **state)
{
	struct front *front = *state;

	front_start(front);
	front_send_nothing(front, VHOST_RESET_OWNER);
	front_accepted(front);
	assert_false(front->seen[0].is_running || front->seen[1].is_running);
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
		struct vhost_ring_addr addr = {.index = 0,
					       .desc = cases[i].desc,
					       .avail = cases[i].avail,
					       .used = cases[i].used};
		struct front *front;
		void *fresh;

		front_set_up(&fresh);
		front = fresh;
		front_start(front);
		front_send_addr(front, &addr);
		front_refused(front, -EFAULT, "SET_VRING_ADDR: a ring is not aligned");
		assert_false(front->seen[0].is_running);
		front_tear_down(&fresh);
	}
}

static void a_ring_may_end_with_its_region(void **state)
{
	struct front *front = *state;
	const uint64_t end = HIGH_UVA + 2 * MIB;
	struct vhost_ring_addr addr = {.index = 0};

	front_start(front);
	addr.desc = end - 16 * RING_SIZE;
	addr.avail = end - (6 + 2 * RING_SIZE);
	addr.used = end - (8 + 8 * RING_SIZE);
	front_send_addr(front, &addr);
	front_accepted(front);
	assert_true(front->seen[0].is_running);
}

static void addresses_that_new_memory_does_not_hold_are_refused(void **state)
{
	struct front *front = *state;
	struct vhost_memory_table table = front_table;

	front_start(front);
	table.regions[1].bytes = 65536;
	front_send_table(front, &table);
	front_refused(front, -EFAULT, "SET_MEM_TABLE: a ring");
	assert_int_equal(front->seen[1].n_starts, 1);
}

static void a_port_that_cannot_run_a_ring_ends_it(void **state)
{
	struct front *front = *state;

	front->start_error = -ENOMEM;
	front_send_u64(front, VHOST_SET_FEATURES, OFFERED);
	front_send_table(front, &front_table);
	front_send_ring(front, 0);
	front_refused(front, -ENOMEM, "SET_VRING_KICK: the port cannot");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, front_set_up, front_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_ring_starts_with_the_right_pointers),
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
		cmocka_unit_test(ring_addresses_outside_memory_or_unaligned_are_refused),
		TEST(a_ring_may_end_with_its_region),
		TEST(addresses_that_new_memory_does_not_hold_are_refused),
		TEST(a_port_that_cannot_run_a_ring_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
