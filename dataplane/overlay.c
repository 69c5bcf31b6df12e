/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of VNIs and VTEPs: open addressing, at most half full. Built by main, read by workers. */
#include "dataplane/overlay.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"

#define PLACES_MIN 4

struct vni_place {
	uint32_t vni;
	uint16_t segment; /* 0: free */
};

struct vtep_place {
	uint8_t ip[16];
	uint16_t peer; /* 0: free */
	uint8_t ip_version;
};

struct overlay {
	uint64_t seed;
	uint32_t vni_mask, vtep_mask; /* places - 1 */
	struct vni_place *vnis;
	struct vtep_place *vteps;
	unsigned int n_underlays, underlays_max;
	struct overlay_underlay *underlays;
};

/* The finalizer of SplitMix64. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash ^= word;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebULL;
	return hash ^ (hash >> 31);
}

static uint64_t hash_ip(const struct overlay *overlay, uint8_t ip_version, const uint8_t ip[16])
{
	uint64_t words[2];

	memcpy(words, ip, sizeof(words));
	return mix(mix(mix(overlay->seed, ip_version), words[0]), words[1]);
}

static uint32_t places_for(unsigned int n)
{
	uint32_t places = PLACES_MIN;

	while (places < 2 * n)
		places *= 2;
	return places;
}

int overlay_create(unsigned int n_segments, unsigned int n_peers, unsigned int n_underlays,
		   uint64_t seed, struct overlay **out)
{
	struct overlay *overlay = calloc(1, sizeof(*overlay));

	if (overlay == NULL)
		return -ENOMEM;
	overlay->seed = seed;
	overlay->vni_mask = places_for(n_segments) - 1;
	overlay->vtep_mask = places_for(n_peers) - 1;
	overlay->underlays_max = n_underlays;
	overlay->vnis = calloc(overlay->vni_mask + 1u, sizeof(overlay->vnis[0]));
	overlay->vteps = calloc(overlay->vtep_mask + 1u, sizeof(overlay->vteps[0]));
	overlay->underlays = calloc(n_underlays + 1u, sizeof(overlay->underlays[0]));
	if (overlay->vnis == NULL || overlay->vteps == NULL || overlay->underlays == NULL) {
		overlay_destroy(overlay);
		return -ENOMEM;
	}
	*out = overlay;
	return 0;
}

void overlay_destroy(struct overlay *overlay)
{
	if (overlay == NULL)
		return;
	free(overlay->vnis);
	free(overlay->vteps);
	free(overlay->underlays);
	free(overlay);
}

/* The place of the key, or the free one where it would be. */
static struct vni_place *vni_place(const struct overlay *overlay, uint32_t vni)
{
	uint32_t at = (uint32_t)mix(overlay->seed, vni);

	while (overlay->vnis[at & overlay->vni_mask].segment != 0 &&
	       overlay->vnis[at & overlay->vni_mask].vni != vni)
		at++;
	return &overlay->vnis[at & overlay->vni_mask];
}

static struct vtep_place *vtep_place(const struct overlay *overlay, uint8_t ip_version,
				     const uint8_t ip[16])
{
	uint32_t at = (uint32_t)hash_ip(overlay, ip_version, ip);

	for (;; at++) {
		struct vtep_place *place = &overlay->vteps[at & overlay->vtep_mask];

		if (place->peer == 0 || (place->ip_version == ip_version &&
					 memcmp(place->ip, ip, sizeof(place->ip)) == 0))
			return place;
	}
}

static void add_peer(struct overlay *overlay, const struct port *port)
{
	const struct dp_address *vtep = &port->spec.addresses[0];
	struct vtep_place *place = vtep_place(overlay, vtep->version, vtep->ip);

	if (place->peer != 0)
		return;
	*place = (struct vtep_place){.peer = port->index, .ip_version = vtep->version};
	memcpy(place->ip, vtep->ip, sizeof(place->ip));
}

static void add_underlay(struct overlay *overlay, const struct port *port)
{
	struct overlay_underlay *underlay = &overlay->underlays[overlay->n_underlays];
	struct option_set set = port_kinds_options(port->type->kind);
	const struct dp_port *spec = &port->spec;

	if (spec->n_addresses == 0 || overlay->n_underlays == overlay->underlays_max)
		return;
	*underlay = (struct overlay_underlay){
		.port = port->index,
		.ip_version = spec->addresses[0].version,
		.rules = {.port = (uint16_t)options_number(&set, spec->options, spec->n_options,
							   "vxlan_port"),
			  .allows_ipv6_no_checksum =
				  options_number(&set, spec->options, spec->n_options,
						 "zero_checksum6") != 0},
	};
	memcpy(underlay->ip, spec->addresses[0].ip, sizeof(underlay->ip));
	overlay->n_underlays++;
}

void overlay_fill(struct overlay *overlay, const struct dataplane *dp)
{
	for (unsigned int i = 1; i < dp->segments_end; i++) {
		const struct segment *segment = atomic_load(&dp->segments[i]);
		struct vni_place *place =
			segment != NULL ? vni_place(overlay, segment->spec.vni) : NULL;

		if (place != NULL && place->segment == 0)
			*place = (struct vni_place){.vni = segment->spec.vni,
						    .segment = (uint16_t)i};
	}
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		const struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL && port->is_peer)
			add_peer(overlay, port);
		if (port != NULL && port->type->send != NULL)
			add_underlay(overlay, port);
	}
}

const struct overlay_underlay *overlay_underlay(const struct overlay *overlay, uint16_t port)
{
	for (unsigned int i = 0; i < overlay->n_underlays; i++) {
		if (overlay->underlays[i].port == port)
			return &overlay->underlays[i];
	}
	return NULL;
}

uint16_t overlay_peer(const struct overlay *overlay, uint8_t ip_version, const uint8_t ip[16])
{
	return vtep_place(overlay, ip_version, ip)->peer;
}

uint16_t overlay_segment(const struct overlay *overlay, uint32_t vni)
{
	return vni_place(overlay, vni)->segment;
}
