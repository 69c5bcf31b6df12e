/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage: floods beyond their rate are dropped. Worker threads. */
#include "dataplane/storm.h"

#include "dataplane/dataplane.h"

/* A tenth of a second's worth at once: hosts that start together all ask at the same time. */
#define BURSTS_PER_S 10
#define BURST_MIN 64

static uint32_t burst_of(uint32_t pps)
{
	return pps / BURSTS_PER_S > BURST_MIN ? pps / BURSTS_PER_S : BURST_MIN;
}

void storm_init(struct storm *storm)
{
	for (int i = 0; i < DP_STORM_KINDS; i++)
		rate_init(&storm->rates[i], 0, 0);
}

void storm_set(struct storm *storm, const uint32_t pps[DP_STORM_KINDS])
{
	for (int i = 0; i < DP_STORM_KINDS; i++)
		rate_set(&storm->rates[i], pps[i], burst_of(pps[i]));
}

static inline enum dp_storm kind_of(const struct frame *frame)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if ((frame->head[0] & 1) == 0)
		return DP_STORM_UNKNOWN;
	return memcmp(frame->head, broadcast, sizeof(broadcast)) == 0 ? DP_STORM_BROADCAST
								      : DP_STORM_MULTICAST;
}

/* The port's share first: what it has not may not use up what the segment's others have. */
static enum drop_reason judge(struct dataplane *dp, struct port *port, const struct frame *frame,
			      uint64_t now_ns)
{
	static const uint8_t reasons[DP_STORM_KINDS] = {
		[DP_STORM_BROADCAST] = DROP_STORM_BROADCAST,
		[DP_STORM_MULTICAST] = DROP_STORM_MULTICAST,
		[DP_STORM_UNKNOWN] = DROP_STORM_UNKNOWN,
	};
	struct segment *segment =
		atomic_load_explicit(&dp->segments[frame->segment], memory_order_acquire);
	enum dp_storm kind = kind_of(frame);

	if (!rate_take(&port->storm.rates[kind], now_ns))
		return (enum drop_reason)reasons[kind];
	return segment == NULL || rate_take(&segment->storm.rates[kind], now_ns)
		       ? DROP_NONE
		       : DROP_STORM_SEGMENT;
}

void storm_burst(struct dataplane *dp, struct port *port, struct burst *burst)
{
	if (burst->n_flooded == 0)
		return;
	for (unsigned int i = 0; i < burst->n; i++) {
		struct frame *frame = &burst->frames[i];

		if (frame->drop == DROP_NONE && frame->out == FRAME_OUT_FLOOD)
			frame->drop = (uint8_t)judge(dp, port, frame, burst->now_ns);
	}
}
