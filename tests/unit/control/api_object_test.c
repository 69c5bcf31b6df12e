/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of objects: what they show of others, and that one reader of a large configuration holds up
 * nobody. Time is the process's own, so that a busy host changes nothing; what grows with the
 * square takes many times as long as is allowed here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "control/api.h"
#include "control/config.h"
#include "tests/unit/control/store_sqlite_space.h"

#define MANY 40000
#define LIST_S_MAX 3

struct fixture {
	struct store_sqlite_space *space;
	struct store *store;
	struct control control;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct problem problem = {0};

	fixture->space = store_sqlite_space_create();
	fixture->store = store_sqlite_space_open(fixture->space);
	fixture->control.cluster = "test";
	assert_int_equal(config_open(fixture->store, "test", 1, &fixture->control.config,
				     &fixture->control.model, &problem),
			 0);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	config_close(fixture->control.config);
	model_destroy(fixture->control.model);
	store_close(fixture->store);
	store_sqlite_space_destroy(fixture->space);
	free(fixture);
	return 0;
}

/* In the order of their names: so the model has nothing to move. */
static void put(struct fixture *fixture, enum model_kind kind, union model_any *object,
		const char *prefix, int i)
{
	snprintf(object->object.name, sizeof(object->object.name), "%s%06d", prefix, i);
	assert_int_equal(model_put(fixture->control.model, kind, &object->object), 0);
}

/* The list of the kind, by its name; to be let go. */
static json_t *list(struct fixture *fixture, enum model_kind kind, const char *plural)
{
	struct http_request request = {.tag = kind};
	struct http_reply reply = {0};
	struct problem problem = {0};
	clock_t start = clock();

	assert_int_equal(api_list_objects(&fixture->control, &request, &reply, &problem), 0);
	double took_s = (double)(clock() - start) / CLOCKS_PER_SEC;

	if (took_s > LIST_S_MAX)
		fail_msg("%s: %.1f s", plural, took_s);
	json_t *objects = json_incref(json_object_get(reply.json, plural));

	json_decref(reply.json);
	assert_int_equal(json_array_size(objects), fixture->control.model->lists[kind].n);
	return objects;
}

static const char *text_at(json_t *object, const char *key, const char *inner)
{
	json_t *status = json_object_get(object, "status");

	return json_string_value(json_object_get(json_object_get(status, key), inner));
}

static void vms_with_their_ports(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < MANY; i++) {
		union model_any vm = {0}, port = {.port.kind = port_kinds_find("vhost-user")};

		put(fixture, MODEL_VM, &vm, "vm", i);
		/* None for the first, three for the last, and one whose vm is not declared. */
		snprintf(port.port.vm, sizeof(port.port.vm), "vm%06d",
			 i > MANY - 4 ? MANY - 1 : i + 1);
		put(fixture, MODEL_PORT, &port, "p", i);
	}
	union model_any stray = {.port = {.kind = port_kinds_find("tap"), .vm = "nobody"}};

	put(fixture, MODEL_PORT, &stray, "p", MANY);
	json_t *vms = list(fixture, MODEL_VM, "vms");
	json_t *first = json_object_get(json_array_get(vms, 0), "status");
	json_t *last = json_object_get(json_array_get(vms, MANY - 1), "status");

	assert_int_equal(json_array_size(json_object_get(first, "ports")), 0);
	assert_int_equal(json_array_size(json_object_get(last, "ports")), 3);
	assert_string_equal(json_string_value(json_array_get(json_object_get(last, "ports"), 0)),
			    "p039997");
	json_decref(vms);
}

static void pools_with_what_is_assured(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < MANY; i++) {
		union model_any pool = {.pool.capacity_bps = {1000000000, 1000000000}};
		union model_any channel = {.channel.ways = {{.rate_bps = 1000, .weight = 1},
							    {.rate_bps = 2000, .weight = 1}}};

		put(fixture, MODEL_POOL, &pool, "pool", i);
		snprintf(channel.channel.pool, sizeof(channel.channel.pool), "pool%06d", i / 2);
		put(fixture, MODEL_CHANNEL, &channel, "c", i);
	}
	json_t *pools = list(fixture, MODEL_POOL, "pools");

	assert_string_equal(text_at(json_array_get(pools, 7), "tx", "assured"), "2k");
	assert_string_equal(text_at(json_array_get(pools, 7), "rx", "assured"), "4k");
	assert_string_equal(text_at(json_array_get(pools, MANY - 1), "tx", "assured"), "0");
	json_decref(pools);
}

static void channels_with_bursts_of_the_largest_frame(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 5 * MANY; i++) {
		union model_any segment = {.segment.mtu = i == MANY ? 9000 : 1500};

		put(fixture, MODEL_SEGMENT, &segment, "s", i);
	}
	for (int i = 0; i < MANY / 2; i++) {
		union model_any channel = {.channel.ways = {{.ceil_bps = 1000, .weight = 1},
							    {.ceil_bps = 1000, .weight = 1}}};

		put(fixture, MODEL_CHANNEL, &channel, "c", i);
	}
	json_t *channels = list(fixture, MODEL_CHANNEL, "channels");

	assert_string_equal(text_at(json_array_get(channels, 7), "tx", "burst"), "9.014k");
	json_decref(channels);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(vms_with_their_ports),
		TEST(pools_with_what_is_assured),
		TEST(channels_with_bursts_of_the_largest_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
