/* SPDX-License-Identifier: BSD-3-Clause */
/* What leads a rig's dataplane from one model to another, staged in a transaction. */
#pragma once

struct model;
struct txn;

/* Deletes of all that goes, puts of all that is new or changed. 0 or -ENOMEM. */
int rig_stage(struct txn *txn, const struct model *from, const struct model *to);
