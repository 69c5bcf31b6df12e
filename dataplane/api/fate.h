/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of the frames of a replay: records (record.h) in rings of their own, one for each
 * worker, whose bytes are a struct fate. A frame that is flooded has one for each receiver. The
 * record's time is that of the event, its port where it happened, its reason that of a drop.
 */
#pragma once

#include <stdint.h>

enum fate_kind {
	FATE_DELIVERED = 1, /* the port took it */
	FATE_DROPPED,	    /* there, with the record's reason */
	FATE_QUEUED,	    /* waits at the port for its channel, ... */
	FATE_LEFT,	    /* ... and waits no more: what became of it follows */
};

struct fate {
	uint64_t in_ns;	 /* when it entered its port; CLOCK_MONOTONIC */
	uint32_t number; /* of the frame, from 0, the lower 32 bits */
	uint8_t kind;	 /* enum fate_kind */
	uint8_t reserved[3];
};

_Static_assert(sizeof(struct fate) == 16, "layout");
