/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why something was refused: what a problem+json answer says (RFC 9457), filled where the fault is
 * found and passed up unchanged. Pure.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include <jansson.h>

struct problem {
	int status;	  /* HTTP status */
	const char *code; /* stable, as "segment-unknown"; a constant */
	char where[160];  /* place in a lab, as "ports.web0.segment"; "" if none */
	char detail[512]; /* one line: what is wrong and what to do */
	json_t *errors;	  /* NULL, or a list that collects: a lab's faults are told all at once */
};

#define PROBLEM_ERRORS_MAX 20 /* the rest is told when these are mended */

/*
 * Where faults are collected, notes this one and returns 0: go on. Else, and when there is no use
 * in going on, returns `error`.
 */
int problem_collect(struct problem *problem, int error);

/* 0, or -errno if something was collected: the problem is then the first of it. */
int problem_collected(struct problem *problem);
void problem_fini(struct problem *problem); /* the list */

/* Where in the text the fault is: "line 7: " before the detail, and line and column in the list. */
void problem_locate(struct problem *problem, size_t line, size_t column);

/* Every code that there is, ended by a row without one. */
struct problem_code {
	const char *code, *help;
};
extern const struct problem_code problem_codes[];

/* Fills *problem and returns `error`, so that a function can end with `return problem_set(...)`. */
int problem_set(struct problem *problem, int error, int status, const char *code,
		const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Names the place that the problem is about. */
void problem_at(struct problem *problem, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts text before the detail, as "line 7: ". */
void problem_prefix(struct problem *problem, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* For faults that are nobody's doing: no memory, a full disk, a damaged store. Returns `error`. */
int problem_system(struct problem *problem, int error, const char *doing);
