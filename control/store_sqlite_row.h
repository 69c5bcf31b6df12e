/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of the SQLite store, bound to statements and read back with their checksums. Columns come in
 * the order of store_sqlite_file.h's statements. Private to store_sqlite*.c.
 */
#pragma once

#include <sqlite3.h>

#include "control/store.h"

/* An event's place in the log: its revision, and in the low bits which one of it. */
#define STORE_SQLITE_ROW_SEQ_BITS 20
#define STORE_SQLITE_ROW_SEQ_MAX ((UINT64_C(1) << STORE_SQLITE_ROW_SEQ_BITS) - 1)

/* A row of kv (is_delete and log_id are then 0) or of log. */
struct store_sqlite_row {
	struct store_event event;
	uint64_t log_id;
};

/* The id of event `seq` of the revision. */
static inline uint64_t store_sqlite_row_log_id(store_rev rev, uint64_t seq)
{
	return rev << STORE_SQLITE_ROW_SEQ_BITS | seq;
}

struct store_sqlite_lease {
	store_lease id;
	uint64_t ttl_ms;
	uint64_t deadline_ms; /* in memory only */
};

struct store_sqlite_meta {
	store_rev rev;
	store_rev compacted_rev;
	store_lease last_lease;
	uint64_t total; /* of all checksums of kv, log and lease */
};

/* bind: returns the row's checksum, which goes into the row. The row's memory must stay until the
 * statement has run. read: 0 or -EBADMSG; the memory is the statement's until its next step. */
uint64_t store_sqlite_row_bind_kv(sqlite3_stmt *stmt, const struct store_sqlite_row *row);
uint64_t store_sqlite_row_bind_log(sqlite3_stmt *stmt, const struct store_sqlite_row *row);
uint64_t store_sqlite_row_bind_lease(sqlite3_stmt *stmt, const struct store_sqlite_lease *lease);
void store_sqlite_row_bind_meta(sqlite3_stmt *stmt, const struct store_sqlite_meta *meta);

int store_sqlite_row_read_kv(sqlite3_stmt *stmt, struct store_sqlite_row *row, uint64_t *sum);
int store_sqlite_row_read_log(sqlite3_stmt *stmt, struct store_sqlite_row *row, uint64_t *sum);
int store_sqlite_row_read_lease(sqlite3_stmt *stmt, struct store_sqlite_lease *lease,
				uint64_t *sum);
int store_sqlite_row_read_meta(sqlite3_stmt *stmt, struct store_sqlite_meta *meta);

/* Binds a prefix as the range of keys [?first, ?first + 1). `end` has STORE_KEY_BYTES_MAX + 1
 * bytes and stays until the statement has run. */
void store_sqlite_row_bind_prefix(sqlite3_stmt *stmt, int first, const char *prefix, char *end);

uint64_t store_sqlite_row_lease_sum(const struct store_sqlite_lease *lease);
uint64_t store_sqlite_row_meta_sum(const struct store_sqlite_meta *meta);
