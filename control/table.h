/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ids and digests: what the dataplane has, or what a transaction changes of it. A sorted array; ids
 * grow, so new rows go to the end. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_row {
	uint64_t id;
	uint64_t digest;
	uint8_t kind;	/* enum model_kind */
	bool is_delete; /* in a table of changes */
};

struct table {
	struct table_row *rows;
	size_t n_rows, max_rows;
};

/* All zero is an empty table. */
void table_fini(struct table *table);
void table_clear(struct table *table);
int table_put(struct table *table, struct table_row row); /* in the place of the same id */
const struct table_row *table_find(const struct table *table, uint64_t id);
bool table_has(const struct table *table, uint64_t id, uint64_t digest);

/* Puts and removes what `changes` says. 0 or -ENOMEM. */
int table_apply(struct table *table, const struct table *changes);
