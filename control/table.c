/* SPDX-License-Identifier: BSD-3-Clause */
/* Ids and digests in a sorted array. One thread. */
#include "control/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Index of the first row whose id is not below `id`. */
static size_t place_of(const struct table *table, uint64_t id)
{
	size_t low = 0, high = table->n_rows;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->rows[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void table_fini(struct table *table)
{
	free(table->rows);
	*table = (struct table){0};
}

void table_clear(struct table *table)
{
	table->n_rows = 0;
}

const struct table_row *table_find(const struct table *table, uint64_t id)
{
	size_t place = place_of(table, id);

	return place < table->n_rows && table->rows[place].id == id ? &table->rows[place] : NULL;
}

bool table_has(const struct table *table, uint64_t id, uint64_t digest)
{
	const struct table_row *row = table_find(table, id);

	return row != NULL && row->digest == digest;
}

int table_put(struct table *table, struct table_row row)
{
	size_t place = place_of(table, row.id);

	if (place < table->n_rows && table->rows[place].id == row.id) {
		table->rows[place] = row;
		return 0;
	}
	if (table->n_rows == table->max_rows) {
		size_t max = table->max_rows == 0 ? 64 : table->max_rows * 2;
		struct table_row *rows = realloc(table->rows, max * sizeof(*rows));

		if (rows == NULL)
			return -ENOMEM;
		table->rows = rows;
		table->max_rows = max;
	}
	struct table_row *at = &table->rows[place];
	memmove(at + 1, at, (table->n_rows - place) * sizeof(*at));
	*at = row;
	table->n_rows++;
	return 0;
}

static void remove_row(struct table *table, uint64_t id)
{
	size_t place = place_of(table, id);

	if (place == table->n_rows || table->rows[place].id != id)
		return;
	struct table_row *at = &table->rows[place];
	table->n_rows--;
	memmove(at, at + 1, (table->n_rows - place) * sizeof(*at));
}

int table_apply(struct table *table, const struct table *changes)
{
	int error = 0;

	for (size_t i = 0; i < changes->n_rows && error == 0; i++) {
		if (changes->rows[i].is_delete)
			remove_row(table, changes->rows[i].id);
		else
			error = table_put(table, changes->rows[i]);
	}
	return error;
}
