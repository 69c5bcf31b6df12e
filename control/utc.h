/* SPDX-License-Identifier: BSD-3-Clause */
/* Wall-clock time as the API writes it, RFC 3339 in UTC. */
#pragma once

#include <stdint.h>

#define UTC_BYTES 24
#define UTC_MS_BYTES 32

/* What time it is: ms since 1970. */
int64_t utc_now_ms(void);

/* What is added to a time of CLOCK_MONOTONIC, in ns, to have that since 1970; now_ns is it now. */
int64_t utc_offset_ns(uint64_t now_ns);

/* "2026-11-22T19:05:45Z" */
void utc_format(int64_t time_s, char text[UTC_BYTES]);

/* "2026-11-22T19:05:45.250Z", and back: with up to three digits of a second, or without. 0 or
 * -EINVAL. */
void utc_format_ms(int64_t time_ms, char text[UTC_MS_BYTES]);
int utc_parse_ms(const char *text, int64_t *time_ms);
