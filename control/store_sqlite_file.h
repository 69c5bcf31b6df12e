/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SQLite file of the store: its schema, its statements, and how it is opened and mistrusted.
 * Private to store_sqlite*.c.
 *
 *	kv	what is there now: one row for each key
 *	log	what happened: one row for each event, in the order of its id; watches read it
 *	lease	leases and their ttl; deadlines are in memory only
 *	meta	one row: the revision, where log starts, and `total`
 *
 * SQLite notices damage to its own structure, not to content. So every row has a checksum, and
 * meta.total is the sum (mod 2^64) of the checksums of all rows of the three other tables: a
 * flipped bit shows when its row is read, a row that is missing, doubled or old when the file is
 * opened.
 */
#pragma once

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_SQLITE_FILE_STATEMENTS(X)                                                            \
	X(BEGIN, "BEGIN")                                                                          \
	X(COMMIT, "COMMIT")                                                                        \
	X(ROLLBACK, "ROLLBACK")                                                                    \
	X(KV_GET, "SELECT key, value, create_rev, mod_rev, lease, sum FROM kv WHERE key = ?1")     \
	X(KV_ALL, "SELECT key, value, create_rev, mod_rev, lease, sum FROM kv")                    \
	X(KV_FIRST, "SELECT key, value, create_rev, mod_rev, lease, sum FROM kv "                  \
		    "WHERE key >= ?1 AND key < ?2 AND (?3 = 0 OR lease = ?3) "                     \
		    "ORDER BY key LIMIT 1")                                                        \
	X(KV_PUT, "INSERT INTO kv(key, value, create_rev, mod_rev, lease, sum) "                   \
		  "VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(key) DO UPDATE "                     \
		  "SET value = ?2, create_rev = ?3, mod_rev = ?4, lease = ?5, sum = ?6")           \
	X(KV_DELETE, "DELETE FROM kv WHERE key = ?1")                                              \
	X(LOG_ALL, "SELECT key, value, create_rev, rev, lease, sum, id, is_delete FROM log")       \
	X(LOG_AFTER, "SELECT key, value, create_rev, rev, lease, sum, id, is_delete FROM log "     \
		     "WHERE id > ?1 AND key >= ?2 AND key < ?3 ORDER BY id")                       \
	X(LOG_PUT, "INSERT INTO log(key, value, create_rev, rev, lease, sum, id, is_delete) "      \
		   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                                       \
	X(LOG_TRIM, "DELETE FROM log WHERE id <= ?1 RETURNING sum")                                \
	X(LEASE_ALL, "SELECT id, ttl_ms, sum FROM lease ORDER BY id")                              \
	X(LEASE_PUT, "INSERT INTO lease(id, ttl_ms, sum) VALUES(?1, ?2, ?3)")                      \
	X(LEASE_DELETE, "DELETE FROM lease WHERE id = ?1")                                         \
	X(META_GET, "SELECT rev, compacted_rev, last_lease, total, sum FROM meta")                 \
	X(META_PUT, "UPDATE meta SET rev = ?1, compacted_rev = ?2, last_lease = ?3, total = ?4, "  \
		    "sum = ?5")

enum store_sqlite_file_stmt {
#define X(name, sql) STORE_SQLITE_##name,
	STORE_SQLITE_FILE_STATEMENTS(X)
#undef X
		STORE_SQLITE_STMT_COUNT,
};

/* Not kept as a statement: walks may nest. */
#define STORE_SQLITE_FILE_RANGE_SQL                                                                \
	"SELECT key, value, create_rev, mod_rev, lease, sum FROM kv "                              \
	"WHERE key >= ?1 AND key < ?2 ORDER BY key"

struct store_sqlite_file {
	sqlite3 *db;
	int dir_fd; /* its lock keeps a second weftd out for as long as it is open */
	sqlite3_stmt *stmts[STORE_SQLITE_STMT_COUNT];
};

/* Opens or creates, for reading: until store_sqlite_file_trust(), which the caller calls when the
 * rows are what they should be, no byte of an existing file changes. On error nothing is left open
 * and one line is in `why`. */
int store_sqlite_file_open(struct store_sqlite_file *file, const char *path, char *why,
			   size_t why_bytes);
int store_sqlite_file_trust(struct store_sqlite_file *file);
void store_sqlite_file_close(struct store_sqlite_file *file);

/* The line for an error of the file; `detail` is used for -EBADMSG. Returns rc. */
int store_sqlite_file_explain(const char *path, int rc, const char *detail, char *why,
			      size_t why_bytes);

/* An SQLite result code as 0 or -errno; ROW and DONE are 0. */
int store_sqlite_file_error(sqlite3 *db, int code);

/* Runs a statement that gives no row; its bindings are used up. */
int store_sqlite_file_exec(struct store_sqlite_file *file, enum store_sqlite_file_stmt which);
