/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rows of the SQLite store and their checksums. weftd's loop thread.
 *
 * FNV-1a, 64 bits: each step is one-to-one, so a change within one byte always shows, others but
 * for 1 in 2^64. It guards against rot, not against an adversary.
 */
#include "control/store_sqlite_row.h"

#include <errno.h>
#include <string.h>

#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

/* Makes the same content differ between tables, should one be read as the other. */
enum table {
	TABLE_KV,
	TABLE_LOG,
	TABLE_LEASE,
	TABLE_META,
};

static uint64_t sum_bytes(uint64_t sum, const void *data, size_t n_bytes)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < n_bytes; i++)
		sum = (sum ^ bytes[i]) * FNV_PRIME;
	return sum;
}

static uint64_t sum_numbers(enum table table, const uint64_t *numbers, size_t n)
{
	uint64_t sum = (FNV_OFFSET ^ table) * FNV_PRIME;

	for (size_t i = 0; i < n; i++) {
		for (unsigned bit = 0; bit < 64; bit += 8)
			sum = (sum ^ (numbers[i] >> bit & 0xff)) * FNV_PRIME;
	}
	return sum;
}

static uint64_t row_sum(enum table table, const struct store_sqlite_row *row)
{
	const struct store_kv *kv = &row->event.kv;
	size_t key_bytes = strlen(kv->key);
	const uint64_t numbers[] = {
		key_bytes, kv->value_bytes, kv->create_rev,	  kv->mod_rev,
		kv->lease, row->log_id,	    row->event.is_delete,
	};
	uint64_t sum = sum_numbers(table, numbers, sizeof(numbers) / sizeof(numbers[0]));

	return sum_bytes(sum_bytes(sum, kv->key, key_bytes), kv->value, kv->value_bytes);
}

uint64_t store_sqlite_row_lease_sum(const struct store_sqlite_lease *lease)
{
	const uint64_t numbers[] = {lease->id, lease->ttl_ms};

	return sum_numbers(TABLE_LEASE, numbers, 2);
}

uint64_t store_sqlite_row_meta_sum(const struct store_sqlite_meta *meta)
{
	const uint64_t numbers[] = {meta->rev, meta->compacted_rev, meta->last_lease, meta->total};

	return sum_numbers(TABLE_META, numbers, 4);
}

/* Binding a number or memory that stays cannot fail. */
static void bind_number(sqlite3_stmt *stmt, int column, uint64_t number)
{
	sqlite3_bind_int64(stmt, column, (sqlite3_int64)number);
}

static uint64_t column_number(sqlite3_stmt *stmt, int column)
{
	return (uint64_t)sqlite3_column_int64(stmt, column);
}

static uint64_t bind_row(sqlite3_stmt *stmt, enum table table, const struct store_sqlite_row *row)
{
	const struct store_kv *kv = &row->event.kv;
	uint64_t sum = row_sum(table, row);

	sqlite3_bind_text(stmt, 1, kv->key, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(stmt, 2, kv->value_bytes > 0 ? kv->value : "", kv->value_bytes,
			    SQLITE_STATIC);
	bind_number(stmt, 3, kv->create_rev);
	bind_number(stmt, 4, kv->mod_rev);
	bind_number(stmt, 5, kv->lease);
	bind_number(stmt, 6, sum);
	return sum;
}

uint64_t store_sqlite_row_bind_kv(sqlite3_stmt *stmt, const struct store_sqlite_row *row)
{
	return bind_row(stmt, TABLE_KV, row);
}

uint64_t store_sqlite_row_bind_log(sqlite3_stmt *stmt, const struct store_sqlite_row *row)
{
	bind_number(stmt, 7, row->log_id);
	bind_number(stmt, 8, row->event.is_delete);
	return bind_row(stmt, TABLE_LOG, row);
}

uint64_t store_sqlite_row_bind_lease(sqlite3_stmt *stmt, const struct store_sqlite_lease *lease)
{
	uint64_t sum = store_sqlite_row_lease_sum(lease);

	bind_number(stmt, 1, lease->id);
	bind_number(stmt, 2, lease->ttl_ms);
	bind_number(stmt, 3, sum);
	return sum;
}

void store_sqlite_row_bind_meta(sqlite3_stmt *stmt, const struct store_sqlite_meta *meta)
{
	bind_number(stmt, 1, meta->rev);
	bind_number(stmt, 2, meta->compacted_rev);
	bind_number(stmt, 3, meta->last_lease);
	bind_number(stmt, 4, meta->total);
	bind_number(stmt, 5, store_sqlite_row_meta_sum(meta));
}

void store_sqlite_row_bind_prefix(sqlite3_stmt *stmt, int first, const char *prefix, char *end)
{
	size_t len = strlen(prefix);

	/* The door takes no key with a last byte above '~': so it can grow by one. */
	memcpy(end, prefix, len + 1);
	end[len - 1]++;
	sqlite3_bind_text(stmt, first, prefix, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, first + 1, end, -1, SQLITE_STATIC);
}

static int read_row(sqlite3_stmt *stmt, enum table table, struct store_sqlite_row *row,
		    uint64_t *sum)
{
	struct store_kv *kv = &row->event.kv;
	const char *key = (const char *)sqlite3_column_text(stmt, 0);
	const void *value = sqlite3_column_blob(stmt, 1);

	/* Callers copy keys into STORE_KEY_BYTES_MAX + 1 bytes. */
	if (key == NULL || strlen(key) > STORE_KEY_BYTES_MAX)
		return -EBADMSG;
	*kv = (struct store_kv){
		.key = key,
		.value = value != NULL ? value : "",
		.value_bytes = (size_t)sqlite3_column_bytes(stmt, 1),
		.create_rev = column_number(stmt, 2),
		.mod_rev = column_number(stmt, 3),
		.lease = column_number(stmt, 4),
	};
	*sum = column_number(stmt, 5);
	return row_sum(table, row) == *sum ? 0 : -EBADMSG;
}

int store_sqlite_row_read_kv(sqlite3_stmt *stmt, struct store_sqlite_row *row, uint64_t *sum)
{
	row->log_id = 0;
	row->event.is_delete = false;
	return read_row(stmt, TABLE_KV, row, sum);
}

int store_sqlite_row_read_log(sqlite3_stmt *stmt, struct store_sqlite_row *row, uint64_t *sum)
{
	row->log_id = column_number(stmt, 6);
	row->event.is_delete = column_number(stmt, 7) != 0;
	int rc = read_row(stmt, TABLE_LOG, row, sum);
	if (rc == 0 && row->event.is_delete)
		row->event.kv.value = NULL;
	return rc;
}

int store_sqlite_row_read_lease(sqlite3_stmt *stmt, struct store_sqlite_lease *lease, uint64_t *sum)
{
	lease->id = column_number(stmt, 0);
	lease->ttl_ms = column_number(stmt, 1);
	*sum = column_number(stmt, 2);
	return store_sqlite_row_lease_sum(lease) == *sum ? 0 : -EBADMSG;
}

int store_sqlite_row_read_meta(sqlite3_stmt *stmt, struct store_sqlite_meta *meta)
{
	meta->rev = column_number(stmt, 0);
	meta->compacted_rev = column_number(stmt, 1);
	meta->last_lease = column_number(stmt, 2);
	meta->total = column_number(stmt, 3);
	return store_sqlite_row_meta_sum(meta) == column_number(stmt, 4) ? 0 : -EBADMSG;
}
