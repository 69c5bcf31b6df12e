/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one printer: an answer of the API goes out as JSON (untouched, indented), as YAML, or as an
 * aligned table whose columns a small array describes. Text from outside is cleaned before it
 * reaches a terminal; nothing is coloured.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum print_style {
	PRINT_DEFAULT, /* no -o: each command's own choice */
	PRINT_TABLE,
	PRINT_JSON,
	PRINT_YAML,
};

/* Writes a JSON value (NULL: absent) as a cell. */
typedef void (*print_cell_fn)(const json_t *value, char *cell, size_t cell_bytes);

#define PRINT_CELL_BYTES 512

struct print_column {
	const char *key; /* a dot steps into an object: "status.link" */
	const char *heading;
	print_cell_fn format; /* NULL: print_cell_plain */
	bool right;	      /* numbers */
	bool rare;	      /* left out where no row has it; never the last column */
};

/* Text as it is, numbers in full, yes or no, lists with commas; "-" for what is absent or empty. */
void print_cell_plain(const json_t *value, char *cell, size_t cell_bytes);
void print_cell_bytes(const json_t *value, char *cell, size_t cell_bytes);
void print_cell_duration_s(const json_t *value, char *cell, size_t cell_bytes);

/* The first few of a trunk's segments with their tags, and how many more. */
void print_cell_trunk(const json_t *value, char *cell, size_t cell_bytes);

/* Member of an object by its dotted key, NULL if absent. */
json_t *print_member(const json_t *object, const char *key);

/* Headings and one line for each object of the array `rows`, in the natural order of the cells. */
int print_rows(FILE *out, const struct print_column *columns, size_t n_columns, const json_t *rows);

/* One line "key  value" for each member, nested objects with dotted keys. */
void print_object(FILE *out, json_t *object);

/* The value in JSON or YAML. 0 or -errno. */
int print_value(FILE *out, enum print_style style, json_t *value);
