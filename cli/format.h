/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers and names as a person reads them: sizes and durations with units, the natural order of
 * names, text made safe for a terminal. Pure; no allocation.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Room that every number below fits in. */
#define FORMAT_NUMBER_BYTES 24

/* 999, 1.50k, 18.4E: powers of ten, three digits. */
void format_count(uint64_t count, char *text, size_t text_bytes);

/* The same as 999B, 1.50kB, 18.4EB. */
void format_bytes(uint64_t bytes, char *text, size_t text_bytes);

/* 7s, 3m05s, 2h07m, 4d03h. */
void format_duration_s(uint64_t seconds, char *text, size_t text_bytes);

/* 850ns, 12.3us, 4.56ms, 1.20s: three digits. */
void format_delay_us(double us, char *text, size_t text_bytes);

/* As strcmp(), but runs of digits compare as numbers: web2 before web10. */
int format_natural_compare(const char *a, const char *b);

/* Replaces control characters (also C1 in UTF-8), which could drive a terminal, by '?'. */
void format_clean(char *text);

/* Columns that UTF-8 text takes on a terminal (one for each code point). */
size_t format_width(const char *text);
