/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/txn.c: all of a change happens, or nothing does. */
#include "dataplane/txn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/api/kinds.h"
#include "tests/unit/dataplane/txn_rig.h"

#define NONE 0

static bool has_socket(const struct txn_rig *f, const char *name)
{
	char path[128];
	struct stat there;

	snprintf(path, sizeof(path), "%s/%s.sock", f->vhost_dir, name);
	return lstat(path, &there) == 0 && S_ISSOCK(there.st_mode);
}

/* --- changes --- */

static void a_put_port_is_found_in_its_segment(void **state)
{
	struct txn_rig *f = *state;

	rig_put_port(f->dp, 1, ALPHA);
	struct port *port = port_find(f->dp, 1);

	assert_int_equal(port->segment, segment_find(f->dp, ALPHA)->index);
	assert_true(port->is_published);
	rig_del_port(f->dp, 1);
	assert_null(port_find(f->dp, 1));
}

static void a_port_moves_to_another_segment_in_place(void **state)
{
	struct txn_rig *f = *state;

	rig_put_port(f->dp, 1, ALPHA);
	rig_put_port(f->dp, 2, ALPHA);
	struct port *port = port_find(f->dp, 1);

	rig_send(f->dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(f->dp, 1000);
	assert_int_equal(fdb_count(f->dp->fdb), 1);
	rig_put_port(f->dp, 1, BETA);
	assert_ptr_equal(port_find(f->dp, 1), port);
	assert_int_equal(port->segment, segment_find(f->dp, BETA)->index);
	/* What was learned there is forgotten, and ALPHA's floods do not reach it any more. */
	assert_int_equal(fdb_count(f->dp->fdb), 0);
	assert_int_equal(fdb_count_port(f->dp->fdb, port->index), 0);
	rig_send(f->dp, 2, RIG_BROADCAST, 2, 60, 0);
	rig_turn(f->dp, 1000);
	assert_int_equal(rig_port(f->dp, 1)->n_out, 0);
	rig_put_port(f->dp, 1, NONE);
	assert_int_equal(port->segment, 0);
}

static void a_port_with_another_name_is_replaced(void **state)
{
	struct txn_rig *f = *state;
	struct dp_port spec = rig_port_spec(1, ALPHA);
	unsigned int n_fds = rig_count_fds();

	rig_put_port(f->dp, 1, ALPHA);
	rig_send(f->dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(f->dp, 1000);
	strcpy(spec.name, "renamed");
	txn_rig_begin(f);
	txn_rig_stage(f, &spec);
	txn_rig_commit(f);
	assert_string_equal(port_find(f->dp, 1)->spec.name, "renamed");
	assert_int_equal(rig_port(f->dp, 1)->n_in, 0);
	assert_int_equal(fdb_count(f->dp->fdb), 0);
	/* The frame that the old one had counted is not lost. */
	assert_int_equal(rig_assert_accounted(f->dp).rx_frames, 1);
	rig_del_port(f->dp, 1);
	assert_int_equal(rig_count_fds(), n_fds);
}

static void two_ports_swap_their_names_in_one_transaction(void **state)
{
	struct txn_rig *f = *state;
	struct dp_port one = rig_port_spec(1, ALPHA), two = rig_port_spec(2, BETA);

	rig_put_port(f->dp, 1, ALPHA);
	rig_put_port(f->dp, 2, BETA);
	strcpy(one.name, "p2");
	strcpy(two.name, "p1");
	txn_rig_begin(f);
	txn_rig_stage(f, &one);
	txn_rig_stage(f, &two);
	txn_rig_commit(f);
	assert_string_equal(port_find(f->dp, 1)->spec.name, "p2");
	assert_string_equal(port_find(f->dp, 2)->spec.name, "p1");
}

static void a_segment_and_its_ports_come_and_go_in_any_order(void **state)
{
	struct txn_rig *f = *state;
	struct dp_segment gamma = rig_segment(3);
	struct dp_port port = rig_port_spec(1, 3);

	txn_rig_begin(f);
	txn_rig_stage(f, &port);
	assert_int_equal(txn_put_segment(f->txn, &gamma), 0);
	txn_rig_commit(f);
	assert_int_equal(port_find(f->dp, 1)->segment, segment_find(f->dp, 3)->index);
	txn_rig_begin(f);
	assert_int_equal(txn_del_segment(f->txn, 3), 0);
	assert_int_equal(txn_del_port(f->txn, 1), 0);
	txn_rig_commit(f);
	assert_null(segment_find(f->dp, 3));
	assert_null(port_find(f->dp, 1));
}

static void a_deleted_segment_leaves_nothing_to_the_next_one_with_its_index(void **state)
{
	struct txn_rig *f = *state;
	struct dp_segment gamma = rig_segment(3);

	rig_put_port(f->dp, 1, BETA);
	rig_send(f->dp, 1, RIG_BROADCAST, 1, 60, 0);
	rig_turn(f->dp, 1000);
	uint16_t index = segment_find(f->dp, BETA)->index;

	txn_rig_begin(f);
	assert_int_equal(txn_del_segment(f->txn, BETA), 0);
	assert_int_equal(txn_put_segment(f->txn, &gamma), 0);
	struct dp_port moved = rig_port_spec(1, 3);

	txn_rig_stage(f, &moved);
	txn_rig_commit(f);
	/* Both existed for a moment, so the index is free only now. */
	assert_int_not_equal(segment_find(f->dp, 3)->index, index);
	assert_int_equal(fdb_count(f->dp->fdb), 0);
	rig_put_segment(f->dp, 4);
	assert_int_equal(segment_find(f->dp, 4)->index, index);
	assert_int_equal(atomic_load(&segment_find(f->dp, 4)->flood)->n, 0);
}

static void a_segments_age_changes_in_place(void **state)
{
	struct txn_rig *f = *state;
	struct dp_segment spec = rig_segment(ALPHA);
	struct segment *segment = segment_find(f->dp, ALPHA);

	spec.age_s = 5;
	txn_rig_begin(f);
	assert_int_equal(txn_put_segment(f->txn, &spec), 0);
	txn_rig_commit(f);
	assert_ptr_equal(segment_find(f->dp, ALPHA), segment);
	assert_int_equal(segment->age_s, 5);
}

static void deleting_what_is_not_there_is_no_error(void **state)
{
	struct txn_rig *f = *state;

	txn_rig_begin(f);
	assert_int_equal(txn_del_port(f->txn, 99), 0);
	assert_int_equal(txn_del_segment(f->txn, 99), 0);
	txn_rig_commit(f);
}

/* --- sockets of vhost-user ports --- */

static void a_socket_appears_with_the_commit_and_goes_with_its_port(void **state)
{
	struct txn_rig *f = *state;
	struct dp_port spec = txn_rig_vhost_spec(1, "web0", ALPHA);

	txn_rig_begin(f);
	txn_rig_stage(f, &spec);
	assert_int_equal(txn_rig_prepare(f), 0);
	assert_false(has_socket(f, "web0"));
	txn_commit(f->txn);
	f->txn = NULL;
	assert_true(has_socket(f, "web0"));
	rig_del_port(f->dp, 1);
	assert_false(has_socket(f, "web0"));
}

static void a_port_that_is_renamed_takes_its_socket_along(void **state)
{
	struct txn_rig *f = *state;
	struct dp_port spec = txn_rig_vhost_spec(1, "web0", ALPHA);

	txn_rig_begin(f);
	txn_rig_stage(f, &spec);
	txn_rig_commit(f);
	strcpy(spec.name, "web1");
	txn_rig_begin(f);
	txn_rig_stage(f, &spec);
	txn_rig_commit(f);
	assert_false(has_socket(f, "web0"));
	assert_true(has_socket(f, "web1"));
}

static void an_aborted_change_leaves_sockets_as_they_were(void **state)
{
	struct txn_rig *f = *state;
	struct dp_port one = txn_rig_vhost_spec(1, "web0", ALPHA),
		       two = txn_rig_vhost_spec(2, "web1", ALPHA);

	txn_rig_begin(f);
	txn_rig_stage(f, &one);
	txn_rig_commit(f);
	struct txn_rig_snapshot *before = txn_rig_snapshot(f);

	/* A replace of the first and a new one, both ready to be published. */
	one.n_options = 1;
	one.options[0] = (struct dp_option){
		.index = (uint16_t)port_kinds_option(&kind_vhost_user, "offload"),
		.kind = OPTION_BOOL};
	txn_rig_begin(f);
	txn_rig_stage(f, &one);
	txn_rig_stage(f, &two);
	assert_int_equal(txn_rig_prepare(f), 0);
	txn_abort(f->txn);
	f->txn = NULL;
	txn_rig_assert_unchanged(f, before);
	assert_true(has_socket(f, "web0"));
	assert_false(has_socket(f, "web1"));
}

/* --- descriptors --- */

static void descriptors_are_the_transactions_and_do_not_leak(void **state)
{
	struct txn_rig *f = *state;
	unsigned int n_fds = rig_count_fds();
	struct dp_port spec = rig_port_spec(1, ALPHA);

	for (int round = 0; round < 3; round++) {
		int fds[3] = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC),
			      eventfd(0, EFD_CLOEXEC)};

		/* Round 0 makes the port, 1 changes it in place, 2 is aborted. */
		txn_rig_begin(f);
		assert_int_equal(txn_put_port(f->txn, &spec, fds, 3), 0);
		if (round < 2) {
			txn_rig_commit(f);
			assert_int_equal(rig_count_fds(), n_fds + 1);
			continue;
		}
		txn_abort(f->txn);
		f->txn = NULL;
		assert_int_equal(rig_count_fds(), n_fds + 1);
	}
	rig_del_port(f->dp, 1);
	assert_int_equal(rig_count_fds(), n_fds);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, txn_rig_set_up, txn_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_put_port_is_found_in_its_segment),
		TEST(a_port_moves_to_another_segment_in_place),
		TEST(a_port_with_another_name_is_replaced),
		TEST(two_ports_swap_their_names_in_one_transaction),
		TEST(a_segment_and_its_ports_come_and_go_in_any_order),
		TEST(a_deleted_segment_leaves_nothing_to_the_next_one_with_its_index),
		TEST(a_segments_age_changes_in_place),
		TEST(deleting_what_is_not_there_is_no_error),
		TEST(a_socket_appears_with_the_commit_and_goes_with_its_port),
		TEST(a_port_that_is_renamed_takes_its_socket_along),
		TEST(an_aborted_change_leaves_sockets_as_they_were),
		TEST(descriptors_are_the_transactions_and_do_not_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
