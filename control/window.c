/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums over the last second, minute and hour. Pure, but for memory. */
#include "control/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_PER_MINUTE 60
#define INDEX_BITS 8
#define INDEX_MASK ((1U << INDEX_BITS) - 1)

/* A row of which the zeros are left out. */
struct window_row {
	uint64_t number; /* of the second, or of the minute */
	uint32_t n_packed;
	uint64_t packed[]; /* value << INDEX_BITS | index in the row */
};

struct window {
	unsigned int n_values;
	struct window_row *seconds[WINDOW_PARTS]; /* by number % WINDOW_PARTS; NULL: none */
	struct window_row *minutes[WINDOW_PARTS]; /* those that are over */
	uint64_t minute;			  /* the one that is under way */
	bool is_used;				  /* `minute` is one */
	uint64_t sums[];			  /* of it, so far */
};

int window_create(unsigned int n_values, struct window **out)
{
	struct window *window = calloc(1, sizeof(*window) + n_values * sizeof(uint64_t));

	if (window == NULL)
		return -ENOMEM;
	window->n_values = n_values;
	*out = window;
	return 0;
}

void window_destroy(struct window *window)
{
	for (unsigned int i = 0; window != NULL && i < WINDOW_PARTS; i++) {
		free(window->seconds[i]);
		free(window->minutes[i]);
	}
	free(window);
}

static uint64_t pack_one(uint64_t value, unsigned int i)
{
	return (value < WINDOW_VALUE_MAX ? value : WINDOW_VALUE_MAX) << INDEX_BITS | i;
}

static struct window_row *pack(uint64_t number, const uint64_t *values, unsigned int n_values)
{
	uint64_t packed[WINDOW_VALUES_MAX];
	uint32_t n = 0;

	for (unsigned int i = 0; i < n_values; i++) {
		if (values[i] != 0)
			packed[n++] = pack_one(values[i], i);
	}
	struct window_row *row = malloc(sizeof(*row) + n * sizeof(uint64_t));
	if (row == NULL)
		return NULL;
	*row = (struct window_row){.number = number, .n_packed = n};
	memcpy(row->packed, packed, n * sizeof(uint64_t));
	return row;
}

static void unpack(const struct window_row *row, uint64_t *values)
{
	for (uint32_t i = 0; i < row->n_packed; i++)
		values[row->packed[i] & INDEX_MASK] += row->packed[i] >> INDEX_BITS;
}

/* What a second add brings has, as a rule, other numbers than the first: they go to the end. */
static int append(struct window_row **place, const uint64_t *values, unsigned int n_values)
{
	uint32_t n = (*place)->n_packed;

	for (unsigned int i = 0; i < n_values; i++)
		n += values[i] != 0;
	struct window_row *row = realloc(*place, sizeof(*row) + n * sizeof(uint64_t));
	if (row == NULL)
		return -ENOMEM;
	*place = row;
	for (unsigned int i = 0; i < n_values; i++) {
		uint32_t at = 0;

		if (values[i] == 0)
			continue;
		while (at < row->n_packed && (row->packed[at] & INDEX_MASK) != i)
			at++;
		if (at == row->n_packed)
			row->packed[row->n_packed++] = i;
		row->packed[at] = pack_one((row->packed[at] >> INDEX_BITS) + values[i], i);
	}
	return 0;
}

static int put(struct window_row **rows, uint64_t number, const uint64_t *values,
	       unsigned int n_values)
{
	struct window_row *row = pack(number, values, n_values);
	struct window_row **place = &rows[number % WINDOW_PARTS];

	if (row == NULL)
		return -ENOMEM;
	free(*place);
	*place = row;
	return 0;
}

static const struct window_row *find(struct window_row *const *rows, uint64_t number)
{
	const struct window_row *row = rows[number % WINDOW_PARTS];

	return row != NULL && row->number == number ? row : NULL;
}

static int end_minute(struct window *window, uint64_t minute)
{
	int error = 0;

	if (window->is_used && window->minute == minute)
		return 0;
	if (window->is_used)
		error = put(window->minutes, window->minute, window->sums, window->n_values);
	if (error < 0)
		return error;
	memset(window->sums, 0, window->n_values * sizeof(uint64_t));
	window->minute = minute;
	window->is_used = true;
	return 0;
}

int window_add(struct window *window, uint64_t second, const uint64_t *values)
{
	if (window->is_used && second / SECONDS_PER_MINUTE < window->minute)
		return 0;
	int error = end_minute(window, second / SECONDS_PER_MINUTE);
	if (error < 0)
		return error;
	if (find(window->seconds, second) != NULL)
		error = append(&window->seconds[second % WINDOW_PARTS], values, window->n_values);
	else
		error = put(window->seconds, second, values, window->n_values);
	for (unsigned int i = 0; i < window->n_values && error == 0; i++)
		window->sums[i] += values[i];
	return error;
}

unsigned int window_count_parts(enum window_span span)
{
	return span == WINDOW_SECOND ? 1 : WINDOW_PARTS;
}

/* The row of a second, or of a minute that is over. NULL: there is none, or there is *sums. */
static const struct window_row *find_part(const struct window *window, enum window_span span,
					  uint64_t second, unsigned int part, const uint64_t **sums)
{
	bool is_minutes = span == WINDOW_HOUR;
	uint64_t number = is_minutes ? second / SECONDS_PER_MINUTE : second;

	*sums = NULL;
	if (window == NULL || part > number)
		return NULL;
	number -= part;
	if (is_minutes && window->is_used && window->minute == number) {
		*sums = window->sums;
		return NULL;
	}
	return find(is_minutes ? window->minutes : window->seconds, number);
}

uint64_t window_part(const struct window *window, enum window_span span, uint64_t second,
		     unsigned int part, unsigned int index)
{
	const uint64_t *sums;
	const struct window_row *row = find_part(window, span, second, part, &sums);

	if (sums != NULL)
		return sums[index];
	for (uint32_t i = 0; row != NULL && i < row->n_packed; i++) {
		if ((row->packed[i] & INDEX_MASK) == index)
			return row->packed[i] >> INDEX_BITS;
	}
	return 0;
}

void window_sum(const struct window *window, enum window_span span, uint64_t second,
		uint64_t *values, unsigned int n_values)
{
	memset(values, 0, n_values * sizeof(*values));
	for (unsigned int part = 0; part < window_count_parts(span); part++) {
		const uint64_t *sums;
		const struct window_row *row = find_part(window, span, second, part, &sums);

		for (unsigned int i = 0; sums != NULL && i < n_values; i++)
			values[i] += sums[i];
		if (row != NULL)
			unpack(row, values);
	}
}

bool window_is_empty(const struct window *window, uint64_t second)
{
	return !window->is_used || window->minute + WINDOW_PARTS <= second / SECONDS_PER_MINUTE;
}
