/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints what a change did, or would do: the plan that weftd answers with. */
#pragma once

#include "cli/call.h"

/* Raw with -o json or yaml; else a line for each change and, for a lab, a summary. Exit code. */
int changes_print(const struct call *call, json_t *plan, bool is_lab);

/* A line for each of an array of changes. */
void changes_print_lines(FILE *out, const json_t *changes);

/* Until when, and how to keep it, if the answer says that something is on trial. */
void changes_print_trial(FILE *out, const json_t *answer);

/* "+3 ~1": an object of how many, by action. */
void changes_count_cell(const json_t *counts, char *cell, size_t cell_bytes);

/* Whether the plan holds no change. */
bool changes_is_empty(const json_t *plan);
