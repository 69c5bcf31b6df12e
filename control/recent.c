/* SPDX-License-Identifier: BSD-3-Clause */
/* See recent.h. Runs on weftd's thread. */
#include "control/recent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)
#define LOOK_NS (RECENT_LOOK_MS * NS_PER_MS)

/* A port. Looks at it from before it was made are zero, which is what it had counted. */
struct recent_slot {
	struct counters_slot owner;
	struct counters_block looks[RECENT_LOOKS];
	uint64_t grew_ns[DROP_COUNT]; /* when a look saw that there are more */
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

/* Counters lie on a line of their own: calloc() does not know. */
static struct recent_slot *slot_create(const struct counters_slot *owner)
{
	struct recent_slot *slot = aligned_alloc(_Alignof(struct recent_slot), sizeof(*slot));

	if (slot == NULL)
		return NULL;
	memset(slot, 0, sizeof(*slot));
	slot->owner = *owner;
	return slot;
}

/* NULL: nobody's; or no memory, which is tried again at the next look. */
static struct recent_slot *slot_of(struct recent *recent, uint32_t at,
				   const struct counters_slot *owner)
{
	struct recent_slot *slot = recent->slots[at];

	if (slot != NULL && is_same(&slot->owner, owner))
		return slot;
	free(slot);
	slot = owner->object_id != 0 ? slot_create(owner) : NULL;
	recent->slots[at] = slot;
	return slot;
}

static void look_at(struct recent *recent, const struct meter *meter, uint32_t at, uint64_t now_ns)
{
	struct counters_slot owner = meter_slot(meter, at);
	struct recent_slot *slot = slot_of(recent, at, &owner);
	uint64_t look = recent->n_looks;

	if (slot == NULL)
		return;
	struct counters_block sum = meter_sum(meter, at);
	const struct counters_block *last = &slot->looks[(look + RECENT_LOOKS - 1) % RECENT_LOOKS];

	for (unsigned int i = 0; i < DROP_COUNT; i++) {
		if (sum.drops[i] != last->drops[i])
			slot->grew_ns[i] = now_ns;
	}
	slot->looks[look % RECENT_LOOKS] = sum;
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

/* Counters are 64 bits wide, one after the other. What has become less is a level, or has begun
 * again. */
static struct counters_block grown(const struct counters_block *from,
				   const struct counters_block *to)
{
	const uint64_t *before = (const uint64_t *)from, *after = (const uint64_t *)to;
	struct counters_block difference = {0};
	uint64_t *values = (uint64_t *)&difference;

	for (size_t i = 0; i < sizeof(difference) / sizeof(*values); i++)
		values[i] = after[i] >= before[i] ? after[i] - before[i] : after[i];
	difference.queued = 0;
	return difference;
}

void recent_read(const struct recent *recent, const struct meter *meter, uint32_t at,
		 uint64_t now_ns, struct recent_port *port)
{
	struct counters_slot owner = meter_slot(meter, at);
	uint64_t oldest = recent->n_looks < RECENT_LOOKS ? 0 : recent->n_looks % RECENT_LOOKS;
	const struct counters_block nothing = {0};
	const struct recent_slot *slot =
		recent->epoch == meter->header->epoch && at < recent->n_slots ? recent->slots[at]
									      : NULL;

	*port = (struct recent_port){.all = meter_sum(meter, at)};
	if (recent->n_looks > 0)
		port->span_ns = now_ns - recent->looks_ns[oldest];
	if (slot == NULL || !is_same(&slot->owner, &owner))
		slot = NULL;
	port->lately = grown(slot != NULL ? &slot->looks[oldest] : &nothing, &port->all);
	for (unsigned int i = 0; i < DROP_COUNT; i++) {
		if (slot != NULL && port->lately.drops[i] == 0)
			port->quiet_ns[i] = now_ns - slot->grew_ns[i];
	}
}
