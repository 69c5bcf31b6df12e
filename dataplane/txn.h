/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A change of the dataplane's configuration: staged, prepared, then committed or aborted.
 *
 *   stage    remembers what is asked, takes over descriptors. No effect.
 *   prepare  checks the result as a whole and opens everything that can fail. On an error
 *            everything opened is closed again: nothing has changed.
 *   commit   publishes; cannot fail. Deletes come before adds, and after a grace period what was
 *            deleted or replaced is released.
 *
 * One transaction at a time. Main thread.
 */
#pragma once

#include <stddef.h>

#include "dataplane/api/dp_msg.h"

struct dataplane;
struct txn;

int txn_begin(struct dataplane *dp, struct txn **txn);

/* 0 or -ENOMEM. fds are the transaction's from here on, whatever it returns. */
int txn_put_segment(struct txn *txn, const struct dp_segment *segment);
int txn_del_segment(struct txn *txn, uint32_t id);
int txn_put_port(struct txn *txn, const struct dp_port *port, const int *fds, unsigned int n_fds);
int txn_del_port(struct txn *txn, uint64_t id);

/* 0, or -errno with one line in `why`; the transaction must then be ended by txn_abort(). */
int txn_prepare(struct txn *txn, char *why, size_t why_bytes);
void txn_commit(struct txn *txn);	/* after a successful prepare; frees it */
void txn_abort(struct txn *txn);	/* at any time before commit; frees it; NULL is legal */
