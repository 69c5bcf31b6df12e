/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/session.c: what is answered, what is refused, what ends a connection. */
#include "dataplane/vhost/session.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/dataplane/vhost/front.h"

static void what_is_offered_is_told(void **state)
{
	struct front *front = *state;

	front_send_nothing(front, VHOST_GET_FEATURES);
	front_send_nothing(front, VHOST_GET_PROTOCOL_FEATURES);
	front_send_nothing(front, VHOST_GET_QUEUE_NUM);
	front_accepted(front);
	assert_true(front_receive_u64(front, VHOST_GET_FEATURES) == WITH_PROTOCOL);
	assert_true(front_receive_u64(front, VHOST_GET_PROTOCOL_FEATURES) ==
		    (VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_MQ) |
		     VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_REPLY_ACK) |
		     VHOST_PROTOCOL_FEATURE(VHOST_PROTOCOL_F_NET_MTU)));
	assert_int_equal(front_receive_u64(front, VHOST_GET_QUEUE_NUM), N_PAIRS);
}

static void an_mtu_that_fits_is_accepted_and_one_that_does_not_is_answered_no(void **state)
{
	static const uint64_t wrong[] = {0, 67, 1501, UINT64_C(1) << 32 | 1500};
	struct front *front = *state;
	struct vhost_header header = {VHOST_NET_SET_MTU,
				      VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY, 8};
	uint64_t mtu = 1500;

	front_send_u64(front, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
	vhost_rig_send_raw(front->socket, &header, &mtu, 8, NULL, 0);
	front_accepted(front);
	assert_int_equal(front_receive_u64(front, VHOST_NET_SET_MTU), 0);
	for (unsigned i = 0; i < 4; i++) {
		vhost_rig_send_raw(front->socket, &header, &wrong[i], 8, NULL, 0);
		front_accepted(front);
		assert_int_equal(front_receive_u64(front, VHOST_NET_SET_MTU), 1);
	}
	front_send_u64(front, VHOST_NET_SET_MTU, 9000);
	front_refused(front, -EOPNOTSUPP, "NET_SET_MTU: ");
}

static void acknowledgements_come_only_if_negotiated_and_asked_for(void **state)
{
	struct front *front = *state;
	struct vhost_header header = {VHOST_SET_OWNER, VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY,
				      0};

	vhost_rig_send_raw(front->socket, &header, NULL, 0, NULL, 0);
	front_accepted(front);
	front_nothing_to_receive(front);
	front_send_u64(front, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
	front_send_nothing(front, VHOST_SET_OWNER);
	front_accepted(front);
	front_nothing_to_receive(front);
	vhost_rig_send_raw(front->socket, &header, NULL, 0, NULL, 0);
	front_accepted(front);
	assert_int_equal(front_receive_u64(front, VHOST_SET_OWNER), 0);
	/* A request with an answer gets one answer. */
	header.request = VHOST_GET_FEATURES;
	vhost_rig_send_raw(front->socket, &header, NULL, 0, NULL, 0);
	front_accepted(front);
	front_receive_u64(front, VHOST_GET_FEATURES);
	front_nothing_to_receive(front);
}

static void a_refusal_is_told_before_the_connection_ends(void **state)
{
	struct front *front = *state;
	struct vhost_header header = {VHOST_SET_VRING_NUM,
				      VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY, 8};
	struct vhost_ring_state three = {0, 3};

	front_send_u64(front, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
	vhost_rig_send_raw(front->socket, &header, &three, 8, NULL, 0);
	front_refused(front, -EINVAL, "SET_VRING_NUM: ");
	assert_int_equal(front_receive_u64(front, VHOST_SET_VRING_NUM), 1);
}

static void an_unknown_request_is_answered_no_or_ends_it(void **state)
{
	static const uint32_t requests[] = {0, VHOST_SEND_RARP, 21, 24, 31, 32, 37, 41, UINT32_MAX};
	static const uint8_t zeros[264];

	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct vhost_header header = {requests[i],
					      VHOST_FLAGS_VERSION | VHOST_FLAGS_NEED_REPLY, i * 20};
		struct front *front;
		void *fresh;

		front_set_up(&fresh);
		front = fresh;
		front_send_u64(front, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_REPLY_ACK);
		vhost_rig_send_raw(front->socket, &header, zeros, header.size, NULL, 0);
		front_accepted(front);
		assert_int_equal(front_receive_u64(front, requests[i]), 1);
		header.flags = VHOST_FLAGS_VERSION;
		vhost_rig_send_raw(front->socket, &header, zeros, header.size, NULL, 0);
		front_refused(front, -EOPNOTSUPP, "not supported");
		front_tear_down(&fresh);
	}
}

static void silence_within_a_message_ends_it(void **state)
{
	struct front *front = *state;
	struct vhost_header header = {VHOST_SET_MEM_TABLE, VHOST_FLAGS_VERSION, 264};
	int fds[] = {front->memory_fd, front->memory_fd};

	front_start(front);
	vhost_rig_send_raw(front->socket, &header, &front_table, 100, fds, 2);
	front_accepted(front);
	assert_true(session_deadline_ns(front->session) == START + SECOND);
	assert_int_equal(session_tick(front->session, START + SECOND - 1), 0);
	assert_int_equal(session_tick(front->session, START + SECOND), -ETIMEDOUT);
	assert_true(strlen(session_why(front->session)) > 0);
	assert_true(front->seen[0].is_running);
}

static void a_hang_up_ends_it_with_rings_running(void **state)
{
	struct front *front = *state;

	front_start(front);
	assert_int_equal(session_readable(front->session, EPOLLIN | EPOLLHUP, START), -ECONNRESET);
	shutdown(front->socket, SHUT_WR);
	front_refused(front, -ECONNRESET, "closed");
}

static void bad_ring_sizes_are_refused(void **state)
{
	static const uint32_t sizes[] = {0, 3, 255, 257, 65536, 32769, 1u << 31, UINT32_MAX};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		void *fresh;

		front_set_up(&fresh);
		front_send_state(fresh, VHOST_SET_VRING_NUM, 0, sizes[i]);
		front_refused(fresh, -EINVAL, "SET_VRING_NUM: a ring's size");
		front_tear_down(&fresh);
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
		struct vhost_ring_addr addr = front_addr(0);
		void *fresh;

		for (unsigned j = 0; j < 4; j++) {
			front_set_up(&fresh);
			front_send_state(fresh, states[j], indices[i], 1);
			front_refused(fresh, -EINVAL, "no ring of that index");
			front_tear_down(&fresh);
		}
		for (unsigned j = 0; j < 3; j++) {
			front_set_up(&fresh);
			front_send_event(fresh, events[j], i == 0 ? 2 * N_PAIRS : 255);
			front_refused(fresh, -EINVAL, "no ring of that index");
			front_tear_down(&fresh);
		}
		front_set_up(&fresh);
		addr.index = indices[i];
		front_send_addr(fresh, &addr);
		front_refused(fresh, -EINVAL, "no ring of that index");
		front_tear_down(&fresh);
	}
}

static void features_that_were_not_offered_are_refused(void **state)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		void *fresh;

		if (WITH_PROTOCOL & VIRTIO_FEATURE(bit))
			continue;
		front_set_up(&fresh);
		front_send_u64(fresh, VHOST_SET_FEATURES, WITH_PROTOCOL | VIRTIO_FEATURE(bit));
		front_refused(fresh, -EINVAL, "SET_FEATURES: a feature was not offered");
		front_tear_down(&fresh);
		front_set_up(&fresh);
		front_send_u64(fresh, VHOST_SET_PROTOCOL_FEATURES, VHOST_PROTOCOL_FEATURE(bit));
		if (bit == VHOST_PROTOCOL_F_MQ || bit == VHOST_PROTOCOL_F_REPLY_ACK ||
		    bit == VHOST_PROTOCOL_F_NET_MTU)
			front_accepted(fresh);
		else
			front_refused(fresh, -EINVAL, "not offered");
		front_tear_down(&fresh);
	}
}

static void a_running_ring_keeps_its_features_size_and_base(void **state)
{
	struct front *front = *state;

	front_start(front);
	front_send_u64(front, VHOST_SET_FEATURES,
		       WITH_PROTOCOL & ~VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX));
	front_refused(front, -EBUSY, "SET_FEATURES: ");
	front_send_state(front, VHOST_SET_VRING_NUM, 0, 128);
	front_refused(front, -EBUSY, "SET_VRING_NUM: ");
	front_send_state(front, VHOST_SET_VRING_BASE, 0, 1);
	front_refused(front, -EBUSY, "SET_VRING_BASE: ");
	assert_int_equal(front->seen[0].n_stops, 0);
}

static void the_dirty_log_is_refused(void **state)
{
	struct front *front = *state;
	struct vhost_ring_addr addr = front_addr(0);

	addr.flags = 1;
	front_send_addr(front, &addr);
	front_refused(front, -EINVAL, "SET_VRING_ADDR: the log");
}

/* A session that offers packed rings and the log, and agreed to both. */
static struct front *set_up_with_log(void **fresh)
{
	struct front *front;

	front_set_up_offering(fresh, PACKED | LOG_ALL);
	front = *fresh;
	front_send_u64(front, VHOST_SET_PROTOCOL_FEATURES, 1 << VHOST_PROTOCOL_F_LOG_SHMFD);
	return front;
}

static int send_log(struct front *front, uint64_t bytes)
{
	int fd = memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct vhost_log log = {.bytes = bytes};

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	vhost_rig_send(front->socket, VHOST_SET_LOG_BASE, &log, sizeof(log), &fd, 1);
	close(fd);
	return 0;
}

/* As QEMU does it: the log, then the feature while rings run, then the addresses. */
static void a_log_comes_and_goes_while_rings_run(void **state)
{
	void *fresh;
	struct front *front = set_up_with_log(&fresh);
	struct vhost_ring_addr addr = front_addr(0);

	front_start(front);
	send_log(front, 4096);
	front_accepted(front);
	assert_int_equal(front_receive_u64(front, VHOST_SET_LOG_BASE), 0);
	assert_null(front->seen[0].ring.memory->log);
	front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL | LOG_ALL);
	addr.flags = 1;
	front_send_addr(front, &addr);
	front_accepted(front);
	assert_true(front->seen[0].is_running && front->seen[1].is_running);
	assert_non_null(front->seen[0].ring.memory->log);
	assert_true((front->seen[0].ring.features & LOG_ALL) == 0);

	struct dirty_log *first = front->seen[0].ring.memory->log;

	send_log(front, 2048);
	front_send_table(front, &front_table);
	front_accepted(front);
	assert_int_equal(front_receive_u64(front, VHOST_SET_LOG_BASE), 0);
	assert_true(front->seen[0].is_running);
	assert_non_null(front->seen[0].ring.memory->log);
	assert_ptr_not_equal(front->seen[0].ring.memory->log, first);
	front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL);
	front_accepted(front);
	assert_null(front->seen[0].ring.memory->log);
	front_tear_down(&fresh);
}

static void a_bad_log_ends_it(void **state)
{
	void *fresh;
	struct front *front = set_up_with_log(&fresh);

	send_log(front, 4097);
	front_refused(front, -EINVAL, "SET_LOG_BASE: ");
	front_tear_down(&fresh);
	front_set_up(&fresh);
	send_log(fresh, 4096);
	front_refused(fresh, -EINVAL, "SET_LOG_BASE: ");
	front_tear_down(&fresh);
}

static void a_packed_base_has_two_halves_that_agree(void **state)
{
	static const uint32_t good[] = {0x80008000, 0x00050005, 0x8005, 0x7};
	static const uint32_t bad[] = {0x80008001, 0x80000000, 0x00050006};
	void *fresh;

	for (unsigned i = 0; i < 4 + 3; i++) {
		uint32_t base = i < 4 ? good[i] : bad[i - 4];
		struct front *front = set_up_with_log(&fresh);

		front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL | PACKED);
		front_send_state(front, VHOST_SET_VRING_BASE, 0, base);
		if (i < 4)
			front_accepted(front);
		else
			front_refused(front, -EINVAL, "SET_VRING_BASE: ");
		if (i < 4)
			assert_int_equal(front_stop_ring(front, 0), (base & 0xffff) | base << 16);
		if (i < 4)
			assert_int_equal(front->seen[0].n_forgets, 1);
		front_tear_down(&fresh);
	}
}

static void bad_memory_is_refused_and_leaves_nothing(void **state)
{
	static const struct vhost_region wrong[] = {
		{HIGH_GPA, 2 * MIB, HIGH_UVA, 3 * MIB}, {MIB - 1, MIB, HIGH_UVA, MIB},
		{-MIB, 2 * MIB, HIGH_UVA, MIB},		{HIGH_GPA, 0, HIGH_UVA, MIB},
		{HIGH_GPA, 65 * MIB, HIGH_UVA, 0},
	};

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct vhost_memory_table table = front_table;
		struct front *front;
		void *fresh;

		front_set_up(&fresh);
		front = fresh;
		front_start(front);
		table.regions[1] = wrong[i];
		front_send_table(front, &table);
		front_refused(front, -EINVAL, "SET_MEM_TABLE: ");
		assert_false(front->seen[0].is_running);
		front_tear_down(&fresh);
	}
}

static void an_empty_table_is_refused(void **state)
{
	struct front *front = *state;
	struct vhost_memory_table table = {0};

	front_send_table(front, &table);
	front_refused(front, -EINVAL, "1 to 8");
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
			struct front *front;
			void *fresh;

			front_set_up(&fresh);
			front = fresh;
			vhost_rig_send(front->socket, requests[i], &index, 8, &fds[j], 1);
			front_refused(front, -EINVAL, "not an eventfd");
			front_tear_down(&fresh);
		}
		for (unsigned j = 0; j < 4; j++)
			close(fds[j]);
	}
}

static void a_ring_without_kicks_is_refused(void **state)
{
	struct front *front = *state;

	front_send_u64(front, VHOST_SET_VRING_KICK, VHOST_FD_NONE);
	front_refused(front, -EINVAL, "ioeventfd=on");
}

static void other_wrong_numbers_are_refused(void **state)
{
	void *fresh;

	front_set_up(&fresh);
	front_send_state(fresh, VHOST_SET_VRING_BASE, 0, 65536);
	front_refused(fresh, -EINVAL, "SET_VRING_BASE: ");
	front_tear_down(&fresh);
	front_set_up(&fresh);
	front_send_state(fresh, VHOST_SET_VRING_ENABLE, 0, 2);
	front_refused(fresh, -EINVAL, "SET_VRING_ENABLE: ");
	front_tear_down(&fresh);
}

static void memory_that_faulted_ends_it(void **state)
{
	struct front *front = *state;

	front_start(front);
	atomic_store(&front->seen[0].ring.memory->faulted, true);
	assert_int_equal(session_tick(front->session, START), -EFAULT);
	assert_non_null(strstr(session_why(front->session), "took away memory"));
}

/* Every call takes its share of a storm, then the socket is not watched until the deadline. */
static void a_storm_is_put_off_not_answered_at_once(void **state)
{
	struct front *front = *state;
	unsigned n_calls = 0;

	while (session_events(front->session) == EPOLLIN && n_calls < 1000) {
		for (unsigned i = 0; i < 32; i++)
			front_send_nothing(front, VHOST_SET_OWNER);
		front_accepted(front);
		n_calls++;
	}
	assert_in_range(n_calls, 62, 64);
	assert_int_equal(session_events(front->session), 0);
	front->now_ns = session_deadline_ns(front->session);
	assert_true(front->now_ns > START && front->now_ns < START + SECOND / 10);
	assert_int_equal(session_tick(front->session, front->now_ns), 0);
	assert_int_equal(session_events(front->session), EPOLLIN);
}

static void one_call_handles_a_few_messages_only(void **state)
{
	struct front *front = *state;
	unsigned n_replies = 0;
	uint8_t reply[20];

	for (unsigned i = 0; i < 100; i++)
		front_send_nothing(front, VHOST_GET_FEATURES);
	front_accepted(front);
	while (recv(front->socket, reply, sizeof(reply), MSG_DONTWAIT) == sizeof(reply))
		n_replies++;
	assert_int_equal(n_replies, 32);
}

static void a_front_end_that_reads_no_replies_is_dropped(void **state)
{
	struct front *front = *state;
	int ret = 0;

	for (unsigned i = 0; i < 100000 && ret == 0; i++) {
		front_send_nothing(front, VHOST_GET_FEATURES);
		front->now_ns += SECOND / 100;
		ret = front_deliver(front);
	}
	assert_int_equal(ret, -EPIPE);
	assert_non_null(strstr(session_why(front->session), "does not read"));
}

static void destroying_nothing_is_legal(void **state)
{
	session_destroy(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, front_set_up, front_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_offered_is_told),
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
		TEST(the_dirty_log_is_refused),
		cmocka_unit_test(a_log_comes_and_goes_while_rings_run),
		cmocka_unit_test(a_bad_log_ends_it),
		cmocka_unit_test(a_packed_base_has_two_halves_that_agree),
		cmocka_unit_test(bad_memory_is_refused_and_leaves_nothing),
		TEST(an_empty_table_is_refused),
		cmocka_unit_test(a_descriptor_that_is_no_eventfd_is_refused),
		TEST(a_ring_without_kicks_is_refused),
		cmocka_unit_test(other_wrong_numbers_are_refused),
		TEST(memory_that_faulted_ends_it),
		TEST(a_storm_is_put_off_not_answered_at_once),
		TEST(one_call_handles_a_few_messages_only),
		TEST(a_front_end_that_reads_no_replies_is_dropped),
		cmocka_unit_test(destroying_nothing_is_legal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
