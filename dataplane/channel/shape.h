/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shape: what of a burst its channels let pass now; the rest waits in lanes. Two stages, for ports
 * that have lanes: between look up and the gate, for frames on their way to a port, and before
 * classify, for those on their way from one that no ring can hold. Worker threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct burst;
struct channel_way;
struct counters_block;
struct egress;
struct frame;
struct lane;
struct lane_set;
struct port;
struct worker;

/* frame.drop of a frame that a lane has taken in, or that is carried alone later (follower.h): it
 * is counted, and no stage looks at it. */
#define SHAPE_HELD 0xff

/* Frames for a port: through the gate as far as there is credit and room, else into its lane. */
void shape_to_port(struct worker *worker, struct port *port, const struct lane_set *set,
		   struct burst *burst, struct egress *egress, struct counters_block *count);

/* Frames from a port that its lanes hold: those that have to wait get SHAPE_HELD. They are copied,
 * and counted but for their rx. */
void shape_from_port(struct worker *worker, struct port *port, const struct lane_set *set,
		     struct burst *burst, struct counters_block *count);

/* Would the frame pass its lane now? Takes nothing. Main, for a trace. */
bool shape_passes(struct worker *worker, const struct lane *lane, const struct frame *frame,
		  uint64_t now_ns);

/* The lane of a frame from the port that was not classified yet: a look at its tag tells. NULL:
 * none. */
struct lane *shape_lane(const struct port *port, const struct lane_set *set,
			const struct frame *frame);

/* Sends frames, which cost so many bytes as accounted, through the gate. Returns what there is to
 * pay for: what was really sent. */
uint64_t shape_send(struct worker *worker, struct port *port, struct burst *burst,
		    struct egress *egress, uint64_t bytes, uint32_t extra_bytes,
		    struct counters_block *count);

/* Pays for frames that have passed, and counts them. has_waited: as for bucket_charge(). */
void shape_charge(struct worker *worker, struct channel_way *way, unsigned int n, uint64_t bytes,
		  bool has_waited);

/* Buffers that a frame takes of a guest, at most: none is smaller than a full frame. */
static inline unsigned int shape_buffers(uint32_t len)
{
	return 1 + len / 1500;
}
