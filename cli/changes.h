/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints what a change did, or would do: the plan that weftd answers with. */
#pragma once

#include "cli/call.h"

/* Raw with -o json or yaml; else a line for each change and, for a lab, a summary. Exit code. */
int changes_print(const struct call *call, json_t *plan, bool is_lab);

/* Whether the plan holds no change. */
bool changes_is_empty(const json_t *plan);
