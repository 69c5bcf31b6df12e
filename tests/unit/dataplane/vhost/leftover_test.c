/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/leftover.c: a file that goes with a process. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/base/loop.h"
#include "dataplane/vhost/leftover.h"

struct rig {
	char path[32];
	struct loop *loop;
	struct leftover *list;
	pid_t pid; /* a process that waits to be killed */
};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	snprintf(rig->path, sizeof(rig->path), "/tmp/weft-test-XXXXXX");
	close(mkstemp(rig->path));
	assert_int_equal(loop_create(&rig->loop), 0);
	rig->pid = fork();
	if (rig->pid == 0) {
		pause();
		_exit(0);
	}
	*state = rig;
	return 0;
}

static void end_process(struct rig *rig)
{
	if (rig->pid != 0) {
		kill(rig->pid, SIGKILL);
		waitpid(rig->pid, NULL, 0);
		rig->pid = 0;
	}
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	leftover_free_all(&rig->list);
	end_process(rig);
	loop_destroy(rig->loop);
	unlink(rig->path);
	free(rig);
	return 0;
}

static void the_file_goes_with_the_process(void **state)
{
	struct rig *rig = *state;

	leftover_add(&rig->list, rig->loop, rig->path, rig->pid);
	assert_int_equal(loop_turn(rig->loop, 0, loop_clock_ns), 0);
	assert_int_equal(access(rig->path, F_OK), 0);
	end_process(rig);
	assert_int_equal(loop_turn(rig->loop, 1000, loop_clock_ns), 1);
	assert_int_equal(access(rig->path, F_OK), -1);
	assert_null(rig->list);
}

static void without_a_process_it_goes_at_once(void **state)
{
	struct rig *rig = *state;

	leftover_add(&rig->list, rig->loop, rig->path, 0);
	assert_int_equal(access(rig->path, F_OK), -1);
	assert_null(rig->list);
	/* No file: nothing to watch. */
	leftover_add(&rig->list, rig->loop, rig->path, rig->pid);
	assert_null(rig->list);
}

static void one_that_has_ended_counts_as_none(void **state)
{
	struct rig *rig = *state;
	pid_t pid = rig->pid;

	end_process(rig);
	leftover_add(&rig->list, rig->loop, rig->path, pid);
	assert_int_equal(access(rig->path, F_OK), -1);
	assert_null(rig->list);
}

static void a_port_that_is_there_again_keeps_its_file(void **state)
{
	struct rig *rig = *state;

	leftover_add(&rig->list, rig->loop, rig->path, rig->pid);
	leftover_return(&rig->list, "/tmp/another");
	assert_non_null(rig->list);
	leftover_return(&rig->list, rig->path);
	assert_null(rig->list);
	end_process(rig);
	assert_int_equal(loop_turn(rig->loop, 0, loop_clock_ns), 0);
	assert_int_equal(access(rig->path, F_OK), 0);
}

static void our_end_leaves_it(void **state)
{
	struct rig *rig = *state;

	leftover_add(&rig->list, rig->loop, rig->path, rig->pid);
	leftover_free_all(&rig->list);
	assert_null(rig->list);
	assert_int_equal(access(rig->path, F_OK), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_file_goes_with_the_process),
		TEST(without_a_process_it_goes_at_once),
		TEST(one_that_has_ended_counts_as_none),
		TEST(a_port_that_is_there_again_keeps_its_file),
		TEST(our_end_leaves_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
