/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The driver on one end of a pair of interfaces, u0; the test is at the other, u1, with a packet
 * socket of its own.
 */
#include "dataplane/uplink/af_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/vlan.h"
#include "tap/uplink_device.h"
#include "tests/unit/tap/sandbox.h"

#define DEADLINE_MS 20000
#define TEST_PROTOCOL 0x88b5

struct wire {
	struct uplink_queue queue;
	struct burst *burst;
	int far_fd;
};

static void run(const char *command)
{
	/* A command of the test's own, no word of it from outside. */
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void open_far(struct wire *wire)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_ALL),
				      .sll_ifindex = (int)if_nametoindex("u1")};
	const void *any = &address;
	int on = 1;

	wire->far_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_return_code(wire->far_fd, errno);
	assert_return_code(setsockopt(wire->far_fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)),
			   errno);
	assert_return_code(
		setsockopt(wire->far_fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)),
		errno);
	assert_return_code(bind(wire->far_fd, any, sizeof(address)), errno);
}

static int set_up(void **state)
{
	struct uplink_device_spec spec = {
		.ifname = "u0", .n_queues = 1, .holder_fd = -1, .held_fd = -1};
	struct wire *wire = calloc(1, sizeof(*wire));
	char why[256] = "";

	sandbox_require();
	assert_non_null(wire);
	run("ip link add u0 type veth peer name u1 && ip link set u0 up && ip link set u1 up");
	sandbox_await_running("u0");
	sandbox_await_running("u1");
	if (uplink_device_create(&spec, &wire->queue.fd, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	assert_int_equal(af_packet_driver.open(&wire->queue, 1, why, sizeof(why)), 0);
	wire->burst = aligned_alloc(64, sizeof(*wire->burst));
	assert_non_null(wire->burst);
	wire->burst->arena = malloc(BURST_ARENA_BYTES);
	assert_non_null(wire->burst->arena);
	open_far(wire);
	*state = wire;
	return 0;
}

static int tear_down(void **state)
{
	struct wire *wire = *state;

	if (wire == NULL)
		return 0;
	af_packet_driver.close(&wire->queue);
	close(wire->queue.fd);
	close(wire->far_fd);
	free(wire->burst->arena);
	free(wire->burst);
	free(wire);
	run("ip link del u0");
	return 0;
}

/* A frame with `bytes` of payload that counts up, behind `n_tags` VLAN tags from 10 on. */
static size_t build(uint8_t *frame, uint16_t protocol, size_t bytes, unsigned int n_tags)
{
	uint8_t *at = frame + 12;

	memcpy(frame, (uint8_t[]){2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8}, 12);
	for (unsigned int i = 0; i < n_tags; i++, at += VLAN_BYTES)
		memcpy(at, (uint8_t[]){0x81, 0x00, 0x20, (uint8_t)(10 + i)}, VLAN_BYTES);
	*at++ = (uint8_t)(protocol >> 8);
	*at++ = (uint8_t)protocol;
	for (size_t i = 0; i < bytes; i++)
		*at++ = (uint8_t)(i * 7 + i / 256);
	return (size_t)(at - frame);
}

static void send_far(const struct wire *wire, const struct virtio_net_hdr *hdr,
		     const uint8_t *frame, size_t bytes)
{
	static const struct virtio_net_hdr none;
	struct iovec iov[] = {
		{(void *)(uintptr_t)(hdr != NULL ? hdr : &none), sizeof(none)},
		{(void *)(uintptr_t)frame, bytes},
	};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};

	if (sendmsg(wire->far_fd, &message, 0) != (ssize_t)(bytes + sizeof(none)))
		fail_msg("sending %zu bytes: %s", bytes, strerror(errno));
}

/* The next frame whose sender is the test, in the burst; what the kernel says is passed over. */
static struct frame *take(struct wire *wire)
{
	struct pollfd ready = {.fd = wire->queue.fd, .events = POLLIN};

	for (;;) {
		wire->burst->n = wire->burst->n_pieces = 0;
		af_packet_driver.rx_done(&wire->queue);
		if (af_packet_driver.arm(&wire->queue) && poll(&ready, 1, DEADLINE_MS) <= 0)
			fail_msg("no frame");
		af_packet_driver.rx(&wire->queue, wire->burst);
		for (unsigned int i = 0; i < wire->burst->n; i++) {
			struct frame *frame = &wire->burst->frames[i];

			if (frame->drop != DROP_NONE || frame->head[11] == 8)
				return frame;
		}
	}
}

static void assert_frame(const struct frame *frame, const uint8_t *expected, size_t bytes)
{
	size_t at = frame->head_len;

	assert_int_equal(frame->drop, DROP_NONE);
	assert_int_equal(frame->len, bytes);
	assert_memory_equal(frame->head, expected, at);
	for (unsigned int i = 0; i < frame->n_iov; at += frame->iov[i++].iov_len)
		assert_memory_equal(frame->iov[i].iov_base, expected + at, frame->iov[i].iov_len);
	assert_int_equal(at, bytes);
}

static void frames_of_every_size_come_as_they_were_sent(void **state)
{
	struct wire *wire = *state;
	uint8_t frame[2048];

	for (size_t payload = 0; payload <= 1500; payload += payload < 140 ? 1 : 97) {
		size_t bytes = build(frame, TEST_PROTOCOL, payload, 0);

		send_far(wire, NULL, frame, bytes);
		assert_frame(take(wire), frame, bytes);
	}
}

/* The kernel takes the first tag off and notes it beside the frame, if something is behind it. */
static void tags_stand_where_the_sender_put_them(void **state)
{
	struct wire *wire = *state;
	uint8_t frame[2048];

	for (unsigned int n_tags = 1; n_tags <= 2; n_tags++) {
		for (size_t payload = 4; payload <= 1490; payload += payload < 140 ? 1 : 97) {
			size_t bytes = build(frame, TEST_PROTOCOL, payload, n_tags);

			send_far(wire, NULL, frame, bytes);
			assert_frame(take(wire), frame, bytes);
		}
	}
}

/* A TCP segment that is to be cut later, of `payload` bytes, behind a tag or none. */
static size_t build_tcp(uint8_t *frame, size_t payload, unsigned int n_tags,
			struct virtio_net_hdr *hdr)
{
	size_t bytes = build(frame, ETH_P_IP, 40 + payload, n_tags);
	uint16_t ip_at = (uint16_t)(ETH_HLEN + n_tags * VLAN_BYTES);
	uint8_t *ip = frame + ip_at;
	uint16_t ip_bytes = htons((uint16_t)(40 + payload));

	memset(ip, 0, 40);
	ip[0] = 0x45;
	memcpy(ip + 2, &ip_bytes, sizeof(ip_bytes));
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, (uint8_t[]){10, 8, 0, 2, 10, 8, 0, 1}, 8);
	ip[32] = 0x50;
	*hdr = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				       .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				       .hdr_len = (uint16_t)(ip_at + 40),
				       .gso_size = 1000,
				       .csum_start = (uint16_t)(ip_at + 20),
				       .csum_offset = 16};
	return bytes;
}

/* Larger than a slot: they come by the socket, in the order of the ring, small ones between. */
static void large_frames_come_whole_and_in_order(void **state)
{
	struct wire *wire = *state;
	uint8_t *frame = malloc(FRAME_BYTES_MAX), small[2048];
	struct virtio_net_hdr hdr;

	assert_non_null(frame);
	for (unsigned int n_tags = 0; n_tags <= 1; n_tags++) {
		size_t bytes = build_tcp(frame, 60000, n_tags, &hdr);
		size_t small_bytes = build(small, TEST_PROTOCOL, 300, n_tags);

		for (unsigned int i = 0; i < 3; i++) {
			send_far(wire, &hdr, frame, bytes);
			send_far(wire, NULL, small, small_bytes);
		}
		for (unsigned int i = 0; i < 6;) {
			take(wire);
			for (unsigned int k = 0; k < wire->burst->n; k++) {
				const struct frame *got = &wire->burst->frames[k];

				if (got->head[11] != 8)
					continue;
				if (i++ % 2 == 1) {
					assert_frame(got, small, small_bytes);
					continue;
				}
				assert_frame(got, frame, bytes);
				assert_int_equal(got->vnet.hdr.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
				assert_int_equal(got->vnet.hdr.gso_size, 1000);
				assert_int_equal(got->vnet.hdr.csum_start, hdr.csum_start);
			}
		}
	}
	free(frame);
}

/* BIG TCP over IPv6. What is beyond the room for a frame was never there. */
static void a_frame_longer_than_any_is_refused_and_the_next_is_whole(void **state)
{
	struct wire *wire = *state;
	uint8_t *frame = malloc(100100), small[2048];
	size_t bytes, small_bytes = build(small, TEST_PROTOCOL, 300, 0);
	struct virtio_net_hdr hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				     .gso_type = VIRTIO_NET_HDR_GSO_TCPV6,
				     .hdr_len = ETH_HLEN + 60,
				     .gso_size = 1000,
				     .csum_start = ETH_HLEN + 40,
				     .csum_offset = 16};

	assert_non_null(frame);
	run("ip link set u1 gso_max_size 200000");
	bytes = build(frame, ETH_P_IPV6, 100000, 0);
	memcpy(frame + ETH_HLEN, (uint8_t[]){0x60, 0, 0, 0, 0, 0, IPPROTO_TCP, 64}, 8);
	frame[ETH_HLEN + 40 + 12] = 0x50;
	send_far(wire, &hdr, frame, bytes);
	send_far(wire, NULL, small, small_bytes);
	const struct frame *got = take(wire);

	assert_int_equal(got->len, bytes);
	assert_int_equal(got->drop, DROP_OVERSIZE);
	assert_int_equal(got->n_iov, 0);
	got = wire->burst->n > 1 ? got + 1 : take(wire);
	assert_frame(got, small, small_bytes);
	free(frame);
}

static void what_came_before_the_start_is_thrown_away(void **state)
{
	struct wire *wire = *state;
	uint8_t *frame = malloc(FRAME_BYTES_MAX), second[256];
	struct virtio_net_hdr hdr;
	size_t bytes;

	assert_non_null(frame);
	bytes = build_tcp(frame, 60000, 0, &hdr);
	send_far(wire, &hdr, frame, bytes);
	bytes = build(frame, TEST_PROTOCOL, 100, 0);
	send_far(wire, NULL, frame, bytes);
	af_packet_driver.start(&wire->queue);
	bytes = build(second, TEST_PROTOCOL, 101, 0);
	send_far(wire, NULL, second, bytes);
	assert_frame(take(wire), second, bytes);
	bytes = build_tcp(frame, 50000, 0, &hdr);
	send_far(wire, &hdr, frame, bytes);
	assert_frame(take(wire), frame, bytes);
	free(frame);
}

static void what_does_not_fit_the_ring_is_counted_and_the_rest_goes_on(void **state)
{
	struct wire *wire = *state;
	uint8_t frame[256];
	size_t bytes = build(frame, TEST_PROTOCOL, 50, 0);
	uint64_t lost;

	for (unsigned int i = 0; i < 6000; i++)
		send_far(wire, NULL, frame, bytes);
	lost = af_packet_driver.lost(&wire->queue);
	/* 8 MiB of slots of 2 KiB. */
	assert_in_range(lost, 6000 - 4096, 6000 - 4096 + 64);
	assert_int_equal(af_packet_driver.lost(&wire->queue), 0);
	for (unsigned int i = 0; i < 3000; i += wire->burst->n)
		take(wire);
	send_far(wire, NULL, frame, bytes);
	assert_frame(take(wire), frame, bytes);
}

/* --- sending --- */

/* Reads at the far end what has the test's protocol or TCP in it. */
static size_t receive_far(const struct wire *wire, struct virtio_net_hdr *hdr, uint8_t *frame)
{
	struct pollfd ready = {.fd = wire->far_fd, .events = POLLIN};
	struct iovec iov[] = {{hdr, sizeof(*hdr)}, {frame, FRAME_BYTES_MAX}};
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = 2};

	for (;;) {
		if (poll(&ready, 1, DEADLINE_MS) <= 0)
			fail_msg("no frame");
		ssize_t bytes = recvmsg(wire->far_fd, &message, 0);

		if (bytes > (ssize_t)sizeof(*hdr) && frame[5] == 9)
			return (size_t)bytes - sizeof(*hdr);
	}
}

static void fill(struct frame *frame, struct iovec *body, uint8_t *bytes, size_t n)
{
	*frame = (struct frame){.len = (uint32_t)n, .head_len = FRAME_HEAD_BYTES, .n_iov = 2};
	memcpy(frame->head, bytes, FRAME_HEAD_BYTES);
	body[0] = (struct iovec){bytes + FRAME_HEAD_BYTES, 3};
	body[1] = (struct iovec){bytes + FRAME_HEAD_BYTES + 3, n - FRAME_HEAD_BYTES - 3};
	frame->iov = body;
}

static void frames_leave_gathered_with_their_offloads(void **state)
{
	struct wire *wire = *state;
	uint8_t *bytes = malloc(FRAME_BYTES_MAX), *got = malloc(FRAME_BYTES_MAX);
	struct counters_block count = {0};
	struct virtio_net_hdr hdr, got_hdr;
	struct iovec body[2];
	struct frame *frame = aligned_alloc(64, sizeof(*frame));
	struct port_out out = {.frame = frame};

	assert_true(bytes != NULL && got != NULL && frame != NULL);
	size_t n = build_tcp(bytes, 60000, 0, &hdr);

	fill(frame, body, bytes, n);
	frame->vnet.hdr = hdr;
	af_packet_driver.send(&wire->queue, &out, 1, &count);
	assert_int_equal(receive_far(wire, &got_hdr, got), n);
	assert_memory_equal(got, bytes, n);
	assert_int_equal(got_hdr.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(got_hdr.gso_size, 1000);
	assert_int_equal(count.tx_frames, 1);
	assert_int_equal(count.tx_bytes, n);
	assert_int_equal(count.tx_gso_frames, 1);
	free(frame);
	free(bytes);
	free(got);
}

static void outer_headers_go_in_front(void **state)
{
	struct wire *wire = *state;
	uint8_t bytes[512], outer[50] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb5, 1, 2, 3};
	uint8_t *got = malloc(FRAME_BYTES_MAX);
	struct counters_block count = {0};
	struct virtio_net_hdr got_hdr;
	struct iovec body[2];
	struct frame *frame = aligned_alloc(64, sizeof(*frame));
	struct port_out out[BURST_FRAMES];
	size_t n = build(bytes, TEST_PROTOCOL, 400, 0);

	assert_true(got != NULL && frame != NULL);
	fill(frame, body, bytes, n);
	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		out[i] = (struct port_out){frame, outer, sizeof(outer)};
	af_packet_driver.send(&wire->queue, out, BURST_FRAMES, &count);
	for (unsigned int i = 0; i < BURST_FRAMES; i++) {
		assert_int_equal(receive_far(wire, &got_hdr, got), n + sizeof(outer));
		assert_memory_equal(got, outer, sizeof(outer));
		assert_memory_equal(got + sizeof(outer), bytes, n);
	}
	assert_int_equal(count.tx_frames, BURST_FRAMES);
	assert_int_equal(count.tx_bytes, BURST_FRAMES * n);
	free(frame);
	free(got);
}

/* What the kernel does not take is dropped by name, and what is behind it goes on. */
static void refused_frames_are_counted(void **state)
{
	struct wire *wire = *state;
	uint8_t bytes[4096], *got = malloc(FRAME_BYTES_MAX);
	struct counters_block count = {0};
	struct virtio_net_hdr got_hdr;
	struct iovec bodies[2][2];
	struct frame *frames = aligned_alloc(64, 2 * sizeof(*frames));
	struct port_out out[] = {{.frame = &frames[0]}, {.frame = &frames[1]}};

	assert_true(got != NULL && frames != NULL);
	build(bytes, TEST_PROTOCOL, 4000, 0);
	fill(&frames[0], bodies[0], bytes, 3000);
	fill(&frames[1], bodies[1], bytes, 300);
	af_packet_driver.send(&wire->queue, out, 2, &count);
	assert_int_equal(receive_far(wire, &got_hdr, got), 300);
	assert_int_equal(count.tx_frames, 1);
	assert_int_equal(count.drops[DROP_UPLINK_ERROR], 1);
	run("ip link set u0 down");
	af_packet_driver.send(&wire->queue, &out[1], 1, &count);
	assert_int_equal(count.drops[DROP_UPLINK_ERROR], 2);
	run("ip link set u0 up");
	sandbox_await_running("u0");
	af_packet_driver.send(&wire->queue, &out[1], 1, &count);
	assert_int_equal(count.tx_frames, 2);
	free(frames);
	free(got);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(frames_of_every_size_come_as_they_were_sent),
		TEST(tags_stand_where_the_sender_put_them),
		TEST(large_frames_come_whole_and_in_order),
		TEST(a_frame_longer_than_any_is_refused_and_the_next_is_whole),
		TEST(what_came_before_the_start_is_thrown_away),
		TEST(what_does_not_fit_the_ring_is_counted_and_the_rest_goes_on),
		TEST(frames_leave_gathered_with_their_offloads),
		TEST(outer_headers_go_in_front),
		TEST(refused_frames_are_counted),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
