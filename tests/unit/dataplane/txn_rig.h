/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of transactions share: a dataplane with test ports and vhost-user ports, a run
 * directory for their sockets, and a picture of all that a failed change must not touch. */
#pragma once

#include "dataplane/txn.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1 /* segments that are there from the start */
#define BETA 2

struct txn_rig {
	char run_dir[32];
	char vhost_dir[48];
	struct dataplane *dp;
	struct txn *txn;
	char why[DP_TEXT_BYTES];
};

/* For cmocka. tear_down finds sockets that were left. */
int txn_rig_set_up(void **state);
int txn_rig_tear_down(void **state);

/* Steps of a transaction; commit prepares first and asserts that it may. */
void txn_rig_begin(struct txn_rig *f);
void txn_rig_stage(struct txn_rig *f, const struct dp_port *spec);
int txn_rig_prepare(struct txn_rig *f);
void txn_rig_commit(struct txn_rig *f);

struct dp_port txn_rig_vhost_spec(uint64_t id, const char *name, uint32_t segment);

/* Tables, descriptors and socket files now; asserts later that they are the same, and frees it. */
struct txn_rig_snapshot;
struct txn_rig_snapshot *txn_rig_snapshot(const struct txn_rig *f);
void txn_rig_assert_unchanged(const struct txn_rig *f, struct txn_rig_snapshot *before);

/* What is staged cannot be prepared, with this error and these words, and nothing has changed since
 * the snapshot, which is freed. The transaction ends. */
void txn_rig_assert_refused(struct txn_rig *f, struct txn_rig_snapshot *before, int error,
			    const char *why);
