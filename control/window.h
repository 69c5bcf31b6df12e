/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was counted in the last second, minute and hour: a history of a row of numbers, each the
 * difference to a second before. Sixty seconds are kept by themselves, sixty minutes as their sums.
 * Seconds in which nothing moved are not there and cost nothing, nor do numbers that are zero, so a
 * channel's hundred counters take some 200 bytes for each second that it was used in.
 *
 * Time comes as numbers of seconds, from anywhere on, that only go up. A minute is sixty seconds
 * from a multiple of sixty on. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_VALUES_MAX 256 /* numbers in a row */
#define WINDOW_PARTS 60
#define WINDOW_VALUE_MAX ((1ULL << 56) - 1) /* what is more counts as this */

enum window_span {
	WINDOW_SECOND,
	WINDOW_MINUTE, /* sixty seconds, the present one as the last */
	WINDOW_HOUR,   /* as much of this minute as there is, and the 59 before it */
	WINDOW_SPANS,
};

struct window;

/* Of rows of n_values. 0 or -ENOMEM. */
int window_create(unsigned int n_values, struct window **window);
void window_destroy(struct window *window); /* NULL is legal */

/* What was counted in this second, beside what was already. Seconds of a minute before one that was
 * added to are left out. 0 or -ENOMEM: then it is left out too. */
int window_add(struct window *window, uint64_t second, const uint64_t *values);

/* The sums over a span that ends with `second`; NULL: all zero. */
void window_sum(const struct window *window, enum window_span span, uint64_t second,
		uint64_t *values, unsigned int n_values);

/* A span is made of WINDOW_PARTS parts, or one: part 0 is the present one, 1 the one before. One
 * number of one part; NULL: zero. */
unsigned int window_count_parts(enum window_span span);
uint64_t window_part(const struct window *window, enum window_span span, uint64_t second,
		     unsigned int part, unsigned int index);

/* Has the last hour nothing in it? */
bool window_is_empty(const struct window *window, uint64_t second);
