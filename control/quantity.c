/* SPDX-License-Identifier: BSD-3-Clause */
/* Rates, sizes and times, to and from text. Pure. */
#include "control/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/api/dp_msg.h"

#define UNITS_MAX 4

struct unit {
	const char *name;
	uint64_t factor;
};

/* Units from the smallest to the largest. */
static const struct {
	uint64_t min, max;
	struct unit units[UNITS_MAX];
	const char *help;
} quantities[] = {
	[QUANTITY_RATE] = {DP_RATE_BPS_MIN,
			   DP_RATE_BPS_MAX,
			   {{"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}},
			   "is not a rate from 1k to 400G; write it as 500k, 100M or 1.5G (bits "
			   "per second)"},
	[QUANTITY_BYTES] = {1,
			    DP_BURST_BYTES_MAX,
			    {{"", 1}, {"k", 1000}, {"M", 1000000}, {NULL, 0}},
			    "is not a number of bytes from 1 to 64M; write it as 3000, 64k or 1M"},
	[QUANTITY_FRAMES] = {1,
			     DP_FRAMES_PER_S_MAX,
			     {{"", 1}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}},
			     "is not a number of frames per second from 1 to 1G; write it as 500, "
			     "100k or 1.5M"},
	[QUANTITY_TIME] = {50,
			   DP_TARGET_US_MAX,
			   {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {NULL, 0}},
			   "is not a time from 50us to 60s; write it as 500us, 5ms or 1s"},
};

static const struct unit *find_unit(enum quantity quantity, const char *name)
{
	const struct unit *units = quantities[quantity].units;

	for (size_t i = 0; i < UNITS_MAX && units[i].name != NULL; i++) {
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	}
	return NULL;
}

/* What stands behind a point, in the unit. */
static int read_fraction(const char *digits, const struct unit *unit, uint64_t *value)
{
	size_t n = strspn(digits, "0123456789");

	*value = 0;
	for (uint64_t place = unit->factor / 10; n > 0; n--, digits++, place /= 10) {
		/* Finer than one can be said only of nothing. */
		if (place == 0 && digits[0] != '0')
			return -EINVAL;
		*value += (uint64_t)(digits[0] - '0') * place;
	}
	return 0;
}

int quantity_parse(enum quantity quantity, const char *word, uint64_t *value)
{
	size_t n_whole = strspn(word, "0123456789"), n = n_whole;
	uint64_t whole = 0, fraction = 0, max = quantities[quantity].max;

	if (word[n] == '.')
		n += 1 + strspn(word + n + 1, "0123456789");
	const struct unit *unit = find_unit(quantity, word + n);
	if (n_whole == 0 || n == n_whole + 1 || unit == NULL ||
	    (n > n_whole && read_fraction(word + n_whole + 1, unit, &fraction) < 0))
		return -EINVAL;
	for (size_t i = 0; i < n_whole && whole <= max; i++)
		whole = whole * 10 + (uint64_t)(word[i] - '0');
	if (whole > max / unit->factor)
		return -ERANGE;
	*value = whole * unit->factor + fraction;
	return *value >= quantities[quantity].min && *value <= max ? 0 : -ERANGE;
}

void quantity_format(enum quantity quantity, uint64_t value, char text[QUANTITY_TEXT_BYTES])
{
	const struct unit *units = quantities[quantity].units;
	size_t at = 0;

	while (at + 1 < UNITS_MAX && units[at + 1].name != NULL && value >= units[at + 1].factor)
		at++;
	uint64_t whole = value / units[at].factor, fraction = value % units[at].factor;
	int len = snprintf(text, QUANTITY_TEXT_BYTES, "%" PRIu64, whole);

	if (fraction != 0) {
		text[len++] = '.';
		for (uint64_t place = units[at].factor / 10; fraction != 0; place /= 10) {
			text[len++] = (char)('0' + fraction / place);
			fraction %= place;
		}
	}
	snprintf(text + len, QUANTITY_TEXT_BYTES - (size_t)len, "%s", units[at].name);
}

const char *quantity_help(enum quantity quantity)
{
	return quantities[quantity].help;
}
