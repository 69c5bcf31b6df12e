/* SPDX-License-Identifier: BSD-3-Clause */
/* An interruption anywhere leaves the old model or the new one, and nothing lying about. The
 * interruption is a back end that fails from the n-th commit on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/control/config_rig.h"

static void a_failure_at_any_commit_leaves_the_old_model_or_the_new_one(void **state)
{
	struct config_rig *fixture = *state;
	unsigned int n_old = 0, n_new = 0;

	assert_int_equal(config_rig_write_ports(fixture, 3000, "old"), 0);
	/* As many commits as it takes, and then one fewer each time. */
	for (int budget = 0; budget < 20 && n_new == 0; budget++) {
		fixture->flaky.commits_left = budget;
		int error = config_rig_write_ports(fixture, 3000, "new");

		config_rig_reopen(fixture);
		assert_int_equal(fixture->model->n_ports, 3000);
		const char *vm = fixture->model->ports[0]->vm;
		for (size_t i = 0; i < fixture->model->n_ports; i++)
			assert_string_equal(fixture->model->ports[i]->vm, vm);
		if (strcmp(vm, "new") == 0)
			n_new++;
		else
			n_old++;
		if (error == 0)
			assert_string_equal(vm, "new");
		/* What the interruption left is gone: one chunk for each bucket, now and before,
		 * and the two roots. */
		assert_true(config_rig_count_keys(fixture, "/weft/v1/test/cfg/") <=
			    2 * ROOT_BUCKETS + 2);
	}
	assert_true(n_old >= 1);
	assert_int_equal(n_new, 1);
}

/* So many ports of a vm with a long name take `n` transactions and a part of one more. */
#define N_PORTS(n) (12000 * (n))

static int write_large(struct config_rig *fixture, unsigned int n_ports, char letter)
{
	char vm[DP_NAME_BYTES] = {0};

	memset(vm, letter, sizeof(vm) - 1);
	return config_rig_write_ports(fixture, n_ports, vm);
}

/* Without a start in between, and whether it was known then what became of the change or not. */
static void what_a_failure_left_goes_with_the_next_change(void **state)
{
	struct config_rig *fixture = *state;
	struct config_rig_store *flaky = &fixture->flaky;

	assert_int_equal(write_large(fixture, N_PORTS(1), 'a'), 0);
	assert_int_equal(write_large(fixture, N_PORTS(1), 'b'), 0);
	size_t n = config_rig_count_keys(fixture, "/weft/v1/test/cfg/");

	flaky->n_commits = 0;
	assert_int_equal(write_large(fixture, N_PORTS(1), 'a'), 0);
	int n_commits = (int)flaky->n_commits;

	assert_int_equal(n_commits, 2); /* the second with the flip */
	for (int budget = 0; budget < n_commits; budget++) {
		flaky->commits_left = budget;
		assert_int_equal(write_large(fixture, N_PORTS(1), 'c'), -EIO);
		flaky->commits_left = -1;
		assert_int_equal(write_large(fixture, N_PORTS(1), budget % 2 == 0 ? 'b' : 'a'), 0);
		assert_int_equal(config_rig_count_keys(fixture, "/weft/v1/test/cfg/"), n);
	}
}

static void a_change_that_fails_before_its_flip_leaves_nothing(void **state)
{
	struct config_rig *fixture = *state;

	assert_int_equal(config_rig_write_ports(fixture, 3, "a"), 0);
	size_t n = config_rig_count_keys(fixture, "/weft/v1/test/cfg/");

	fixture->flaky.is_brief = true;
	for (int i = 0; i < 2; i++) {
		fixture->flaky.commits_left = 1;
		assert_int_equal(write_large(fixture, N_PORTS(2), 'v'), -EIO);
		assert_int_equal(config_rig_count_keys(fixture, "/weft/v1/test/cfg/"), n);
	}
}
int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_rig_set_up, config_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_failure_at_any_commit_leaves_the_old_model_or_the_new_one),
		TEST(what_a_failure_left_goes_with_the_next_change),
		TEST(a_change_that_fails_before_its_flip_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
