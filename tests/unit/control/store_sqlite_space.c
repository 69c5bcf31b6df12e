/* SPDX-License-Identifier: BSD-3-Clause */
/* Helpers of the SQLite store's tests. */
#include "tests/unit/control/store_sqlite_space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct store_sqlite_space *store_sqlite_space_create(void)
{
	struct store_sqlite_space *space = calloc(1, sizeof(*space));

	assert_non_null(space);
	/* In memory where possible: thousands of opens, each with its fsync. */
	strcpy(space->dir, "/dev/shm/weft-store-XXXXXX");
	if (mkdtemp(space->dir) == NULL) {
		strcpy(space->dir, "/tmp/weft-store-XXXXXX");
		assert_non_null(mkdtemp(space->dir));
	}
	snprintf(space->path, sizeof(space->path), "%s/weft.db", space->dir);
	return space;
}

void store_sqlite_space_remove_all(struct store_sqlite_space *space)
{
	DIR *dir = opendir(space->dir);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

void store_sqlite_space_destroy(struct store_sqlite_space *space)
{
	store_sqlite_space_remove_all(space);
	assert_int_equal(rmdir(space->dir), 0);
	free(space);
}

int store_sqlite_space_setup(void **state)
{
	*state = store_sqlite_space_create();
	return 0;
}

int store_sqlite_space_teardown(void **state)
{
	store_sqlite_space_destroy(*state);
	return 0;
}

int store_sqlite_space_try_open(struct store_sqlite_space *space, struct store **store)
{
	space->why[0] = '\0';
	int rc = store_sqlite_open(space->path, 0, store, space->why, sizeof(space->why));

	/* An error has one line that says why, success has none. */
	assert_int_equal(rc != 0, space->why[0] != '\0');
	assert_null(strchr(space->why, '\n'));
	return rc;
}

struct store *store_sqlite_space_open(struct store_sqlite_space *space)
{
	struct store *store;

	if (store_sqlite_space_try_open(space, &store) != 0)
		fail_msg("%s", space->why);
	return store;
}

struct store_sqlite_space_bytes store_sqlite_space_read(struct store_sqlite_space *space,
							const char *suffix)
{
	struct store_sqlite_space_bytes content = {0};
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", space->path, suffix);
	/* Not while a store is open: closing a descriptor would drop SQLite's locks on the file. */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		assert_int_equal(errno, ENOENT);
		return content;
	}
	assert_int_equal(fstat(fd, &st), 0);
	content.n_bytes = (size_t)st.st_size;
	content.bytes = malloc(content.n_bytes + 1);
	assert_non_null(content.bytes);
	assert_int_equal(read(fd, content.bytes, content.n_bytes), content.n_bytes);
	close(fd);
	return content;
}

void store_sqlite_space_write(struct store_sqlite_space *space, const char *suffix,
			      const void *bytes, size_t n_bytes)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", space->path, suffix);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n_bytes), n_bytes);
	close(fd);
}

int store_sqlite_space_put(struct store *store, unsigned number, size_t n_ops, size_t n_bytes)
{
	char keys[STORE_OPS_MAX][48];
	struct store_op ops[STORE_OPS_MAX];
	const struct store_txn txn = {.ops = ops, .n_ops = n_ops};
	char *value = malloc(n_bytes + 1);
	bool is_done = false;

	assert_non_null(value);
	assert_in_range(n_ops, 1, STORE_OPS_MAX);
	memset(value, (int)(number * 7 + 1), n_bytes);
	for (size_t i = 0; i < n_ops; i++) {
		snprintf(keys[i], sizeof(keys[i]), BASE "%06zu", number + i);
		ops[i] = (struct store_op){STORE_PUT, keys[i], value, n_bytes, 0};
	}
	int rc = store_commit(store, &txn, &is_done, NULL);
	assert_int_equal(is_done, rc == 0);
	free(value);
	return rc;
}

struct digest {
	uint64_t sum;
	bool is_compacted;
};

static void mix(struct digest *digest, const void *data, size_t n_bytes)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < n_bytes; i++) {
		digest->sum = (digest->sum ^ bytes[i]) * 0x9e3779b97f4a7c15u;
		digest->sum ^= digest->sum >> 29;
	}
}

static int mix_kv(void *ctx, const struct store_kv *kv)
{
	const uint64_t numbers[] = {strlen(kv->key), kv->value_bytes, kv->create_rev, kv->mod_rev,
				    kv->lease};

	mix(ctx, numbers, sizeof(numbers));
	mix(ctx, kv->key, strlen(kv->key));
	if (kv->value_bytes > 0)
		mix(ctx, kv->value, kv->value_bytes);
	return 0;
}

static void mix_events(void *ctx, store_rev rev, const struct store_event *events, size_t n_events,
		       bool compacted)
{
	struct digest *digest = ctx;

	digest->is_compacted = compacted;
	mix(digest, &rev, sizeof(rev));
	mix(digest, &n_events, sizeof(n_events));
	for (size_t i = 0; i < n_events; i++) {
		mix(digest, &events[i].is_delete, sizeof(events[i].is_delete));
		mix_kv(digest, &events[i].kv);
	}
}

uint64_t store_sqlite_space_digest(struct store *store)
{
	struct digest digest = {.sum = 1};
	struct store_watch *watch;
	store_rev rev;

	assert_int_equal(store_range(store, "/", mix_kv, &digest, &rev), 0);
	mix(&digest, &rev, sizeof(rev));
	/* The history that is there, from its first revision on. */
	for (store_rev from = 1;; from++) {
		assert_int_equal(store_watch_open(store, "/", from, mix_events, &digest, &watch),
				 0);
		assert_true(store_run(store, 0) >= 0);
		if (!digest.is_compacted)
			break;
		digest.is_compacted = false;
	}
	store_watch_close(watch);
	for (store_lease lease = 1; lease < 10; lease++)
		digest.sum = digest.sum * 3 + (store_lease_keep(store, lease) == 0);
	return digest.sum;
}
