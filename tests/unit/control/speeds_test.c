/* SPDX-License-Identifier: BSD-3-Clause */
/* Speeds of links as capacities of pools. The linker puts the test in place of the kernel. */
#include "control/speeds.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/api/dp_msg.h"
#include "dataplane/api/kinds.h"

#define GBPS UINT64_C(1000000000)

/* What is said of eth0; every other interface is not there. */
static int eth0_error;
static uint64_t eth0_bps;

int __wrap_link_speed_read(const char *ifname, uint64_t *speed_bps);

int __wrap_link_speed_read(const char *ifname, uint64_t *speed_bps)
{
	if (strcmp(ifname, "eth0") != 0)
		return -ENODEV;
	if (eth0_error == 0)
		*speed_bps = eth0_bps;
	return eth0_error;
}

/* Its interface is of the same name. */
static void put_port(struct model *model, const struct port_kind *kind, const char *name)
{
	struct model_port port = {.kind = kind};

	snprintf(port.name, sizeof(port.name), "%s", name);
	assert_int_equal(model_put(model, MODEL_PORT, &port.object), 0);
}

static void put_pool(struct model *model, const char *uplink, bool is_derived,
		     uint64_t capacity_bps)
{
	struct model_pool pool = {.is_derived = is_derived,
				  .capacity_bps = {capacity_bps, capacity_bps}};

	snprintf(pool.name, sizeof(pool.name), "wan");
	snprintf(pool.uplink, sizeof(pool.uplink), "%s", uplink);
	assert_int_equal(model_put(model, MODEL_POOL, &pool.object), 0);
}

/* An uplink, and the pool wan that stands for it. */
static struct model *make(const char *uplink, uint64_t capacity_bps)
{
	struct model *model;

	assert_int_equal(model_create(&model), 0);
	put_port(model, &kind_uplink, uplink);
	put_pool(model, uplink, true, capacity_bps);
	return model;
}

static void assert_capacity(const struct model *model, uint64_t bps)
{
	for (unsigned int way = 0; way < DP_WAYS; way++)
		assert_int_equal(model_pool(model, "wan")->capacity_bps[way], bps);
}

static int setup(void **state)
{
	eth0_error = 0;
	eth0_bps = 10 * GBPS;
	return 0;
}

static void a_pool_has_the_speed_of_its_link(void **state)
{
	struct model *model = make("eth0", 0);

	assert_true(speeds_find(model, model, false));
	assert_capacity(model, 10 * GBPS);
	assert_false(speeds_find(model, model, false));
	eth0_bps = GBPS;
	assert_true(speeds_find(model, model, false));
	assert_capacity(model, GBPS);
	/* More than the dataplane takes. */
	eth0_bps = 2 * DP_RATE_BPS_MAX;
	assert_true(speeds_find(model, model, false));
	assert_capacity(model, DP_RATE_BPS_MAX);
	model_destroy(model);
}

static void what_was_written_stays(void **state)
{
	struct model *model = make("eth0", 0);

	put_pool(model, "eth0", false, 7 * GBPS);
	assert_false(speeds_find(model, model, true));
	assert_capacity(model, 7 * GBPS);
	model_destroy(model);
}

static void a_link_without_a_carrier_keeps_its_speed(void **state)
{
	struct model *former = make("eth0", 5 * GBPS), *model = make("eth0", 0);

	eth0_error = -ENODATA;
	assert_true(speeds_find(model, former, false));
	assert_capacity(model, 5 * GBPS);
	assert_false(speeds_find(former, former, true));
	assert_capacity(former, 5 * GBPS);
	model_destroy(model);
	model_destroy(former);
}

/* It was known of another interface, of a port that was none, or by what a user wrote. */
static void what_was_known_of_something_else_is_not_taken(void **state)
{
	struct model *former = make("eth1", 5 * GBPS), *model = make("eth0", 0), *empty;

	eth0_error = -ENODATA;
	assert_int_equal(model_create(&empty), 0);
	assert_false(speeds_find(model, empty, false));
	assert_false(speeds_find(model, former, false));
	assert_capacity(model, 0);
	put_port(former, &kind_uplink, "eth0");
	put_pool(former, "eth0", false, 5 * GBPS);
	assert_false(speeds_find(model, former, false));
	put_port(former, &kind_tap, "eth0");
	put_pool(former, "eth0", true, 5 * GBPS);
	assert_false(speeds_find(model, former, false));
	assert_capacity(model, 0);
	model_destroy(empty);
	model_destroy(former);
	model_destroy(model);
}

static void what_is_not_known_is_all_there_can_be_if_it_must(void **state)
{
	struct model *model = make("eth1", 0);

	assert_false(speeds_find(model, model, false));
	assert_capacity(model, 0);
	assert_true(speeds_find(model, model, true));
	assert_capacity(model, DP_RATE_BPS_MAX);
	model_del(model, MODEL_PORT, "eth1");
	put_pool(model, "eth1", true, 0);
	assert_false(speeds_find(model, model, false));
	assert_true(speeds_find(model, model, true));
	assert_capacity(model, DP_RATE_BPS_MAX);
	model_destroy(model);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pool_has_the_speed_of_its_link),
		TEST(what_was_written_stays),
		TEST(a_link_without_a_carrier_keeps_its_speed),
		TEST(what_was_known_of_something_else_is_not_taken),
		TEST(what_is_not_known_is_all_there_can_be_if_it_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
