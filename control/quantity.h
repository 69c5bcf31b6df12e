/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rates, sizes and times as a user writes them: a number, perhaps with a point, and a unit. Units
 * are powers of ten: 500M is 500,000,000. What is written out can be read again and is the same
 * number. Pure.
 */
#pragma once

#include <stdint.h>

enum quantity {
	QUANTITY_RATE,	 /* bits per second: 100k, 500M, 1.5G */
	QUANTITY_BYTES,	 /* 1514, 64k, 1M */
	QUANTITY_FRAMES, /* per second: 500, 100k, 1.5M */
	QUANTITY_TIME,	 /* us: 500us, 5ms, 1s */
};

#define QUANTITY_TEXT_BYTES 32 /* that any number fits in */

/* 0; -EINVAL: no such thing; -ERANGE: one, but outside of what the quantity may be. */
int quantity_parse(enum quantity quantity, const char *word, uint64_t *value);

/* In the largest unit that leaves a digit before the point. */
void quantity_format(enum quantity quantity, uint64_t value, char text[QUANTITY_TEXT_BYTES]);

/* What a refusal says after the word: "is not a rate from 1k to 400G; write it as ...". */
const char *quantity_help(enum quantity quantity);
