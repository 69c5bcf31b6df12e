/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of a replay as a client sends them. A body is any number of these, in the order of their
 * times, numbers as on this machine:
 *
 *     u64 due_ns   when, from the start on
 *     u32 len      bytes of the frame, which follow
 *     u16 port     index in the list that the replay was opened with
 *     u16          0
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "control/problem.h"

#define PLAYBACK_HEAD_BYTES 16
#define PLAYBACK_FRAME_BYTES_MAX (65535 + 64) /* as the dataplane takes them */

struct playback_frame {
	uint64_t due_ns;
	uint32_t len;
	uint16_t port;
	const char *bytes; /* in the body */
};

/* All of it, of a replay with so many ports. 0 or -EINVAL with *problem filled. */
int playback_body_check(const char *body, size_t bytes, size_t n_ports, struct problem *problem);

/* The frame at the beginning of a body that was checked. Returns where the next one begins. */
size_t playback_body_frame(const char *body, struct playback_frame *frame);
