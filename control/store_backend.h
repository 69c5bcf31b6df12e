/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands behind store.h: one table of functions for each back end. store.c has checked every
 * argument (keys, sizes, limits) before it calls one of them; the contracts are store.h's.
 */
#pragma once

#include "control/store.h"

struct store_backend {
	int (*get)(struct store *store, const char *key, void **value, size_t *value_bytes,
		   store_rev *mod_rev);
	int (*range)(struct store *store, const char *prefix, store_kv_fn fn, void *ctx,
		     store_rev *rev);
	int (*commit)(struct store *store, const struct store_txn *txn, bool *done, store_rev *rev);
	int (*watch_open)(struct store *store, const char *prefix, store_rev from,
			  store_watch_fn fn, void *ctx, struct store_watch **watch);
	void (*watch_close)(struct store_watch *watch);
	int (*lease_grant)(struct store *store, uint64_t ttl_ms, store_lease *lease);
	int (*lease_keep)(struct store *store, store_lease lease);
	int (*lease_revoke)(struct store *store, store_lease lease);
	int (*compact)(struct store *store, store_rev rev);
	int64_t (*run)(struct store *store, uint64_t now_ms);
	void (*close)(struct store *store);
};

/* A back end puts these first into its own structs. */
struct store {
	const struct store_backend *backend;
};

struct store_watch {
	struct store *store;
};
