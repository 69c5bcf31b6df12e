/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/journal.c: a file that outlives its process, and goes when it may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/vhost/journal.h"

struct rig {
	char run_dir[32];
	struct journal journal;
};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char path[64];

	assert_non_null(rig);
	snprintf(rig->run_dir, sizeof(rig->run_dir), "/tmp/weft-test-XXXXXX");
	assert_non_null(mkdtemp(rig->run_dir));
	snprintf(path, sizeof(path), "%s/vhost", rig->run_dir);
	assert_int_equal(mkdir(path, 0755), 0);
	journal_init(&rig->journal, rig->run_dir, "p0", 4);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	char path[64];

	journal_fini(&rig->journal);
	unlink(rig->journal.path);
	snprintf(path, sizeof(path), "%s/vhost", rig->run_dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(rig->run_dir), 0);
	free(rig);
	return 0;
}

static void a_port_without_packed_rings_has_no_file(void **state)
{
	struct rig *rig = *state;

	journal_forget(&rig->journal, 3);
	journal_fini(&rig->journal);
	assert_int_equal(access(rig->journal.path, F_OK), -1);
}

static void what_was_written_is_there_for_the_next_process(void **state)
{
	struct rig *rig = *state;
	struct ring_journal *ring;
	struct stat there;

	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(journal_open_ring(&rig->journal, i, &ring), 0);
		assert_int_equal(ring->token, 0);
		ring->token = (uint16_t)(i + 1);
	}
	journal_fini(&rig->journal);
	assert_int_equal(stat(rig->journal.path, &there), 0);
	assert_int_equal(there.st_mode & 0777, 0600);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(journal_open_ring(&rig->journal, i, &ring), 0);
		assert_int_equal(ring->token, i + 1);
	}
}

static void the_file_goes_when_no_ring_needs_it(void **state)
{
	struct rig *rig = *state;
	struct ring_journal *ring;

	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(journal_open_ring(&rig->journal, i, &ring), 0);
		ring->token = 7;
	}
	journal_forget(&rig->journal, 0);
	journal_fini(&rig->journal);
	assert_int_equal(access(rig->journal.path, F_OK), 0);
	assert_int_equal(journal_open_ring(&rig->journal, 1, &ring), 0);
	journal_forget(&rig->journal, 1);
	journal_fini(&rig->journal);
	assert_int_equal(access(rig->journal.path, F_OK), -1);
}

static void what_is_no_file_of_ours_is_not_used(void **state)
{
	struct rig *rig = *state;
	struct ring_journal *ring;

	assert_int_equal(symlink("/etc/hostname", rig->journal.path), 0);
	assert_true(journal_open_ring(&rig->journal, 0, &ring) < 0);
	unlink(rig->journal.path);
	assert_int_equal(mkfifo(rig->journal.path, 0600), 0);
	assert_true(journal_open_ring(&rig->journal, 0, &ring) < 0);
	assert_null(rig->journal.pages);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_port_without_packed_rings_has_no_file),
		TEST(what_was_written_is_there_for_the_next_process),
		TEST(the_file_goes_when_no_ring_needs_it),
		TEST(what_is_no_file_of_ours_is_not_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
