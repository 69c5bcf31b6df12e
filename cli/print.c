/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables, objects and raw answers on a stream. */
#include "cli/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format.h"
#include "cli/print_yaml.h"

#define KEY_BYTES 128

static void list_cell(const json_t *list, char *cell, size_t cell_bytes)
{
	size_t used = 0, index;
	json_t *item;

	cell[0] = '\0';
	json_array_foreach(list, index, item) {
		char text[PRINT_CELL_BYTES];
		int n;

		print_cell_plain(item, text, sizeof(text));
		n = snprintf(cell + used, cell_bytes - used, "%s%s", index ? "," : "", text);
		if (n < 0 || (size_t)n >= cell_bytes - used)
			return;
		used += (size_t)n;
	}
}

void print_cell_plain(const json_t *value, char *cell, size_t cell_bytes)
{
	if (json_is_string(value))
		snprintf(cell, cell_bytes, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(cell, cell_bytes, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(cell, cell_bytes, "%g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(cell, cell_bytes, "%s", json_is_true(value) ? "yes" : "no");
	else if (json_is_array(value))
		list_cell(value, cell, cell_bytes);
	else
		cell[0] = '\0';
	if (cell[0] == '\0')
		snprintf(cell, cell_bytes, "-");
	format_clean(cell);
}

void print_cell_bytes(const json_t *value, char *cell, size_t cell_bytes)
{
	if (json_is_integer(value))
		format_bytes((uint64_t)json_integer_value(value), cell, cell_bytes);
	else
		print_cell_plain(value, cell, cell_bytes);
}

void print_cell_duration_s(const json_t *value, char *cell, size_t cell_bytes)
{
	if (json_is_integer(value))
		format_duration_s((uint64_t)json_integer_value(value), cell, cell_bytes);
	else
		print_cell_plain(value, cell, cell_bytes);
}

void print_cell_trunk(const json_t *value, char *cell, size_t cell_bytes)
{
	const size_t most = 4;
	const char *name;
	json_t *tag;
	size_t n = 0;
	int len = snprintf(cell, cell_bytes, json_object_size(value) == 0 ? "-" : "");

	json_object_foreach((json_t *)(uintptr_t)value, name, tag) {
		if (n++ == most || (size_t)len >= cell_bytes)
			break;
		len += snprintf(cell + len, cell_bytes - (size_t)len, "%s%s:", n > 1 ? "," : "",
				name);
		if ((size_t)len < cell_bytes)
			print_cell_plain(tag, cell + len, cell_bytes - (size_t)len);
		len = (int)strlen(cell);
	}
	if (json_object_size(value) > most && (size_t)len < cell_bytes)
		snprintf(cell + len, cell_bytes - (size_t)len, " +%zu",
			 json_object_size(value) - most);
}

json_t *print_member(const json_t *object, const char *key)
{
	const char *dot;

	while ((dot = strchr(key, '.'))) {
		object = json_object_getn(object, key, (size_t)(dot - key));
		key = dot + 1;
	}
	return json_object_get(object, key);
}

/* Rows of cells: cells[row * n_columns + column]. */
struct table {
	const struct print_column *columns;
	size_t n_columns;
	size_t n_rows;
	char **cells;
	size_t *widths;
};

static int compare_rows(const void *a, const void *b, void *n_columns)
{
	char *const *row_a = a, *const *row_b = b;

	for (size_t i = 0; i < *(const size_t *)n_columns; i++) {
		int order = format_natural_compare(row_a[i], row_b[i]);

		if (order)
			return order;
	}
	return 0;
}

static int table_fill(struct table *table, const json_t *rows)
{
	for (size_t row = 0; row < table->n_rows; row++) {
		const json_t *object = json_array_get(rows, row);

		for (size_t i = 0; i < table->n_columns; i++) {
			const struct print_column *column = &table->columns[i];
			print_cell_fn format = column->format ? column->format : print_cell_plain;
			char cell[PRINT_CELL_BYTES];
			size_t width;

			format(print_member(object, column->key), cell, sizeof(cell));
			width = format_width(cell);
			if (column->rare && strcmp(cell, "-") == 0)
				width = 0;
			else if (column->rare && width < format_width(column->heading))
				width = format_width(column->heading);
			if (width > table->widths[i])
				table->widths[i] = width;
			table->cells[row * table->n_columns + i] = strdup(cell);
			if (!table->cells[row * table->n_columns + i])
				return -ENOMEM;
		}
	}
	return 0;
}

static void print_cell(FILE *out, const struct table *table, size_t i, const char *cell)
{
	int padding = (int)(table->widths[i] - format_width(cell));
	bool is_last = i + 1 == table->n_columns;

	if (table->widths[i] == 0)
		return;
	if (table->columns[i].right)
		fprintf(out, "%*s%s%s", padding, "", cell, is_last ? "\n" : "  ");
	else if (is_last)
		fprintf(out, "%s\n", cell);
	else
		fprintf(out, "%s%*s", cell, padding + 2, "");
}

static void table_print(FILE *out, const struct table *table)
{
	for (size_t i = 0; i < table->n_columns; i++)
		print_cell(out, table, i, table->columns[i].heading);
	for (size_t n = 0; n < table->n_rows * table->n_columns; n++)
		print_cell(out, table, n % table->n_columns, table->cells[n]);
}

int print_rows(FILE *out, const struct print_column *columns, size_t n_columns, const json_t *rows)
{
	struct table table = {
		.columns = columns,
		.n_columns = n_columns,
		.n_rows = json_array_size(rows),
	};
	size_t n_cells = table.n_rows * n_columns;
	int err = -ENOMEM;

	table.cells = calloc(n_cells + 1, sizeof(*table.cells));
	table.widths = calloc(n_columns, sizeof(*table.widths));
	if (!table.cells || !table.widths)
		goto free_table;
	for (size_t i = 0; i < n_columns; i++)
		table.widths[i] = columns[i].rare ? 0 : format_width(columns[i].heading);
	err = table_fill(&table, rows);
	if (err)
		goto free_table;
	qsort_r(table.cells, table.n_rows, n_columns * sizeof(*table.cells), compare_rows,
		&n_columns);
	table_print(out, &table);
free_table:
	for (size_t n = 0; table.cells && n < n_cells; n++)
		free(table.cells[n]);
	free(table.cells);
	free(table.widths);
	return err;
}

/* Walks an object twice: out == NULL only measures the keys. */
static void walk_object(FILE *out, const char *prefix, json_t *object, size_t *key_width)
{
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value) {
		char dotted[KEY_BYTES], cell[PRINT_CELL_BYTES];

		snprintf(dotted, sizeof(dotted), "%s%s%s", prefix, *prefix ? "." : "", key);
		format_clean(dotted);
		if (json_is_object(value)) {
			walk_object(out, dotted, value, key_width);
			continue;
		}
		if (!out) {
			size_t width = format_width(dotted);

			*key_width = width > *key_width ? width : *key_width;
			continue;
		}
		print_cell_plain(value, cell, sizeof(cell));
		fprintf(out, "%s%*s%s\n", dotted, (int)(*key_width - format_width(dotted)) + 2, "",
			cell);
	}
}

void print_object(FILE *out, json_t *object)
{
	size_t key_width = 0;

	walk_object(NULL, "", object, &key_width);
	walk_object(out, "", object, &key_width);
}

int print_value(FILE *out, enum print_style style, json_t *value)
{
	if (style == PRINT_YAML)
		return print_yaml_write(out, value);
	if (json_dumpf(value, out, JSON_INDENT(2) | JSON_ENCODE_ANY))
		return -EIO;
	fputc('\n', out);
	return 0;
}
