/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading a caller's JSON. Pure. */
#include "control/json_body.h"

#include <stdbool.h>
#include <stdio.h>

/* Line of the bracket that is one too many; 0: there is none. Whatever is no JSON is found out by
 * the parser: up to there the two see the same strings. */
static int find_too_deep(const char *text, size_t bytes)
{
	unsigned int depth = 0;
	bool is_string = false;
	int line = 1;

	for (size_t i = 0; i < bytes; i++) {
		char c = text[i];

		if (c == '\n')
			line++;
		else if (c == '"')
			is_string = !is_string;
		else if (c == '\\' && is_string)
			i++;
		else if (is_string)
			continue;
		else if ((c == '{' || c == '[') && ++depth > JSON_BODY_DEPTH_MAX)
			return line;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return 0;
}

json_t *json_body_read(const char *text, size_t bytes, json_error_t *fault)
{
	int line = find_too_deep(text, bytes);

	if (line == 0)
		return json_loadb(text, bytes, JSON_REJECT_DUPLICATES, fault);
	*fault = (json_error_t){.line = line};
	snprintf(fault->text, sizeof(fault->text), "nested deeper than %d", JSON_BODY_DEPTH_MAX);
	return NULL;
}
