/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes, out and back. Runs on weftd's thread. */
#include "control/overlay_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/loop.h"
#include "vxlan/vxlan.h"
#include "vxlan/vxlan_probe.h"

#define NS_PER_MS 1000000ULL
#define PACE_NS (1000000000ULL / OVERLAY_TEST_PER_S)
#define SMALL_GRACE_NS (500 * NS_PER_MS) /* after the last one */
#define GRACE_MIN_NS (100 * NS_PER_MS)
#define GRACE_DELAYS 4 /* of the slowest answer, if that is more */
#define PORTS (UINT16_MAX - VXLAN_PROBE_PORT_MIN + 1)
#define PORT_STRIDE 251 /* prime: ports that differ in many bits */
#define BIND_TRIES 32
#define ANSWER_BYTES_MAX 256
#define PROBE_BYTES_MAX 65535
#define VXLAN_BYTES ((uint32_t)sizeof(struct vxlan_header))

union address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

struct source {
	struct overlay_test *test;
	struct loop_watch *watch;
	int fd;
	bool has_answered;
};

struct overlay_test {
	struct overlay_test_result result;
	struct source sources[OVERLAY_TEST_PORTS];
	uint64_t token;
	unsigned int n_sent, n_answered; /* n_sent: tried, too */
	uint64_t next_ns;		 /* the next one is due, or the wait is over */
	uint64_t slowest_ns;
	/* The search: what is known to arrive, and not to; packets of `length` are under way. */
	uint32_t good_bytes, bad_bytes, length;
	bool is_searching, is_under_way, has_length_arrived, has_ended;
	unsigned int next_source;
	uint8_t packet[PROBE_BYTES_MAX];
};

/* --- sockets --- */

static socklen_t make_address(const struct route_address *from, uint16_t port, union address *to)
{
	memset(to, 0, sizeof(*to));
	if (from->family == AF_INET) {
		to->ipv4.sin_family = AF_INET;
		to->ipv4.sin_port = htons(port);
		memcpy(&to->ipv4.sin_addr, from->bytes, sizeof(to->ipv4.sin_addr));
		return sizeof(to->ipv4);
	}
	to->ipv6.sin6_family = AF_INET6;
	to->ipv6.sin6_port = htons(port);
	memcpy(&to->ipv6.sin6_addr, from->bytes, sizeof(to->ipv6.sin6_addr));
	return sizeof(to->ipv6);
}

/* What is too long for a link is not cut, and what the kernel believes of the path is not heeded:
 * it is what is to be found out. */
static int forbid_fragments(int fd, int family)
{
	int value = family == AF_INET ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;

	return family == AF_INET
		       ? setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof(value))
		       : setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, sizeof(value));
}

/* A port that nobody has, near the one that is wanted. */
static int bind_near(const struct overlay_test *test, int fd, unsigned int wanted, uint16_t *port)
{
	union address from;

	for (unsigned int i = 0; i < BIND_TRIES; i++) {
		*port = (uint16_t)(VXLAN_PROBE_PORT_MIN + (wanted + i) % PORTS);
		socklen_t n = make_address(&test->result.spec.way.from, *port, &from);

		if (bind(fd, &from.any, n) == 0)
			return 0;
		if (errno != EADDRINUSE)
			break;
	}
	return -errno;
}

static void on_answer(void *ctx, uint32_t events, uint64_t now_ns);

static int open_source(struct overlay_test *test, struct loop *loop, unsigned int i)
{
	const struct overlay_test_spec *spec = &test->result.spec;
	struct source *source = &test->sources[i];
	unsigned int wanted = (unsigned int)(test->token % PORTS) + i * PORT_STRIDE;
	union address to;
	socklen_t n = make_address(&spec->way.to, spec->vxlan_port, &to);

	source->test = test;
	source->fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (source->fd < 0 || forbid_fragments(source->fd, to.any.sa_family) < 0)
		return -errno;
	int error = bind_near(test, source->fd, wanted, &test->result.ports[i]);

	if (error < 0)
		return error;
	/* So that only the peer's answers come here, and what ICMP says of them. */
	if (connect(source->fd, &to.any, n) < 0)
		return -errno;
	return loop_add(loop, source->fd, EPOLLIN, on_answer, source, &source->watch);
}

int overlay_test_create(struct loop *loop, const struct overlay_test_spec *spec,
			struct overlay_test **out)
{
	struct overlay_test *test = calloc(1, sizeof(*test));
	int error = 0;

	if (test == NULL)
		return -ENOMEM;
	test->result.spec = *spec;
	for (unsigned int i = 0; i < OVERLAY_TEST_PORTS; i++)
		test->sources[i].fd = -1;
	if (getrandom(&test->token, sizeof(test->token), 0) != sizeof(test->token))
		error = -errno;
	for (unsigned int i = 0; i < OVERLAY_TEST_PORTS && error == 0; i++)
		error = open_source(test, loop, i);
	if (error < 0) {
		overlay_test_destroy(test);
		return error;
	}
	*out = test;
	return 0;
}

void overlay_test_destroy(struct overlay_test *test)
{
	if (test == NULL)
		return;
	for (unsigned int i = 0; i < OVERLAY_TEST_PORTS; i++) {
		loop_remove(test->sources[i].watch);
		if (test->sources[i].fd >= 0)
			close(test->sources[i].fd);
	}
	free(test);
}

const struct overlay_test_result *overlay_test_result(const struct overlay_test *test)
{
	return &test->result;
}

/* --- answers --- */

static void take_answer(struct source *source, const struct vxlan_probe *answer, uint64_t now_ns)
{
	struct overlay_test *test = source->test;

	if (!answer->is_answer || answer->token != test->token || answer->sequence >= test->n_sent)
		return;
	struct overlay_test_probe *probe = &test->result.probes[answer->sequence];

	if (probe->sent_ns == 0 || probe->delay_ns != 0)
		return;
	probe->delay_ns = now_ns > probe->sent_ns ? now_ns - probe->sent_ns : 1;
	probe->seen_port = answer->src_port;
	probe->seen_checksum = answer->has_checksum;
	test->result.ttl = answer->ttl;
	source->has_answered = true;
	test->n_answered++;
	if (probe->delay_ns > test->slowest_ns)
		test->slowest_ns = probe->delay_ns;
	/* What arrived longer than it was sent has been put together on the way. */
	if (answer->sequence >= OVERLAY_TEST_SMALL && answer->packet_bytes == test->length)
		test->has_length_arrived = true;
}

static void on_answer(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct source *source = ctx;
	uint8_t bytes[ANSWER_BYTES_MAX];
	struct vxlan_probe answer;

	/* As many as there can be; an error of the socket is one, too. */
	for (unsigned int i = 0; i < OVERLAY_TEST_PROBES; i++) {
		ssize_t n = recv(source->fd, bytes, sizeof(bytes), 0);

		if (n < 0 && errno == ECONNREFUSED)
			source->test->result.error = -ECONNREFUSED;
		if (n < 0)
			return;
		if (n > (ssize_t)VXLAN_BYTES && bytes[0] == VXLAN_FLAG_VNI &&
		    vxlan_probe_read(bytes + VXLAN_BYTES, (uint32_t)n - VXLAN_BYTES, &answer))
			take_answer(source, &answer, now_ns);
	}
}

/* --- questions --- */

/* Bytes in front of the UDP payload. */
static uint32_t outer_bytes(const struct overlay_test *test)
{
	bool is_ipv4 = test->result.spec.way.from.family == AF_INET;

	return (is_ipv4 ? 20u : 40u) + (uint32_t)sizeof(struct udphdr);
}

static uint32_t small_bytes(const struct overlay_test *test)
{
	return outer_bytes(test) + VXLAN_BYTES + VXLAN_PROBE_BYTES;
}

static void send_probe(struct overlay_test *test, unsigned int i, uint32_t packet_bytes, bool bare,
		       uint64_t now_ns)
{
	struct source *source = &test->sources[i];
	struct overlay_test_probe *probe = &test->result.probes[test->n_sent];
	struct vxlan_probe question = {.token = test->token, .sequence = test->n_sent};
	int no_check = bare;

	test->n_sent++;
	memset(test->packet, 0, VXLAN_BYTES);
	test->packet[0] = VXLAN_FLAG_VNI;
	vxlan_probe_write(&question, test->packet + VXLAN_BYTES);
	probe->had_checksum = !bare;
	if (setsockopt(source->fd, SOL_SOCKET, SO_NO_CHECK, &no_check, sizeof(no_check)) == 0 &&
	    send(source->fd, test->packet, packet_bytes - outer_bytes(test), 0) >= 0)
		probe->sent_ns = now_ns;
	/* That it is too long is what is asked. */
	else if (errno != EMSGSIZE)
		test->result.error = -errno;
}

static void begin_length(struct overlay_test *test, uint32_t length)
{
	test->length = length;
	test->has_length_arrived = false;
}

static void begin_search(struct overlay_test *test)
{
	test->is_searching = true;
	test->good_bytes = small_bytes(test);
	test->bad_bytes = test->result.spec.way.mtu_bytes + 1;
	begin_length(test, test->result.spec.way.mtu_bytes);
}

/* One that has answered: a port that leads nowhere says nothing about lengths. */
static unsigned int choose_source(struct overlay_test *test)
{
	do
		test->next_source = (test->next_source + 1) % OVERLAY_TEST_PORTS;
	while (!test->sources[test->next_source].has_answered);
	return test->next_source;
}

static uint64_t grace_ns(const struct overlay_test *test)
{
	uint64_t grace = GRACE_DELAYS * test->slowest_ns;

	return grace > GRACE_MIN_NS ? grace : GRACE_MIN_NS;
}

/* The length has been tried: half of what is between, or the end. */
static void conclude(struct overlay_test *test)
{
	if (test->has_length_arrived)
		test->good_bytes = test->length;
	else
		test->bad_bytes = test->length;
	test->result.path_bytes = test->good_bytes;
	if (test->good_bytes + 1 >= test->bad_bytes ||
	    test->n_sent + OVERLAY_TEST_TRIES > OVERLAY_TEST_PROBES)
		test->has_ended = true;
	else
		begin_length(test, test->good_bytes + (test->bad_bytes - test->good_bytes) / 2);
}

static void run_small(struct overlay_test *test, uint64_t now_ns)
{
	while (test->n_sent < OVERLAY_TEST_SMALL && now_ns >= test->next_ns) {
		bool bare = test->result.spec.has_bare && test->n_sent >= OVERLAY_TEST_PORTS;

		send_probe(test, test->n_sent % OVERLAY_TEST_PORTS, small_bytes(test), bare,
			   now_ns);
		test->next_ns = (test->next_ns != 0 ? test->next_ns : now_ns) + PACE_NS;
		if (test->n_sent == OVERLAY_TEST_SMALL)
			test->next_ns = now_ns + SMALL_GRACE_NS;
	}
	if (test->n_sent < OVERLAY_TEST_SMALL ||
	    (now_ns < test->next_ns && test->n_answered < OVERLAY_TEST_SMALL))
		return;
	if (test->n_answered == 0)
		test->has_ended = true;
	else
		begin_search(test);
	test->next_ns = now_ns;
}

static void run_search(struct overlay_test *test, uint64_t now_ns)
{
	if (test->is_under_way && !test->has_length_arrived && now_ns < test->next_ns)
		return;
	if (test->is_under_way)
		conclude(test);
	test->is_under_way = !test->has_ended;
	if (test->has_ended)
		return;
	for (unsigned int i = 0; i < OVERLAY_TEST_TRIES; i++)
		send_probe(test, choose_source(test), test->length, false, now_ns);
	test->next_ns = now_ns + grace_ns(test);
}

int overlay_test_run(struct overlay_test *test, uint64_t now_ns)
{
	if (!test->has_ended && !test->is_searching)
		run_small(test, now_ns);
	if (!test->has_ended && test->is_searching)
		run_search(test, now_ns);
	if (test->has_ended)
		return -1;
	return test->next_ns > now_ns ? (int)((test->next_ns - now_ns) / NS_PER_MS) + 1 : 0;
}
