/* SPDX-License-Identifier: BSD-3-Clause */
/* Samples of what channels count. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/reports_state.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL
#define BITS_PER_BYTE 8
#define SECONDS_PER_MINUTE 60

uint64_t reports_bytes_in(uint64_t rate_bps, uint64_t span_ns)
{
	return (uint64_t)((unsigned __int128)rate_bps * span_ns / (NS_PER_S * BITS_PER_BYTE));
}

int reports_create(struct reports **out)
{
	struct reports *reports = calloc(1, sizeof(*reports));

	if (reports == NULL)
		return -ENOMEM;
	if (window_create(1, &reports->time) < 0) {
		free(reports);
		return -ENOMEM;
	}
	*out = reports;
	return 0;
}

static void forget_windows(struct window *windows[DP_WAYS])
{
	for (unsigned int way = 0; way < DP_WAYS; way++) {
		window_destroy(windows[way]);
		windows[way] = NULL;
	}
}

static void forget_slot(struct reports_slot *slot)
{
	for (unsigned int way = 0; way < DP_WAYS; way++)
		free(slot->last[way]);
	*slot = (struct reports_slot){.channel = REPORTS_NONE};
}

static void forget_slots(struct reports *reports)
{
	for (uint32_t i = 0; i < reports->n_slots; i++)
		forget_slot(&reports->slots[i]);
	for (size_t i = 0; i < reports->n_channels; i++)
		reports->channels[i].slot = 0;
}

static void free_slots(struct reports *reports)
{
	forget_slots(reports);
	free(reports->slots);
	free(reports->changes);
	free(reports->moved);
	reports->slots = NULL;
	reports->changes = NULL;
	reports->moved = NULL;
	reports->n_slots = 0;
}

void reports_destroy(struct reports *reports)
{
	if (reports == NULL)
		return;
	free_slots(reports);
	for (size_t i = 0; i < reports->n_channels; i++)
		forget_windows(reports->channels[i].windows);
	for (size_t i = 0; i < reports->n_pools; i++)
		forget_windows(reports->pools[i].windows);
	window_destroy(reports->time);
	free(reports->channels);
	free(reports->pools);
	free(reports);
}

/* ---- what there is ---- */

/* Channels and pools begin with their id. */
static int compare_ids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct reports_member *reports_find(const struct reports *reports, uint32_t id)
{
	return reports->n_channels == 0 ? NULL
					: bsearch(&id, reports->channels, reports->n_channels,
						  sizeof(struct reports_member), compare_ids);
}

static struct reports_group *find_pool(struct reports_group *pools, size_t n_pools, uint32_t id)
{
	return n_pools == 0 || id == 0
		       ? NULL
		       : bsearch(&id, pools, n_pools, sizeof(struct reports_group), compare_ids);
}

static void take_windows(struct window *to[DP_WAYS], struct window *from[DP_WAYS])
{
	memcpy(to, from, DP_WAYS * sizeof(to[0]));
	memset(from, 0, DP_WAYS * sizeof(from[0]));
}

static void fill_channel(struct reports *reports, struct reports_member *channel,
			 const struct reports_channel *spec, struct reports_group *pools,
			 size_t n_pools)
{
	struct reports_member *before = reports_find(reports, spec->id);
	struct reports_group *pool = find_pool(pools, n_pools, spec->pool_id);
	/* From its first whole second on. */
	uint64_t since = reports->is_begun ? reports->second + 1 : 0;

	*channel = (struct reports_member){.spec = *spec, .pool = REPORTS_NONE, .since = since};
	if (before != NULL) {
		take_windows(channel->windows, before->windows);
		channel->slot = before->slot;
		if (before->spec.pool_id == spec->pool_id)
			channel->since = before->since;
	}
	if (pool == NULL)
		return;
	channel->pool = (uint32_t)(pool - pools);
	for (unsigned int way = 0; way < DP_WAYS; way++)
		pool->assured_bps[way] += spec->assured_bps[way];
}

int reports_configure(struct reports *reports, const struct reports_channel *channels,
		      size_t n_channels, const struct reports_pool *pools, size_t n_pools)
{
	struct reports_member *new_channels = calloc(n_channels + 1, sizeof(*new_channels));
	struct reports_group *new_pools = calloc(n_pools + 1, sizeof(*new_pools));

	if (new_channels == NULL || new_pools == NULL) {
		free(new_channels);
		free(new_pools);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n_pools; i++) {
		struct reports_group *before =
			find_pool(reports->pools, reports->n_pools, pools[i].id);

		new_pools[i].spec = pools[i];
		if (before != NULL)
			take_windows(new_pools[i].windows, before->windows);
	}
	for (size_t i = 0; i < n_channels; i++)
		fill_channel(reports, &new_channels[i], &channels[i], new_pools, n_pools);
	for (size_t i = 0; i < reports->n_channels; i++)
		forget_windows(reports->channels[i].windows);
	for (size_t i = 0; i < reports->n_pools; i++)
		forget_windows(reports->pools[i].windows);
	for (uint32_t i = 0; i < reports->n_slots; i++)
		reports->slots[i].channel = REPORTS_NONE;
	free(reports->channels);
	free(reports->pools);
	reports->channels = new_channels;
	reports->n_channels = n_channels;
	reports->pools = new_pools;
	reports->n_pools = n_pools;
	return 0;
}

/* ---- sampling ---- */

static int fit_slots(struct reports *reports, uint32_t n_slots)
{
	if (reports->n_slots == n_slots)
		return 0;
	free_slots(reports);
	reports->slots = calloc(n_slots, sizeof(*reports->slots));
	reports->changes = calloc((size_t)n_slots * DP_WAYS, sizeof(*reports->changes));
	reports->moved = calloc((size_t)n_slots * DP_WAYS, sizeof(*reports->moved));
	if (reports->slots == NULL || reports->changes == NULL || reports->moved == NULL) {
		free_slots(reports);
		return -ENOMEM;
	}
	reports->n_slots = n_slots;
	forget_slots(reports);
	return 0;
}

/* Who has which slot now. Returns how many need to be looked at, from slot 0 on. */
static uint32_t look_at_owners(struct reports *reports, const struct meter *meter)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < reports->n_slots; i++) {
		struct counters_slot owner = meter_channel_slot(meter, i);
		struct reports_slot *slot = &reports->slots[i];

		if (owner.object_id != slot->owner.object_id ||
		    owner.generation != slot->owner.generation) {
			forget_slot(slot);
			slot->owner = owner;
		}
		if (owner.object_id == 0)
			continue;
		n = i + 1;
		if (slot->channel != REPORTS_NONE)
			continue;
		struct reports_member *channel = reports_find(reports, (uint32_t)owner.object_id);

		if (channel != NULL) {
			slot->channel = (uint32_t)(channel - reports->channels);
			channel->slot = i;
		}
	}
	return n;
}

/* Into a row: what was counted since the last time. false: no memory, and it counts later. */
static bool count_since(struct reports_slot *slot, enum dp_way way,
			const struct counters_channel *now, uint64_t *values)
{
	static const struct counters_channel nothing;
	const uint64_t *from =
		(const uint64_t *)(slot->last[way] != NULL ? slot->last[way] : &nothing);
	const uint64_t *to = (const uint64_t *)now;

	if (slot->last[way] == NULL)
		slot->last[way] = calloc(1, sizeof(*now));
	if (slot->last[way] == NULL)
		return false;
	for (unsigned int i = 0; i < REPORTS_ASSURED; i++)
		values[i] = to[i] - from[i];
	/* A level, not a count. */
	values[offsetof(struct counters_channel, queued_bytes) / sizeof(uint64_t)] = 0;
	*slot->last[way] = *now;
	return true;
}

/* A row that cannot be kept for want of memory is missing from what is shown. */
static void add_row(struct window **window, unsigned int n_values, uint64_t second,
		    const uint64_t *values)
{
	if (*window == NULL && window_create(n_values, window) < 0)
		*window = NULL;
	if (*window != NULL)
		window_add(*window, second, values);
}

/* is_first: all that was counted before anybody looked is of no second. */
static void sample_way(struct reports *reports, const struct meter *meter, uint32_t slot_at,
		       enum dp_way way, uint64_t span_ns, bool is_first)
{
	struct reports_slot *slot = &reports->slots[slot_at];
	struct reports_member *channel = &reports->channels[slot->channel];
	struct counters_channel now = meter_channel(meter, slot_at, way);
	uint64_t values[REPORTS_VALUES] = {0};

	if (!count_since(slot, way, &now, values))
		return;
	slot->changes[way] = reports->changes[slot_at * DP_WAYS + way];
	if (is_first)
		return;
	values[REPORTS_ACTIVE_NS] = span_ns;
	values[REPORTS_ASSURED] = reports_bytes_in(channel->spec.assured_bps[way], span_ns);
	add_row(&channel->windows[way], REPORTS_VALUES, reports->second, values);
	reports->moved[reports->n_moved++] = (struct reports_moved){
		.channel = slot->channel,
		.pool = channel->pool,
		.way = (uint8_t)way,
		.member = {.passed_bytes = values[offsetof(struct counters_channel, passed_bytes) /
						  sizeof(uint64_t)],
			   .assured_bytes = values[REPORTS_ASSURED]},
	};
}

static int compare_moved(const void *a, const void *b)
{
	const struct reports_moved *x = a, *y = b;

	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	return x->way - y->way;
}

/* The members of one way of one pool. */
static void settle(struct reports *reports, struct reports_moved *moved, size_t n, uint64_t span_ns)
{
	struct borrow_member *members = malloc(n * sizeof(*members));
	struct reports_group *pool = &reports->pools[moved[0].pool];
	enum dp_way way = moved[0].way;

	if (members == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		members[i] = moved[i].member;
	struct borrow_pool sums =
		borrow_settle(reports_bytes_in(pool->spec.capacity_bps[way], span_ns),
			      reports_bytes_in(pool->assured_bps[way], span_ns), members, n);
	for (size_t i = 0; i < n; i++) {
		uint64_t values[REPORTS_VALUES] = {
			[REPORTS_BORROWED] = members[i].borrowed_bytes,
			[REPORTS_FREE] = members[i].free_bytes,
			[REPORTS_UNUSED] = members[i].unused_bytes,
		};

		add_row(&reports->channels[moved[i].channel].windows[way], REPORTS_VALUES,
			reports->second, values);
	}
	uint64_t values[REPORTS_POOL_VALUES] = {
		[REPORTS_POOL_LENT] = sums.borrowed_bytes - sums.free_bytes,
		[REPORTS_POOL_DIVISOR] = sums.divisor_bytes,
	};
	add_row(&pool->windows[way], REPORTS_POOL_VALUES, reports->second, values);
	free(members);
}

static void settle_all(struct reports *reports, uint64_t span_ns)
{
	struct reports_moved *moved = reports->moved;
	size_t begin = 0;

	qsort(moved, reports->n_moved, sizeof(*moved), compare_moved);
	while (begin < reports->n_moved && moved[begin].pool != REPORTS_NONE) {
		size_t end = begin + 1;

		while (end < reports->n_moved && compare_moved(&moved[begin], &moved[end]) == 0)
			end++;
		settle(reports, &moved[begin], end - begin, span_ns);
		begin = end;
	}
}

static void drop_empty(struct reports *reports)
{
	for (size_t i = 0; i < reports->n_channels; i++) {
		for (unsigned int way = 0; way < DP_WAYS; way++) {
			struct window **window = &reports->channels[i].windows[way];

			if (*window == NULL || !window_is_empty(*window, reports->second))
				continue;
			window_destroy(*window);
			*window = NULL;
		}
	}
}

/* The first sample of a dataplane's is where counting begins: taken as soon as it is there. */
static void sample(struct reports *reports, const struct meter *meter, uint64_t span_ns)
{
	bool is_first = reports->epoch != meter->header->epoch;

	if (fit_slots(reports, meter->header->n_channels) < 0)
		return;
	if (is_first)
		forget_slots(reports);
	reports->epoch = meter->header->epoch;
	reports->n_moved = 0;
	uint32_t n = look_at_owners(reports, meter);
	meter_look_at_channels(meter, n, reports->changes);
	for (uint32_t i = 1; i < n; i++) {
		for (unsigned int way = 0; way < DP_WAYS; way++) {
			const struct reports_slot *slot = &reports->slots[i];

			if (slot->channel != REPORTS_NONE &&
			    reports->changes[i * DP_WAYS + way] != slot->changes[way])
				sample_way(reports, meter, i, way, span_ns, is_first);
		}
	}
	settle_all(reports, span_ns);
}

int reports_run(struct reports *reports, const struct meter *meter, uint64_t now_ns)
{
	uint64_t second = now_ns / NS_PER_S;

	if (meter != NULL && reports->epoch != meter->header->epoch)
		sample(reports, meter, 0);
	if (!reports->is_begun || second > reports->second) {
		uint64_t span_ns = reports->is_begun ? now_ns - reports->sampled_ns : 0;
		bool is_new_minute =
			second / SECONDS_PER_MINUTE != reports->second / SECONDS_PER_MINUTE;

		reports->is_begun = true;
		reports->second = second;
		reports->sampled_ns = now_ns;
		window_add(reports->time, second, &span_ns);
		if (meter != NULL)
			sample(reports, meter, span_ns);
		if (is_new_minute)
			drop_empty(reports);
	}
	return (int)(((second + 1) * NS_PER_S - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}
