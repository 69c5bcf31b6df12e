/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many writes to the store, cut into transactions within its limits. Not atomic as a whole: for
 * records that mean nothing alone, or that can be written again. Runs on weftd's thread.
 */
#pragma once

#include <stddef.h>

#include "control/store.h"

#define BATCH_OPS_MAX (STORE_OPS_MAX - 1) /* one is left for the compare of the last */

struct batch {
	struct store *store;
	struct store_op ops[BATCH_OPS_MAX];
	size_t n_ops;
	size_t bytes;
};

void batch_init(struct batch *batch, struct store *store);
void batch_fini(struct batch *batch); /* what was not flushed is forgotten */

/* Copies key and value. 0 or -errno of the store, when a transaction became full and was sent. */
int batch_put(struct batch *batch, const char *key, const void *value, size_t value_bytes);
int batch_delete(struct batch *batch, const char *key);
int batch_flush(struct batch *batch);

/* Sends the last transaction, if the compare holds. *is_done says whether it did. */
int batch_flush_if(struct batch *batch, const struct store_compare *compare, bool *is_done,
		   store_rev *rev);
