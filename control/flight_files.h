/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files of flight recorders, in STATE-DIR/flight: TIME-TRIGGER-SEGMENT.pcapng, so that a name says
 * all that is listed. Bounded in number: each segment has its newest few, and of more in all the
 * oldest of the segment that has most goes. A file is whole or is not there. Runs on weftd's
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "control/utc.h"
#include "dataplane/api/dp_msg.h"

#define FLIGHT_FILES_MAX 64
#define FLIGHT_FILES_OF_SEGMENT_MAX 8
#define FLIGHT_FILES_NAME_BYTES 128
#define FLIGHT_FILES_TRIGGER_BYTES 8

struct flight_file {
	char name[FLIGHT_FILES_NAME_BYTES]; /* without its suffix */
	char segment[DP_NAME_BYTES];
	char trigger[FLIGHT_FILES_TRIGGER_BYTES];
	char time[UTC_MS_BYTES];
	uint64_t bytes;
};

/* The directory, made if it is not there, and cleared of what was interrupted. Descriptor or
 * -errno. */
int flight_files_open(const char *state_dir);

/* The name of a file to be. */
void flight_files_name(int64_t time_ms, const char *trigger, const char *segment,
		       char name[FLIGHT_FILES_NAME_BYTES]);

/* The oldest first; what has no such name is nobody's. *files is the caller's to free. 0 or -errno.
 */
int flight_files_list(int dir_fd, struct flight_file **files, size_t *n);

/* All of it, or nothing: 0 or -errno. Then what is too much goes, but never what was just written.
 */
int flight_files_write(int dir_fd, const char *name, const void *bytes, size_t n);

/* Descriptor, or -ENOENT (also for what is no name). */
int flight_files_read(int dir_fd, const char *name);
int flight_files_remove(int dir_fd, const char *name);
