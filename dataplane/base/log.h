/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Log lines to standard error, one per call: "<level>file: text". The number in brackets is
 * syslog's level, which the journal understands. info is quiet: start, stop, ports coming and
 * going. Anything a guest can provoke goes through log_limited(). Never called by a stage of the
 * fast path.
 */
#pragma once

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARN = 4,
	LOG_LEVEL_INFO = 6,
};

/* At most one line per second, then how many were left out; the caller owns the state, zeroed. */
struct log_limit {
	uint64_t next_ns;
	uint32_t suppressed;
};

void log_line(enum log_level level, const char *subject, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_limited(struct log_limit *limit, uint64_t now_ns, enum log_level level,
		 const char *subject, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#define log_error(subject, ...) log_line(LOG_LEVEL_ERROR, subject, __VA_ARGS__)
#define log_warn(subject, ...) log_line(LOG_LEVEL_WARN, subject, __VA_ARGS__)
#define log_info(subject, ...) log_line(LOG_LEVEL_INFO, subject, __VA_ARGS__)
