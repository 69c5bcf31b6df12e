/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/wire.c: messages in pieces, of wrong sizes, with too many descriptors,
 * too many messages. Time is a number. */
#include "dataplane/vhost/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/dataplane/vhost/vhost_rig.h"

#define SECOND UINT64_C(1000000000)
#define START (100 * SECOND)
#define MESSAGE (SECOND / WIRE_MESSAGES_PER_S)

struct rig {
	struct vhost_rig_count *count;
	int front;
	struct wire wire;
};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	int sockets[2];

	rig->count = vhost_rig_count();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	rig->front = sockets[0];
	wire_init(&rig->wire, sockets[1], START);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	wire_fini(&rig->wire);
	if (rig->front >= 0)
		close(rig->front);
	vhost_rig_assert_no_leak(rig->count);
	free(rig);
	return 0;
}

static void hang_up(struct rig *rig)
{
	close(rig->front);
	rig->front = -1;
}

/* What a request carries if it is well formed. */
static uint32_t right_size(uint32_t request)
{
	switch (request) {
	case VHOST_SET_MEM_TABLE:
		return 8;
	case VHOST_SET_VRING_ADDR:
		return 40;
	case VHOST_SET_LOG_BASE:
		return 16;
	case VHOST_SET_FEATURES:
	case VHOST_SET_PROTOCOL_FEATURES:
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
	case VHOST_GET_VRING_BASE:
	case VHOST_SET_VRING_ENABLE:
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
	case VHOST_NET_SET_MTU:
		return 8;
	default:
		return 0;
	}
}

static bool is_fd_message(uint32_t request)
{
	return request == VHOST_SET_LOG_BASE || request == VHOST_SET_LOG_FD ||
	       request == VHOST_SET_VRING_KICK || request == VHOST_SET_VRING_CALL ||
	       request == VHOST_SET_VRING_ERR;
}

static void a_message_in_one_piece_is_received(void **state)
{
	struct rig *rig = *state;
	uint64_t features = 0x1122334455667788;

	vhost_rig_send(rig->front, VHOST_SET_FEATURES, &features, 8, NULL, 0);
	assert_int_equal(wire_receive(&rig->wire, START), 1);
	assert_int_equal(rig->wire.header.request, VHOST_SET_FEATURES);
	assert_true(rig->wire.payload.u64 == features);
	wire_finish(&rig->wire);
	assert_int_equal(wire_receive(&rig->wire, START), 0);
	assert_true(wire_deadline_ns(&rig->wire) == UINT64_MAX);
}

static void a_message_byte_by_byte_is_received(void **state)
{
	struct rig *rig = *state;
	struct {
		struct vhost_header header;
		uint32_t index, num;
	} message = {{VHOST_SET_VRING_NUM, VHOST_FLAGS_VERSION, 8}, 3, 256};

	for (unsigned i = 0; i < sizeof(message); i++) {
		assert_int_equal(wire_receive(&rig->wire, START), 0);
		assert_int_equal(send(rig->front, (uint8_t *)&message + i, 1, 0), 1);
	}
	assert_int_equal(wire_receive(&rig->wire, START), 1);
	assert_int_equal(rig->wire.payload.state.index, 3);
	assert_int_equal(rig->wire.payload.state.num, 256);
}

static void messages_that_arrive_together_are_received_one_by_one(void **state)
{
	struct rig *rig = *state;
	int event = eventfd(0, EFD_CLOEXEC);

	for (uint64_t i = 0; i < 3; i++) {
		vhost_rig_send(rig->front, VHOST_SET_VRING_CALL, &i, 8, &event, 1);
		vhost_rig_send(rig->front, VHOST_GET_FEATURES, NULL, 0, NULL, 0);
	}
	close(event);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(wire_receive(&rig->wire, START), 1);
		assert_true(rig->wire.payload.u64 == i);
		assert_int_equal(rig->wire.n_fds, 1);
		assert_true(fcntl(rig->wire.fds[0], F_GETFD) & FD_CLOEXEC);
		wire_finish(&rig->wire);
		assert_int_equal(wire_receive(&rig->wire, START), 1);
		assert_int_equal(rig->wire.header.request, VHOST_GET_FEATURES);
		assert_int_equal(rig->wire.n_fds, 0);
		wire_finish(&rig->wire);
	}
	assert_int_equal(wire_receive(&rig->wire, START), 0);
}

static void half_a_message_has_a_second(void **state)
{
	static const uint8_t zeros[40];
	struct vhost_header header = {VHOST_SET_VRING_ADDR, VHOST_FLAGS_VERSION, 40};
	static const unsigned lengths[] = {1, 11, 12, 13, 51};

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct rig *rig;
		uint8_t bytes[52];
		void *fresh;

		set_up(&fresh);
		rig = fresh;
		memcpy(bytes, &header, 12);
		memcpy(bytes + 12, zeros, 40);
		assert_int_equal(send(rig->front, bytes, lengths[i], 0), lengths[i]);
		assert_int_equal(wire_receive(&rig->wire, START), 0);
		assert_true(wire_deadline_ns(&rig->wire) == START + WIRE_PARTIAL_NS);
		assert_int_equal(wire_receive(&rig->wire, START + WIRE_PARTIAL_NS - 1), 0);
		assert_int_equal(wire_receive(&rig->wire, START + WIRE_PARTIAL_NS), -ETIMEDOUT);
		tear_down(&fresh);
	}
}

static void dripping_bytes_buy_no_time(void **state)
{
	struct rig *rig = *state;
	struct vhost_header header = {VHOST_SET_VRING_ADDR, VHOST_FLAGS_VERSION, 40};
	int ret = 0;

	vhost_rig_send_raw(rig->front, &header, NULL, 0, NULL, 0);
	for (unsigned i = 0; i < 20 && ret == 0; i++) {
		assert_int_equal(send(rig->front, "x", 1, 0), 1);
		ret = wire_receive(&rig->wire, START + i * SECOND / 10);
	}
	assert_int_equal(ret, -ETIMEDOUT);
}

static void a_hang_up_is_told_from_silence(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(send(rig->front, "half", 4, 0), 4);
	hang_up(rig);
	assert_int_equal(wire_receive(&rig->wire, START), -ECONNRESET);
}

static void a_payload_of_a_wrong_size_ends_it_before_it_is_read(void **state)
{
	static const uint32_t sizes[] = {1, 7, 9, 39, 41, 265, 4096, 1u << 31, UINT32_MAX};

	for (uint32_t request = 1; request <= VHOST_NET_SET_MTU; request++) {
		if (request == VHOST_SET_LOG_FD || request == VHOST_SEND_RARP)
			continue;
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			struct vhost_header header = {request, VHOST_FLAGS_VERSION, sizes[i]};
			struct rig *rig;
			void *fresh;

			if (request == VHOST_SET_MEM_TABLE && sizes[i] >= 8 && sizes[i] <= 264)
				continue;
			set_up(&fresh);
			rig = fresh;
			vhost_rig_send_raw(rig->front, &header, NULL, 0, NULL, 0);
			assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
			tear_down(&fresh);
		}
	}
}

static void a_memory_table_is_as_long_as_it_says(void **state)
{
	struct rig *rig = *state;
	struct vhost_memory_table table = {.n_regions = 2};
	int fd = vhost_rig_memfd(1), fds[] = {fd, fd};

	vhost_rig_send(rig->front, VHOST_SET_MEM_TABLE, &table, 8 + 2 * 32, fds, 2);
	assert_int_equal(wire_receive(&rig->wire, START), 1);
	wire_finish(&rig->wire);
	vhost_rig_send(rig->front, VHOST_SET_MEM_TABLE, &table, 8 + 2 * 32 - 1, fds, 2);
	close(fd);
	assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
}

static void more_than_eight_regions_end_it(void **state)
{
	static const uint32_t counts[] = {9, 1u << 27, 1u << 31, UINT32_MAX};

	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct vhost_memory_table table = {.n_regions = counts[i]};
		struct rig *rig;
		void *fresh;

		set_up(&fresh);
		rig = fresh;
		vhost_rig_send(rig->front, VHOST_SET_MEM_TABLE, &table, sizeof(table), NULL, 0);
		assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
		tear_down(&fresh);
	}
}

static void a_header_of_another_version_ends_it(void **state)
{
	static const uint32_t flags[] = {
		0,	    2, 3, VHOST_FLAGS_VERSION | VHOST_FLAGS_REPLY, VHOST_FLAGS_VERSION | 16,
		UINT32_MAX,
	};

	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct vhost_header header = {VHOST_GET_FEATURES, flags[i], 0};
		struct rig *rig;
		void *fresh;

		set_up(&fresh);
		rig = fresh;
		vhost_rig_send_raw(rig->front, &header, NULL, 0, NULL, 0);
		assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
		tear_down(&fresh);
	}
}

/* Each request with 1 to 253 descriptors too many: all of them are closed. */
static void surplus_descriptors_end_it_and_are_closed(void **state)
{
	static const unsigned surplus[] = {1, 7, 8, 9, 252};
	int event = eventfd(0, EFD_CLOEXEC), fds[253];

	for (unsigned i = 0; i < 253; i++)
		fds[i] = event;
	for (uint32_t request = 0; request <= 41; request++) {
		for (unsigned i = 0; i < sizeof(surplus) / sizeof(surplus[0]); i++) {
			static const struct vhost_memory_table zeros;
			uint32_t size = right_size(request);
			struct rig *rig;
			void *fresh;

			set_up(&fresh);
			rig = fresh;
			vhost_rig_send(rig->front, request, &zeros, size, fds,
				       surplus[i] + is_fd_message(request));
			assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
			tear_down(&fresh);
		}
	}
	close(event);
}

/* The kernel cuts them down to the eight that there is room for, and says so. */
static void a_full_table_with_surplus_descriptors_ends_it(void **state)
{
	struct rig *rig = *state;
	struct vhost_memory_table table = {.n_regions = VHOST_MAX_REGIONS};
	int fds[9], fd = vhost_rig_memfd(1);

	for (unsigned i = 0; i < 9; i++)
		fds[i] = fd;
	vhost_rig_send(rig->front, VHOST_SET_MEM_TABLE, &table, sizeof(table), fds, 9);
	close(fd);
	assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
}

static void a_descriptor_beside_its_no_descriptor_flag_ends_it(void **state)
{
	struct rig *rig = *state;
	uint64_t value = VHOST_FD_NONE;
	int event = eventfd(0, EFD_CLOEXEC);

	vhost_rig_send(rig->front, VHOST_SET_VRING_KICK, &value, 8, &event, 1);
	close(event);
	assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
}

static void missing_descriptors_end_it(void **state)
{
	struct vhost_memory_table table = {.n_regions = 2};
	struct rig *rig = *state;
	int fd = vhost_rig_memfd(1);

	vhost_rig_send(rig->front, VHOST_SET_MEM_TABLE, &table, 8 + 2 * 32, &fd, 1);
	close(fd);
	assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
}

/* A control message for each piece: eight descriptors with the header, more with the payload. */
static void descriptors_in_every_piece_are_counted_together(void **state)
{
	struct rig *rig = *state;
	struct vhost_header header = {VHOST_SET_MEM_TABLE, VHOST_FLAGS_VERSION, 264};
	int event = eventfd(0, EFD_CLOEXEC), fds[8];

	for (unsigned i = 0; i < 8; i++)
		fds[i] = event;
	vhost_rig_send_raw(rig->front, &header, NULL, 0, fds, 8);
	assert_int_equal(wire_receive(&rig->wire, START), 0);
	vhost_rig_send(rig->front, 0, NULL, 0, fds, 8);
	close(event);
	assert_int_equal(wire_receive(&rig->wire, START), -EPROTO);
}

static unsigned receive_all(struct wire *wire, uint64_t now_ns)
{
	unsigned n = 0;

	while (wire_receive(wire, now_ns) == 1) {
		wire_finish(wire);
		n++;
	}
	return n;
}

/* The socket holds fewer small messages than the burst: they are sent as they are read. */
static unsigned storm(struct rig *rig, unsigned n_messages, uint64_t now_ns)
{
	unsigned n = 0;

	for (unsigned i = 0; i < n_messages; i += 50) {
		for (unsigned j = 0; j < 50; j++)
			vhost_rig_send(rig->front, VHOST_SET_OWNER, NULL, 0, NULL, 0);
		n += receive_all(&rig->wire, now_ns);
	}
	return n;
}

static void a_storm_of_messages_is_delayed_to_the_rate(void **state)
{
	struct rig *rig = *state;
	unsigned n = storm(rig, WIRE_BURST_MESSAGES + 100, START);
	uint64_t now = START;

	assert_in_range(n, WIRE_BURST_MESSAGES, WIRE_BURST_MESSAGES + 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(wire_deadline_ns(&rig->wire) > now + 30 * MESSAGE);
		assert_true(wire_deadline_ns(&rig->wire) < now + 40 * MESSAGE);
		assert_int_equal(receive_all(&rig->wire, wire_deadline_ns(&rig->wire) - 1), 0);
		now = wire_deadline_ns(&rig->wire);
		n = receive_all(&rig->wire, now);
		assert_in_range(n, 32, 33);
	}
}

static void an_honest_rate_is_never_delayed(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(storm(rig, 1900, START), 1900);
	for (unsigned i = 1; i <= 10000; i++) {
		vhost_rig_send(rig->front, VHOST_SET_OWNER, NULL, 0, NULL, 0);
		assert_int_equal(receive_all(&rig->wire, START + i * MESSAGE), 1);
	}
}

static void a_budget_fills_again_but_only_once(void **state)
{
	struct rig *rig = *state;
	unsigned n;

	storm(rig, 1000, START);
	n = storm(rig, WIRE_BURST_MESSAGES + 100, START + 3600 * SECOND);
	assert_in_range(n, WIRE_BURST_MESSAGES, WIRE_BURST_MESSAGES + 1);
}

static void a_reply_repeats_the_request_and_is_flagged(void **state)
{
	struct rig *rig = *state;
	struct {
		struct vhost_header header;
		uint8_t payload[8];
	} reply;

	vhost_rig_send(rig->front, VHOST_GET_FEATURES, NULL, 0, NULL, 0);
	assert_int_equal(wire_receive(&rig->wire, START), 1);
	assert_int_equal(wire_reply(&rig->wire, "12345678", 8), 0);
	assert_int_equal(recv(rig->front, &reply, sizeof(reply), MSG_DONTWAIT), 20);
	assert_int_equal(reply.header.request, VHOST_GET_FEATURES);
	assert_int_equal(reply.header.flags, VHOST_FLAGS_VERSION | VHOST_FLAGS_REPLY);
	assert_int_equal(reply.header.size, 8);
	assert_memory_equal(reply.payload, "12345678", 8);
}

static void a_front_end_that_does_not_read_its_replies_is_told_from_one_that_does(void **state)
{
	struct rig *rig = *state;
	uint64_t value = 0;
	int ret = 0;

	for (unsigned i = 0; i < 1000000 && ret == 0; i++)
		ret = wire_reply(&rig->wire, &value, sizeof(value));
	assert_int_equal(ret, -EPIPE);
}

static void a_reply_to_nobody_is_an_error_and_no_signal(void **state)
{
	struct rig *rig = *state;
	uint64_t value = 0;

	hang_up(rig);
	assert_int_equal(wire_reply(&rig->wire, &value, sizeof(value)), -EPIPE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_message_in_one_piece_is_received),
		TEST(a_message_byte_by_byte_is_received),
		TEST(messages_that_arrive_together_are_received_one_by_one),
		cmocka_unit_test(half_a_message_has_a_second),
		TEST(dripping_bytes_buy_no_time),
		TEST(a_hang_up_is_told_from_silence),
		cmocka_unit_test(a_payload_of_a_wrong_size_ends_it_before_it_is_read),
		TEST(a_memory_table_is_as_long_as_it_says),
		cmocka_unit_test(more_than_eight_regions_end_it),
		TEST(a_full_table_with_surplus_descriptors_ends_it),
		cmocka_unit_test(a_header_of_another_version_ends_it),
		cmocka_unit_test(surplus_descriptors_end_it_and_are_closed),
		TEST(a_descriptor_beside_its_no_descriptor_flag_ends_it),
		TEST(missing_descriptors_end_it),
		TEST(descriptors_in_every_piece_are_counted_together),
		TEST(a_storm_of_messages_is_delayed_to_the_rate),
		TEST(an_honest_rate_is_never_delayed),
		TEST(a_budget_fills_again_but_only_once),
		TEST(a_reply_repeats_the_request_and_is_flagged),
		TEST(a_front_end_that_does_not_read_its_replies_is_told_from_one_that_does),
		TEST(a_reply_to_nobody_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
