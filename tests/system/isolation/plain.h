/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a receiver without offloads must get of a frame whose sender left work to it: the packets
 * that a network card would have made, written apart from dataplane/. Only for the frames of
 * tests/lib/mark.h: IPv4 without options, UDP or TCP. Pure.
 */
#pragma once

#include "tests/system/isolation/rig.h"

/* Whether the frame leaves work to its receiver. */
bool plain_is_needed(const struct rig_frame *frame);

/* Packet `index` of the frame, in `bytes`. Returns its length; 0: there are no more. */
size_t plain_packet(const struct rig_frame *frame, unsigned int index, unsigned char *bytes);
