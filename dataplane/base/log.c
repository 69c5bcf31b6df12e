/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines to standard error. Main threads only. */
#include "dataplane/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_INTERVAL_NS 1000000000ULL

static void write_line(enum log_level level, const char *subject, uint32_t suppressed,
		       const char *format, va_list args)
{
	char line[512];
	int len = snprintf(line, sizeof(line), "<%d>%s: ", (int)level, subject);

	len += vsnprintf(line + len, sizeof(line) - (size_t)len, format, args);
	if (len > (int)sizeof(line) - 40)
		len = (int)sizeof(line) - 40;
	if (suppressed != 0)
		len += snprintf(line + len, 32, " (+%u like it)", suppressed);
	line[len++] = '\n';
	/* One write per line: lines of two processes do not mix. Nothing helps if it fails. */
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

void log_line(enum log_level level, const char *subject, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(level, subject, 0, format, args);
	va_end(args);
}

void log_limited(struct log_limit *limit, uint64_t now_ns, enum log_level level,
		 const char *subject, const char *format, ...)
{
	va_list args;

	if (now_ns < limit->next_ns) {
		limit->suppressed++;
		return;
	}
	va_start(args, format);
	write_line(level, subject, limit->suppressed, format, args);
	va_end(args);
	limit->suppressed = 0;
	limit->next_ns = now_ns + LIMIT_INTERVAL_NS;
}
