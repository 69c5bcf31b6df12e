/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filters of captures: classic BPF programs, as libpcap compiles them. They come as numbers, are
 * checked once as the kernel does it (every jump goes forward and stays inside, no division by a
 * zero that is written there, the end is a return), and then end by themselves whatever a frame
 * holds. They see the private copy of a frame's first bytes: what they read beyond it refuses the
 * frame, as a packet too short does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

#define FILTER_MEMORY_WORDS 16

/* Main. Can it be run? n = 0 takes all, and is never run. */
bool filter_check(const struct dp_insn *program, unsigned int n);

/* Workers. bytes: the first n_bytes of a frame of `len`. false: the frame is not wanted. */
bool filter_run(const struct dp_insn *program, const uint8_t *bytes, uint32_t n_bytes,
		uint32_t len);
