/* SPDX-License-Identifier: BSD-3-Clause */
/* Congestion marks in place of drops (RFC 3168): in the frame's private head. Worker threads. */
#pragma once

#include <stdbool.h>

struct frame;

/* Says "congestion experienced" in the IP header, checksum included, if the frame's sender knows of
 * such marks. false: it does not, or the frame is not IP: nothing was changed. One that is marked
 * already counts as marked. */
bool ecn_mark(struct frame *frame);
