/* SPDX-License-Identifier: BSD-3-Clause */
/* What a channel was given, for weft channel show. */
#pragma once

#include <stdio.h>

#include <jansson.h>

/* The answer of /v1/channels/NAME/report: the terms in force, then a line for each way and span,
 * then whom it borrowed from. */
void cmd_report_print(FILE *out, const json_t *report);
