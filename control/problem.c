/* SPDX-License-Identifier: BSD-3-Clause */
/* Why something was refused: filling in the answer. Pure. */
#include "control/problem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Details are one line of printable text, whatever a user wrote into a name. */
static void make_printable(char *text)
{
	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
}

/* snprintf() may have cut a UTF-8 sequence in two, which JSON could not carry. */
static void drop_cut_character(char *text, size_t bytes)
{
	size_t len = strlen(text);

	if (len + 1 < bytes)
		return;
	while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
		len--;
	if (len > 0 && (unsigned char)text[len - 1] >= 0xc0)
		len--;
	text[len] = '\0';
}

int problem_set(struct problem *problem, int error, int status, const char *code,
		const char *format, ...)
{
	va_list args;

	problem->status = status;
	problem->code = code;
	problem->where[0] = '\0';
	va_start(args, format);
	vsnprintf(problem->detail, sizeof(problem->detail), format, args);
	va_end(args);
	make_printable(problem->detail);
	drop_cut_character(problem->detail, sizeof(problem->detail));
	return error;
}

void problem_at(struct problem *problem, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem->where, sizeof(problem->where), format, args);
	va_end(args);
}

void problem_prefix(struct problem *problem, const char *format, ...)
{
	char prefix[160];
	char detail[sizeof(problem->detail)];
	va_list args;

	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	memcpy(detail, problem->detail, sizeof(detail));
	int len = snprintf(problem->detail, sizeof(problem->detail), "%s", prefix);
	snprintf(problem->detail + len, sizeof(problem->detail) - (size_t)len, "%s", detail);
	make_printable(problem->detail);
	drop_cut_character(problem->detail, sizeof(problem->detail));
}

int problem_system(struct problem *problem, int error, const char *doing)
{
	switch (error) {
	case -ENOMEM:
		return problem_set(problem, error, 503, "no-memory",
				   "%s: out of memory; nothing was changed", doing);
	case -ENOSPC:
		return problem_set(problem, error, 507, "store-full",
				   "%s: the disk is full; free some space and try again", doing);
	default:
		return problem_set(problem, error, 503, "store-failed",
				   "%s: %s; see the log of weftd", doing, strerror(-error));
	}
}
