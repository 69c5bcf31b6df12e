/* SPDX-License-Identifier: BSD-3-Clause */
/* Wall-clock time as the API writes it. */
#include "control/utc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FORM "0000-00-00T00:00:00" /* up to the seconds; 0: a digit */
#define FORM_CHARS (sizeof(FORM) - 1)

int64_t utc_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

int64_t utc_offset_ns(uint64_t now_ns)
{
	return utc_now_ms() * INT64_C(1000000) - (int64_t)now_ns;
}

void utc_format(int64_t time_s, char text[UTC_BYTES])
{
	time_t seconds = (time_t)time_s;
	struct tm parts;

	text[0] = '\0';
	if (gmtime_r(&seconds, &parts) != NULL)
		strftime(text, UTC_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void utc_format_ms(int64_t time_ms, char text[UTC_MS_BYTES])
{
	char whole[UTC_BYTES];

	utc_format(time_ms / 1000, whole);
	snprintf(text, UTC_MS_BYTES, "%.*s.%03dZ", (int)FORM_CHARS, whole, (int)(time_ms % 1000));
}

/* ".25Z" as ms; -1: something else. */
static int read_rest(const char *rest)
{
	int ms = 0, place = 100;

	if (rest[0] == '.') {
		for (rest++; rest[0] >= '0' && rest[0] <= '9' && place > 0; rest++, place /= 10)
			ms += (rest[0] - '0') * place;
		if (place == 100)
			return -1;
	}
	return strcmp(rest, "Z") == 0 ? ms : -1;
}

int utc_parse_ms(const char *text, int64_t *time_ms)
{
	struct tm parts = {0};

	for (size_t i = 0; i < FORM_CHARS; i++) {
		if (FORM[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != FORM[i])
			return -EINVAL;
	}
	int ms = read_rest(text + FORM_CHARS);
	if (ms < 0 || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &parts.tm_year, &parts.tm_mon,
			     &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6)
		return -EINVAL;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	struct tm given = parts;
	time_t seconds = timegm(&parts);

	/* A day that no month has becomes one of the next month. */
	if (seconds < 0 || given.tm_mday != parts.tm_mday || given.tm_mon != parts.tm_mon ||
	    given.tm_hour != parts.tm_hour || given.tm_min != parts.tm_min ||
	    given.tm_sec != parts.tm_sec)
		return -EINVAL;
	*time_ms = (int64_t)seconds * 1000 + ms;
	return 0;
}
