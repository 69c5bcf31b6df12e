/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches of the SQLite store: deliver what the log has, a revision a call. weftd's loop thread. */
#include "control/store_sqlite_watch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct store_sqlite_watch {
	struct store_watch watch; /* first: what callers hold */
	TAILQ_ENTRY(store_sqlite_watch) link;
	store_rev seen; /* everything up to here has been delivered */
	bool is_closed;
	store_watch_fn fn;
	void *ctx;
	char prefix[STORE_KEY_BYTES_MAX + 1];
};

/* The events of one revision, copied: the callee may use the store. `bytes` has the keys, each with
 * its NUL, and values one after another. */
struct batch {
	struct store_event *events;
	size_t n_events;
	size_t max_events;
	char *bytes;
	size_t n_bytes;
	size_t max_bytes;
};

static int grow(void **memory, size_t *max, size_t needed, size_t item_bytes)
{
	if (needed <= *max)
		return 0;
	void *grown = reallocarray(*memory, 2 * needed, item_bytes);
	if (grown == NULL)
		return -ENOMEM;
	*memory = grown;
	*max = 2 * needed;
	return 0;
}

static int batch_add(struct batch *batch, const struct store_event *event)
{
	size_t key_bytes = strlen(event->kv.key) + 1;
	void *events = batch->events, *bytes = batch->bytes;
	int rc = grow(&events, &batch->max_events, batch->n_events + 1, sizeof(*event));

	batch->events = events;
	if (rc == 0)
		rc = grow(&bytes, &batch->max_bytes,
			  batch->n_bytes + key_bytes + event->kv.value_bytes, 1);
	batch->bytes = bytes;
	if (rc != 0)
		return rc;
	assert(batch->bytes != NULL);
	batch->events[batch->n_events++] = *event;
	memcpy(batch->bytes + batch->n_bytes, event->kv.key, key_bytes);
	batch->n_bytes += key_bytes;
	if (event->kv.value_bytes > 0)
		memcpy(batch->bytes + batch->n_bytes, event->kv.value, event->kv.value_bytes);
	batch->n_bytes += event->kv.value_bytes;
	return 0;
}

/* Only now do the bytes stay where they are. */
static void batch_finish(struct batch *batch)
{
	const char *at = batch->bytes;

	for (size_t i = 0; i < batch->n_events; i++) {
		struct store_event *event = &batch->events[i];
		event->kv.key = at;
		at += strlen(at) + 1;
		event->kv.value = event->is_delete ? NULL : at;
		at += event->kv.value_bytes;
	}
}

/* The next revision after watch->seen with a key of the watch. */
static int collect(struct store_sqlite *sqlite, const struct store_sqlite_watch *watch,
		   struct batch *batch)
{
	sqlite3_stmt *stmt = sqlite->file.stmts[STORE_SQLITE_LOG_AFTER];
	char end[STORE_KEY_BYTES_MAX + 1];
	int rc = 0, code = SQLITE_DONE;

	sqlite3_bind_int64(
		stmt, 1,
		(sqlite3_int64)store_sqlite_row_log_id(watch->seen, STORE_SQLITE_ROW_SEQ_MAX));
	store_sqlite_row_bind_prefix(stmt, 2, watch->prefix, end);
	while (rc == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct store_sqlite_row row;
		uint64_t sum;
		rc = store_sqlite_row_read_log(stmt, &row, &sum);
		if (rc == 0 && batch->n_events > 0 &&
		    row.event.kv.mod_rev != batch->events[0].kv.mod_rev)
			break;
		if (rc == 0)
			rc = batch_add(batch, &row.event);
	}
	sqlite3_reset(stmt);
	if (rc == 0)
		rc = store_sqlite_file_error(sqlite->file.db, code);
	batch_finish(batch);
	return rc;
}

/* fn may close the watch and compact the store: so both are looked at again each round. */
static int deliver_to(struct store_sqlite *sqlite, struct store_sqlite_watch *watch,
		      store_rev target)
{
	int rc = 0;

	while (rc == 0 && !watch->is_closed && watch->seen < target) {
		struct batch batch = {0};
		if (watch->seen < sqlite->meta.compacted_rev) {
			watch->is_closed = true;
			watch->fn(watch->ctx, sqlite->meta.compacted_rev, NULL, 0, true);
			break;
		}
		rc = collect(sqlite, watch, &batch);
		if (rc == 0 && batch.n_events == 0)
			watch->seen = target;
		if (rc == 0 && batch.n_events > 0) {
			watch->seen = batch.events[0].kv.mod_rev;
			watch->fn(watch->ctx, watch->seen, batch.events, batch.n_events, false);
		}
		free(batch.events);
		free(batch.bytes);
	}
	return rc;
}

int store_sqlite_watch_deliver(struct store_sqlite *sqlite)
{
	struct store_sqlite_watch *watch, *next;
	store_rev target = sqlite->meta.rev;
	int first_error = 0;

	sqlite->is_delivering = true;
	for (watch = TAILQ_FIRST(&sqlite->watches); watch != NULL;
	     watch = TAILQ_NEXT(watch, link)) {
		int rc = deliver_to(sqlite, watch, target);
		if (first_error == 0)
			first_error = rc;
	}
	sqlite->is_delivering = false;
	for (watch = TAILQ_FIRST(&sqlite->watches); watch != NULL; watch = next) {
		next = TAILQ_NEXT(watch, link);
		if (watch->is_closed)
			store_sqlite_watch_close(&watch->watch);
	}
	return first_error;
}

bool store_sqlite_watch_is_pending(const struct store_sqlite *sqlite)
{
	const struct store_sqlite_watch *watch;

	for (watch = TAILQ_FIRST(&sqlite->watches); watch != NULL;
	     watch = TAILQ_NEXT(watch, link)) {
		if (watch->seen < sqlite->meta.rev)
			return true;
	}
	return false;
}

int store_sqlite_watch_open(struct store *store, const char *prefix, store_rev from,
			    store_watch_fn fn, void *ctx, struct store_watch **watch)
{
	struct store_sqlite *sqlite = (struct store_sqlite *)store;
	struct store_sqlite_watch *opened = malloc(sizeof(*opened));

	if (opened == NULL)
		return -ENOMEM;
	*opened = (struct store_sqlite_watch){
		.watch.store = store,
		.seen = from != 0 ? from : sqlite->meta.rev,
		.fn = fn,
		.ctx = ctx,
	};
	/* A revision that is yet to come was seen in a newer copy of this file: nobody knows what
	 * happened since. 0 is before every log, so this watch is told `compacted`. */
	if (opened->seen > sqlite->meta.rev)
		opened->seen = 0;
	memcpy(opened->prefix, prefix, strlen(prefix) + 1);
	TAILQ_INSERT_TAIL(&sqlite->watches, opened, link);
	*watch = &opened->watch;
	return 0;
}

void store_sqlite_watch_close(struct store_watch *watch)
{
	struct store_sqlite_watch *closed = (struct store_sqlite_watch *)watch;
	struct store_sqlite *sqlite = (struct store_sqlite *)watch->store;

	closed->is_closed = true;
	if (sqlite->is_delivering)
		return;
	TAILQ_REMOVE(&sqlite->watches, closed, link);
	free(closed);
}

void store_sqlite_watch_close_all(struct store_sqlite *sqlite)
{
	struct store_sqlite_watch *watch;

	assert(!sqlite->is_delivering);
	while ((watch = TAILQ_FIRST(&sqlite->watches)) != NULL) {
		TAILQ_REMOVE(&sqlite->watches, watch, link);
		free(watch);
	}
}
