/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The door of the store: checks what callers pass in, once for every back end, so that none takes
 * what another would refuse; then hands over to the back end.
 */
#include "control/store.h"

#include <errno.h>
#include <string.h>

#include "control/store_backend.h"

static bool key_is_valid(const char *key)
{
	size_t len = strnlen(key, STORE_KEY_BYTES_MAX + 1);

	if (len > STORE_KEY_BYTES_MAX || key[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (key[i] < ' ' || key[i] > '~')
			return false;
	}
	return true;
}

/* The sum is held against the limit each time it grows: so it cannot wrap. */
static int check_item(const char *key, const void *value, size_t value_bytes, size_t *sum_bytes)
{
	if (!key_is_valid(key) || (value == NULL && value_bytes > 0))
		return -EINVAL;
	if (value_bytes > STORE_TXN_BYTES_MAX)
		return -E2BIG;
	*sum_bytes += strlen(key) + value_bytes;
	return *sum_bytes > STORE_TXN_BYTES_MAX ? -E2BIG : 0;
}

static bool op_deletes(const struct store_op *op, const char *key)
{
	if (op->what == STORE_DELETE)
		return strcmp(op->key, key) == 0;
	return op->what == STORE_DELETE_PREFIX && strncmp(op->key, key, strlen(op->key)) == 0;
}

/* etcd answers "duplicate key given in txn request", whatever the order of the two. */
static bool ops_write_same_key(const struct store_op *a, const struct store_op *b)
{
	if (a->what == STORE_PUT && b->what == STORE_PUT)
		return strcmp(a->key, b->key) == 0;
	if (a->what == STORE_PUT)
		return op_deletes(b, a->key);
	return b->what == STORE_PUT && op_deletes(a, b->key);
}

static int check_compare(const struct store_compare *compare, size_t *sum_bytes)
{
	switch (compare->what) {
	case STORE_COMPARE_MOD_REV:
	case STORE_COMPARE_CREATE_REV:
		return check_item(compare->key, NULL, 0, sum_bytes);
	case STORE_COMPARE_VALUE:
		return check_item(compare->key, compare->value, compare->value_bytes, sum_bytes);
	}
	return -EINVAL;
}

static int check_op(const struct store_op *op, size_t *sum_bytes)
{
	switch (op->what) {
	case STORE_PUT:
		return check_item(op->key, op->value, op->value_bytes, sum_bytes);
	case STORE_DELETE:
	case STORE_DELETE_PREFIX:
		return check_item(op->key, NULL, 0, sum_bytes);
	}
	return -EINVAL;
}

static int check_txn(const struct store_txn *txn)
{
	size_t sum_bytes = 0;
	int rc = 0;

	if (txn->n_compares > STORE_OPS_MAX || txn->n_ops > STORE_OPS_MAX - txn->n_compares)
		return -E2BIG;
	for (size_t i = 0; rc == 0 && i < txn->n_compares; i++)
		rc = check_compare(&txn->compares[i], &sum_bytes);
	for (size_t i = 0; rc == 0 && i < txn->n_ops; i++) {
		rc = check_op(&txn->ops[i], &sum_bytes);
		for (size_t j = 0; rc == 0 && j < i; j++)
			rc = ops_write_same_key(&txn->ops[j], &txn->ops[i]) ? -EINVAL : 0;
	}
	return rc;
}

int store_get(struct store *store, const char *key, void **value, size_t *value_bytes,
	      store_rev *mod_rev)
{
	if (!key_is_valid(key))
		return -EINVAL;
	return store->backend->get(store, key, value, value_bytes, mod_rev);
}

int store_range(struct store *store, const char *prefix, store_kv_fn fn, void *ctx, store_rev *rev)
{
	if (!key_is_valid(prefix))
		return -EINVAL;
	return store->backend->range(store, prefix, fn, ctx, rev);
}

int store_commit(struct store *store, const struct store_txn *txn, bool *done, store_rev *rev)
{
	int rc = check_txn(txn);

	return rc != 0 ? rc : store->backend->commit(store, txn, done, rev);
}

int store_watch_open(struct store *store, const char *prefix, store_rev from, store_watch_fn fn,
		     void *ctx, struct store_watch **watch)
{
	if (!key_is_valid(prefix))
		return -EINVAL;
	return store->backend->watch_open(store, prefix, from, fn, ctx, watch);
}

void store_watch_close(struct store_watch *watch)
{
	if (watch != NULL)
		watch->store->backend->watch_close(watch);
}

int store_lease_grant(struct store *store, uint64_t ttl_ms, store_lease *lease)
{
	if (ttl_ms == 0 || ttl_ms > STORE_TTL_MS_MAX)
		return -EINVAL;
	return store->backend->lease_grant(store, ttl_ms, lease);
}

int store_lease_keep(struct store *store, store_lease lease)
{
	return store->backend->lease_keep(store, lease);
}

int store_lease_revoke(struct store *store, store_lease lease)
{
	return store->backend->lease_revoke(store, lease);
}

int store_compact(struct store *store, store_rev rev)
{
	return rev == 0 ? -EINVAL : store->backend->compact(store, rev);
}

int64_t store_run(struct store *store, uint64_t now_ms)
{
	return store->backend->run(store, now_ms);
}

void store_close(struct store *store)
{
	if (store != NULL)
		store->backend->close(store);
}
