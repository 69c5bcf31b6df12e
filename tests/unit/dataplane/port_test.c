/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/port.c: a port's life, and which worker gets its queue. */
#include "dataplane/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/dataplane.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define WORKERS 3

static int set_up(void **state)
{
	*state = rig_create(WORKERS);
	return 0;
}

static int tear_down(void **state)
{
	dataplane_destroy(*state);
	return 0;
}

static struct port *create(struct dataplane *dp, uint64_t id)
{
	struct dp_port spec = rig_port_spec(id, 0);
	struct port *port = NULL;
	char why[DP_TEXT_BYTES] = "";

	if (port_create(dp, &spec, NULL, 0, &port, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	return port;
}

static void an_unknown_type_is_refused_by_name(void **state)
{
	struct dp_port spec = rig_port_spec(1, 0);
	struct port *port = NULL;
	char why[DP_TEXT_BYTES] = "";

	strcpy(spec.kind, "carrier-pigeon");
	assert_int_equal(port_create(*state, &spec, NULL, 0, &port, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "port p1: unknown type carrier-pigeon");
}

static void a_prepared_port_is_found_only_after_it_is_published(void **state)
{
	struct dataplane *dp = *state;
	struct port *port = create(dp, 5);

	assert_null(port_find(dp, 5));
	port_publish(port);
	assert_ptr_equal(port_find(dp, 5), port);
	assert_null(port_find(dp, 6));
	port_unpublish(port);
	assert_null(port_find(dp, 5));
	port_destroy(port);
}

static void a_failed_prepare_gives_index_slot_and_descriptors_back(void **state)
{
	struct dataplane *dp = *state;
	struct port *port = create(dp, 1);
	uint16_t index = port->index, slot = port->slot;
	struct dp_port spec = rig_port_spec(2, 0);
	char why[DP_TEXT_BYTES] = "";

	port_destroy(port);
	unsigned int n_fds = rig_count_fds();

	strcpy(spec.vm, RIG_CANNOT_PREPARE);
	assert_int_equal(port_create(dp, &spec, NULL, 0, &port, why, sizeof(why)), -EIO);
	assert_string_equal(why, "port p2: cannot be prepared");
	assert_int_equal(rig_count_fds(), n_fds);
	port = create(dp, 3);
	assert_int_equal(port->index, index);
	assert_int_equal(port->slot, slot);
	port_destroy(port);
}

static void a_reserved_index_is_given_to_nobody_else(void **state)
{
	struct dataplane *dp = *state;
	struct port *first = create(dp, 1), *second = create(dp, 2);

	assert_int_not_equal(first->index, 0);
	assert_int_not_equal(first->index, second->index);
	assert_int_not_equal(first->slot, second->slot);
	port_destroy(first);
	port_destroy(second);
}

static void indices_run_out_with_a_clear_word(void **state)
{
	struct dataplane *dp = *state;
	struct dp_port spec = rig_port_spec(1, 0);
	struct port *port = NULL;
	char why[DP_TEXT_BYTES] = "";

	memset(dp->ports_taken, true, sizeof(dp->ports_taken));
	assert_int_equal(port_create(dp, &spec, NULL, 0, &port, why, sizeof(why)), -ENOSPC);
	assert_string_equal(why, "port p1: this host already has 8191 ports, the maximum");
	dp->ports_taken[PORTS_MAX - 1] = false;
	port = create(dp, 1);
	assert_int_equal(port->index, PORTS_MAX - 1);
	port_publish(port);
	assert_int_equal(dp->ports_end, PORTS_MAX);
	port_unpublish(port);
	assert_int_equal(dp->ports_end, 1);
	port_destroy(port);
}

static void the_end_of_the_table_follows_the_highest_port(void **state)
{
	struct dataplane *dp = *state;
	struct port *ports[3];

	for (uint64_t i = 0; i < 3; i++) {
		ports[i] = create(dp, 1 + i);
		port_publish(ports[i]);
	}
	unsigned int end = dp->ports_end;

	port_unpublish(ports[1]);
	assert_int_equal(dp->ports_end, end);
	port_unpublish(ports[2]);
	assert_int_equal(dp->ports_end, end - 2);
	port_publish(ports[2]);
	assert_int_equal(dp->ports_end, end);
	port_unpublish(ports[2]);
	port_unpublish(ports[0]);
	for (int i = 0; i < 3; i++)
		port_destroy(ports[i]);
}

static void a_new_queue_goes_to_the_worker_that_has_fewest(void **state)
{
	struct dataplane *dp = *state;

	for (uint64_t id = 1; id <= 3 * WORKERS; id++)
		rig_put_port(dp, id, 0);
	for (unsigned int i = 0; i < WORKERS; i++)
		assert_int_equal(dp->workers[i]->n_rxqs, 3);
	int worker = rig_port(dp, 5)->rxq.worker;

	rig_del_port(dp, 5);
	assert_int_equal(dp->workers[worker]->n_rxqs, 2);
	rig_put_port(dp, 99, 0);
	assert_int_equal(rig_port(dp, 99)->rxq.worker, worker);
}

static void a_detached_queue_can_be_detached_again(void **state)
{
	struct dataplane *dp = *state;

	rig_put_port(dp, 1, 0);
	struct rxq *rxq = &rig_port(dp, 1)->rxq;

	port_detach_rxq(port_find(dp, 1), rxq);
	assert_int_equal(rxq->worker, -1);
	port_detach_rxq(port_find(dp, 1), rxq);
	assert_int_equal(port_attach_rxq(port_find(dp, 1), rxq), 0);
	assert_int_equal(dp->workers[rxq->worker]->n_rxqs, 1);
}

static void an_option_is_found_by_its_key(void **state)
{
	struct dataplane *dp = *state;
	struct port *port = create(dp, 1);

	assert_null(port_option(port, "ifname"));
	assert_null(port_option(port, "colour"));
	port->spec.n_options = 1;
	port->spec.options[0].index = (uint16_t)port_kinds_option(port->type->kind, "ifname");
	strcpy(port->spec.options[0].text, "tap7");
	assert_string_equal(port_option(port, "ifname")->text, "tap7");
	assert_null(port_option(port, "colour"));
	port_destroy(port);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_unknown_type_is_refused_by_name),
		TEST(a_prepared_port_is_found_only_after_it_is_published),
		TEST(a_failed_prepare_gives_index_slot_and_descriptors_back),
		TEST(a_reserved_index_is_given_to_nobody_else),
		TEST(indices_run_out_with_a_clear_word),
		TEST(the_end_of_the_table_follows_the_highest_port),
		TEST(a_new_queue_goes_to_the_worker_that_has_fewest),
		TEST(a_detached_queue_can_be_detached_again),
		TEST(an_option_is_found_by_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
