/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What channels asked for, were given and borrowed, over the last second, minute and hour. Once a
 * second the counters of those that moved are read and kept as differences; what did not move is
 * not looked at again. With another start of the dataplane, or another owner of a slot, counting
 * begins anew. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/meter.h"
#include "control/model.h"
#include "control/window.h"
#include "dataplane/api/dp_msg.h"

struct reports;

/* What channels may have, as they are now: rates with loans. */
struct reports_channel {
	uint32_t id;
	uint32_t pool_id; /* 0: none */
	uint64_t assured_bps[DP_WAYS];
};

struct reports_pool {
	uint32_t id;
	uint64_t capacity_bps[DP_WAYS];
};

/* One way of a channel over one span. Bytes are those that the channel counts by. */
struct report {
	uint64_t span_ns; /* how long that is; less than the name says while it is new */
	uint64_t asked_frames, asked_bytes;
	uint64_t passed_frames, passed_bytes;
	uint64_t assured_bytes;
	uint64_t borrowed_bytes; /* passed beyond what is assured */
	uint64_t free_bytes;	 /* of these: capacity that nobody is assured of */
	uint64_t lent_bytes;	 /* of what it is assured of: used by others */
	uint64_t held_ns;	 /* somebody waited, summed over workers */
	uint64_t marks, drops;
	uint64_t n_delays, p50_ns, p99_ns; /* n_delays 0: nothing is known of the others */
};

struct report_lender {
	uint32_t id;
	uint64_t bytes;
};

int reports_create(struct reports **reports);  /* 0 or -ENOMEM */
void reports_destroy(struct reports *reports); /* NULL is legal */

/* Both in the order of their ids; copied. What was counted of those that stay, stays. 0 or -errno:
 * nothing has changed. */
int reports_configure(struct reports *reports, const struct reports_channel *channels,
		      size_t n_channels, const struct reports_pool *pools, size_t n_pools);

/* The same from a model, with its loans. */
int reports_follow(struct reports *reports, const struct model *model);

/* Takes a sample if a second has begun since the last one. Returns how many ms later there is one
 * to be taken. meter NULL: the dataplane is away; the time goes on. */
int reports_run(struct reports *reports, const struct meter *meter, uint64_t now_ns);

/* All zero but span_ns: it moved nothing. */
struct report reports_get(const struct reports *reports, uint32_t channel_id, enum dp_way way,
			  enum window_span span);

/* Who lent what it borrowed beside what was free, the most first. malloc'ed; *n 0: nobody. 0 or
 * -ENOMEM. */
int reports_list_lenders(const struct reports *reports, uint32_t channel_id, enum dp_way way,
			 enum window_span span, struct report_lender **lenders, size_t *n);

/* All that was counted, up to the last sample; false: nothing. */
bool reports_total(const struct reports *reports, uint32_t channel_id, enum dp_way way,
		   struct counters_channel *total);

/* Bytes in lanes now, beside what waits in rings. */
uint64_t reports_queued_bytes(const struct reports *reports, const struct meter *meter,
			      uint32_t channel_id, enum dp_way way);
