/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers and names as a person reads them. Pure functions. */
#include "cli/format.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void format_count(uint64_t count, char *text, size_t text_bytes)
{
	static const char units[] = "kMGTPE";
	double scaled = (double)count / 1000;
	size_t unit = 0;
	int decimals = 2;

	if (count < 1000) {
		snprintf(text, text_bytes, "%" PRIu64, count);
		return;
	}
	while (scaled >= 999.5 && unit < sizeof(units) - 2) {
		scaled /= 1000;
		unit++;
	}
	if (scaled >= 9.995)
		decimals = scaled < 99.95 ? 1 : 0;
	snprintf(text, text_bytes, "%.*f%c", decimals, scaled, units[unit]);
}

void format_bytes(uint64_t bytes, char *text, size_t text_bytes)
{
	char count[FORMAT_NUMBER_BYTES];

	format_count(bytes, count, sizeof(count));
	snprintf(text, text_bytes, "%sB", count);
}

void format_duration_s(uint64_t seconds, char *text, size_t text_bytes)
{
	uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (days > 0)
		snprintf(text, text_bytes, "%" PRIu64 "d%02uh", days, (unsigned int)(hours % 24));
	else if (hours > 0)
		snprintf(text, text_bytes, "%" PRIu64 "h%02um", hours,
			 (unsigned int)(minutes % 60));
	else if (minutes > 0)
		snprintf(text, text_bytes, "%" PRIu64 "m%02us", minutes,
			 (unsigned int)(seconds % 60));
	else
		snprintf(text, text_bytes, "%" PRIu64 "s", seconds);
}

void format_delay_us(double us, char *text, size_t text_bytes)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double scaled = us * 1000;
	size_t unit = 0;
	int decimals = 2;

	while (scaled >= 999.5 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		scaled /= 1000;
		unit++;
	}
	if (unit == 0 || scaled >= 99.95)
		decimals = 0;
	else if (scaled >= 9.995)
		decimals = 1;
	snprintf(text, text_bytes, "%.*f%s", decimals, scaled, units[unit]);
}

/* Compares the runs of digits at *a and *b by value, of any length, and steps over them. */
static int compare_digits(const char **a, const char **b)
{
	size_t a_digits, b_digits;
	int order;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	a_digits = strspn(*a, "0123456789");
	b_digits = strspn(*b, "0123456789");
	if (a_digits != b_digits)
		return a_digits < b_digits ? -1 : 1;
	order = strncmp(*a, *b, a_digits);
	*a += a_digits;
	*b += b_digits;
	return order;
}

int format_natural_compare(const char *a, const char *b)
{
	const char *whole_a = a, *whole_b = b;

	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			int order = compare_digits(&a, &b);

			if (order)
				return order;
		} else if (*a != *b) {
			break;
		} else {
			a++;
			b++;
		}
	}
	if (*a != *b)
		return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
	/* Equal but for leading zeros: still a total order. */
	return strcmp(whole_a, whole_b);
}

void format_clean(char *text)
{
	unsigned char *byte = (unsigned char *)text;

	for (; *byte; byte++) {
		if (*byte < 0x20 || *byte == 0x7f)
			*byte = '?';
		else if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0)
			byte[0] = byte[1] = '?';
	}
}

size_t format_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}
