/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding a machine by name, MAC and IP, from what each source says. */
#include "control/where.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/spec.h"

#define CLUSTER "default"

/* web0 and c1 in ALPHA, b0 in BETA; ids are 1, 2 and 11, 12, 13. */
static const char lab[] =
	"{\"web0\": {\"type\": \"vhost-user\", \"segment\": \"ALPHA\", \"vm\": \"web\","
	" \"mac\": \"02:00:00:00:00:01\"},"
	" \"c1\": {\"type\": \"tap\", \"segment\": \"ALPHA\", \"ip\": \"10.0.0.2/24\","
	" \"mac\": \"02:00:00:00:00:02\"},"
	" \"b0\": {\"type\": \"vhost-user\", \"segment\": \"BETA\", \"vm\": \"web\","
	" \"mac\": \"02:00:00:00:00:01\"}}";

static int setup(void **state)
{
	static const char *const names[] = {"web0", "c1", "b0"};
	struct model *model;
	struct problem problem;
	json_t *ports = json_loads(lab, 0, NULL);

	assert_int_equal(model_create(&model), 0);
	for (uint32_t i = 1; i <= 2; i++) {
		json_t *spec = json_pack("{s:i}", "vni", (int)i);
		struct model_segment segment;
		const char *name = i == 1 ? "ALPHA" : "BETA";

		assert_int_equal(spec_parse_segment(name, spec, &segment, &problem), 0);
		segment.id = i;
		assert_int_equal(model_put(model, MODEL_SEGMENT, &segment.object), 0);
		json_decref(spec);
	}
	for (size_t i = 0; i < 3; i++) {
		struct model_port port;

		assert_int_equal(spec_parse_port(CLUSTER, names[i],
						 json_object_get(ports, names[i]), &port, &problem),
				 0);
		port.id = 11 + i;
		assert_int_equal(model_put(model, MODEL_PORT, &port.object), 0);
	}
	json_decref(ports);
	*state = model;
	return 0;
}

static int teardown(void **state)
{
	model_destroy(*state);
	return 0;
}

static struct dp_fdb_entry learned(uint32_t segment, uint64_t port, uint8_t mac, uint32_t age_s)
{
	return (struct dp_fdb_entry){.segment_id = segment,
				     .port_id = port,
				     .mac = {2, 0, 0, 0, 0, mac},
				     .age_s = age_s};
}

static struct dp_neigh_entry heard(uint32_t segment, uint64_t port, uint8_t mac, const char *ip)
{
	struct dp_neigh_entry entry = {.segment_id = segment,
				       .port_id = port,
				       .mac = {2, 0, 0, 0, 0, mac},
				       .version = strchr(ip, ':') != NULL ? 6 : 4,
				       .age_s = 7};

	inet_pton(entry.version == 4 ? AF_INET : AF_INET6, ip, entry.ip);
	return entry;
}

/* "ALPHA web0 02:..:01 [ips] age [sources]" for each place, joined by "; ". */
static void find(struct model *model, const char *query, char text[1024])
{
	struct dp_neigh_entry neigh[] = {heard(1, 11, 1, "10.0.0.1"), heard(1, 11, 1, "fd00::1"),
					 heard(2, 13, 9, "10.0.0.1"), heard(9, 11, 1, "10.0.0.9")};
	struct dp_fdb_entry fdb[] = {learned(1, 11, 1, 3), learned(1, 12, 2, 90),
				     learned(2, 13, 9, 5), learned(1, 12, 1, 1),
				     learned(1, 99, 1, 1)};
	struct where where;
	size_t i;
	json_t *place;

	assert_int_equal(where_init(&where, query, "h1", model), 0);
	where_add_ports(&where);
	for (i = 0; i < sizeof(neigh) / sizeof(neigh[0]); i++)
		where_add_neigh(&where, &neigh[i]);
	for (i = 0; i < sizeof(fdb) / sizeof(fdb[0]); i++)
		where_add_fdb(&where, &fdb[i]);
	json_t *places = where_format(&where);
	text[0] = '\0';
	json_array_foreach(places, i, place) {
		char *ips = json_dumps(json_object_get(place, "ips"), JSON_COMPACT);
		char *sources = json_dumps(json_object_get(place, "sources"), JSON_COMPACT);
		size_t len = strlen(text);

		assert_string_equal(json_string_value(json_object_get(place, "host")), "h1");
		snprintf(text + len, 1024 - len, "%s%s %s %s %s %d %s", i > 0 ? "; " : "",
			 json_string_value(json_object_get(place, "segment")),
			 json_string_value(json_object_get(place, "port")),
			 json_string_value(json_object_get(place, "mac")) + 15, ips,
			 json_is_null(json_object_get(place, "age_s"))
				 ? -1
				 : (int)json_integer_value(json_object_get(place, "age_s")),
			 sources);
		free(ips);
		free(sources);
	}
	json_decref(places);
	where_fini(&where);
}

static void assert_found(void **state, const char *query, const char *expected)
{
	char text[1024];

	find(*state, query, text);
	assert_string_equal(text, expected);
}

static void a_vm_is_where_its_ports_are(void **state)
{
	assert_found(state, "web",
		     "BETA b0 01 [] -1 [\"spec\"]; "
		     "ALPHA web0 01 [\"10.0.0.1\",\"fd00::1\"] 3 [\"spec\",\"neighbour\",\"fdb\"]; "
		     "BETA b0 09 [\"10.0.0.1\"] 5 [\"neighbour\",\"fdb\"]");
}

static void a_port_is_found_by_its_name(void **state)
{
	assert_found(state, "c1",
		     "ALPHA c1 02 [\"10.0.0.2\"] 90 [\"spec\",\"fdb\"]; "
		     "ALPHA c1 01 [] 1 [\"fdb\"]");
}

static void a_mac_that_is_not_where_it_should_be_has_both_places(void **state)
{
	assert_found(state, "02:00:00:00:00:01",
		     "BETA b0 01 [] -1 [\"spec\"]; "
		     "ALPHA web0 01 [\"10.0.0.1\",\"fd00::1\"] 3 [\"spec\",\"neighbour\",\"fdb\"]; "
		     "ALPHA c1 01 [] 1 [\"fdb\"]");
	assert_found(state, "02:00:00:00:00:09",
		     "BETA b0 09 [\"10.0.0.1\"] 5 [\"neighbour\",\"fdb\"]");
}

static void an_ip_is_found_in_each_segment_that_has_it(void **state)
{
	assert_found(state, "10.0.0.1",
		     "ALPHA web0 01 [\"10.0.0.1\"] 3 [\"neighbour\",\"fdb\"]; "
		     "BETA b0 09 [\"10.0.0.1\"] 5 [\"neighbour\",\"fdb\"]; "
		     "ALPHA c1 01 [] 1 [\"fdb\"]");
	assert_found(state, "FD00:0::1",
		     "ALPHA web0 01 [\"fd00::1\"] 3 [\"neighbour\",\"fdb\"]; "
		     "ALPHA c1 01 [] 1 [\"fdb\"]");
	assert_found(state, "10.0.0.2", "ALPHA c1 02 [\"10.0.0.2\"] 90 [\"spec\",\"fdb\"]");
}

static void what_nobody_knows_is_nowhere(void **state)
{
	static const char *const unknown[] = {
		"webb",
		"10.0.0.3",
		"::",
		"02:00:00:00:00:03",
		"2:0:0:0:0",
		"10.0.0.1/24",
		"02:00:00:00:00:01x",
		" ",
		"ALPHA",
	};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_found(state, unknown[i], "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_vm_is_where_its_ports_are),
		TEST(a_port_is_found_by_its_name),
		TEST(a_mac_that_is_not_where_it_should_be_has_both_places),
		TEST(an_ip_is_found_in_each_segment_that_has_it),
		TEST(what_nobody_knows_is_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
