/* SPDX-License-Identifier: BSD-3-Clause */
/* Filters as tcpdump has them, for captures and for frames that are followed. */
#pragma once

#include <jansson.h>

struct call;

/* The program, as weftd takes it, as "filter" of a body. An exit code. */
int filter_add(const struct call *call, const char *text, json_t *body);
