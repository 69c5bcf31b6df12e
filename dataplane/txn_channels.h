/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pools, channels and loans in a transaction (txn.h): staged, checked, prepared, published and
 * released with all else. A change of what is there stores numbers that workers read; no port is
 * closed, nothing that waits is lost. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct channel;
struct loan;
struct pool;
struct txn;
struct txn_id;

struct txn_pool {
	struct dp_pool spec; /* is_delete: only the id */
	bool is_delete;
	struct pool *old, *made; /* as in struct txn_segment */
};

struct txn_channel {
	struct dp_channel spec;
	bool is_delete;
	struct channel *old, *made;
};

struct txn_loan {
	struct dp_loan spec;
	bool is_delete;
	struct loan *old, *made;
};

/* Part of struct txn. */
struct txn_channels {
	struct txn_pool *pools;
	struct txn_channel *channels;
	struct txn_loan *loans;
	size_t n_pools, n_channels, n_loans;
	/* In the order of their ids; from the check on. */
	struct txn_id *pools_by_id, *channels_by_id, *loans_by_id;
};

/* 0 or -ENOMEM. */
int txn_channels_put_pool(struct txn *txn, const struct dp_pool *spec);
int txn_channels_del_pool(struct txn *txn, uint32_t id);
int txn_channels_put_channel(struct txn *txn, const struct dp_channel *spec);
int txn_channels_del_channel(struct txn *txn, uint32_t id);
int txn_channels_put_loan(struct txn *txn, const struct dp_loan *spec);
int txn_channels_del_loan(struct txn *txn, uint32_t id);

/* The first part of the check: whether these objects make sense, and what ports and segments name
 * is there. is_touched: as for txn_unique_check(). 0, or -errno with one line. */
int txn_channels_check(struct txn *txn, const bool *is_touched, char *why, size_t why_bytes);

int txn_channels_prepare(struct txn *txn, char *why, size_t why_bytes);

/* Commit: what comes or changes, before segments and ports; what goes, after them. */
void txn_channels_publish(struct txn *txn);
void txn_channels_withdraw(struct txn *txn);
/* After a grace period. */
void txn_channels_release(struct txn *txn);

/* Does the transaction change any of them? */
bool txn_channels_has_any(const struct txn *txn);

/* What was made and not published, and the memory of what was staged. */
void txn_channels_free(struct txn *txn);
