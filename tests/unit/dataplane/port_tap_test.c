/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/port_tap.c: bursts to a device of the kernel, by io_uring and one by one. */
#include "dataplane/port_tap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/counters.h"
#include "dataplane/recorder.h"
#include "dataplane/worker.h"
#include "dataplane/write_ring.h"
#include "tap/link.h"
#include "tap/tap.h"
#include "tests/unit/dataplane/rig.h"
#include "tests/unit/tap/sandbox.h"

#define ETHERTYPE_TEST 0x88b5 /* IEEE 802, local experimental */
#define FRAME_BYTES 60

/* A port by itself, at whose device's other end `socket_fd` sees what the kernel got. */
struct bench {
	struct dataplane *dp;
	struct port port;
	struct counters_block *count;
	int tap_fd, socket_fd;
	uint8_t order[BURST_FRAMES];
};

static void set_link(bool is_up)
{
	struct link_change change = {.admin = is_up ? LINK_ADMIN_UP : LINK_ADMIN_DOWN};
	struct link_ctx *ctx;
	struct link_info info;

	assert_int_equal(link_open(-1, &ctx), 0);
	assert_int_equal(link_find(ctx, "t0", &info), 0);
	assert_int_equal(link_set(ctx, info.index, &change), 0);
	link_close(ctx);
}

static int listen_to_device(void)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETHERTYPE_TEST)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_return_code(fd, errno);
	address.sll_ifindex = (int)if_nametoindex("t0");
	assert_return_code(bind(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	return fd;
}

static void begin(struct bench *bench, bool has_ring)
{
	char why[256], name[IF_NAMESIZE];

	sandbox_require();
	*bench = (struct bench){.dp = rig_create(1)};
	assert_int_equal(tap_open("t0", 1, true, &bench->tap_fd, name), 0);
	set_link(true);
	sandbox_await_running("t0");
	bench->socket_fd = listen_to_device();
	bench->port.dp = bench->dp;
	bench->port.type = &port_tap_type;
	bench->port.spec = rig_port_spec(1, 0);
	assert_int_equal(port_tap_type.prepare(&bench->port, &bench->tap_fd, 1, why, sizeof(why)),
			 0);
	bench->count = counters_block(bench->dp->counters, 0, 0);
	if (has_ring)
		atomic_store(&bench->dp->workers[0]->write_ring, write_ring_create());
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		bench->order[i] = (uint8_t)i;
}

static void end(struct bench *bench)
{
	port_tap_type.close(&bench->port);
	close(bench->tap_fd);
	close(bench->socket_fd);
	/* Whether or not a ring has held it. */
	assert_false(sandbox_has_link("t0"));
	write_ring_destroy(atomic_exchange(&bench->dp->workers[0]->write_ring, NULL));
	dataplane_destroy(bench->dp);
}

/* n frames, numbered from 1 on. */
static struct burst *make_burst(const struct bench *bench, unsigned int n)
{
	struct burst *burst = bench->dp->workers[0]->burst;

	burst->n = burst->n_pieces = 0;
	for (unsigned int i = 0; i < n; i++) {
		struct frame *frame = rig_add_frame(burst, RIG_BROADCAST, i + 1, FRAME_BYTES);

		frame->head[12] = ETHERTYPE_TEST >> 8;
		frame->head[13] = ETHERTYPE_TEST & 0xff;
	}
	return burst;
}

static void send_burst(struct bench *bench, struct burst *burst)
{
	port_tap_type.tx(&bench->port, burst, bench->order, burst->n, bench->count);
}

static void expect_frame(const struct bench *bench, unsigned int number)
{
	uint8_t bytes[2 * FRAME_BYTES], mac[6];

	assert_int_equal(recv(bench->socket_fd, bytes, sizeof(bytes), 0), FRAME_BYTES);
	rig_mac(mac, number);
	assert_memory_equal(bytes + 6, mac, sizeof(mac));
}

static void expect_no_frame(const struct bench *bench)
{
	uint8_t byte;

	assert_int_equal(recv(bench->socket_fd, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Each length of a burst around that from which on they go together. */
static void deliver(bool has_ring)
{
	static const unsigned int sizes[] = {1, 3, 4, 5, BURST_FRAMES};
	struct bench bench;
	uint64_t sum = 0;

	begin(&bench, has_ring);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		send_burst(&bench, make_burst(&bench, sizes[i]));
		sum += sizes[i];
		for (unsigned int number = 1; number <= sizes[i]; number++)
			expect_frame(&bench, number);
		expect_no_frame(&bench);
		assert_int_equal(bench.count->tx_frames, sum);
		assert_int_equal(bench.count->tx_bytes, sum * FRAME_BYTES);
	}
	end(&bench);
}

static void bursts_arrive_in_order_by_io_uring(void **state)
{
	deliver(true);
}

/* What a worker does to which the kernel gave no ring. */
static void bursts_arrive_in_order_one_by_one(void **state)
{
	deliver(false);
}

/* One frame that the kernel refuses is dropped by itself. */
static void refuse_one(bool has_ring)
{
	struct iovec nowhere = {(void *)16, 100};
	struct bench bench;

	begin(&bench, has_ring);
	struct burst *burst = make_burst(&bench, 6);

	burst->frames[2].iov = &nowhere;
	burst->frames[2].n_iov = 1;
	send_burst(&bench, burst);
	for (unsigned int number = 1; number <= 6; number++) {
		if (number != 3)
			expect_frame(&bench, number);
	}
	expect_no_frame(&bench);
	assert_int_equal(bench.count->tx_frames, 5);
	assert_int_equal(bench.count->drops[DROP_GUEST_FAULT], 1);
	end(&bench);
}

static void a_frame_that_cannot_be_read_is_dropped_alone(void **state)
{
	refuse_one(true);
	refuse_one(false);
}

static void refuse_all(bool has_ring)
{
	struct bench bench;

	begin(&bench, has_ring);
	set_link(false);
	send_burst(&bench, make_burst(&bench, 6));
	assert_int_equal(bench.count->tx_frames, 0);
	assert_int_equal(bench.count->drops[DROP_TAP_ERROR], 6);
	set_link(true);
	sandbox_await_running("t0");
	send_burst(&bench, make_burst(&bench, 6));
	assert_int_equal(bench.count->tx_frames, 6);
	end(&bench);
}

static void a_device_that_is_down_takes_nothing_until_it_is_up(void **state)
{
	refuse_all(true);
	refuse_all(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bursts_arrive_in_order_by_io_uring),
		cmocka_unit_test(bursts_arrive_in_order_one_by_one),
		cmocka_unit_test(a_frame_that_cannot_be_read_is_dropped_alone),
		cmocka_unit_test(a_device_that_is_down_takes_nothing_until_it_is_up),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
