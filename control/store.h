/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The store: what weftd keeps, as a small revisioned key-value space. SQLite stands behind it on
 * one host (store_sqlite.c), etcd on several; the rest of control sees only this header, and the
 * conformance suite (tests/unit/control/store_conformance.h) runs against every back end.
 *
 * Keys are printable ASCII below /weft/v1/CLUSTER/ , values are bytes. Every successful transaction
 * that writes gets one new revision; all its writes carry it. A revision is opaque: it can be
 * compared for equality, handed back to store_watch_open() and printed, nothing else (in etcd it is
 * shared with strangers and has gaps). Even an empty store has one: it is never 0.
 *
 * Limits are etcd's, for every back end: STORE_OPS_MAX compares plus operations in a transaction,
 * STORE_TXN_BYTES_MAX bytes of keys and values; beyond: -E2BIG, nothing written. A transaction
 * writes a key at most once: a second put of it, or a deletion that covers it, is -EINVAL.
 *
 * One thread: weftd's loop. Every call returns 0 or -errno: -EIO (disk), -ENOSPC (disk full),
 * -EBADMSG (damaged file), -E2BIG, -EINVAL, -ENOENT (no such key, no such lease), -EBUSY (a write
 * from inside store_range()). After an error nothing was written and the store still works.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_OPS_MAX 128
/* etcd refuses requests above 1.5 MiB; 1 KiB for each operation is left for its framing, in which a
 * prefix travels twice. */
#define STORE_TXN_BYTES_MAX ((1536u - STORE_OPS_MAX) * 1024)
#define STORE_KEY_BYTES_MAX 512
#define STORE_TTL_MS_MAX (24u * 3600 * 1000)

struct store;

typedef uint64_t store_rev;	/* opaque; 0: none, "the key does not exist" in a compare */
typedef uint64_t store_lease;	/* 0: none */

struct store_kv {
	const char *key;
	const void *value;
	size_t value_bytes;
	store_rev create_rev;
	store_rev mod_rev;
	store_lease lease;
};

enum store_compare_what {
	STORE_COMPARE_MOD_REV,		/* last written at this revision; 0: does not exist */
	STORE_COMPARE_CREATE_REV,
	STORE_COMPARE_VALUE,		/* exists and has exactly this value */
};

struct store_compare {
	enum store_compare_what what;
	const char *key;
	store_rev rev;
	const void *value;
	size_t value_bytes;
};

enum store_op_what {
	STORE_PUT,
	STORE_DELETE,		/* one key; absent is no error */
	STORE_DELETE_PREFIX,	/* every key that starts with `key` */
};

struct store_op {
	enum store_op_what what;
	const char *key;
	const void *value;
	size_t value_bytes;
	store_lease lease;	/* STORE_PUT: the key goes when this lease goes */
};

struct store_txn {
	const struct store_compare *compares;
	size_t n_compares;
	const struct store_op *ops;	/* done in order, all or none, if every compare holds */
	size_t n_ops;
};

/* Called for each key, in key order; the memory is the callee's only during the call. It may read
 * the store, not write it. Non-zero stops the walk and is returned from it. */
typedef int (*store_kv_fn)(void *ctx, const struct store_kv *kv);

struct store_event {
	bool is_delete;		/* kv.value is then NULL, kv.mod_rev the revision of the deletion */
	struct store_kv kv;
};

/* All events of one revision arrive in one call, in the order of the operations (of a prefix or a
 * lease: in key order). compacted: the watch could not go on from where it was (events NULL): read
 * everything anew, watch from there; this watch is gone, its pointer dead after the call. The
 * callee may call anything but store_run() and store_close(), also close this watch or another. */
typedef void (*store_watch_fn)(void *ctx, store_rev rev, const struct store_event *events,
			       size_t n_events, bool compacted);

struct store_watch;

/* One key. -ENOENT if absent. `value` is malloc'ed for the caller (with a NUL after it). Outputs
 * that are not wanted may be NULL. */
int store_get(struct store *store, const char *key, void **value, size_t *value_bytes,
	      store_rev *mod_rev);

/* Every key with the prefix, read at one revision, which is stored in *rev (may be NULL). */
int store_range(struct store *store, const char *prefix, store_kv_fn fn, void *ctx, store_rev *rev);

/* *done: whether the compares held and the operations are durable. *rev: the store's revision after
 * it, a new one if a key was written or deleted. -ENOENT: a put names a lease that is not there. */
int store_commit(struct store *store, const struct store_txn *txn, bool *done, store_rev *rev);

/* Events after revision `from` (0: from now on) of keys with the prefix. They are delivered from
 * store_run(), never from inside another call. */
int store_watch_open(struct store *store, const char *prefix, store_rev from, store_watch_fn fn,
		     void *ctx, struct store_watch **watch);
void store_watch_close(struct store_watch *watch);	/* NULL is legal */

/* A lease that is not kept alive for ttl_ms ends; its keys are deleted in one revision. Time counts
 * from the now_ms last passed in; ttl_ms is a lower bound (etcd rounds up to whole seconds, at
 * least 2). Once opened again, a store gives every lease its full ttl. */
int store_lease_grant(struct store *store, uint64_t ttl_ms, store_lease *lease);
int store_lease_keep(struct store *store, store_lease lease);	/* -ENOENT: it has ended */
int store_lease_revoke(struct store *store, store_lease lease);	/* ends it now; -ENOENT */

/* Forgets history before `rev`: watches from before it are told `compacted`. Already done: 0; a
 * revision the store has not reached: -EINVAL. */
int store_compact(struct store *store, store_rev rev);

/* Ends leases, delivers watch events: call it every turn of the loop. now_ms: monotonic, passed in.
 * Returns ms until it wants to be called again at the latest, or -errno, and then tries again what
 * failed at the next call. */
int64_t store_run(struct store *store, uint64_t now_ms);

void store_close(struct store *store);	/* NULL is legal; closes its watches */

/* Opens or creates the SQLite file, whose directory must exist and is locked for this store. On
 * error one line in `why` says what is wrong and what to do: -ENOENT (no directory), -EBUSY (in
 * use), -ENOTSUP (written by a newer weftd; untouched), -EBADMSG (damaged; untouched), others by
 * errno. */
int store_sqlite_open(const char *path, uint64_t now_ms, struct store **store, char *why,
		      size_t why_bytes);
