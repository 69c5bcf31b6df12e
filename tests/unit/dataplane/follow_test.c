/* SPDX-License-Identifier: BSD-3-Clause */
/* dataplane/follow.c: what may be followed, by whom, and that nothing of it stays. */
#include "dataplane/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

#include "dataplane/port.h"
#include "tests/unit/dataplane/rig.h"

static const int owner, other_owner;

static int try_open(struct dataplane *dp, const struct dp_follow_open *open, const void *whose,
		    uint64_t *id)
{
	char why[DP_TEXT_BYTES];
	int error = follow_open(dp, open, whose, id, why, sizeof(why));

	assert_int_equal(why[0] != '\0', error < 0);
	return error;
}

static void what_is_malformed_is_refused(void **state)
{
	static const struct {
		struct dp_follow_open open;
		int error;
	} rows[] = {
		{{.n_frames = 0}, -EINVAL},
		{{.n_frames = FOLLOW_FRAMES_MAX + 1}, -EINVAL},
		{{.n_frames = 1, .n_ports = DP_CAPTURE_PORTS_MAX + 1}, -EINVAL},
		{{.n_frames = 1, .n_ports = 1, .port_ids = {99}}, -ENOENT},
		{{.n_frames = 1, .n_ports = 2, .port_ids = {1, 0}}, -ENOENT},
		{{.n_frames = 1, .n_insns = 1, .insns = {{0x05, 0, 0, 0}}}, -EINVAL},
		{{.n_frames = 1, .n_insns = DP_INSNS_MAX + 1}, -EINVAL},
	};
	uint64_t id = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(try_open(*state, &rows[i].open, &owner, &id), rows[i].error);
	assert_int_equal(id, 0);
}

static void one_at_a_time_and_each_his_own(void **state)
{
	struct dp_follow_open open = {.n_frames = 1};
	struct dataplane *dp = *state;
	uint64_t id, other;

	assert_int_equal(try_open(dp, &open, &owner, &id), 0);
	assert_int_equal(try_open(dp, &open, &other_owner, &other), -EBUSY);
	assert_null(follow_find(dp, id, &other_owner));
	assert_null(follow_find(dp, id + 1, &owner));
	assert_int_equal(follow_close(dp, id, &other_owner), -ENOENT);
	follow_close_all(dp, &other_owner);
	assert_non_null(follow_find(dp, id, &owner));
	assert_int_equal(follow_close(dp, id, &owner), 0);
	assert_int_equal(follow_close(dp, id, &owner), -ENOENT);
	assert_int_equal(try_open(dp, &open, &owner, &other), 0);
	assert_true(other > id);
	follow_close_all(dp, &owner);
	assert_null(follow_find(dp, other, &owner));
}

/* Ports that come later are followed, too, where none was named. */
static void ports_join_and_leave(void **state)
{
	struct dp_follow_open all = {.n_frames = 1};
	struct dp_follow_open one = {.n_frames = 1, .n_ports = 1, .port_ids = {2}};
	struct dataplane *dp = *state;
	uint64_t id;

	assert_int_equal(try_open(dp, &all, &owner, &id), 0);
	rig_put_port(dp, 5, RIG_ALPHA);
	assert_ptr_not_equal(port_io(port_find(dp, 5)), port_find(dp, 5)->type);
	follow_close_all(dp, NULL);
	assert_ptr_equal(port_io(port_find(dp, 5)), port_find(dp, 5)->type);
	assert_int_equal(try_open(dp, &one, &owner, &id), 0);
	assert_ptr_equal(port_io(port_find(dp, 1)), port_find(dp, 1)->type);
	assert_ptr_not_equal(port_io(port_find(dp, 2)), port_find(dp, 2)->type);
	rig_del_port(dp, 2);
	/* It ends with the dataplane. */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_malformed_is_refused, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(one_at_a_time_and_each_his_own, rig_set_up,
						rig_tear_down),
		cmocka_unit_test_setup_teardown(ports_join_and_leave, rig_set_up, rig_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
