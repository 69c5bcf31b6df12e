/* SPDX-License-Identifier: BSD-3-Clause */
/* Many writes to the store, cut into transactions. Runs on weftd's thread. */
#include "control/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void batch_init(struct batch *batch, struct store *store)
{
	batch->store = store;
	batch->n_ops = 0;
	batch->bytes = 0;
}

void batch_fini(struct batch *batch)
{
	/* casts: the store takes what it must not change, but these copies are ours to free */
	for (size_t i = 0; i < batch->n_ops; i++) {
		free((void *)(uintptr_t)batch->ops[i].key);
		free((void *)(uintptr_t)batch->ops[i].value);
	}
	batch->n_ops = 0;
	batch->bytes = 0;
}

int batch_flush_if(struct batch *batch, const struct store_compare *compare, bool *is_done,
		   store_rev *rev)
{
	struct store_txn txn = {.compares = compare,
				.n_compares = compare != NULL,
				.ops = batch->ops,
				.n_ops = batch->n_ops};
	int error = store_commit(batch->store, &txn, is_done, rev);

	batch_fini(batch);
	return error;
}

int batch_flush(struct batch *batch)
{
	bool is_done;
	store_rev rev;

	return batch->n_ops > 0 ? batch_flush_if(batch, NULL, &is_done, &rev) : 0;
}

static int add(struct batch *batch, enum store_op_what what, const char *key, const void *value,
	       size_t value_bytes)
{
	size_t bytes = strlen(key) + value_bytes;
	int error = 0;

	if (batch->n_ops == BATCH_OPS_MAX || batch->bytes + bytes > STORE_TXN_BYTES_MAX)
		error = batch_flush(batch);
	if (error < 0)
		return error;
	char *key_copy = strdup(key);
	void *value_copy = malloc(value_bytes + 1);
	if (key_copy == NULL || value_copy == NULL) {
		free(key_copy);
		free(value_copy);
		return -ENOMEM;
	}
	if (value_bytes > 0)
		memcpy(value_copy, value, value_bytes);
	batch->ops[batch->n_ops++] = (struct store_op){
		.what = what,
		.key = key_copy,
		.value = value_copy,
		.value_bytes = value_bytes,
	};
	batch->bytes += bytes;
	return 0;
}

int batch_put(struct batch *batch, const char *key, const void *value, size_t value_bytes)
{
	return add(batch, STORE_PUT, key, value, value_bytes);
}

int batch_delete(struct batch *batch, const char *key)
{
	return add(batch, STORE_DELETE, key, NULL, 0);
}
