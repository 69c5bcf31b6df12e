/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The store of one host: transactions, leases and history on an SQLite file. weftd's loop thread.
 *
 * A change works on a copy of meta that becomes the store's own when SQLite has committed: a
 * failure at any step leaves file and memory as they were.
 */
#include "control/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/store_sqlite_watch.h"

/* The log keeps at least one hour or 50,000 events, and at most twice that. */
#define GENERATION_MS (3600u * 1000)
#define GENERATION_ROWS 50000
#define TRIM_REVS 64

#define EVERY_KEY "/"

struct change {
	struct store_sqlite *sqlite;
	struct store_sqlite_meta meta;
	uint64_t n_events;
};

static sqlite3_stmt *stmt_of(struct store_sqlite *sqlite, enum store_sqlite_file_stmt which)
{
	return sqlite->file.stmts[which];
}

static int exec(struct store_sqlite *sqlite, enum store_sqlite_file_stmt which)
{
	return store_sqlite_file_exec(&sqlite->file, which);
}

static int change_begin(struct change *change, struct store_sqlite *sqlite)
{
	if (sqlite->n_walks > 0)
		return -EBUSY;
	*change = (struct change){.sqlite = sqlite, .meta = sqlite->meta};
	return exec(sqlite, STORE_SQLITE_BEGIN);
}

/* Makes the change durable if rc is 0, undoes it if not. */
static int change_end(struct change *change, int rc)
{
	struct store_sqlite *sqlite = change->sqlite;

	if (rc == 0 && memcmp(&change->meta, &sqlite->meta, sizeof(change->meta)) != 0) {
		store_sqlite_row_bind_meta(stmt_of(sqlite, STORE_SQLITE_META_PUT), &change->meta);
		rc = exec(sqlite, STORE_SQLITE_META_PUT);
	}
	if (rc == 0)
		rc = exec(sqlite, STORE_SQLITE_COMMIT);
	/* Some failures have ended SQLite's transaction already. */
	if (rc != 0 && !sqlite3_get_autocommit(sqlite->file.db))
		exec(sqlite, STORE_SQLITE_ROLLBACK);
	if (rc != 0)
		return rc;
	sqlite->meta = change->meta;
	sqlite->generation_rows += change->n_events;
	return 0;
}

static int log_event(struct change *change, const struct store_event *event)
{
	sqlite3_stmt *stmt = stmt_of(change->sqlite, STORE_SQLITE_LOG_PUT);
	const struct store_sqlite_row row = {
		.event = *event,
		.log_id = store_sqlite_row_log_id(change->meta.rev, change->n_events),
	};

	if (change->n_events++ == STORE_SQLITE_ROW_SEQ_MAX)
		return -E2BIG;
	change->meta.total += store_sqlite_row_bind_log(stmt, &row);
	return exec(change->sqlite, STORE_SQLITE_LOG_PUT);
}

/* The first event of a change is what makes a new revision. */
static store_rev next_rev(struct change *change)
{
	change->meta.rev = change->sqlite->meta.rev + 1;
	return change->meta.rev;
}

/* Steps to one row of kv: 1 with the row, which is the statement's until it is reset, 0 without. */
static int step_kv(struct store_sqlite *sqlite, sqlite3_stmt *stmt, struct store_sqlite_row *row,
		   uint64_t *sum)
{
	int code = sqlite3_step(stmt);
	int rc = code == SQLITE_ROW ? store_sqlite_row_read_kv(stmt, row, sum)
				    : store_sqlite_file_error(sqlite->file.db, code);

	assert(rc <= 0);
	return rc == 0 && code == SQLITE_ROW ? 1 : rc;
}

static int find(struct store_sqlite *sqlite, const char *key, struct store_sqlite_row *row,
		uint64_t *sum)
{
	sqlite3_stmt *stmt = stmt_of(sqlite, STORE_SQLITE_KV_GET);

	sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
	return step_kv(sqlite, stmt, row, sum);
}

static struct store_sqlite_lease *find_lease(struct store_sqlite *sqlite, store_lease id)
{
	for (size_t i = 0; i < sqlite->n_leases; i++) {
		if (sqlite->leases[i].id == id)
			return &sqlite->leases[i];
	}
	return NULL;
}

static int put(struct change *change, const struct store_op *op)
{
	struct store_sqlite *sqlite = change->sqlite;
	sqlite3_stmt *stmt = stmt_of(sqlite, STORE_SQLITE_KV_PUT);
	struct store_sqlite_row old, row = {0};
	uint64_t old_sum = 0;

	if (op->lease != 0 && find_lease(sqlite, op->lease) == NULL)
		return -ENOENT;
	store_rev rev = next_rev(change);
	int rc = find(sqlite, op->key, &old, &old_sum);
	row.event.kv = (struct store_kv){
		.key = op->key,
		.value = op->value,
		.value_bytes = op->value_bytes,
		.create_rev = rc == 1 ? old.event.kv.create_rev : rev,
		.mod_rev = rev,
		.lease = op->lease,
	};
	sqlite3_reset(stmt_of(sqlite, STORE_SQLITE_KV_GET));
	if (rc < 0)
		return rc;
	change->meta.total += store_sqlite_row_bind_kv(stmt, &row) - old_sum;
	rc = exec(sqlite, STORE_SQLITE_KV_PUT);
	return rc != 0 ? rc : log_event(change, &row.event);
}

static int delete_row(struct change *change, const char *key, uint64_t sum)
{
	struct store_sqlite *sqlite = change->sqlite;
	const struct store_event event = {
		.is_delete = true,
		.kv = {.key = key, .mod_rev = next_rev(change)},
	};

	sqlite3_bind_text(stmt_of(sqlite, STORE_SQLITE_KV_DELETE), 1, key, -1, SQLITE_STATIC);
	change->meta.total -= sum;
	int rc = exec(sqlite, STORE_SQLITE_KV_DELETE);
	return rc != 0 ? rc : log_event(change, &event);
}

static int delete_key(struct change *change, const char *key)
{
	struct store_sqlite_row row;
	uint64_t sum;
	int rc = find(change->sqlite, key, &row, &sum);

	sqlite3_reset(stmt_of(change->sqlite, STORE_SQLITE_KV_GET));
	return rc == 1 ? delete_row(change, key, sum) : rc;
}

/* Every key with the prefix, of the lease if it is not 0. */
static int delete_prefix(struct change *change, const char *prefix, store_lease lease)
{
	sqlite3_stmt *stmt = stmt_of(change->sqlite, STORE_SQLITE_KV_FIRST);
	char key[STORE_KEY_BYTES_MAX + 1], end[STORE_KEY_BYTES_MAX + 1];
	struct store_sqlite_row row;
	uint64_t sum;
	int rc = 0;

	store_sqlite_row_bind_prefix(stmt, 1, prefix, end);
	sqlite3_bind_int64(stmt, 3, (sqlite3_int64)lease);
	while (rc == 0 && (rc = step_kv(change->sqlite, stmt, &row, &sum)) == 1) {
		memcpy(key, row.event.kv.key, strlen(row.event.kv.key) + 1);
		sqlite3_reset(stmt);
		/* The search goes on from here: a lease's keys lie far apart. */
		sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
		rc = delete_row(change, key, sum);
	}
	sqlite3_reset(stmt);
	return rc;
}

static int compare_holds(struct store_sqlite *sqlite, const struct store_compare *compare,
			 bool *holds)
{
	struct store_sqlite_row row = {0};
	const struct store_kv *kv = &row.event.kv;
	uint64_t sum;
	int rc = find(sqlite, compare->key, &row, &sum);

	switch (compare->what) {
	case STORE_COMPARE_MOD_REV:
		*holds = kv->mod_rev == compare->rev;
		break;
	case STORE_COMPARE_CREATE_REV:
		*holds = kv->create_rev == compare->rev;
		break;
	case STORE_COMPARE_VALUE:
		*holds = rc == 1 && kv->value_bytes == compare->value_bytes &&
			 (kv->value_bytes == 0 ||
			  memcmp(kv->value, compare->value, kv->value_bytes) == 0);
		break;
	}
	sqlite3_reset(stmt_of(sqlite, STORE_SQLITE_KV_GET));
	return rc < 0 ? rc : 0;
}

static int apply(struct change *change, const struct store_op *op)
{
	switch (op->what) {
	case STORE_PUT:
		return put(change, op);
	case STORE_DELETE:
		return delete_key(change, op->key);
	case STORE_DELETE_PREFIX:
		return delete_prefix(change, op->key, 0);
	}
	return -EINVAL;
}

static int commit(struct store *store, const struct store_txn *txn, bool *done, store_rev *rev)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;
	struct change change;
	bool holds = true;
	int rc = change_begin(&change, sqlite);

	if (rc != 0)
		return rc;
	for (size_t i = 0; rc == 0 && holds && i < txn->n_compares; i++)
		rc = compare_holds(sqlite, &txn->compares[i], &holds);
	for (size_t i = 0; rc == 0 && holds && i < txn->n_ops; i++)
		rc = apply(&change, &txn->ops[i]);
	rc = change_end(&change, rc);
	if (rc != 0)
		return rc;
	if (done != NULL)
		*done = holds;
	if (rev != NULL)
		*rev = sqlite->meta.rev;
	return 0;
}

static int get(struct store *store, const char *key, void **value, size_t *value_bytes,
	       store_rev *mod_rev)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;
	const struct store_kv *kv;
	struct store_sqlite_row row;
	char *copy = NULL;
	uint64_t sum;
	int rc = find(sqlite, key, &row, &sum);

	if (rc == 0)
		rc = -ENOENT;
	kv = &row.event.kv;
	if (rc == 1 && value != NULL) {
		copy = malloc(kv->value_bytes + 1);
		if (copy == NULL)
			rc = -ENOMEM;
	}
	if (rc == 1 && value != NULL) {
		memcpy(copy, kv->value, kv->value_bytes);
		copy[kv->value_bytes] = '\0';
		*value = copy;
	}
	if (rc == 1 && value_bytes != NULL)
		*value_bytes = kv->value_bytes;
	if (rc == 1 && mod_rev != NULL)
		*mod_rev = kv->mod_rev;
	sqlite3_reset(stmt_of(sqlite, STORE_SQLITE_KV_GET));
	return rc < 0 ? rc : 0;
}

static int range(struct store *store, const char *prefix, store_kv_fn fn, void *ctx, store_rev *rev)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;
	char end[STORE_KEY_BYTES_MAX + 1];
	struct store_sqlite_row row;
	sqlite3_stmt *stmt;
	uint64_t sum;
	int rc, code = sqlite3_prepare_v2(sqlite->file.db, STORE_SQLITE_FILE_RANGE_SQL, -1, &stmt,
					  NULL);

	if (code != SQLITE_OK)
		return store_sqlite_file_error(sqlite->file.db, code);
	store_sqlite_row_bind_prefix(stmt, 1, prefix, end);
	sqlite->n_walks++;
	while ((rc = step_kv(sqlite, stmt, &row, &sum)) == 1) {
		rc = fn(ctx, &row.event.kv);
		if (rc != 0)
			break;
	}
	sqlite->n_walks--;
	sqlite3_finalize(stmt);
	if (rc == 0 && rev != NULL)
		*rev = sqlite->meta.rev;
	return rc;
}

static int lease_grant(struct store *store, uint64_t ttl_ms, store_lease *id)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;
	sqlite3_stmt *stmt = stmt_of(sqlite, STORE_SQLITE_LEASE_PUT);
	struct store_sqlite_lease *leases, lease;
	struct change change;

	leases = reallocarray(sqlite->leases, sqlite->n_leases + 1, sizeof(*leases));
	if (leases == NULL)
		return -ENOMEM;
	sqlite->leases = leases;
	int rc = change_begin(&change, sqlite);
	if (rc != 0)
		return rc;
	lease = (struct store_sqlite_lease){
		.id = ++change.meta.last_lease,
		.ttl_ms = ttl_ms,
		.deadline_ms = sqlite->now_ms + ttl_ms,
	};
	change.meta.total += store_sqlite_row_bind_lease(stmt, &lease);
	rc = change_end(&change, exec(sqlite, STORE_SQLITE_LEASE_PUT));
	if (rc != 0)
		return rc;
	sqlite->leases[sqlite->n_leases++] = lease;
	*id = lease.id;
	return 0;
}

static int lease_keep(struct store *store, store_lease id)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;
	struct store_sqlite_lease *lease = find_lease(sqlite, id);

	if (lease == NULL)
		return -ENOENT;
	lease->deadline_ms = sqlite->now_ms + lease->ttl_ms;
	return 0;
}

static int end_lease(struct store_sqlite *sqlite, struct store_sqlite_lease *lease)
{
	struct change change;
	int rc = change_begin(&change, sqlite);

	if (rc != 0)
		return rc;
	rc = delete_prefix(&change, EVERY_KEY, lease->id);
	change.meta.total -= store_sqlite_row_lease_sum(lease);
	sqlite3_bind_int64(stmt_of(sqlite, STORE_SQLITE_LEASE_DELETE), 1, (sqlite3_int64)lease->id);
	if (rc == 0)
		rc = exec(sqlite, STORE_SQLITE_LEASE_DELETE);
	rc = change_end(&change, rc);
	if (rc == 0)
		*lease = sqlite->leases[--sqlite->n_leases];
	return rc;
}

static int lease_revoke(struct store *store, store_lease id)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;
	struct store_sqlite_lease *lease = find_lease(sqlite, id);

	return lease == NULL ? -ENOENT : end_lease(sqlite, lease);
}

static int end_late_leases(struct store_sqlite *sqlite)
{
	size_t i = 0;
	int rc = 0;

	while (rc == 0 && i < sqlite->n_leases) {
		if (sqlite->leases[i].deadline_ms <= sqlite->now_ms)
			rc = end_lease(sqlite, &sqlite->leases[i]);
		else
			i++;
	}
	return rc;
}

static int compact(struct store *store, store_rev rev)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;
	sqlite3_stmt *stmt = stmt_of(sqlite, STORE_SQLITE_LOG_TRIM);
	struct change change;
	int code;

	if (rev > sqlite->meta.rev)
		return -EINVAL;
	if (rev <= sqlite->meta.compacted_rev)
		return 0;
	int rc = change_begin(&change, sqlite);
	if (rc != 0)
		return rc;
	sqlite3_bind_int64(stmt, 1,
			   (sqlite3_int64)store_sqlite_row_log_id(rev, STORE_SQLITE_ROW_SEQ_MAX));
	while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
		change.meta.total -= (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	change.meta.compacted_rev = rev;
	return change_end(&change, store_sqlite_file_error(sqlite->file.db, code));
}

/* When a generation of the log is full the one before it goes, a little in each turn. */
static int trim_log(struct store_sqlite *sqlite)
{
	store_rev step_rev = sqlite->meta.compacted_rev + TRIM_REVS;

	if (sqlite->now_ms - sqlite->generation_ms >= GENERATION_MS ||
	    sqlite->generation_rows >= GENERATION_ROWS) {
		sqlite->trim_rev = sqlite->generation_rev;
		sqlite->generation_rev = sqlite->meta.rev;
		sqlite->generation_ms = sqlite->now_ms;
		sqlite->generation_rows = 0;
	}
	return compact(&sqlite->store, step_rev < sqlite->trim_rev ? step_rev : sqlite->trim_rev);
}

static int64_t run(struct store *store, uint64_t now_ms)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;

	if (now_ms > sqlite->now_ms)
		sqlite->now_ms = now_ms;
	/* One that fails does not keep the others from their work. */
	int end_rc = end_late_leases(sqlite);
	int deliver_rc = store_sqlite_watch_deliver(sqlite);
	int trim_rc = trim_log(sqlite);
	if (end_rc != 0 || deliver_rc != 0 || trim_rc != 0)
		return end_rc != 0 ? end_rc : deliver_rc != 0 ? deliver_rc : trim_rc;
	if (store_sqlite_watch_is_pending(sqlite) || sqlite->meta.compacted_rev < sqlite->trim_rev)
		return 0;
	uint64_t next_ms = sqlite->generation_ms + GENERATION_MS;
	for (size_t i = 0; i < sqlite->n_leases; i++) {
		if (sqlite->leases[i].deadline_ms < next_ms)
			next_ms = sqlite->leases[i].deadline_ms;
	}
	return next_ms > sqlite->now_ms ? (int64_t)(next_ms - sqlite->now_ms) : 0;
}

static void close_store(struct store *store)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;

	store_sqlite_watch_close_all(sqlite);
	store_sqlite_file_close(&sqlite->file);
	free(sqlite->leases);
	free(sqlite);
}

static int load_meta(struct store_sqlite *sqlite)
{
	sqlite3_stmt *stmt = stmt_of(sqlite, STORE_SQLITE_META_GET);
	int rc, code = sqlite3_step(stmt);

	if (code == SQLITE_ROW)
		rc = store_sqlite_row_read_meta(stmt, &sqlite->meta);
	else
		rc = code == SQLITE_DONE ? -EBADMSG
					 : store_sqlite_file_error(sqlite->file.db, code);
	sqlite3_reset(stmt);
	return rc;
}

static int load_lease(struct store_sqlite *sqlite, sqlite3_stmt *stmt, uint64_t *sum)
{
	struct store_sqlite_lease *leases, lease;
	int rc = store_sqlite_row_read_lease(stmt, &lease, sum);

	if (rc != 0)
		return rc;
	leases = reallocarray(sqlite->leases, sqlite->n_leases + 1, sizeof(*leases));
	if (leases == NULL)
		return -ENOMEM;
	/* How long it had been quiet is not known: it starts anew, as in etcd at a new leader. */
	lease.deadline_ms = sqlite->now_ms + lease.ttl_ms;
	sqlite->leases = leases;
	sqlite->leases[sqlite->n_leases++] = lease;
	return 0;
}

/* Reads every row of a table, adds up their checksums. */
static int load_table(struct store_sqlite *sqlite, enum store_sqlite_file_stmt which,
		      uint64_t *total, size_t *n_rows)
{
	sqlite3_stmt *stmt = stmt_of(sqlite, which);
	struct store_sqlite_row row;
	int rc = 0, code = SQLITE_DONE;
	uint64_t sum = 0;

	*n_rows = 0;
	while (rc == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (which == STORE_SQLITE_LEASE_ALL)
			rc = load_lease(sqlite, stmt, &sum);
		else if (which == STORE_SQLITE_LOG_ALL)
			rc = store_sqlite_row_read_log(stmt, &row, &sum);
		else
			rc = store_sqlite_row_read_kv(stmt, &row, &sum);
		*total += sum;
		(*n_rows)++;
	}
	sqlite3_reset(stmt);
	return rc != 0 ? rc : store_sqlite_file_error(sqlite->file.db, code);
}

static int load(struct store_sqlite *sqlite)
{
	uint64_t total = 0;
	size_t n_rows;
	int rc = load_meta(sqlite);

	if (rc == 0)
		rc = load_table(sqlite, STORE_SQLITE_KV_ALL, &total, &n_rows);
	if (rc == 0)
		rc = load_table(sqlite, STORE_SQLITE_LEASE_ALL, &total, &n_rows);
	if (rc == 0)
		rc = load_table(sqlite, STORE_SQLITE_LOG_ALL, &total, &n_rows);
	if (rc == 0 && total != sqlite->meta.total)
		rc = -EBADMSG;
	if (rc != 0)
		return rc;
	/* As if half of the log were this generation: so a store that is often opened trims too. */
	sqlite->generation_rev = sqlite->meta.rev;
	sqlite->generation_ms = sqlite->now_ms;
	sqlite->generation_rows = n_rows / 2;
	return store_sqlite_file_trust(&sqlite->file);
}

static const struct store_backend backend = {
	.get = get,
	.range = range,
	.commit = commit,
	.watch_open = store_sqlite_watch_open,
	.watch_close = store_sqlite_watch_close,
	.lease_grant = lease_grant,
	.lease_keep = lease_keep,
	.lease_revoke = lease_revoke,
	.compact = compact,
	.run = run,
	.close = close_store,
};

int store_sqlite_open(const char *path, uint64_t now_ms, struct store **store, char *why,
		      size_t why_bytes)
{
	struct store_sqlite *sqlite = calloc(1, sizeof(*sqlite));

	if (sqlite == NULL)
		return store_sqlite_file_explain(path, -ENOMEM, "", why, why_bytes);
	sqlite->store.backend = &backend;
	sqlite->now_ms = now_ms;
	TAILQ_INIT(&sqlite->watches);
	int rc = store_sqlite_file_open(&sqlite->file, path, why, why_bytes);
	if (rc != 0) {
		free(sqlite);
		return rc;
	}
	rc = load(sqlite);
	if (rc != 0) {
		store_sqlite_file_explain(path, rc, "rows are missing or not as they were written",
					  why, why_bytes);
		close_store(&sqlite->store);
		return rc;
	}
	*store = &sqlite->store;
	return 0;
}
