/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SQLite store on damaged files. Whatever has happened to the bytes, opening either refuses,
 * with one line and without touching them, or gives exactly what was stored.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/store_sqlite_space.h"

#define PAGE_BYTES 4096
#define N_STATES 24

/* Values below and above a page, deletions, leases, a compacted beginning: every kind of page. */
static void fill(struct store *store, unsigned round)
{
	const struct store_op ops[] = {
		{.what = STORE_DELETE, .key = BASE "000003"},
		{STORE_PUT, BASE "z", "leased", 6, .lease = 1},
	};
	const struct store_txn txn = {.ops = ops, .n_ops = 2};
	store_lease lease;
	store_rev rev;

	assert_int_equal(store_lease_grant(store, 60000 + round, &lease), 0);
	assert_int_equal(store_sqlite_space_put(store, 100 * round, 40, 30), 0);
	assert_int_equal(store_sqlite_space_put(store, 100 * round + 40, 20, 700), 0);
	assert_int_equal(store_sqlite_space_put(store, 100 * round + 60, 2, 9000), 0);
	assert_int_equal(store_commit(store, &txn, NULL, &rev), 0);
	if (round == 1)
		assert_int_equal(store_compact(store, rev - 3), 0);
}

struct sample {
	struct store_sqlite_space *space;
	struct store_sqlite_space_bytes file;
	struct store_sqlite_space_bytes older; /* the same file, one round before */
	uint64_t digest;
	unsigned n_refused, n_harmless;
};

static void sample_create(struct sample *sample, struct store_sqlite_space *space)
{
	struct store *store = store_sqlite_space_open(space);

	*sample = (struct sample){.space = space};
	fill(store, 0);
	fill(store, 1);
	store_close(store);
	sample->older = store_sqlite_space_read(space, "");
	store = store_sqlite_space_open(space);
	fill(store, 2);
	sample->digest = store_sqlite_space_digest(store);
	store_close(store);
	sample->file = store_sqlite_space_read(space, "");
	assert(sample->file.bytes != NULL && sample->older.bytes != NULL);
	assert_in_range(sample->file.n_bytes, 20 * PAGE_BYTES, 200 * PAGE_BYTES);
}

static void sample_destroy(struct sample *sample)
{
	free(sample->file.bytes);
	free(sample->older.bytes);
}

static void assert_untouched(struct store_sqlite_space *space, const char *suffix,
			     const char *bytes, size_t n_bytes, const char *what, size_t where)
{
	struct store_sqlite_space_bytes now = store_sqlite_space_read(space, suffix);

	if (now.n_bytes != n_bytes || now.bytes == NULL || memcmp(now.bytes, bytes, n_bytes) != 0)
		fail_msg("%s %zu: refused, but the file was changed", what, where);
	free(now.bytes);
}

/* Opens the store on these bytes: refused or harmless, and if so also after a write. */
static void try_bytes(struct sample *sample, const char *bytes, size_t n_bytes, const char *what,
		      size_t where)
{
	struct store *store;

	store_sqlite_space_remove_all(sample->space);
	store_sqlite_space_write(sample->space, "", bytes, n_bytes);
	int rc = store_sqlite_space_try_open(sample->space, &store);
	if (rc != 0) {
		if (rc != -EBADMSG && rc != -ENOTSUP)
			fail_msg("%s %zu: %d: %s", what, where, rc, sample->space->why);
		assert_untouched(sample->space, "", bytes, n_bytes, what, where);
		sample->n_refused++;
		return;
	}
	if (store_sqlite_space_digest(store) != sample->digest)
		fail_msg("%s %zu: opened with other data", what, where);
	assert_int_equal(store_sqlite_space_put(store, 500, 3, 2000), 0);
	uint64_t digest = store_sqlite_space_digest(store);
	store_close(store);
	store = store_sqlite_space_open(sample->space);
	if (store_sqlite_space_digest(store) != digest)
		fail_msg("%s %zu: harmless at first, other data after a write", what, where);
	store_close(store);
	sample->n_harmless++;
}

static void flip(struct sample *sample, size_t bit)
{
	sample->file.bytes[bit / 8] ^= (char)(1 << bit % 8);
	try_bytes(sample, sample->file.bytes, sample->file.n_bytes, "flipped bit", bit);
	sample->file.bytes[bit / 8] ^= (char)(1 << bit % 8);
}

static void flipped_bit_is_refused_or_harmless(void **state)
{
	struct sample sample;
	unsigned seed = 1;

	sample_create(&sample, *state);
	try_bytes(&sample, sample.file.bytes, sample.file.n_bytes, "undamaged", 0);
	assert_int_equal(sample.n_harmless, 1);
	/* The header of the file, the heads of all pages, and then anywhere. */
	for (size_t bit = 0; bit < 100 * 8; bit++)
		flip(&sample, bit);
	for (size_t page = 0; page < sample.file.n_bytes / PAGE_BYTES; page++) {
		for (int i = 0; i < 6; i++)
			flip(&sample, page * PAGE_BYTES * 8 + (size_t)rand_r(&seed) % (12 * 8));
	}
	for (int i = 0; i < 500; i++)
		flip(&sample, (size_t)rand_r(&seed) % (sample.file.n_bytes * 8));
	print_message("%u refused, %u harmless\n", sample.n_refused, sample.n_harmless);
	assert_in_range(sample.n_refused, 500, 2000);
	sample_destroy(&sample);
}

static void truncated_file_is_refused(void **state)
{
	struct sample sample;

	sample_create(&sample, *state);
	for (size_t n_bytes = 0; n_bytes < sample.file.n_bytes; n_bytes += 1361) {
		try_bytes(&sample, sample.file.bytes, n_bytes, "truncated", n_bytes);
		size_t page = n_bytes / PAGE_BYTES * PAGE_BYTES;
		try_bytes(&sample, sample.file.bytes, page, "truncated", page);
	}
	try_bytes(&sample, sample.file.bytes, sample.file.n_bytes - 1, "truncated", 1);
	assert_int_equal(sample.n_harmless, 0);
	sample_destroy(&sample);
}

/* What disks do: a page reads as zeroes, as another page, or as it was before the last write. */
static void lost_or_misplaced_page_is_refused_or_harmless(void **state)
{
	struct sample sample;

	sample_create(&sample, *state);
	size_t n_pages = sample.file.n_bytes / PAGE_BYTES;
	char *copy = malloc(sample.file.n_bytes);
	assert_non_null(copy);
	for (size_t page = 0; page < n_pages; page++) {
		const char *sources[] = {
			NULL,
			sample.file.bytes + (page + 1) % n_pages * PAGE_BYTES,
			sample.file.bytes + (page + 7) % n_pages * PAGE_BYTES,
			(page + 1) * PAGE_BYTES <= sample.older.n_bytes
				? sample.older.bytes + page * PAGE_BYTES
				: NULL,
		};
		for (size_t i = 0; i < 4; i++) {
			memcpy(copy, sample.file.bytes, sample.file.n_bytes);
			if (sources[i] == NULL)
				memset(copy + page * PAGE_BYTES, 0, PAGE_BYTES);
			else
				memcpy(copy + page * PAGE_BYTES, sources[i], PAGE_BYTES);
			try_bytes(&sample, copy, sample.file.n_bytes, "page", page * 10 + i);
		}
	}
	print_message("%u refused, %u harmless\n", sample.n_refused, sample.n_harmless);
	assert_in_range(sample.n_refused, 2 * n_pages, 4 * n_pages);
	free(copy);
	sample_destroy(&sample);
}

static void file_of_something_else_is_refused(void **state)
{
	static char zeroes[2 * PAGE_BYTES];
	struct sample sample = {.space = *state};
	char garbage[3 * PAGE_BYTES];
	unsigned seed = 7;

	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)rand_r(&seed);
	try_bytes(&sample, garbage, sizeof(garbage), "garbage", 0);
	try_bytes(&sample, zeroes, sizeof(zeroes), "zeroes", 0);
	try_bytes(&sample, "{}\n", 3, "text", 0);
	try_bytes(&sample, "", 0, "empty", 0);
	assert_int_equal(sample.n_refused, 4);
}

/* A crash leaves the write-ahead log. If its end is damaged SQLite takes it for torn: what opens
 * then must be a state that the store once had, never a mixture. */
struct history {
	struct store_sqlite_space_bytes file, wal;
	uint64_t digests[N_STATES];
	size_t n_states;
	unsigned n_refused;
};

static void crash_copy(struct store_sqlite_space *space, struct history *history)
{
	free(history->file.bytes);
	free(history->wal.bytes);
	history->file = store_sqlite_space_read(space, "");
	history->wal = store_sqlite_space_read(space, "-wal");
}

static void try_wal(struct store_sqlite_space *space, struct history *history, size_t bit)
{
	struct store *store;
	size_t i = 0;

	store_sqlite_space_remove_all(space);
	store_sqlite_space_write(space, "", history->file.bytes, history->file.n_bytes);
	store_sqlite_space_write(space, "-wal", history->wal.bytes, history->wal.n_bytes);
	int rc = store_sqlite_space_try_open(space, &store);
	if (rc == -EBADMSG) {
		assert_untouched(space, "", history->file.bytes, history->file.n_bytes, "log", bit);
		assert_untouched(space, "-wal", history->wal.bytes, history->wal.n_bytes, "log",
				 bit);
		history->n_refused++;
		return;
	}
	assert_int_equal(rc, 0);
	uint64_t digest = store_sqlite_space_digest(store);
	store_close(store);
	while (i < history->n_states && history->digests[i] != digest)
		i++;
	if (i == history->n_states)
		fail_msg("bit %zu of the log: a state that never was", bit);
}

static void damage_wal(struct store_sqlite_space *space, struct history *history)
{
	unsigned seed = 3;

	try_wal(space, history, 0);
	for (int i = 0; i < 150; i++) {
		size_t bit = (size_t)rand_r(&seed) % (history->wal.n_bytes * 8);
		history->wal.bytes[bit / 8] ^= (char)(1 << bit % 8);
		try_wal(space, history, bit);
		history->wal.bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	size_t n_bytes = history->wal.n_bytes;
	for (int i = 0; i < 50; i++) {
		history->wal.n_bytes = (size_t)rand_r(&seed) % n_bytes;
		try_wal(space, history, history->wal.n_bytes * 8);
	}
	history->wal.n_bytes = n_bytes;
}

static void damaged_log_gives_a_state_that_was(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *store = store_sqlite_space_open(space);
	struct history history = {0};
	bool is_checkpointed = false;

	/* A file with content, so that the log has only part of the pages of any state. */
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(store_sqlite_space_put(store, 100 * i, 100, 3000), 0);
	store_close(store);
	struct store_sqlite_space_bytes base = store_sqlite_space_read(space, "");
	store = store_sqlite_space_open(space);
	history.digests[history.n_states++] = store_sqlite_space_digest(store);
	while (!is_checkpointed && history.n_states < N_STATES) {
		/* Other keys each time, in other sizes: pages change that the log has not seen. */
		unsigned number = 37 * (unsigned)history.n_states % 480;
		size_t n_bytes = history.n_states % 2 == 0 ? 500 : 9000;
		assert_int_equal(store_sqlite_space_put(store, number, 20, n_bytes), 0);
		history.digests[history.n_states++] = store_sqlite_space_digest(store);
		/* This drops SQLite's lock, but no second process is about. */
		crash_copy(space, &history);
		is_checkpointed = history.file.n_bytes != base.n_bytes ||
				  memcmp(history.file.bytes, base.bytes, base.n_bytes) != 0;
	}
	assert_true(is_checkpointed);
	store_close(store);
	/* All of the log is in the file too: the worst case for a mixture. */
	damage_wal(space, &history);
	print_message("%u refused\n", history.n_refused);
	assert_int_not_equal(history.n_refused, 0);
	free(base.bytes);
	free(history.file.bytes);
	free(history.wal.bytes);
}

static void damage_that_comes_while_open_is_noticed(void **state)
{
	struct store_sqlite_space *space = *state;
	struct store *store = store_sqlite_space_open(space);
	char *value = malloc(200000);

	assert_non_null(value);
	memset(value, 'v', 200000);
	const struct store_op op = {STORE_PUT, BASE "big", value, 200000, 0};
	const struct store_txn txn = {.ops = &op, .n_ops = 1};
	assert_int_equal(store_commit(store, &txn, NULL, NULL), 0);
	/* Push it out of SQLite's cache and out of the log. */
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(store_sqlite_space_put(store, 100 * i, 100, 9000), 0);
	struct store_sqlite_space_bytes file = store_sqlite_space_read(space, "");
	size_t n_changed = 0;
	for (size_t i = 100; i + 8 < file.n_bytes; i++) {
		if (memcmp(file.bytes + i, "vvvvvvvv", 8) == 0) {
			file.bytes[i] = 'w';
			n_changed++;
			i += PAGE_BYTES;
		}
	}
	assert_int_not_equal(n_changed, 0);
	FILE *out = fopen(space->path, "r+");
	assert_non_null(out);
	assert_int_equal(fwrite(file.bytes, 1, file.n_bytes, out), file.n_bytes);
	fclose(out);
	assert_int_equal(store_get(store, BASE "big", NULL, NULL, NULL), -EBADMSG);
	assert_int_equal(store_commit(store, &txn, NULL, NULL), -EBADMSG);
	assert_int_equal(store_get(store, BASE "000100", NULL, NULL, NULL), 0);
	store_close(store);
	assert_int_equal(store_sqlite_space_try_open(space, &store), -EBADMSG);
	free(file.bytes);
	free(value);
}

#define test(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, store_sqlite_space_setup,                        \
					store_sqlite_space_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(flipped_bit_is_refused_or_harmless),
		test(truncated_file_is_refused),
		test(lost_or_misplaced_page_is_refused_or_harmless),
		test(file_of_something_else_is_refused),
		test(damaged_log_gives_a_state_that_was),
		test(damage_that_comes_while_open_is_noticed),
	};

	return cmocka_run_group_tests_name("store_sqlite_damage", tests, NULL, NULL);
}
