/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options: settings that are rows of a table, so that the lab file, the CLI, the OpenAPI file and
 * the messages all know one by the same line. Values travel typed and bounded (struct dp_option),
 * never as text to be parsed by the dataplane. A new setting is a row and the code that reads it.
 *
 * What an object can be set to is a set of two tables: rows of its own kind, and rows common to all
 * kinds. The index of a row is part of the messages: rows are added at the end of their table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

enum option_kind {
	OPTION_BOOL,	/* on|off, true|false, yes|no */
	OPTION_NUMBER,	/* unsigned, between min and max */
	OPTION_TEXT,	/* between 1 and max bytes; characters limited by `charset` */
	OPTION_CHOICE,	/* one word of `choices` */
};

/* Who acts on the option. Rows for weftd alone are not sent to the dataplane. */
enum option_user {
	OPTION_FOR_DATAPLANE,
	OPTION_FOR_CONTROL,
};

struct option_def {
	const char *key;
	enum option_kind kind;
	enum option_user user;
	bool live;		/* can change without closing the port */
	const char *unit;	/* "" or "bytes", "s", ... */
	const char *value;	/* default as a user would write it; NULL: none, "" : derived */
	uint64_t min, max;	/* OPTION_NUMBER: value; OPTION_TEXT: bytes */
	const char *choices;	/* OPTION_CHOICE: words parted by '|' */
	const char *help;
};

#define OPTIONS_COMMON 256 /* index of the first common row */

struct option_set {
	const struct option_def *rows;
	size_t n_rows;
	const struct option_def *common;
	size_t n_common;
};

/* Walks the indices of all rows: from options_next(set, -1) until it returns -1. */
int options_next(const struct option_set *set, int index);

/* Row of an index, NULL if there is none; index of a key, or -ENOENT. */
const struct option_def *options_row(const struct option_set *set, unsigned int index);
int options_find(const struct option_set *set, const char *key);

/* Parses a user's word for row `index` into *value. 0, or -EINVAL with one line in `why` that names
 * the key and says what is allowed. Pure; any thread, as all here. */
int options_parse(const struct option_set *set, unsigned int index, const char *word,
		  struct dp_option *value, char *why, size_t why_bytes);

/* Writes a value as a user would write it. Returns bytes written without the NUL, or -ENOSPC. */
int options_format(const struct option_set *set, const struct dp_option *value, char *text,
		   size_t text_bytes);

/* The value of the row's default; false: it has none, or one that is derived. */
bool options_default(const struct option_set *set, unsigned int index, struct dp_option *value);

/* What a message carries: why it makes no sense, or NULL. */
const char *options_check(const struct option_set *set, const struct dp_option *value);

/* The value that a list has for a row, or NULL. */
const struct dp_option *options_value(const struct dp_option *list, unsigned int n,
				      unsigned int index);

/* The number (switch, choice) that a list has for a key, else that of its default. */
uint64_t options_number(const struct option_set *set, const struct dp_option *list, unsigned int n,
			const char *key);

/* Whether two lists have the same value, or both none, for a row. */
bool options_is_same(const struct dp_option *a, unsigned int n_a, const struct dp_option *b,
		     unsigned int n_b, unsigned int index);
