/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtio-net header that a guest with all offloads puts before a frame of a scenario. */
#pragma once

#include "dataplane/frame.h"

/* TCP and UDP over IPv4 or IPv6 without options: the checksum is open, and TCP with more than
 * segment_bytes of payload is to be cut there. Other frames are plain. */
void offloads_describe(struct frame *frame, uint16_t segment_bytes);
