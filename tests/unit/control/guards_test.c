/* SPDX-License-Identifier: BSD-3-Clause */
/* Guards and limits: from the words of an object to what its message says. */
#include "control/guards.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "control/encode.h"
#include "control/spec.h"

#define DEFAULT (DP_GUARD_DHCP | DP_GUARD_RA | DP_GUARD_UNREADABLE | DP_GUARD_SNOOP)
#define ALL (DP_GUARD_MAC | DP_GUARD_IP | DP_GUARD_ARP | DP_GUARD_DHCP | DP_GUARD_RA)

static struct dp_segment segment(const char *words)
{
	struct problem problem = {.code = ""};
	struct model model = {.n_segments = 0};
	struct model_segment segment;
	struct dp_segment message;
	json_t *json = json_loads(words, 0, NULL);

	assert_non_null(json);
	json_object_set_new(json, "vni", json_integer(100));
	if (spec_parse_segment("ALPHA", json, &segment, &problem) < 0)
		fail_msg("%s", problem.detail);
	encode_segment(&model, &segment, &message);
	json_decref(json);
	return message;
}

static int parse_port(const char *words, struct model_port *port, struct problem *problem)
{
	json_t *json = json_loads(words, 0, NULL);

	assert_non_null(json);
	json_object_set_new(json, "type", json_string("tap"));
	json_object_set_new(json, "segment", json_string("ALPHA"));
	int error = spec_parse_port("cluster", "p1", json, port, problem);
	json_decref(json);
	return error;
}

static struct dp_port port(const char *words)
{
	struct problem problem = {.code = ""};
	struct model_port port;
	struct dp_port message = {0};

	if (parse_port(words, &port, &problem) < 0)
		fail_msg("%s", problem.detail);
	guards_encode_port(&port, &message);
	return message;
}

static void roles_are_guarded_by_default_and_senders_are_not(void **state)
{
	assert_int_equal(segment("{}").guards, DEFAULT);
	assert_int_equal(port("{}").guards_on, 0);
	assert_int_equal(port("{}").guards_off, 0);
}

static void one_word_sets_all_guards(void **state)
{
	assert_int_equal(segment("{\"guard\": \"on\"}").guards, DEFAULT | ALL);
	assert_int_equal(segment("{\"guard\": \"off\"}").guards,
			 DP_GUARD_UNREADABLE | DP_GUARD_SNOOP);
	assert_int_equal(port("{\"guard\": \"on\"}").guards_on, ALL);
	assert_int_equal(port("{\"guard\": \"off\"}").guards_off, ALL);
}

static void the_more_specific_word_wins(void **state)
{
	assert_int_equal(segment("{\"guard\": \"on\", \"mac_guard\": \"off\"}").guards,
			 (DEFAULT | ALL) & ~DP_GUARD_MAC);
	assert_int_equal(segment("{\"guard\": \"off\", \"arp_guard\": \"on\"}").guards,
			 DP_GUARD_ARP | DP_GUARD_UNREADABLE | DP_GUARD_SNOOP);
	struct dp_port nested = port("{\"guard\": \"on\", \"mac_guard\": \"off\"}");

	assert_int_equal(nested.guards_on, ALL & ~DP_GUARD_MAC);
	assert_int_equal(nested.guards_off, DP_GUARD_MAC);
	assert_int_equal(port("{\"snoop\": \"off\"}").guards_off, DP_GUARD_SNOOP);
	assert_int_equal(segment("{\"snoop\": \"off\"}").guards, DEFAULT & ~DP_GUARD_SNOOP);
}

static void a_role_takes_its_guards_away(void **state)
{
	struct dp_port router = port("{\"guard\": \"on\", \"router\": \"on\"}");
	struct dp_port server = port("{\"dhcp_server\": \"on\"}");

	assert_int_equal(router.guards_on, DP_GUARD_MAC | DP_GUARD_ARP | DP_GUARD_DHCP);
	assert_int_equal(router.guards_off, DP_GUARD_RA | DP_GUARD_IP | DP_GUARD_UNREADABLE);
	assert_int_equal(server.guards_off, DP_GUARD_DHCP);
}

static void rates_have_defaults_and_zero_is_none(void **state)
{
	assert_int_equal(port("{}").storm_pps[DP_STORM_BROADCAST], 10000);
	assert_int_equal(segment("{}").storm_pps[DP_STORM_UNKNOWN], 500000);
	assert_int_equal(port("{\"multicast_pps\": 7}").storm_pps[DP_STORM_MULTICAST], 7);
	assert_int_equal(port("{\"unknown_pps\": 0}").storm_pps[DP_STORM_UNKNOWN], 0);
}

static void addresses_are_lists_of_addresses_and_prefixes(void **state)
{
	struct dp_port message =
		port("{\"addresses\": \"10.1.0.0/16,fd00::2\", \"ip\": \"10.0.0.1/24\"}");

	assert_int_equal(message.n_addresses, 3);
	assert_int_equal(message.addresses[0].prefix_bits, 16);
	assert_memory_equal(message.addresses[0].ip, "\x0a\x01\x00\x00", 5);
	assert_int_equal(message.addresses[1].version, 6);
	assert_int_equal(message.addresses[1].prefix_bits, 128);
	/* What weftd sets on the device is the host, not its network. */
	assert_int_equal(message.addresses[2].version, 4);
	assert_int_equal(message.addresses[2].prefix_bits, 32);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"10.0.0",     "10.0.0.1,",   ",10.0.0.1", "10.0.0.1/33",
		"10.0.0.1/",  "10.0.0.1/-1", "fd00::/129", "fd00::/64/1",
		"host.name",  "10.0.0.1;",   "10.0.0.1/ 8", "::1%lo",
	};
	struct dp_address list[DP_ADDRESSES_MAX];
	char many[128] = "::";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(guards_parse_addresses(bad[i], list), -EINVAL);
	for (int i = 1; i < DP_ADDRESSES_MAX; i++)
		strcat(many, ",::");
	assert_int_equal(guards_parse_addresses(many, list), DP_ADDRESSES_MAX);
	strcat(many, ",::");
	assert_int_equal(guards_parse_addresses(many, list), -EINVAL);
}

static void a_wrong_word_says_what_is_right(void **state)
{
	static const struct {
		const char *words, *says;
	} rows[] = {
		{"{\"guard\": \"yes\"}", "guard=yes: use one of segment|on|off"},
		{"{\"addresses\": \"10.0.0\"}", "write it as 10.0.1.2,10.1.0.0/16,fd00::2"},
		{"{\"broadcast_pps\": \"10k\"}", "use a number from 0 to 10000000 frames/s"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct problem problem = {.code = ""};
		struct model_port port;

		assert_int_equal(parse_port(rows[i].words, &port, &problem), -EINVAL);
		if (strstr(problem.detail, rows[i].says) == NULL)
			fail_msg("%s", problem.detail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_are_guarded_by_default_and_senders_are_not),
		cmocka_unit_test(one_word_sets_all_guards),
		cmocka_unit_test(the_more_specific_word_wins),
		cmocka_unit_test(a_role_takes_its_guards_away),
		cmocka_unit_test(rates_have_defaults_and_zero_is_none),
		cmocka_unit_test(addresses_are_lists_of_addresses_and_prefixes),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_wrong_word_says_what_is_right),
	};

	return cmocka_run_group_tests_name("guards", tests, NULL, NULL);
}
