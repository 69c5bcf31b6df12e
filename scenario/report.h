/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of scenarios: each is one object,
 *
 *   {name, path, about, result: passed|failed|updated|invalid, differences: [...], files: [...],
 *    problem}
 *
 * and is told as text (TAP: a line each, what differs below it), as JSON, and as JUnit's XML. No
 * times of the real clock: two runs that saw the same say the same.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

struct report_counts {
	unsigned int passed, failed, updated, invalid;
};

struct report_counts report_count(const json_t *results);

/* One scenario's lines; number from 1. */
void report_text(FILE *out, unsigned int number, const json_t *result);
/* The plan and the sum. */
void report_text_end(FILE *out, const json_t *results);

int report_json(FILE *out, json_t *results);
void report_junit(FILE *out, const json_t *results);
