/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of neighbours: chains in an array, doubled as it fills. Main thread. */
#include "dataplane/neigh.h"

#include <errno.h>
#include <rte_ring_elem.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/guard.h"
#include "dataplane/neigh_index.h"

#define REQUESTS_AT_ONCE 64
#define PLACES_AT_START 256

/* Entries fill places[0 .. n); heads[hash & (n_max - 1)] starts a chain of places. Positions are
 * kept plus one: 0 ends a chain. Beside it each port has a list, in the order of its claims. */
struct place {
	struct neigh_entry entry;
	uint32_t next;			/* of the chain */
	uint32_t older, newer;		/* of the port */
};

struct port_list {
	uint32_t oldest, newest;
	uint32_t n;
};

struct neigh {
	uint64_t seed;
	struct place *places;
	uint32_t *heads;
	uint32_t n, n_max;		/* n_max: a power of two */
	uint32_t n_holders;		/* ports that hold any */
	struct port_list ports[PORTS_MAX];
	struct neigh_index *index;	/* the same for workers */
};

static uint32_t *head_of(const struct neigh *neigh, const struct neigh_entry *entry)
{
	uint64_t words[2], h = neigh->seed ^ entry->version;

	/* The finalizer of SplitMix64 over each word: guests choose the addresses. */
	memcpy(words, entry->ip, sizeof(words));
	for (int i = 0; i < 3; i++) {
		h ^= i < 2 ? words[i] : fdb_key_segment(entry->key);
		h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
		h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
		h ^= h >> 31;
	}
	return &neigh->heads[h & (neigh->n_max - 1)];
}

static bool is_same_address(const struct neigh_entry *a, const struct neigh_entry *b)
{
	return a->version == b->version && fdb_key_segment(a->key) == fdb_key_segment(b->key) &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* Place plus one, 0: it is not there. */
static uint32_t find(const struct neigh *neigh, const struct neigh_entry *entry)
{
	uint32_t at = *head_of(neigh, entry);

	while (at != 0 && !is_same_address(&neigh->places[at - 1].entry, entry))
		at = neigh->places[at - 1].next;
	return at;
}

static void chain(struct neigh *neigh, uint32_t place)
{
	uint32_t *head = head_of(neigh, &neigh->places[place].entry);

	neigh->places[place].next = *head;
	*head = place + 1;
}

/* Takes a place out of its chain. */
static void unchain(struct neigh *neigh, uint32_t place)
{
	uint32_t *link = head_of(neigh, &neigh->places[place].entry);

	while (*link != place + 1)
		link = &neigh->places[*link - 1].next;
	*link = neigh->places[place].next;
}

/* The last of its port's list. */
static void list_append(struct neigh *neigh, uint32_t place)
{
	struct port_list *list = &neigh->ports[neigh->places[place].entry.port];

	neigh->places[place].older = list->newest;
	neigh->places[place].newer = 0;
	*(list->newest != 0 ? &neigh->places[list->newest - 1].newer : &list->oldest) = place + 1;
	list->newest = place + 1;
	neigh->n_holders += list->n++ == 0;
}

/* What points at the place in its port's list points at `older` and `newer` then. */
static void list_relink(struct neigh *neigh, uint32_t place, uint32_t older, uint32_t newer)
{
	const struct place *at = &neigh->places[place];
	struct port_list *list = &neigh->ports[at->entry.port];

	*(at->older != 0 ? &neigh->places[at->older - 1].newer : &list->oldest) = newer;
	*(at->newer != 0 ? &neigh->places[at->newer - 1].older : &list->newest) = older;
}

static void list_remove(struct neigh *neigh, uint32_t place)
{
	const struct place *at = &neigh->places[place];

	list_relink(neigh, place, at->older, at->newer);
	neigh->n_holders -= --neigh->ports[at->entry.port].n == 0;
}

static int grow(struct neigh *neigh)
{
	uint32_t n_max = neigh->n_max == 0 ? PLACES_AT_START : neigh->n_max * 2;
	uint32_t *heads = calloc(n_max, sizeof(heads[0]));
	struct place *places =
		heads != NULL ? realloc(neigh->places, n_max * sizeof(places[0])) : NULL;

	if (places == NULL) {
		free(heads);
		return -ENOMEM;
	}
	free(neigh->heads);
	neigh->heads = heads;
	neigh->places = places;
	neigh->n_max = n_max;
	for (uint32_t i = 0; i < neigh->n; i++)
		chain(neigh, i);
	return 0;
}

int neigh_create(uint64_t seed, struct neigh **out)
{
	struct neigh *neigh = calloc(1, sizeof(*neigh));

	if (neigh == NULL)
		return -ENOMEM;
	neigh->seed = seed;
	if (grow(neigh) < 0 || neigh_index_create(NEIGH_BUCKETS, seed, &neigh->index) < 0) {
		neigh_destroy(neigh);
		return -ENOMEM;
	}
	*out = neigh;
	return 0;
}

void neigh_destroy(struct neigh *neigh)
{
	if (neigh == NULL)
		return;
	free(neigh->places);
	free(neigh->heads);
	neigh_index_destroy(neigh->index);
	free(neigh);
}

/* The last place fills the gap. */
static void take_out(struct neigh *neigh, uint32_t place)
{
	uint32_t last = neigh->n - 1;

	neigh_index_remove(neigh->index, &neigh->places[place].entry);
	list_remove(neigh, place);
	unchain(neigh, place);
	if (place != last) {
		unchain(neigh, last);
		list_relink(neigh, last, place + 1, place + 1);
		neigh->places[place] = neigh->places[last];
		chain(neigh, place);
	}
	neigh->n--;
}

static void evict(struct neigh *neigh, uint16_t port)
{
	take_out(neigh, neigh->ports[port].oldest - 1);
}

static uint16_t find_largest(const struct neigh *neigh)
{
	uint16_t largest = 0;

	for (uint16_t i = 1; i < PORTS_MAX; i++) {
		if (neigh->ports[i].n > neigh->ports[largest].n)
			largest = i;
	}
	return largest;
}

/* Room for one address more of the port: one of its own goes if it has its limit or its share. */
static bool make_room(struct neigh *neigh, uint16_t port)
{
	uint32_t held = neigh->ports[port].n, n_sharing = neigh->n_holders + (held == 0);
	bool is_full = neigh->n == NEIGH_MAX;

	if (held >= NEIGH_PER_PORT_MAX || (is_full && held >= NEIGH_MAX / n_sharing))
		evict(neigh, port);
	else if (is_full)
		evict(neigh, find_largest(neigh));
	return neigh->n < neigh->n_max || grow(neigh) == 0;
}

/* One that is there, perhaps behind another port. */
static bool renew(struct neigh *neigh, uint32_t place, const struct neigh_entry *entry)
{
	if (neigh->places[place].entry.port != entry->port &&
	    neigh->ports[entry->port].n >= NEIGH_PER_PORT_MAX)
		return false;
	list_remove(neigh, place);
	neigh->places[place].entry = *entry;
	list_append(neigh, place);
	return true;
}

static bool store(struct neigh *neigh, const struct neigh_entry *entry)
{
	uint32_t known = find(neigh, entry);

	if (known != 0)
		return renew(neigh, known - 1, entry);
	if (!make_room(neigh, entry->port))
		return false;
	neigh->places[neigh->n].entry = *entry;
	list_append(neigh, neigh->n);
	chain(neigh, neigh->n++);
	return true;
}

bool neigh_learn(struct neigh *neigh, const struct neigh_entry *entry)
{
	if (!store(neigh, entry))
		return false;
	neigh_index_put(neigh->index, entry);
	return true;
}

bool neigh_find(const struct neigh *neigh, uint16_t segment, uint8_t version, const uint8_t ip[16],
		struct neigh_entry *entry)
{
	*entry = (struct neigh_entry){.key = (uint64_t)segment << 48, .version = version};
	memcpy(entry->ip, ip, sizeof(entry->ip));
	return neigh_index_find(neigh->index, entry);
}

uint32_t neigh_sweep(struct neigh *neigh, uint32_t from, uint32_t n,
		     bool (*forget)(void *ctx, const struct neigh_entry *entry), void *ctx)
{
	uint32_t i = from < neigh->n ? from : neigh->n;

	/* Backwards: what fills a gap has been looked at already. */
	for (; i > 0 && n > 0; n--) {
		if (forget(ctx, &neigh->places[--i].entry))
			take_out(neigh, i);
	}
	return i;
}

void neigh_forget(struct neigh *neigh, uint16_t port,
		  bool (*forget)(void *ctx, const struct neigh_entry *entry), void *ctx)
{
	uint32_t at = neigh->ports[port].oldest;

	while (at != 0) {
		uint32_t newer = neigh->places[at - 1].newer;

		if (forget(ctx, &neigh->places[at - 1].entry)) {
			/* The one that comes next may be moved into the gap. */
			if (newer == neigh->n)
				newer = at;
			take_out(neigh, at - 1);
		}
		at = newer;
	}
}

uint32_t neigh_count(const struct neigh *neigh)
{
	return neigh->n;
}

void neigh_requests(struct dataplane *dp, struct rte_ring *requests)
{
	struct neigh_entry batch[REQUESTS_AT_ONCE];
	unsigned int n = REQUESTS_AT_ONCE;

	/* No more than a ring holds, as in learn_requests(). */
	for (unsigned int done = 0; n == REQUESTS_AT_ONCE && done < NEIGH_REQUESTS; done += n) {
		n = rte_ring_sc_dequeue_burst_elem(requests, batch, sizeof(batch[0]),
						   REQUESTS_AT_ONCE, NULL);
		for (unsigned int i = 0; i < n; i++) {
			struct port *port = atomic_load(&dp->ports[batch[i].port]);

			/* It may have gone, or left the segment, since its worker asked. */
			if (port != NULL && port_is_in(port, fdb_key_segment(batch[i].key)))
				neigh_learn(dp->neigh, &batch[i]);
		}
	}
}

/* One whole address of the port. */
static void note(struct dataplane *dp, const struct dp_address *address, uint32_t age_s,
		 struct neigh_entry *entry)
{
	struct neigh_entry known;
	size_t bytes = address->version == 4 ? 4 : 16;

	if (address->prefix_bits != bytes * 8)
		return;
	entry->version = address->version;
	memset(entry->ip, 0, sizeof(entry->ip));
	memcpy(entry->ip, address->ip, bytes);
	if (!neigh_find(dp->neigh, fdb_key_segment(entry->key), entry->version, entry->ip,
			&known) ||
	    (known.key == entry->key && known.port == entry->port) ||
	    (int32_t)(entry->seen_s - known.seen_s) > (int32_t)age_s)
		neigh_learn(dp->neigh, entry);
}

void neigh_note_configured(struct dataplane *dp, const struct port *port, uint32_t now_s)
{
	const struct guard *guard = atomic_load(&port->guard);
	uint16_t index = atomic_load(&port->segment);
	struct segment *segment = atomic_load(&dp->segments[index]);

	if (!guard->has_mac || guard->n_addresses == 0 || segment == NULL)
		return;
	uint32_t age_s = atomic_load(&segment->age_s);
	struct neigh_entry entry = {
		.key = fdb_key(index, guard->mac), .seen_s = now_s, .port = port->index};

	if (fdb_lookup(dp->fdb, entry.key, now_s, age_s) != port->index)
		return;
	for (unsigned int i = 0; i < guard->n_addresses; i++)
		note(dp, &guard->addresses[i], age_s, &entry);
}
