/* SPDX-License-Identifier: BSD-3-Clause */
/* A stream of JSON, a line for each object, that comes in pieces wherever it is cut. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* Not 0: stop. */
typedef int (*lines_fn)(void *ctx, json_t *object);

/* Zeroed at first, but for fn and ctx. */
struct lines {
	lines_fn fn;
	void *ctx;
	char *text;
	size_t bytes, max_bytes;
};

/* A piece: calls fn for each line that is whole now. 0, what fn returned, -ENOMEM, or -EBADMSG: a
 * line is no object, or too long. */
int lines_push(struct lines *lines, const char *data, size_t bytes);
void lines_fini(struct lines *lines);

/* Of a line: a text, or "". */
const char *lines_word(const json_t *line, const char *key);
