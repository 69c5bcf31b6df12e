/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames as one machine would send them to another, to be traced. Pure. */
#pragma once

#include <stddef.h>

#include "control/why_ends.h"

#define WHY_FRAME_BYTES 9600

/* "Who has `to`?": an ARP request where both IPv4 addresses are known, else a broadcast of an
 * EtherType for experiments. Returns its bytes. */
size_t why_frames_question(const struct why_end *from, const struct why_end *to,
			   uint8_t bytes[WHY_FRAME_BYTES]);

/* To the other's MAC address, an IP packet of so many bytes. */
size_t why_frames_packet(const struct why_end *from, const struct why_end *to, size_t ip_bytes,
			 uint8_t bytes[WHY_FRAME_BYTES]);
