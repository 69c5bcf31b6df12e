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
 * kept plus one: 0 ends a chain. */
struct place {
	struct neigh_entry entry;
	uint32_t next;
};

struct neigh {
	uint64_t seed;
	struct place *places;
	uint32_t *heads;
	uint32_t n, n_max;		/* n_max: a power of two */
	uint16_t n_of_port[PORTS_MAX];
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

static struct neigh_entry *find(struct neigh *neigh, const struct neigh_entry *entry)
{
	for (uint32_t at = *head_of(neigh, entry); at != 0; at = neigh->places[at - 1].next) {
		if (is_same_address(&neigh->places[at - 1].entry, entry))
			return &neigh->places[at - 1].entry;
	}
	return NULL;
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

static bool store(struct neigh *neigh, const struct neigh_entry *entry)
{
	struct neigh_entry *known = find(neigh, entry);
	bool is_at_limit = neigh->n_of_port[entry->port] >= NEIGH_PER_PORT_MAX;

	if (known != NULL && known->port != entry->port) {
		if (is_at_limit)
			return false;
		neigh->n_of_port[known->port]--;
		neigh->n_of_port[entry->port]++;
	}
	if (known != NULL) {
		*known = *entry;
		return true;
	}
	if (is_at_limit || neigh->n == NEIGH_MAX || (neigh->n == neigh->n_max && grow(neigh) < 0))
		return false;
	neigh->places[neigh->n].entry = *entry;
	chain(neigh, neigh->n++);
	neigh->n_of_port[entry->port]++;
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

/* The last place fills the gap. */
static void take_out(struct neigh *neigh, uint32_t place)
{
	uint32_t last = neigh->n - 1;

	neigh_index_remove(neigh->index, &neigh->places[place].entry);
	neigh->n_of_port[neigh->places[place].entry.port]--;
	unchain(neigh, place);
	if (place != last) {
		unchain(neigh, last);
		neigh->places[place].entry = neigh->places[last].entry;
		chain(neigh, place);
	}
	neigh->n--;
}

void neigh_sweep(struct neigh *neigh, bool (*forget)(void *ctx, const struct neigh_entry *entry),
		 void *ctx)
{
	/* Backwards: what fills a gap has been looked at already. */
	for (uint32_t i = neigh->n; i-- > 0;) {
		if (forget(ctx, &neigh->places[i].entry))
			take_out(neigh, i);
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
