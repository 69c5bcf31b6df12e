/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SQLite store on failing disks and in dying processes: an acknowledged commit is there, an
 * unacknowledged one is there whole or not at all, and afterwards the store works.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/control/store_sqlite_fault_vfs.h"
#include "tests/unit/control/store_sqlite_space.h"

#define MAX_STEPS 2000

struct rig {
	struct store_sqlite_space *space;
	struct store_sqlite_fault_vfs faults;
};

static int rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig->space = store_sqlite_space_create();
	store_sqlite_fault_vfs_install(&rig->faults);
	*state = rig;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *rig = *state;

	store_sqlite_fault_vfs_remove(&rig->faults);
	store_sqlite_space_destroy(rig->space);
	free(rig);
	return 0;
}

static void disarm(struct rig *rig)
{
	store_sqlite_fault_vfs_arm(&rig->faults, STORE_SQLITE_FAULT_IO, 0, false);
}

static void commit_is_synced_before_it_is_acknowledged(void **state)
{
	struct rig *rig = *state;
	struct store *store = store_sqlite_space_open(rig->space);

	for (unsigned i = 0; i < 20; i++) {
		unsigned n_syncs = rig->faults.n_syncs;
		assert_int_equal(store_sqlite_space_put(store, i, 1, 100), 0);
		assert_true(rig->faults.n_syncs > n_syncs);
		assert_int_equal(rig->faults.n_unsynced_writes, 0);
	}
	store_close(store);
}

/* A commit whose fail_at-th step fails, then what follows. True if that step was reached. */
static bool commit_with_fault(struct rig *rig, enum store_sqlite_fault_vfs_how how,
			      unsigned fail_at, bool is_lasting)
{
	store_sqlite_space_remove_all(rig->space);
	struct store *store = store_sqlite_space_open(rig->space);
	assert_int_equal(store_sqlite_space_put(store, 0, 20, 500), 0);
	uint64_t before = store_sqlite_space_digest(store);

	store_sqlite_fault_vfs_arm(&rig->faults, how, fail_at, is_lasting);
	int rc = store_sqlite_space_put(store, 10, 20, 5000);
	bool has_failed = store_sqlite_fault_vfs_has_failed(&rig->faults);
	if (has_failed && rc != (how == STORE_SQLITE_FAULT_FULL ? -ENOSPC : -EIO))
		fail_msg("step %u: commit returned %d", fail_at, rc);
	/* Reading goes on, with the fault or without. */
	if (has_failed && store_sqlite_space_digest(store) != before)
		fail_msg("step %u: a failed commit shows", fail_at);
	if (has_failed && is_lasting)
		assert_int_not_equal(store_sqlite_space_put(store, 30, 1, 10), 0);
	disarm(rig);
	assert_int_equal(store_sqlite_space_put(store, 40, 20, 700), 0);
	uint64_t after = store_sqlite_space_digest(store);
	store_close(store);
	store = store_sqlite_space_open(rig->space);
	if (store_sqlite_space_digest(store) != after)
		fail_msg("step %u: other data after reopen", fail_at);
	store_close(store);
	return has_failed;
}

static void failed_step_of_a_commit_leaves_all_as_it_was(void **state)
{
	struct rig *rig = *state;
	unsigned n_steps = 0;

	for (int how = STORE_SQLITE_FAULT_IO; how <= STORE_SQLITE_FAULT_FULL; how++) {
		for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
			unsigned fail_at = 1;
			while (commit_with_fault(rig, (enum store_sqlite_fault_vfs_how)how, fail_at,
						 is_lasting != 0))
				assert_true(++fail_at < MAX_STEPS);
			n_steps = fail_at - 1;
		}
	}
	print_message("%u steps\n", n_steps);
	assert_in_range(n_steps, 30, MAX_STEPS);
}

static void failed_step_of_a_creation_leaves_nothing_in_the_way(void **state)
{
	struct rig *rig = *state;
	struct store *store;
	unsigned fail_at = 0;
	int rc;

	do {
		store_sqlite_space_remove_all(rig->space);
		store_sqlite_fault_vfs_arm(&rig->faults, STORE_SQLITE_FAULT_FULL, ++fail_at, true);
		rc = store_sqlite_space_try_open(rig->space, &store);
		disarm(rig);
		if (rc == 0)
			store_close(store);
		store = store_sqlite_space_open(rig->space);
		assert_int_equal(store_sqlite_space_put(store, 0, 1, 10), 0);
		store_close(store);
	} while (rc != 0 && fail_at < MAX_STEPS);
	assert_in_range(fail_at, 5, MAX_STEPS - 1);
}

static void lease_that_cannot_end_ends_later(void **state)
{
	struct rig *rig = *state;
	struct store *store = store_sqlite_space_open(rig->space);
	store_lease lease;

	assert_int_equal(store_lease_grant(store, 1000, &lease), 0);
	const struct store_op op = {STORE_PUT, BASE "a", "1", 1, .lease = lease};
	const struct store_txn txn = {.ops = &op, .n_ops = 1};
	assert_int_equal(store_commit(store, &txn, NULL, NULL), 0);
	store_sqlite_fault_vfs_arm(&rig->faults, STORE_SQLITE_FAULT_FULL, 1, true);
	assert_int_equal(store_run(store, 2000), -ENOSPC);
	assert_int_equal(store_get(store, BASE "a", NULL, NULL, NULL), 0);
	disarm(rig);
	assert_true(store_run(store, 2001) > 0);
	assert_int_equal(store_get(store, BASE "a", NULL, NULL, NULL), -ENOENT);
	store_close(store);
}

/* What the child of the crash test does; each line through the pipe is one acknowledged state. */
static void live(struct store_sqlite_space *space, int acks)
{
	struct store *store = store_sqlite_space_open(space);

	for (unsigned i = 0; i < 6; i++) {
		if (store_sqlite_space_put(store, 10 * i, 8, i == 3 ? 5000 : 300) != 0 ||
		    (i == 4 && store_compact(store, 3) != 0) || write(acks, "x", 1) != 1)
			_exit(1);
	}
	store_close(store);
	_exit(0);
}

/* How many commits of live() are in the store: the revision counts them. */
static int count_commits(struct store *store)
{
	const struct store_txn nothing = {0};
	store_rev rev;

	assert_int_equal(store_commit(store, &nothing, NULL, &rev), 0);
	return (int)rev - 1;
}

static void crash_at_any_step_keeps_what_was_acknowledged(void **state)
{
	struct rig *rig = *state;
	unsigned fail_at = 1;
	int status;

	for (; fail_at < MAX_STEPS; fail_at++) {
		int acks[2];
		char lines[16];
		store_sqlite_space_remove_all(rig->space);
		assert_int_equal(pipe(acks), 0);
		store_sqlite_fault_vfs_arm(&rig->faults, STORE_SQLITE_FAULT_CRASH, fail_at, false);
		pid_t child = fork();
		if (child == 0)
			live(rig->space, acks[1]);
		disarm(rig);
		close(acks[1]);
		assert_int_equal(waitpid(child, &status, 0), child);
		ssize_t n_acked = read(acks[0], lines, sizeof(lines));
		close(acks[0]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
		struct store *store = store_sqlite_space_open(rig->space);
		int n_commits = count_commits(store);
		if (n_commits < n_acked || n_commits > n_acked + 1)
			fail_msg("step %u: %d commits, %zd acknowledged", fail_at, n_commits,
				 n_acked);
		assert_int_equal(store_sqlite_space_put(store, 0, 10, 10), 0);
		store_close(store);
		store_close(store_sqlite_space_open(rig->space));
		if (WEXITSTATUS(status) == 0)
			break;
	}
	print_message("%u steps\n", fail_at - 1);
	assert_in_range(fail_at, 50, MAX_STEPS - 1);
}

static void commit_for_ever(struct store_sqlite_space *space, int acks)
{
	struct store *store = store_sqlite_space_open(space);

	for (;;) {
		int n_commits = count_commits(store) + 1;
		if (store_sqlite_space_put(store, (unsigned)n_commits, 3, 700) != 0 ||
		    write(acks, &n_commits, sizeof(n_commits)) != sizeof(n_commits))
			_exit(1);
		store_run(store, 0);
	}
}

static void killed_process_keeps_what_it_acknowledged(void **state)
{
	struct rig *rig = *state;
	unsigned seed = 5;
	int n_acked = 0;

	for (int round = 0; round < 40; round++) {
		int acks[2], n_more = 1 + rand_r(&seed) % 60, status;
		assert_int_equal(pipe(acks), 0);
		pid_t child = fork();
		if (child == 0)
			commit_for_ever(rig->space, acks[1]);
		close(acks[1]);
		while (n_more-- > 0)
			assert_int_equal(read(acks[0], &n_acked, sizeof(n_acked)), sizeof(n_acked));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		while (read(acks[0], &n_acked, sizeof(n_acked)) == sizeof(n_acked))
			;
		close(acks[0]);
		struct store *store = store_sqlite_space_open(rig->space);
		int n_commits = count_commits(store);
		store_close(store);
		if (n_commits < n_acked || n_commits > n_acked + 1)
			fail_msg("%d commits, %d acknowledged", n_commits, n_acked);
	}
}

/* Commits until the disk is full. The digest of what was acknowledged, and still is there. */
static uint64_t fill_up(struct store *store)
{
	uint64_t before = 0;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < 10000; i++) {
		before = store_sqlite_space_digest(store);
		rc = store_sqlite_space_put(store, 10 * i, 10, 4000);
	}
	assert_int_equal(rc, -ENOSPC);
	assert_true(store_sqlite_space_digest(store) == before);
	return before;
}

static void fill_and_go_on(struct store_sqlite_space *space,
			   void (*make_room)(struct store_sqlite_space *space))
{
	struct store *store = store_sqlite_space_open(space);
	uint64_t full = fill_up(store);

	store_close(store);
	store = store_sqlite_space_open(space);
	assert_true(store_sqlite_space_digest(store) == full);
	fill_up(store);
	make_room(space);
	assert_int_equal(store_sqlite_space_put(store, 900000, 100, 5000), 0);
	uint64_t after = store_sqlite_space_digest(store);
	store_close(store);
	store = store_sqlite_space_open(space);
	assert_true(store_sqlite_space_digest(store) == after);
	store_close(store);
}

static void remove_filler(struct store_sqlite_space *space)
{
	char path[128];

	snprintf(path, sizeof(path), "%s.filler", space->path);
	assert_int_equal(unlink(path), 0);
}

static void full_disk_refuses_and_recovers(void **state)
{
	struct rig *rig = *state;
	static char filler[3 << 20];

	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		print_message("skipped: mounting a small disk takes root\n");
		skip();
	}
	assert_int_equal(mount("none", rig->space->dir, "tmpfs", 0, "size=6m"), 0);
	store_sqlite_space_write(rig->space, ".filler", filler, sizeof(filler));
	fill_and_go_on(rig->space, remove_filler);
	assert_int_equal(umount(rig->space->dir), 0);
}

static void limit_file_size(rlim_t n_bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = n_bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lift_file_size(struct store_sqlite_space *space)
{
	limit_file_size(RLIM_INFINITY);
}

static void file_size_limit_refuses_and_recovers(void **state)
{
	struct rig *rig = *state;

	signal(SIGXFSZ, SIG_IGN);
	limit_file_size(2 << 20);
	fill_and_go_on(rig->space, lift_file_size);
	signal(SIGXFSZ, SIG_DFL);
}

#define test(function) cmocka_unit_test_setup_teardown(function, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(commit_is_synced_before_it_is_acknowledged),
		test(failed_step_of_a_commit_leaves_all_as_it_was),
		test(failed_step_of_a_creation_leaves_nothing_in_the_way),
		test(lease_that_cannot_end_ends_later),
		test(crash_at_any_step_keeps_what_was_acknowledged),
		test(killed_process_keeps_what_it_acknowledged),
		test(full_disk_refuses_and_recovers),
		test(file_size_limit_refuses_and_recovers),
	};

	return cmocka_run_group_tests_name("store_sqlite_fault", tests, NULL, NULL);
}
