/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tap/route.h: ways to other hosts, as the kernel has them.
 *
 *     sandbox  u0 10.9.0.1/24, fd09::1/64 ── veth ── u1 10.9.0.2/24, fd09::2/64  namespace b
 */
#include "tap/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/lib/deadline.h"
#include "tests/unit/tap/sandbox.h"

#define DEADLINE_MS 10000

static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 0xb};

/* Another program than ours makes what ours shall find. */
static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int set_up(void **state)
{
	struct route_ctx *ctx;

	sandbox_require();
	sandbox_add_netns("b");
	run("ip link add u0 type veth peer name u1 address 02:00:00:00:00:0b netns b");
	run("ip addr add 10.9.0.1/24 dev u0; ip addr add fd09::1/64 dev u0 nodad;"
	    "ip link set u0 up");
	run("ip -n b addr add 10.9.0.2/24 dev u1; ip -n b addr add fd09::2/64 dev u1 nodad;"
	    "ip -n b link set u1 up");
	assert_int_equal(route_open(&ctx), 0);
	*state = ctx;
	return 0;
}

static int tear_down(void **state)
{
	route_close(*state);
	run("ip link del u0");
	sandbox_del_netns("b");
	return 0;
}

static struct route_address parsed(const char *text)
{
	struct route_address address;

	if (route_parse_address(text, &address) < 0)
		fail_msg("%s", text);
	return address;
}

static int find(struct route_ctx *ctx, const char *from, const char *to, struct route_hop *hop)
{
	struct route_address a = parsed(from), b = parsed(to);

	return route_find(ctx, &a, &b, hop);
}

static void only_addresses_of_hosts_are_parsed(void **state)
{
	static const char *const bad[] = {
		"",   "10.9.0", "10.9.0.1/24", "0.0.0.0", "127.0.0.1",	    "224.0.0.1",
		"::", "::1",	"ff02::1",     "fe80::1", "::ffff:10.9.0.1"};
	struct route_address address;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (route_parse_address(bad[i], &address) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(parsed("10.9.0.1").family, AF_INET);
	assert_int_equal(parsed("fd09::1").family, AF_INET6);
	assert_int_equal(parsed("10.9.0.1").bytes[3], 1);
}

/* Asks until the kernel has answered what route_probe() set off: again and again, as the first
 * question may go to a link that is only coming up. */
static struct route_hop resolve(struct route_ctx *ctx, const char *from, const char *to)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	struct route_hop hop;

	assert_int_equal(find(ctx, from, to, &hop), 0);
	assert_false(hop.is_resolved);
	while (!hop.is_resolved) {
		struct pollfd pollfd = {.fd = route_fd(ctx), .events = POLLIN};
		struct route_news news;

		assert_false(deadline_passed(deadline));
		assert_int_equal(route_probe(ctx, hop.ifindex, &hop.next), 0);
		poll(&pollfd, 1, 100);
		route_read_news(ctx, &news);
		assert_int_equal(find(ctx, from, to, &hop), 0);
	}
	return hop;
}

static void a_neighbour_is_found_when_it_is_asked_for(void **state)
{
	static const char *const pairs[][2] = {{"10.9.0.1", "10.9.0.2"}, {"fd09::1", "fd09::2"}};

	for (int i = 0; i < 2; i++) {
		struct route_hop hop = resolve(*state, pairs[i][0], pairs[i][1]);
		struct route_address to = parsed(pairs[i][1]);

		assert_int_equal(hop.ifindex, if_nametoindex("u0"));
		assert_true(hop.is_fresh);
		assert_memory_equal(hop.mac, mac_b, sizeof(mac_b));
		assert_true(route_is_same_address(&hop.next, &to));
	}
}

static void a_gateway_is_the_next_hop_and_the_route_may_know_an_mtu(void **state)
{
	struct route_address gateway = parsed("10.9.0.2");
	struct route_hop hop;

	run("ip route add 10.8.0.0/16 via 10.9.0.2 mtu 1400");
	run("ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:77 dev u0 nud permanent");
	assert_int_equal(find(*state, "10.9.0.1", "10.8.1.1", &hop), 0);
	assert_true(route_is_same_address(&hop.next, &gateway));
	assert_int_equal(hop.mtu_bytes, 1400);
	assert_true(hop.is_resolved && hop.is_fresh);
	assert_int_equal(hop.mac[5], 0x77);
}

static void where_there_is_no_way_the_error_says_why(void **state)
{
	struct route_hop hop;

	assert_int_equal(find(*state, "10.9.0.1", "10.77.0.1", &hop), -ENETUNREACH);
	assert_true(find(*state, "10.9.0.9", "10.9.0.2", &hop) < 0);
	assert_int_equal(find(*state, "10.9.0.1", "fd09::2", &hop), -EINVAL);
	assert_int_equal(find(*state, "10.9.0.1", "10.9.0.1", &hop), -ELOOP);
	run("ip route add blackhole 10.66.0.0/16");
	assert_true(find(*state, "10.9.0.1", "10.66.0.1", &hop) < 0);
}

static void a_stale_neighbour_is_not_fresh_and_a_failed_one_not_resolved(void **state)
{
	struct route_hop hop;

	run("ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:0b dev u0 nud stale");
	assert_int_equal(find(*state, "10.9.0.1", "10.9.0.2", &hop), 0);
	assert_true(hop.is_resolved && !hop.is_fresh);
	run("ip neigh change 10.9.0.2 dev u0 nud failed");
	assert_int_equal(find(*state, "10.9.0.1", "10.9.0.2", &hop), 0);
	assert_false(hop.is_resolved);
}

/* Takes news until there is what `wanted` names, or anything but neighbours (NULL). */
static bool hears(struct route_ctx *ctx, const struct route_address *wanted)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	while (!deadline_passed(deadline)) {
		struct pollfd pollfd = {.fd = route_fd(ctx), .events = POLLIN};
		struct route_news news;

		poll(&pollfd, 1, 100);
		route_read_news(ctx, &news);
		if (news.is_all && wanted == NULL)
			return true;
		for (unsigned int i = 0; i < news.n && wanted != NULL; i++) {
			if (route_is_same_address(&news.neighbours[i], wanted))
				return true;
		}
	}
	return false;
}

static void changes_are_news(void **state)
{
	struct route_address b = parsed("10.9.0.2");
	struct route_news news;

	route_read_news(*state, &news);
	run("ip neigh replace 10.9.0.2 lladdr 02:00:00:00:00:0c dev u0 nud permanent");
	assert_true(hears(*state, &b));
	run("ip route add 10.5.0.0/16 via 10.9.0.2");
	assert_true(hears(*state, NULL));
	route_read_news(*state, &news);
	run("ip link set u0 mtu 1400");
	assert_true(hears(*state, NULL));
	route_read_news(*state, &news);
	assert_false(news.is_all);
	assert_int_equal(news.n, 0);
}

static void more_news_than_the_socket_holds_are_answered_by_looking_at_all(void **state)
{
	struct route_news news;

	run("i=0; while [ $i -lt 20000 ]; do echo neigh replace 10.9.0.$((i % 200 + 20)) lladdr"
	    " 02:00:00:00:$((i / 100 % 90 + 10)):0c dev u0 nud permanent; i=$((i + 1)); done"
	    " | ip -batch -");
	route_read_news(*state, &news);
	assert_true(news.is_all);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_addresses_of_hosts_are_parsed),
		TEST(a_neighbour_is_found_when_it_is_asked_for),
		TEST(a_gateway_is_the_next_hop_and_the_route_may_know_an_mtu),
		TEST(where_there_is_no_way_the_error_says_why),
		TEST(a_stale_neighbour_is_not_fresh_and_a_failed_one_not_resolved),
		TEST(changes_are_news),
		TEST(more_news_than_the_socket_holds_are_answered_by_looking_at_all),
	};

	return cmocka_run_group_tests(tests, sandbox_enter, NULL);
}
