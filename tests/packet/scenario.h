/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A golden scenario: AREA/NAME.yaml with a lab and the drops to expect, NAME.PORT.in.pcap with what
 * each port receives and NAME.PORT.out.pcap with what it must send, to the byte and the nanosecond.
 * A port without an .out.pcap must send nothing.
 *
 *     about: one line, what this proves
 *     lab: {segments: {...}, ports: {...}}
 *     drops: {PORT: {REASON: frames}}
 *     sends: {PORT: SIZE}     this port leaves checksums open, and TCP beyond SIZE bytes uncut
 *     takes: {PORT: all}      what this port takes uncut and open; or: checksum. Else: nothing
 *     nexthops: {PEER: UPLINK}    the way to another host; without one the peer is down
 */
#pragma once

#include <stdbool.h>

/* path: of the yaml file. update: writes the expected files instead of comparing; drops are always
 * compared. true: as expected. What differs is printed to stderr. */
bool scenario_run(const char *path, bool update);
