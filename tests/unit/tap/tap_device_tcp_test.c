/* SPDX-License-Identifier: BSD-3-Clause */
/* tap/tap_device.h at work: TCP between two namespaces, carried by the test in whole segments. */
#include "tap/tap_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap/tap.h"
#include "tests/unit/tap/device_rig.h"
#include "tests/unit/tap/sandbox.h"

#define DEADLINE_MS 20000

static int create(const char *netns, const char *ip)
{
	struct tap_device_spec spec = {.ifname = "eth0", .netns = netns, .ip = ip, .n_queues = 1};

	return device_rig_create(&spec);
}

/* Two namespaces, each with a TCP socket and a tap; the test is the wire between the taps. */
struct wire {
	int taps[2];
	int sockets[2]; /* sender, receiver */
	unsigned int n_gso_frames;
	size_t longest_bytes;
};

/* One frame from one tap into the other, header and all; false: there was none. */
static bool carry(struct wire *wire, int from)
{
	static uint8_t frame[TAP_HEADER_BYTES + 14 + 65535];
	ssize_t bytes = read(wire->taps[from], frame, sizeof(frame));

	if (bytes < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	wire->n_gso_frames += frame[1] != 0; /* gso_type */
	if ((size_t)bytes > wire->longest_bytes)
		wire->longest_bytes = (size_t)bytes;
	assert_int_equal(write(wire->taps[!from], frame, (size_t)bytes), bytes);
	return true;
}

/* Carries frames until the socket has one of the events. */
static void wait_for(struct wire *wire, int fd, short events)
{
	struct pollfd ready[3] = {
		{.fd = wire->taps[0], .events = POLLIN},
		{.fd = wire->taps[1], .events = POLLIN},
		{.fd = fd, .events = events},
	};

	do {
		if (poll(ready, 3, DEADLINE_MS) <= 0)
			fail_msg("nothing happened for %d ms", DEADLINE_MS);
		for (int from = 0; from < 2; from++)
			while (carry(wire, from))
				continue;
	} while (ready[2].revents == 0);
}

static int open_socket(const char *netns)
{
	int fd;

	sandbox_visit(netns);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	sandbox_visit(NULL);
	assert_return_code(fd, errno);
	return fd;
}

static void connect_ends(struct wire *wire)
{
	const struct sockaddr_in receiver = {
		.sin_family = AF_INET, .sin_port = htons(5001), .sin_addr = {htonl(0x0a000103)}};
	const void *address = &receiver;
	int error, listener = open_socket("d2");
	socklen_t error_bytes = sizeof(error);

	wire->sockets[0] = open_socket("d1");
	assert_return_code(bind(listener, address, sizeof(receiver)), errno);
	assert_return_code(listen(listener, 1), errno);
	assert_int_equal(connect(wire->sockets[0], address, sizeof(receiver)), -1);
	assert_int_equal(errno, EINPROGRESS);
	wait_for(wire, wire->sockets[0], POLLOUT);
	assert_return_code(getsockopt(wire->sockets[0], SOL_SOCKET, SO_ERROR, &error, &error_bytes),
			   errno);
	assert_int_equal(error, 0);
	wait_for(wire, listener, POLLIN);
	wire->sockets[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_return_code(wire->sockets[1], errno);
	close(listener);
}

/* The stream's byte at a position: its period, a prime, lets no frame's length hide a loss. */
static uint8_t stream_byte(size_t position)
{
	return (uint8_t)(position % 251);
}

static size_t send_some(struct wire *wire, size_t sent, size_t total)
{
	static uint8_t block[65536];
	size_t bytes = total - sent < sizeof(block) ? total - sent : sizeof(block);
	ssize_t taken;

	for (size_t i = 0; i < bytes; i++)
		block[i] = stream_byte(sent + i);
	taken = send(wire->sockets[0], block, bytes, MSG_NOSIGNAL);
	assert_true(taken >= 0 || errno == EAGAIN);
	return taken > 0 ? (size_t)taken : 0;
}

static size_t receive_some(struct wire *wire, size_t received)
{
	static uint8_t block[65536];
	ssize_t bytes = recv(wire->sockets[1], block, sizeof(block), 0);

	assert_true(bytes > 0 || (bytes < 0 && errno == EAGAIN));
	for (ssize_t i = 0; i < bytes; i++)
		if (block[i] != stream_byte(received + (size_t)i))
			fail_msg("byte %zu differs", received + (size_t)i);
	return bytes > 0 ? (size_t)bytes : 0;
}

static void tcp_between_namespaces_is_carried_in_whole_segments(void **state)
{
	const size_t total = 8 << 20;
	struct wire wire = {.n_gso_frames = 0};
	size_t sent = 0, received = 0;

	sandbox_require();
	sandbox_add_netns("d1");
	sandbox_add_netns("d2");
	wire.taps[0] = create("d1", "10.0.1.2/24");
	wire.taps[1] = create("d2", "10.0.1.3/24");
	connect_ends(&wire);
	while (received < total) {
		if (sent < total)
			sent += send_some(&wire, sent, total);
		wait_for(&wire, wire.sockets[1], POLLIN);
		received += receive_some(&wire, received);
	}
	assert_true(wire.n_gso_frames > 0);
	assert_true(wire.longest_bytes > 32768);
	print_message("%u TSO frames, the longest of %zu bytes\n", wire.n_gso_frames,
		      wire.longest_bytes);
	tap_close(wire.sockets, 2);
	tap_close(wire.taps, 2);
	sandbox_del_netns("d2");
	sandbox_del_netns("d1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_between_namespaces_is_carried_in_whole_segments),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
