/* SPDX-License-Identifier: BSD-3-Clause */
/* See lines.h. */
#include "cli/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (256u << 10) /* far more than weftd sends */

static int take_line(const struct lines *lines, const char *line, size_t bytes)
{
	json_t *object = json_loadb(line, bytes, 0, NULL);
	int err = json_is_object(object) ? lines->fn(lines->ctx, object) : -EBADMSG;

	json_decref(object);
	return err;
}

int lines_push(struct lines *lines, const char *data, size_t bytes)
{
	char *end;

	if (lines->bytes + bytes > BYTES_MAX)
		return -EBADMSG;
	if (lines->bytes + bytes > lines->max_bytes) {
		char *text = realloc(lines->text, 2 * (lines->bytes + bytes));

		if (!text)
			return -ENOMEM;
		lines->text = text;
		lines->max_bytes = 2 * (lines->bytes + bytes);
	}
	memcpy(lines->text + lines->bytes, data, bytes);
	lines->bytes += bytes;
	while ((end = memchr(lines->text, '\n', lines->bytes))) {
		size_t line_bytes = (size_t)(end - lines->text);
		int err = take_line(lines, lines->text, line_bytes);

		if (err)
			return err;
		lines->bytes -= line_bytes + 1;
		memmove(lines->text, end + 1, lines->bytes);
	}
	return 0;
}

void lines_fini(struct lines *lines)
{
	free(lines->text);
}

const char *lines_word(const json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}
