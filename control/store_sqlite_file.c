/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SQLite file of the store: locks its directory, creates it, opens it, refuses what it cannot
 * trust. weftd's loop thread.
 */
#include "control/store_sqlite_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/store_sqlite_row.h"

#define APPLICATION_ID 1464157780 /* "WEFT" */
#define SCHEMA_VERSION 1
#define BUSY_MS 1000 /* for who looks into the file with another tool as we open it */

/* Tables by row number: in one by key (WITHOUT ROWID) a value of 1 KB takes a page of its own. */
static const char *const schema[] = {
	"CREATE TABLE kv(key TEXT NOT NULL UNIQUE, value BLOB NOT NULL, "
	"create_rev INTEGER NOT NULL, mod_rev INTEGER NOT NULL, lease INTEGER NOT NULL, "
	"sum INTEGER NOT NULL) STRICT",
	"CREATE TABLE log(id INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB NOT NULL, "
	"create_rev INTEGER NOT NULL, rev INTEGER NOT NULL, lease INTEGER NOT NULL, "
	"sum INTEGER NOT NULL, is_delete INTEGER NOT NULL) STRICT",
	"CREATE TABLE lease(id INTEGER PRIMARY KEY, ttl_ms INTEGER NOT NULL, "
	"sum INTEGER NOT NULL) STRICT",
	"CREATE TABLE meta(rev INTEGER NOT NULL, compacted_rev INTEGER NOT NULL, "
	"last_lease INTEGER NOT NULL, total INTEGER NOT NULL, sum INTEGER NOT NULL) STRICT",
};

#define SCHEMA_TABLES (sizeof(schema) / sizeof(schema[0]))

/* locking_mode: nobody else writes while we do, and no shared memory file that could give SIGBUS.
 * synchronous: NORMAL may lose the last commits at a power cut. secure_delete: Debian's default
 * would write zeroes over all that is deleted. */
static const struct {
	const char *sql;
	const char *answer; /* NULL: it gives none */
} settings[] = {
	{"PRAGMA journal_mode = WAL", "wal"},
	{"PRAGMA synchronous = FULL", NULL},
	{"PRAGMA synchronous", "2"},
	{"PRAGMA secure_delete = OFF", "0"},
	{"PRAGMA journal_size_limit = 4194304", "4194304"},
	{"PRAGMA temp_store = MEMORY", NULL},
};

/* sqlite3_system_errno() knows nothing of errors in a transaction: the files themselves do. */
static int last_errno(sqlite3 *db)
{
	sqlite3_file *log = NULL;
	int number = 0;

	sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (log != NULL && log->pMethods != NULL)
		log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
	if (number == 0)
		sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
	return number;
}

int store_sqlite_file_error(sqlite3 *db, int code)
{
	assert(code != SQLITE_MISUSE);
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		switch (last_errno(db)) {
		case ENOSPC:
		case EDQUOT:
		case EFBIG:
			return -ENOSPC;
		default:
			return -EIO;
		}
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return -EACCES;
	default:
		/* Corrupt, not a database, and what only a damaged schema can bring about. */
		return -EBADMSG;
	}
}

int store_sqlite_file_exec(struct store_sqlite_file *file, enum store_sqlite_file_stmt which)
{
	int code = sqlite3_step(file->stmts[which]);

	/* The step's code counts: reset only repeats it. */
	sqlite3_reset(file->stmts[which]);
	return store_sqlite_file_error(file->db, code);
}

int store_sqlite_file_explain(const char *path, int rc, const char *detail, char *why,
			      size_t why_bytes)
{
	switch (rc) {
	case -EBADMSG:
		snprintf(why, why_bytes,
			 "%s is damaged (%s) and was left as it is: move it and %s-wal away, then "
			 "put a copy in its place, or start empty and apply the lab again",
			 path, detail, path);
		break;
	case -EBUSY:
		snprintf(why, why_bytes, "%s is in use by another program: close that one", path);
		break;
	default:
		snprintf(why, why_bytes, "cannot use %s: %s: check the disk and its permissions",
			 path, strerror(-rc));
	}
	return rc;
}

/* The first column of the first row as text ("" if none). */
static int ask(sqlite3 *db, const char *sql, char *answer, size_t answer_bytes)
{
	sqlite3_stmt *stmt;
	int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	answer[0] = '\0';
	if (code != SQLITE_OK)
		return store_sqlite_file_error(db, code);
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		snprintf(answer, answer_bytes, "%s", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return store_sqlite_file_error(db, code);
}

static int lock_dir(const char *dir, char *why, size_t why_bytes)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		int rc = -errno;
		snprintf(why, why_bytes,
			 "%s: %s: create this directory or choose another --state-dir", dir,
			 strerror(-rc));
		return rc;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	int rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	snprintf(why, why_bytes,
		 rc == -EBUSY ? "%s is in use by another weftd: stop that one, or give this one "
				"its own --state-dir"
			      : "%s cannot be locked: choose another --state-dir, on a local disk",
		 dir);
	return rc;
}

static int write_schema(sqlite3 *db)
{
	char sql[200];
	int code = sqlite3_exec(db, "PRAGMA synchronous = FULL; BEGIN", NULL, NULL, NULL);

	for (size_t i = 0; i < SCHEMA_TABLES && code == SQLITE_OK; i++)
		code = sqlite3_exec(db, schema[i], NULL, NULL, NULL);
	const struct store_sqlite_meta meta = {.rev = 1, .compacted_rev = 1};
	snprintf(sql, sizeof(sql),
		 "INSERT INTO meta VALUES(1, 1, 0, 0, %" PRId64 "); "
		 "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		 (int64_t)store_sqlite_row_meta_sum(&meta), APPLICATION_ID, SCHEMA_VERSION);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	return store_sqlite_file_error(db, code);
}

/* Whole or not at all: an empty or half-made file under the real name would be taken for a damaged
 * one, or worse, a damaged one for a new one. */
static int create(const char *path, int dir_fd)
{
	char temporary[PATH_MAX], journal[PATH_MAX];
	sqlite3 *db = NULL;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary) ||
	    snprintf(journal, sizeof(journal), "%s-journal", temporary) >= (int)sizeof(journal))
		return -ENAMETOOLONG;
	unlink(temporary);
	unlink(journal);
	int fd = open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	int code =
		sqlite3_open_v2(temporary, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	int rc = code == SQLITE_OK ? write_schema(db) : store_sqlite_file_error(db, code);
	sqlite3_close(db);
	if (rc == 0 && (rename(temporary, path) != 0 || fsync(dir_fd) != 0))
		rc = -errno;
	if (rc != 0) {
		unlink(temporary);
		unlink(journal);
	}
	return rc;
}

static int create_if_absent(const char *path, int dir_fd, char *why, size_t why_bytes)
{
	char wal[PATH_MAX];
	struct stat st;

	if (stat(path, &st) == 0)
		return 0;
	if (errno != ENOENT)
		return store_sqlite_file_explain(path, -errno, "", why, why_bytes);
	/* SQLite would play an old file's write-ahead log into the new one. */
	if (snprintf(wal, sizeof(wal), "%s-wal", path) < (int)sizeof(wal) && stat(wal, &st) == 0) {
		snprintf(why, why_bytes,
			 "%s is missing, but its %s is there: put the file back, or remove %s to "
			 "start empty",
			 path, wal, wal);
		return -EBADMSG;
	}
	int rc = create(path, dir_fd);
	return rc == 0 ? 0 : store_sqlite_file_explain(path, rc, "", why, why_bytes);
}

static int refuse(int rc, const char *reason, char *detail, size_t detail_bytes)
{
	snprintf(detail, detail_bytes, "%.200s", reason);
	for (char *at = detail; *at != '\0'; at++) {
		if (*at == '\n')
			*at = ' ';
	}
	return rc;
}

/* `found`: the file's statements one after another. */
static bool schema_is_ours(const char *found)
{
	for (size_t i = 0; i < SCHEMA_TABLES; i++) {
		size_t n_bytes = strlen(schema[i]);
		if (strncmp(found, schema[i], n_bytes) != 0)
			return false;
		found += n_bytes;
	}
	return *found == '\0';
}

/* 0 or -errno and why in `detail`; for -ENOTSUP that is the schema's version. */
static int check_file(sqlite3 *db, char *detail, size_t detail_bytes)
{
	char answer[1024];
	int rc = ask(db, "PRAGMA application_id", answer, sizeof(answer));

	if (rc == 0 && strtol(answer, NULL, 10) != APPLICATION_ID)
		return refuse(-EBADMSG, "it is not a file of weft", detail, detail_bytes);
	if (rc == 0)
		rc = ask(db, "PRAGMA user_version", answer, sizeof(answer));
	if (rc == 0 && strtol(answer, NULL, 10) > SCHEMA_VERSION)
		return refuse(-ENOTSUP, answer, detail, detail_bytes);
	/* connect_file() has seen that it can be written: so its header forbids it. */
	if (rc == 0 && sqlite3_db_readonly(db, "main") != 0)
		return refuse(-EBADMSG, "its format is not known", detail, detail_bytes);
	if (rc == 0)
		rc = ask(db, "PRAGMA integrity_check(1)", answer, sizeof(answer));
	if (rc == 0 && strcmp(answer, "ok") != 0)
		return refuse(-EBADMSG, answer, detail, detail_bytes);
	if (rc == 0)
		rc = ask(db,
			 "SELECT group_concat(sql, '') FROM "
			 "(SELECT sql FROM sqlite_schema ORDER BY rowid)",
			 answer, sizeof(answer));
	if (rc == 0 && !schema_is_ours(answer))
		return refuse(-EBADMSG, "its schema is not weft's", detail, detail_bytes);
	return rc == 0 ? 0 : refuse(rc, sqlite3_errmsg(db), detail, detail_bytes);
}

static int connect_file(struct store_sqlite_file *file, const char *path)
{
	if (access(path, R_OK | W_OK) != 0)
		return -errno;
	int code =
		sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return store_sqlite_file_error(file->db, code);
	sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_busy_timeout(file->db, BUSY_MS);
	code = sqlite3_exec(file->db,
			    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cell_size_check = ON; "
			    "PRAGMA trusted_schema = OFF",
			    NULL, NULL, NULL);
	return store_sqlite_file_error(file->db, code);
}

static int prepare_all(struct store_sqlite_file *file)
{
	static const char *const sql[STORE_SQLITE_STMT_COUNT] = {
#define X(name, text) [STORE_SQLITE_##name] = text,
		STORE_SQLITE_FILE_STATEMENTS(X)
#undef X
	};

	for (size_t i = 0; i < STORE_SQLITE_STMT_COUNT; i++) {
		int code = sqlite3_prepare_v3(file->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
					      &file->stmts[i], NULL);
		if (code != SQLITE_OK)
			return store_sqlite_file_error(file->db, code);
	}
	return 0;
}

static int open_locked(struct store_sqlite_file *file, const char *path, char *why,
		       size_t why_bytes)
{
	char detail[256];
	int rc = create_if_absent(path, file->dir_fd, why, why_bytes);

	if (rc != 0)
		return rc;
	rc = connect_file(file, path);
	if (rc == 0)
		rc = check_file(file->db, detail, sizeof(detail));
	else
		refuse(rc, sqlite3_errmsg(file->db), detail, sizeof(detail));
	if (rc == -ENOTSUP)
		snprintf(why, why_bytes,
			 "%s has schema %s, this weftd knows %d: start the newer weftd that wrote "
			 "it, or give this one its own --state-dir",
			 path, detail, SCHEMA_VERSION);
	else if (rc != 0)
		store_sqlite_file_explain(path, rc, detail, why, why_bytes);
	if (rc != 0)
		return rc;
	rc = prepare_all(file);
	return rc == 0 ? 0
		       : store_sqlite_file_explain(path, rc, sqlite3_errmsg(file->db), why,
						   why_bytes);
}

int store_sqlite_file_open(struct store_sqlite_file *file, const char *path, char *why,
			   size_t why_bytes)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";

	*file = (struct store_sqlite_file){.dir_fd = -1};
	if (slash != NULL)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path) + 1, path);
	int fd = lock_dir(dir, why, why_bytes);
	if (fd < 0)
		return fd;
	file->dir_fd = fd;
	int rc = open_locked(file, path, why, why_bytes);
	if (rc != 0)
		store_sqlite_file_close(file);
	return rc;
}

int store_sqlite_file_trust(struct store_sqlite_file *file)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		char answer[32];
		int rc = ask(file->db, settings[i].sql, answer, sizeof(answer));
		if (rc != 0)
			return rc;
		if (settings[i].answer != NULL && strcmp(answer, settings[i].answer) != 0)
			return -EIO;
	}
	sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return 0;
}

void store_sqlite_file_close(struct store_sqlite_file *file)
{
	for (size_t i = 0; i < STORE_SQLITE_STMT_COUNT; i++)
		sqlite3_finalize(file->stmts[i]);
	sqlite3_close(file->db);
	close(file->dir_fd);
}
