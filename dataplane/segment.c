/* SPDX-License-Identifier: BSD-3-Clause */
/* Segment objects and their flood lists. Main thread. */
#include "dataplane/segment.h"

#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/segment_options.h"
#include "dataplane/dataplane.h"
#include "dataplane/flight.h"
#include "dataplane/vlan.h"

int segment_create(struct dataplane *dp, const struct dp_segment *spec, struct segment **out)
{
	struct segment *segment = calloc(1, sizeof(*segment));
	struct flood_list *list = calloc(1, sizeof(*list));

	if (segment == NULL || list == NULL) {
		free(segment);
		free(list);
		return -ENOMEM;
	}
	segment->id = spec->id;
	storm_init(&segment->storm);
	atomic_store(&segment->flood, list);
	segment_apply(segment, spec);
	*out = segment;
	return 0;
}

static uint8_t action(const struct dp_segment *spec, const char *key)
{
	return (uint8_t)options_number(&segment_options, spec->options, spec->n_options, key);
}

/* Link-local protocols, by the last byte of the address that they use. */
static const struct {
	const char *key;
	uint8_t address;
} protocols[] = {{"stp", 0x00}, {"pause", 0x01}, {"lacp", 0x02}, {"dot1x", 0x03}, {"lldp", 0x0e}};

#define N_PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))
#define LLDP (N_PROTOCOLS - 1)

static uint8_t find_passes(const struct dp_segment *spec)
{
	uint8_t passes = 0;

	for (unsigned int i = 0; i < N_PROTOCOLS; i++)
		passes |= (uint8_t)(action(spec, protocols[i].key) << i);
	return passes;
}

static uint8_t find_services(const struct dp_segment *spec)
{
	return (uint8_t)((action(spec, "mss_clamp") != 0 ? FRAME_MSS : 0) |
			 (action(spec, "arp_suppress") != 0 ? FRAME_NEIGH : 0));
}

bool segment_passes(const struct segment *segment, const struct frame *frame)
{
	uint8_t passes = atomic_load_explicit(&segment->passes, memory_order_relaxed);
	uint8_t address = frame->head[ETH_ALEN - 1];
	uint16_t ethertype;

	memcpy(&ethertype, frame->head + 2 * ETH_ALEN, sizeof(ethertype));
	/* LLDP uses three of the addresses, and 0e is not only LLDP's. */
	if (ethertype == htobe16(ETH_P_LLDP))
		return (passes >> LLDP & 1) != 0;
	for (unsigned int i = 0; i < LLDP; i++) {
		if (protocols[i].address == address)
			return (passes >> i & 1) != 0;
	}
	return false;
}

void segment_apply(struct segment *segment, const struct dp_segment *spec)
{
	segment->spec = *spec;
	atomic_store(&segment->age_s, spec->age_s);
	atomic_store(&segment->vni, spec->vni);
	segment->max_macs = (uint32_t)options_number(&segment_options, spec->options,
						     spec->n_options, "max_macs");
	atomic_store(&segment->guards, spec->guards);
	storm_set(&segment->storm, spec->storm_pps);
	atomic_store(&segment->max_frame_bytes, spec->mtu + ETH_HLEN);
	atomic_store(&segment->passes, find_passes(spec));
	atomic_store(&segment->services, find_services(spec));
	atomic_store(&segment->on_unknown, action(spec, "unknown"));
	atomic_store(&segment->on_broadcast, action(spec, "broadcast"));
	atomic_store(&segment->on_multicast, action(spec, "multicast"));
}

void segment_destroy(struct segment *segment)
{
	if (segment == NULL)
		return;
	flight_destroy(atomic_load(&segment->flight));
	free(atomic_load(&segment->flood));
	free(segment);
}

int segment_make_flight(const struct dataplane *dp, const struct segment *segment,
			const struct dp_segment *spec, bool *is_other, struct flight **flight)
{
	bool wants = action(spec, "flight") != 0;

	*is_other = wants != (segment != NULL && atomic_load(&segment->flight) != NULL);
	if (*is_other && wants)
		*flight = flight_create(dp->config.n_workers);
	return *is_other && wants && *flight == NULL ? -ENOMEM : 0;
}

struct flight *segment_swap_flight(struct dataplane *dp, struct segment *segment,
				   struct flight *flight)
{
	struct flight *before = atomic_exchange(&segment->flight, flight);

	atomic_fetch_add(&dp->n_flights, (flight != NULL) - (unsigned int)(before != NULL));
	return before;
}

static struct segment **chain_of(struct dataplane *dp, uint32_t id)
{
	return &dp->segments_by_id[id % SEGMENTS_BY_ID];
}

void segment_publish(struct dataplane *dp, struct segment *segment)
{
	struct segment **chain = chain_of(dp, segment->spec.id);

	if (segment->index >= dp->segments_end)
		dp->segments_end = segment->index + 1u;
	segment->next_by_id = *chain;
	*chain = segment;
	atomic_fetch_add(&dp->n_flights, atomic_load(&segment->flight) != NULL);
	atomic_store_explicit(&dp->segments[segment->index], segment, memory_order_release);
}

void segment_unpublish(struct dataplane *dp, struct segment *segment)
{
	struct segment **link = chain_of(dp, segment->spec.id);

	while (*link != segment)
		link = &(*link)->next_by_id;
	*link = segment->next_by_id;
	atomic_fetch_sub(&dp->n_flights, atomic_load(&segment->flight) != NULL);
	atomic_store_explicit(&dp->segments[segment->index], NULL, memory_order_release);
}

void segment_return_index(struct dataplane *dp, uint16_t index)
{
	dp->segments_taken[index] = false;
	if (index < dp->segments_free_from)
		dp->segments_free_from = index;
	while (dp->segments_end > 1 && atomic_load(&dp->segments[dp->segments_end - 1]) == NULL)
		dp->segments_end--;
}

struct segment *segment_find(const struct dataplane *dp, uint32_t id)
{
	struct segment *segment = dp->segments_by_id[id % SEGMENTS_BY_ID];

	while (segment != NULL && segment->spec.id != id)
		segment = segment->next_by_id;
	return segment;
}

/* --- flood lists --- */

/* The runs of a flood list, in their order. */
enum run {
	ISOLATED_PORTS,
	OPEN_PORTS,
	OPEN_PEERS,
	ISOLATED_PEERS,
	N_RUNS,
};

static enum run run_of(const struct port *port)
{
	bool is_isolated = atomic_load(&port->is_isolated);

	if (port->is_peer)
		return is_isolated ? ISOLATED_PEERS : OPEN_PEERS;
	return is_isolated ? ISOLATED_PORTS : OPEN_PORTS;
}

/* Counts the port in each of its lists. */
static void count_port(const struct dataplane *dp, const struct port *port, uint32_t *counts)
{
	const struct vlan_map *vlans = atomic_load(&port->vlans);

	for (uint16_t i = 1; port->is_peer && i < dp->segments_end; i++)
		counts[i] += port_is_in(port, i);
	if (port->is_peer)
		return;
	if (vlans == NULL)
		counts[atomic_load(&port->segment)]++;
	for (uint16_t i = 1; vlans != NULL && i < vlans->n_segments; i++)
		counts[i] += vlan_of(vlans, i) != VLAN_NOT_MEMBER;
}

/* Those of a run after all of the runs before it. */
static void append(struct flood_list *list, const struct port *port, enum run run)
{
	if (list == NULL)
		return;
	list->ports[list->n++] = port->index;
	list->ports_open += run < OPEN_PORTS;
	list->peers_begin += run < OPEN_PEERS;
	list->peers_isolated += run < ISOLATED_PEERS;
}

static void add_port(const struct dataplane *dp, const struct port *port, enum run run,
		     struct flood_list **lists)
{
	const struct vlan_map *vlans = atomic_load(&port->vlans);

	for (uint16_t i = 1; port->is_peer && i < dp->segments_end; i++) {
		if (port_is_in(port, i))
			append(lists[i], port, run);
	}
	if (port->is_peer)
		return;
	if (vlans == NULL)
		append(lists[atomic_load(&port->segment)], port, run);
	for (uint16_t i = 1; vlans != NULL && i < vlans->n_segments; i++) {
		if (vlan_of(vlans, i) != VLAN_NOT_MEMBER)
			append(lists[i], port, run);
	}
}

/* What a flood goes to. */
static bool is_receiver(const struct port *port)
{
	return port != NULL && atomic_load(&port->state) == PORT_STATE_ACTIVE;
}

/* Empty lists with room for all that will be in them. */
static int make_lists(const struct dataplane *dp, const bool *marked, struct flood_list **lists)
{
	uint32_t *counts = calloc(SEGMENTS_MAX, sizeof(counts[0]));

	if (counts == NULL)
		return -ENOMEM;
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		const struct port *port = atomic_load(&dp->ports[i]);

		if (is_receiver(port))
			count_port(dp, port, counts);
	}
	for (unsigned int i = 1; i < dp->segments_end; i++) {
		if (!marked[i] || atomic_load(&dp->segments[i]) == NULL)
			continue;
		lists[i] = malloc(sizeof(*lists[i]) + counts[i] * sizeof(lists[i]->ports[0]));
		if (lists[i] != NULL)
			*lists[i] = (struct flood_list){.n = 0};
	}
	free(counts);
	return 0;
}

struct flood_list **segment_flood_lists(const struct dataplane *dp, const bool *marked)
{
	struct flood_list **lists = calloc(SEGMENTS_MAX, sizeof(lists[0]));

	if (lists == NULL || make_lists(dp, marked, lists) < 0) {
		free(lists);
		return NULL;
	}
	for (enum run run = 0; run < N_RUNS; run++) {
		for (unsigned int i = 1; i < dp->ports_end; i++) {
			const struct port *port = atomic_load(&dp->ports[i]);

			if (is_receiver(port) && run_of(port) == run)
				add_port(dp, port, run, lists);
		}
	}
	return lists;
}
