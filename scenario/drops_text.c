/* SPDX-License-Identifier: BSD-3-Clause */
/* Rewrites two keys of a YAML text that stand at its left edge. */
#include "scenario/drops_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_drops(FILE *out, const json_t *drops)
{
	json_t *tree = (json_t *)(uintptr_t)drops; /* cast: it is only read */
	const char *port, *reason, *between;
	json_t *reasons, *frames;

	if (json_object_size(drops) != 0)
		fputs("drops:\n", out);
	json_object_foreach(tree, port, reasons) {
		fprintf(out, "  %s: {", port);
		between = "";
		json_object_foreach(reasons, reason, frames) {
			fprintf(out, "%s%s: %lld", between, reason,
				(long long)json_integer_value(frames));
			between = ", ";
		}
		fputs("}\n", out);
	}
}

static void write_lost(FILE *out, const json_t *lost)
{
	json_t *tree = (json_t *)(uintptr_t)lost; /* cast: it is only read */
	const char *port, *between = "lost: {";
	json_t *frames;

	json_object_foreach(tree, port, frames) {
		fprintf(out, "%s%s: %lld", between, port, (long long)json_integer_value(frames));
		between = ", ";
	}
	if (json_object_size(lost) != 0)
		fputs("}\n", out);
}

static bool is_key(const char *line)
{
	return strncmp(line, "drops:", 6) == 0 || strncmp(line, "lost:", 5) == 0;
}

/* A line that goes on with the key before: it is indented, or empty between such. */
static bool goes_on(const char *line)
{
	return *line == ' ' || *line == '\t';
}

char *drops_text_replace(const char *text, const json_t *drops, const json_t *lost)
{
	bool is_skipping = false, is_written = false;
	char *made = NULL;
	size_t made_bytes;
	FILE *out = open_memstream(&made, &made_bytes);

	if (out == NULL)
		return NULL;
	for (const char *line = text, *next; *line != '\0'; line = next) {
		next = strchr(line, '\n');
		next = next != NULL ? next + 1 : line + strlen(line);
		is_skipping = is_key(line) || (is_skipping && goes_on(line));
		if (is_key(line) && !is_written) {
			write_drops(out, drops);
			write_lost(out, lost);
			is_written = true;
		}
		if (is_skipping)
			continue;
		fwrite(line, 1, (size_t)(next - line), out);
		if (next[-1] != '\n')
			fputc('\n', out);
	}
	if (!is_written) {
		write_drops(out, drops);
		write_lost(out, lost);
	}
	if (fclose(out) != 0) {
		free(made);
		return NULL;
	}
	return made;
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (file == NULL)
		return NULL;
	/* There is no NUL in YAML: all of it. */
	if (getdelim(&text, &room, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

int drops_text_rewrite(const char *path, const json_t *drops, const json_t *lost)
{
	char *text = read_text(path);
	char *made = text != NULL ? drops_text_replace(text, drops, lost) : NULL;
	FILE *file = made != NULL ? fopen(path, "we") : NULL;
	int error = made == NULL ? -EIO : file == NULL ? -errno : 0;

	if (file != NULL) {
		error = fputs(made, file) < 0 ? -EIO : 0;
		error = fclose(file) != 0 ? -EIO : error;
	}
	free(text);
	free(made);
	return error;
}
