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

int segment_create(struct dataplane *dp, const struct dp_segment *spec, struct segment **out)
{
	struct segment *segment = calloc(1, sizeof(*segment));
	struct flood_list *list = calloc(1, sizeof(*list));

	if (segment == NULL || list == NULL) {
		free(segment);
		free(list);
		return -ENOMEM;
	}
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
	free(atomic_load(&segment->flood));
	free(segment);
}

struct segment *segment_find(const struct dataplane *dp, uint32_t id)
{
	for (unsigned int i = 1; i < dp->segments_end; i++) {
		struct segment *segment = atomic_load(&dp->segments[i]);

		if (segment != NULL && segment->spec.id == id)
			return segment;
	}
	return NULL;
}

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

/* Puts each port into its run; those of a run keep their order. */
static void sort_runs(const struct dataplane *dp, struct flood_list *list)
{
	uint32_t ends[N_RUNS] = {0, list->ports_open, list->peers_begin, list->peers_isolated};
	uint16_t ports[PORTS_MAX];

	memcpy(ports, list->ports, list->n * sizeof(ports[0]));
	for (uint32_t i = 0; i < list->n; i++)
		list->ports[ends[run_of(atomic_load(&dp->ports[ports[i]]))]++] = ports[i];
}

struct flood_list *segment_flood_list(const struct dataplane *dp, const struct segment *segment)
{
	struct flood_list *list = malloc(sizeof(*list) + dp->ports_end * sizeof(list->ports[0]));
	uint32_t runs[N_RUNS] = {0};

	if (list == NULL)
		return NULL;
	list->n = 0;
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		const struct port *port = atomic_load(&dp->ports[i]);

		if (port == NULL || !port_is_in(port, segment->index) ||
		    atomic_load(&port->state) != PORT_STATE_ACTIVE)
			continue;
		list->ports[list->n++] = port->index;
		runs[run_of(port)]++;
	}
	list->ports_open = runs[ISOLATED_PORTS];
	list->peers_begin = list->ports_open + runs[OPEN_PORTS];
	list->peers_isolated = list->peers_begin + runs[OPEN_PEERS];
	sort_runs(dp, list);
	return list;
}
