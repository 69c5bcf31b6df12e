/* SPDX-License-Identifier: BSD-3-Clause */
/* Wall-clock time as the API writes it, RFC 3339 in UTC. Pure. */
#pragma once

#include <stdint.h>

#define UTC_BYTES 24

/* "2026-11-22T19:05:45Z" */
void utc_format(int64_t time_s, char text[UTC_BYTES]);
