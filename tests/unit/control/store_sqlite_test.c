/* SPDX-License-Identifier: BSD-3-Clause */
/* The SQLite store: the conformance suite, who may open its file, and how long its log gets. */
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/control/store_conformance.h"
#include "tests/unit/control/store_sqlite_space.h"

#define HOUR_MS (3600u * 1000)

static void *factory_create(void)
{
	return store_sqlite_space_create();
}

static int factory_open(void *space, uint64_t now_ms, struct store **store)
{
	char why[256];

	return store_sqlite_open(((struct store_sqlite_space *)space)->path, now_ms, store, why,
				 sizeof(why));
}

static uint64_t factory_pass(void *space, uint64_t now_ms, uint64_t ms)
{
	return now_ms + ms;
}

static void factory_destroy(void *space)
{
	store_sqlite_space_destroy(space);
}

/* What a tool of another make answers about the closed file. */
static int64_t ask(struct store_sqlite_space *space, const char *sql)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int64_t answer = 0;

	assert_int_equal(sqlite3_open_v2(space->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		answer = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	sqlite3_close(db);
	return answer;
}

static void assert_why_has(struct store_sqlite_space *space, const char *words)
{
	if (strstr(space->why, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", space->why, words);
}

static void new_file_is_private_and_says_whose_it_is(void **state)
{
	struct store_sqlite_space *space = *state;
	mode_t old = umask(0);
	struct store *store = store_sqlite_space_open(space);
	char wal[128];
	struct stat st;

	umask(old);
	assert_int_equal(store_sqlite_space_put(store, 0, 1, 10), 0);
	snprintf(wal, sizeof(wal), "%s-wal", space->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(space->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	store_close(store);
	assert_int_equal(stat(wal, &st), -1);
	assert_int_equal(ask(space, "PRAGMA application_id"), 0x57454654);
	assert_int_equal(ask(space, "PRAGMA user_version"), 1);
}

static void missing_directory_is_named(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *store;

	snprintf(space->path, sizeof(space->path), "%s/absent/weft.db", space->dir);
	assert_int_equal(store_sqlite_space_try_open(space, &store), -ENOENT);
	assert_why_has(space, "/absent");
	assert_why_has(space, "create");
}

static void directory_that_is_a_file_is_named(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *store;

	store_sqlite_space_write(space, "", "text", 4);
	size_t len = strlen(space->path);
	snprintf(space->path + len, sizeof(space->path) - len, "/weft.db");
	assert_int_equal(store_sqlite_space_try_open(space, &store), -ENOTDIR);
	assert_why_has(space, "Not a directory");
}

static void second_opener_is_refused_until_the_first_closes(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *first = store_sqlite_space_open(space), *second;
	int status;

	assert_int_equal(store_sqlite_space_try_open(space, &second), -EBUSY);
	assert_why_has(space, "another weftd");
	pid_t child = fork();
	if (child == 0)
		_exit(store_sqlite_space_try_open(space, &second) == -EBUSY ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* The first has not noticed. */
	assert_int_equal(store_sqlite_space_put(first, 0, 1, 10), 0);
	store_close(first);
	store_close(store_sqlite_space_open(space));
}

static void file_that_another_tool_holds_is_refused(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *store;
	sqlite3 *db;

	store_close(store_sqlite_space_open(space));
	assert_int_equal(sqlite3_open_v2(space->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL,
				      NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(store_sqlite_space_try_open(space, &store), -EBUSY);
	assert_why_has(space, "another program");
	sqlite3_close(db);
	store_close(store_sqlite_space_open(space));
}

static void newer_schema_is_refused_and_untouched(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *store = store_sqlite_space_open(space);

	assert_int_equal(store_sqlite_space_put(store, 0, 3, 100), 0);
	store_close(store);
	ask(space, "PRAGMA user_version = 2");
	struct store_sqlite_space_bytes before = store_sqlite_space_read(space, "");
	assert_int_equal(store_sqlite_space_try_open(space, &store), -ENOTSUP);
	assert_why_has(space, "schema 2");
	struct store_sqlite_space_bytes after = store_sqlite_space_read(space, "");
	assert_int_equal(before.n_bytes, after.n_bytes);
	assert_memory_equal(before.bytes, after.bytes, after.n_bytes);
	free(before.bytes);
	free(after.bytes);
}

static void log_without_its_file_is_refused(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *store;

	store_sqlite_space_write(space, "-wal", "left", 4);
	assert_int_equal(store_sqlite_space_try_open(space, &store), -EBADMSG);
	assert_why_has(space, "-wal");
}

static void rest_of_a_broken_creation_is_no_hindrance(void **state)
{
	struct store_sqlite_space *space = *state;

	store_sqlite_space_write(space, ".new", "half a file", 11);
	store_sqlite_space_write(space, ".new-journal", "and its journal", 15);
	store_close(store_sqlite_space_open(space));
	assert_null(store_sqlite_space_read(space, ".new").bytes);
	assert_null(store_sqlite_space_read(space, ".new-journal").bytes);
}

static void note_compacted(void *ctx, store_rev rev, const struct store_event *events,
			   size_t n_events, bool compacted)
{
	*(int *)ctx += compacted ? 1000 : 1;
}

/* 1000 if compacted, else the number of revisions seen. */
static int watch_result(struct store *store, store_rev from, uint64_t now_ms)
{
	struct store_watch *watch;
	int result = 0;

	assert_int_equal(store_watch_open(store, BASE, from, note_compacted, &result, &watch), 0);
	assert_true(store_run(store, now_ms) >= 0);
	if (result < 1000)
		store_watch_close(watch);
	return result;
}

static store_rev put_at(struct store *store, unsigned number, uint64_t now_ms)
{
	const struct store_txn nothing = {0};
	store_rev rev;

	assert_int_equal(store_sqlite_space_put(store, number, 1, 10), 0);
	assert_true(store_run(store, now_ms) >= 0);
	assert_int_equal(store_commit(store, &nothing, NULL, &rev), 0);
	return rev;
}

static void watch_from_the_future_is_told_compacted(void **state)
{
	struct store *store = store_sqlite_space_open(*state);
	store_rev rev = put_at(store, 1, 1);

	assert_int_equal(watch_result(store, rev, 1), 0);
	assert_int_equal(watch_result(store, rev + 1, 1), 1000);
	store_close(store);
}

static void log_is_kept_for_an_hour_and_not_for_three(void **state)
{
	struct store *store = store_sqlite_space_open(*state);
	store_rev first = put_at(store, 1, 1);

	put_at(store, 2, HOUR_MS - 1);
	assert_int_equal(watch_result(store, first, HOUR_MS - 1), 1);
	put_at(store, 3, HOUR_MS + 1);
	store_rev late = put_at(store, 4, 2 * HOUR_MS - 1);
	assert_int_equal(watch_result(store, first, 2 * HOUR_MS - 1), 3);
	put_at(store, 5, 2 * HOUR_MS + 2);
	put_at(store, 6, 3 * HOUR_MS);
	assert_int_equal(watch_result(store, first, 3 * HOUR_MS), 1000);
	assert_int_equal(watch_result(store, late, 3 * HOUR_MS), 2);
	store_close(store);
}

static void log_stays_below_100000_events(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *store = store_sqlite_space_open(space);

	for (unsigned i = 0; i < 1200; i++) {
		assert_int_equal(store_sqlite_space_put(store, 0, STORE_OPS_MAX, 1), 0);
		while (store_run(store, 1) == 0)
			;
		/* Opening does not let it grow further. */
		if (i % 300 == 299) {
			store_close(store);
			assert_in_range(ask(space, "SELECT count(*) FROM log"), 30000, 101000);
			store = store_sqlite_space_open(space);
		}
	}
	store_close(store);
}

static void run_says_when_a_lease_ends(void **state)
{
	struct store *store = store_sqlite_space_open(*state);
	store_lease lease;

	assert_int_equal(store_run(store, 1000), HOUR_MS - 1000);
	assert_int_equal(store_lease_grant(store, 5000, &lease), 0);
	assert_int_equal(store_run(store, 1000), 5000);
	assert_int_equal(store_run(store, 4000), 2000);
	assert_int_equal(store_lease_keep(store, lease), 0);
	assert_int_equal(store_run(store, 6000), 3000);
	assert_int_equal(store_run(store, 9000), HOUR_MS - 9000);
	store_close(store);
}

#define test(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, store_sqlite_space_setup,                        \
					store_sqlite_space_teardown)

int main(void)
{
	static const struct store_conformance_factory factory = {
		.name = "sqlite",
		.create = factory_create,
		.open = factory_open,
		.pass = factory_pass,
		.destroy = factory_destroy,
	};
	const struct CMUnitTest tests[] = {
		test(new_file_is_private_and_says_whose_it_is),
		test(missing_directory_is_named),
		test(directory_that_is_a_file_is_named),
		test(second_opener_is_refused_until_the_first_closes),
		test(file_that_another_tool_holds_is_refused),
		test(newer_schema_is_refused_and_untouched),
		test(log_without_its_file_is_refused),
		test(rest_of_a_broken_creation_is_no_hindrance),
		test(watch_from_the_future_is_told_compacted),
		test(log_is_kept_for_an_hour_and_not_for_three),
		test(log_stays_below_100000_events),
		test(run_says_when_a_lease_ends),
	};

	return store_conformance_run(&factory) +
	       cmocka_run_group_tests_name("store_sqlite", tests, NULL, NULL);
}
