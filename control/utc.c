/* SPDX-License-Identifier: BSD-3-Clause */
/* Wall-clock time as the API writes it. Pure. */
#include "control/utc.h"

#include <time.h>

void utc_format(int64_t time_s, char text[UTC_BYTES])
{
	time_t seconds = (time_t)time_s;
	struct tm parts;

	text[0] = '\0';
	if (gmtime_r(&seconds, &parts) != NULL)
		strftime(text, UTC_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts);
}
