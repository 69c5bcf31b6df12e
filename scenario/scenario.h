/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scenario: FOLDER/NAME.yaml with a lab, what its ports receive, and what must come of it. See
 * docs/replay.md.
 *
 *     about: one line, what this proves
 *     lab: {segments: {...}, ports: {...}}    or the name of a lab file beside it
 *     in:  {PORT: FILE}      what a port receives; else NAME.PORT.in.pcap or .pcapng; else nothing
 *     out: {PORT: FILE}      what it must send; else NAME.PORT.out.pcap or .pcapng; else nothing
 *     drops: {PORT: {REASON: frames}}
 *     lost: {PORT: frames}   of `in`, while there was no such port
 *     ignore: {PORT: [FIELD]}        what may vary in what it sends (compare.h)
 *     at: {TIME: {ports: {...}}}     laid over the lab at that time; null takes away
 *     until: TIME            the clock goes on so far
 *     sends: {PORT: SIZE}    this port leaves checksums open, and TCP beyond SIZE bytes uncut
 *     takes: {PORT: all}     what this port takes uncut and open; or: checksum. Else: nothing
 *     full: {PORT: [TIME, TIME]}     in between the ring of this guest is full
 *     nexthops: {PEER: UPLINK}       the way to another host, or {via: UPLINK, mtu: BYTES}; without
 *                            one the peer is down
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "scenario/rig.h"
#include "scenario/timeline.h"

#define SCENARIO_WHY_BYTES 640
#define SCENARIO_NAME_BYTES 256
#define SCENARIO_PATH_BYTES 4096

struct scenario {
	char base[SCENARIO_PATH_BYTES]; /* path without ".yaml" */
	size_t folder_len;		/* of `base`, with the last slash */
	json_t *document;
	json_t *lab;	     /* tree as it is now */
	json_t *nexthops;    /* as they are now */
	json_t *hop_numbers; /* PEER: N, so that a peer's next hop keeps its MAC */
	struct timeline timeline;
	struct rig rig;
	char why[SCENARIO_WHY_BYTES]; /* why it cannot be played */
};

/* 0, or -errno with scenario->why: it cannot be played as it is written. To be ended by
 * scenario_fini() either way. */
int scenario_load(struct scenario *scenario, const char *path);
void scenario_fini(struct scenario *scenario);

/* Plays it from the first packet to the last. 0, or -errno with scenario->why. */
int scenario_play(struct scenario *scenario);

/* Fills scenario->why. -EINVAL. */
int scenario_refuse(struct scenario *scenario, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "AREA/NAME" */
void scenario_name(const struct scenario *scenario, char name[SCENARIO_NAME_BYTES]);

/* Where a port's capture is: what the scenario says (key "in" or "out"), else beside it. */
void scenario_capture_path(const struct scenario *scenario, const char *port, const char *key,
			   char path[SCENARIO_PATH_BYTES]);
