/* SPDX-License-Identifier: BSD-3-Clause */
/* What the samples say about a channel. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/delays.h"
#include "control/reports_state.h"

#define SECONDS_PER_MINUTE 60

/* What a channel left of what it is assured of, in one part of a span. While it moved nothing, that
 * is all it is assured of now. */
static uint64_t unused_in(const struct reports *reports, const struct reports_member *channel,
			  enum dp_way way, enum window_span span, unsigned int part)
{
	const struct window *window = channel->windows[way];
	uint64_t second = reports->second;
	uint64_t span_ns = window_part(reports->time, span, second, part, 0);
	uint64_t active_ns = window_part(window, span, second, part, REPORTS_ACTIVE_NS);
	uint64_t unused_bytes = window_part(window, span, second, part, REPORTS_UNUSED);

	if (active_ns < span_ns)
		unused_bytes +=
			reports_bytes_in(channel->spec.assured_bps[way], span_ns - active_ns);
	return unused_bytes;
}

/* Was the channel in its pool by then? */
static bool is_member(const struct reports *reports, const struct reports_member *channel,
		      enum window_span span, unsigned int part)
{
	uint64_t minute = reports->second / SECONDS_PER_MINUTE;

	if (span == WINDOW_HOUR)
		return minute >= part && minute - part >= channel->since / SECONDS_PER_MINUTE;
	return reports->second >= part && reports->second - part >= channel->since;
}

static uint64_t sum_lent(const struct reports *reports, const struct reports_member *channel,
			 enum dp_way way, enum window_span span)
{
	uint64_t second = reports->second, lent_bytes = 0;

	if (channel->pool == REPORTS_NONE)
		return 0;
	const struct window *pool = reports->pools[channel->pool].windows[way];
	for (unsigned int part = 0; part < window_count_parts(span); part++) {
		uint64_t all = window_part(pool, span, second, part, REPORTS_POOL_LENT);

		if (all == 0 || !is_member(reports, channel, span, part))
			continue;
		lent_bytes +=
			borrow_share(all, unused_in(reports, channel, way, span, part),
				     window_part(pool, span, second, part, REPORTS_POOL_DIVISOR));
	}
	return lent_bytes;
}

struct report reports_get(const struct reports *reports, uint32_t channel_id, enum dp_way way,
			  enum window_span span)
{
	const struct reports_member *channel = reports_find(reports, channel_id);
	struct report report = {0};
	uint64_t values[REPORTS_VALUES];
	struct counters_channel counts;

	window_sum(reports->time, span, reports->second, &report.span_ns, 1);
	if (channel == NULL)
		return report;
	window_sum(channel->windows[way], span, reports->second, values, REPORTS_VALUES);
	memcpy(&counts, values, sizeof(counts));
	report.asked_frames = counts.asked_frames;
	report.asked_bytes = counts.asked_bytes;
	report.passed_frames = counts.passed_frames;
	report.passed_bytes = counts.passed_bytes;
	report.held_ns = counts.held_ns;
	report.marks = counts.marks;
	report.drops = counts.drops;
	report.assured_bytes = values[REPORTS_ASSURED];
	if (values[REPORTS_ACTIVE_NS] < report.span_ns)
		report.assured_bytes += reports_bytes_in(
			channel->spec.assured_bps[way], report.span_ns - values[REPORTS_ACTIVE_NS]);
	report.borrowed_bytes = values[REPORTS_BORROWED];
	report.free_bytes = values[REPORTS_FREE];
	report.lent_bytes = sum_lent(reports, channel, way, span);
	for (unsigned int i = 0; i < COUNTERS_DELAYS; i++)
		report.n_delays += counts.delays[i];
	report.p50_ns = delays_quantile_ns(counts.delays, 500);
	report.p99_ns = delays_quantile_ns(counts.delays, 990);
	return report;
}

/* Of a borrower, part by part: what it had beside what was free, and what that is shared out by. */
struct loan {
	uint64_t lent_bytes[WINDOW_PARTS], divisor_bytes[WINDOW_PARTS];
	uint64_t sum_bytes;
};

static struct loan sum_loan(const struct reports *reports, const struct reports_member *channel,
			    enum dp_way way, enum window_span span)
{
	const struct window *window = channel->windows[way];
	const struct window *pool = reports->pools[channel->pool].windows[way];
	uint64_t second = reports->second;
	struct loan loan = {0};

	for (unsigned int part = 0; part < window_count_parts(span); part++) {
		if (!is_member(reports, channel, span, part))
			continue;
		loan.lent_bytes[part] = window_part(window, span, second, part, REPORTS_BORROWED) -
					window_part(window, span, second, part, REPORTS_FREE);
		loan.divisor_bytes[part] =
			window_part(pool, span, second, part, REPORTS_POOL_DIVISOR);
		loan.sum_bytes += loan.lent_bytes[part];
	}
	return loan;
}

static int compare_lenders(const void *a, const void *b)
{
	const struct report_lender *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

int reports_list_lenders(const struct reports *reports, uint32_t channel_id, enum dp_way way,
			 enum window_span span, struct report_lender **lenders, size_t *n)
{
	const struct reports_member *borrower = reports_find(reports, channel_id);

	*lenders = NULL;
	*n = 0;
	if (borrower == NULL || borrower->pool == REPORTS_NONE)
		return 0;
	struct loan loan = sum_loan(reports, borrower, way, span);
	if (loan.sum_bytes == 0)
		return 0;
	*lenders = malloc(reports->n_channels * sizeof(**lenders));
	if (*lenders == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < reports->n_channels; i++) {
		const struct reports_member *channel = &reports->channels[i];
		uint64_t bytes = 0;

		for (unsigned int part = 0;
		     part < window_count_parts(span) && channel->pool == borrower->pool; part++) {
			if (loan.lent_bytes[part] == 0 || !is_member(reports, channel, span, part))
				continue;
			bytes += borrow_share(loan.lent_bytes[part],
					      unused_in(reports, channel, way, span, part),
					      loan.divisor_bytes[part]);
		}
		if (bytes != 0)
			(*lenders)[(*n)++] =
				(struct report_lender){.id = channel->spec.id, .bytes = bytes};
	}
	qsort(*lenders, *n, sizeof(**lenders), compare_lenders);
	return 0;
}

bool reports_total(const struct reports *reports, uint32_t channel_id, enum dp_way way,
		   struct counters_channel *total)
{
	const struct reports_member *channel = reports_find(reports, channel_id);

	if (channel == NULL || channel->slot == 0 ||
	    reports->slots[channel->slot].last[way] == NULL)
		return false;
	*total = *reports->slots[channel->slot].last[way];
	return true;
}

uint64_t reports_queued_bytes(const struct reports *reports, const struct meter *meter,
			      uint32_t channel_id, enum dp_way way)
{
	const struct reports_member *channel = reports_find(reports, channel_id);

	/* Of one that never moved there is nothing to be read. */
	if (channel == NULL || channel->windows[way] == NULL || meter == NULL)
		return 0;
	return meter_channel(meter, channel->slot, way).queued_bytes;
}
