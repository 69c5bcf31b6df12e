/* SPDX-License-Identifier: BSD-3-Clause */
/* See recent.h. Runs on weftd's thread. */
#include "control/recent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define NS_PER_MS UINT64_C(1000000)
#define LOOK_NS (RECENT_LOOK_MS * NS_PER_MS)

/* Drops of one reason. Looks from before there were any are zero. */
struct recent_drops {
	enum drop_reason reason;
	uint64_t looks[RECENT_LOOKS];
	uint64_t grew_ns; /* when a look saw that there are more */
};

/* A port. Looks at it from before it was made are zero, which is what it had counted. Thousands of
 * ports are looked at, and most drop for two or three reasons at most: only these have room. */
struct recent_slot {
	struct counters_slot owner;
	struct recent_traffic looks[RECENT_LOOKS];
	unsigned int n_drops;
	struct recent_drops drops[];
};

struct recent {
	struct recent_slot **slots; /* NULL: nobody's, when it was looked at last */
	uint32_t n_slots;
	uint64_t epoch; /* of the dataplane; 0: none was seen */
	uint64_t next_ns;
	uint64_t n_looks;
	uint64_t looks_ns[RECENT_LOOKS];
};

int recent_create(struct recent **recent)
{
	*recent = calloc(1, sizeof(**recent));
	return *recent == NULL ? -ENOMEM : 0;
}

static void forget(struct recent *recent)
{
	for (uint32_t i = 0; i < recent->n_slots; i++)
		free(recent->slots[i]);
	free(recent->slots);
	*recent = (struct recent){.slots = NULL};
}

void recent_destroy(struct recent *recent)
{
	if (recent == NULL)
		return;
	forget(recent);
	free(recent);
}

/* ---- looking ---- */

static bool is_same(const struct counters_slot *a, const struct counters_slot *b)
{
	return a->object_id == b->object_id && a->generation == b->generation;
}

/* NULL: nobody's; or no memory, which is tried again at the next look. */
static struct recent_slot *slot_of(struct recent *recent, uint32_t at,
				   const struct counters_slot *owner)
{
	struct recent_slot *slot = recent->slots[at];

	if (slot != NULL && is_same(&slot->owner, owner))
		return slot;
	free(slot);
	slot = owner->object_id != 0 ? calloc(1, sizeof(*slot)) : NULL;
	if (slot != NULL)
		slot->owner = *owner;
	recent->slots[at] = slot;
	return slot;
}

static struct recent_drops *find_drops(struct recent_slot *slot, enum drop_reason reason)
{
	for (unsigned int i = 0; i < slot->n_drops; i++) {
		if (slot->drops[i].reason == reason)
			return &slot->drops[i];
	}
	return NULL;
}

/* NULL: no memory, which is tried again at the next look. */
static struct recent_drops *add_drops(struct recent_slot **slot, enum drop_reason reason)
{
	unsigned int n = (*slot)->n_drops;
	struct recent_slot *grown =
		realloc(*slot, sizeof(**slot) + (n + 1) * sizeof((*slot)->drops[0]));

	if (grown == NULL)
		return NULL;
	grown->drops[n] = (struct recent_drops){.reason = reason};
	grown->n_drops++;
	*slot = grown;
	return &grown->drops[n];
}

static void look_at_drops(struct recent_slot **slot, enum drop_reason reason, uint64_t count,
			  uint64_t look, uint64_t now_ns)
{
	struct recent_drops *drops = find_drops(*slot, reason);

	if (drops == NULL && count != 0)
		drops = add_drops(slot, reason);
	if (drops == NULL)
		return;
	if (drops->looks[(look + RECENT_LOOKS - 1) % RECENT_LOOKS] != count)
		drops->grew_ns = now_ns;
	drops->looks[look % RECENT_LOOKS] = count;
}

static struct recent_traffic traffic_of(const struct counters_block *block)
{
	return (struct recent_traffic){
		.rx_frames = block->rx_frames,
		.tx_frames = block->tx_frames,
		.carried_rx_frames = block->carried_rx_frames,
	};
}

static void look_at(struct recent *recent, const struct meter *meter, uint32_t at, uint64_t now_ns)
{
	struct counters_slot owner = meter_slot(meter, at);

	if (slot_of(recent, at, &owner) == NULL)
		return;
	struct counters_block sum = meter_sum(meter, at);

	recent->slots[at]->looks[recent->n_looks % RECENT_LOOKS] = traffic_of(&sum);
	for (unsigned int i = 0; i < DROP_COUNT; i++)
		look_at_drops(&recent->slots[at], i, sum.drops[i], recent->n_looks, now_ns);
}

static int begin(struct recent *recent, const struct counters_header *header)
{
	forget(recent);
	/* calloc() of nothing may return NULL. */
	recent->slots = calloc((size_t)header->n_slots + 1, sizeof(struct recent_slot *));
	if (recent->slots == NULL)
		return -ENOMEM;
	recent->n_slots = header->n_slots;
	recent->epoch = header->epoch;
	return 0;
}

int recent_run(struct recent *recent, const struct meter *meter, uint64_t now_ns)
{
	bool is_new = meter != NULL && recent->epoch != meter->header->epoch;

	if (meter == NULL || (is_new && begin(recent, meter->header) < 0))
		return RECENT_LOOK_MS;
	if (is_new || now_ns >= recent->next_ns) {
		for (uint32_t i = 0; i < recent->n_slots; i++)
			look_at(recent, meter, i, now_ns);
		recent->looks_ns[recent->n_looks++ % RECENT_LOOKS] = now_ns;
		recent->next_ns = now_ns + LOOK_NS;
	}
	return (int)((recent->next_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* ---- reading ---- */

/* What has become less has begun again. */
static uint64_t grown(uint64_t before, uint64_t after)
{
	return after >= before ? after - before : after;
}

static struct recent_traffic traffic_grown(const struct recent_traffic *before,
					   const struct recent_traffic *after)
{
	return (struct recent_traffic){
		.rx_frames = grown(before->rx_frames, after->rx_frames),
		.tx_frames = grown(before->tx_frames, after->tx_frames),
		.carried_rx_frames = grown(before->carried_rx_frames, after->carried_rx_frames),
	};
}

static struct recent_slot *slot_at(const struct recent *recent, const struct meter *meter,
				   uint32_t at)
{
	struct counters_slot owner = meter_slot(meter, at);

	if (recent->epoch != meter->header->epoch || at >= recent->n_slots)
		return NULL;
	struct recent_slot *slot = recent->slots[at];

	return slot != NULL && is_same(&slot->owner, &owner) ? slot : NULL;
}

void recent_read(const struct recent *recent, const struct meter *meter, uint32_t at,
		 uint64_t now_ns, struct recent_port *port)
{
	struct recent_slot *slot = slot_at(recent, meter, at);
	uint64_t oldest = recent->n_looks < RECENT_LOOKS ? 0 : recent->n_looks % RECENT_LOOKS;
	struct counters_block sum = meter_sum(meter, at);
	struct recent_traffic all = traffic_of(&sum), before = {.rx_frames = 0};

	*port = (struct recent_port){.span_ns = 0};
	if (recent->n_looks > 0)
		port->span_ns = now_ns - recent->looks_ns[oldest];
	if (slot != NULL)
		before = slot->looks[oldest];
	port->lately = traffic_grown(&before, &all);
	for (unsigned int i = 0; i < DROP_COUNT; i++) {
		const struct recent_drops *drops = slot != NULL ? find_drops(slot, i) : NULL;

		port->all_drops[i] = sum.drops[i];
		port->drops[i] = grown(drops != NULL ? drops->looks[oldest] : 0, sum.drops[i]);
		if (drops != NULL && port->drops[i] == 0)
			port->quiet_ns[i] = now_ns - drops->grew_ns;
	}
}
