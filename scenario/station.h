/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stations: what ports of a scenario are plugged into, lists of packets in place of machines. A
 * station belongs to a name and stays while ports of that name come and go; what it has to send
 * goes into the port that is there at that time, and what the port sends it keeps, with the time.
 *
 * To the dataplane they are port types of their own that stand in for taps, guests and uplinks: no
 * root, no descriptors. Peers stay what they are; they lead to an uplink's station.
 */
#pragma once

#include "dataplane/port.h"
#include "scenario/packets.h"

struct station {
	char name[DP_NAME_BYTES];
	const uint64_t *now_ns; /* the rig's clock */
	struct packets in, out;
	size_t taken;		    /* of `in` */
	size_t n_lost;		    /* of those taken: there was no port */
	uint16_t segment_bytes;	    /* what offloads_describe() is told; 0: frames are plain */
	uint32_t offload_caps;	    /* enum offload_cap: what it takes */
	uint64_t full_from_ns;	    /* a guest reads nothing from here ... */
	uint64_t full_until_ns;	    /* ... to here, and then all; 0: it always does */
	struct counters_block gone; /* of its ports that are there no more */
};

struct stations {
	struct station **list;
	size_t n;
	const uint64_t *now_ns;
};

/* A port type that finds its station. */
struct station_type {
	struct port_type type;
	struct stations *stations;
};

#define STATION_TYPES 3

/* What a dataplane needs to know: STATION_TYPES types, and a list of them and the peers. */
struct station_set {
	struct station_type types[STATION_TYPES];
	const struct port_type *list[STATION_TYPES + 2];
};

void station_fill_set(struct station_set *set, struct stations *stations);

/* The station of that name, made if there is none. NULL: no memory. */
struct station *station_make(struct stations *stations, const char *name);
struct station *station_find(const struct stations *stations, const char *name); /* NULL: none */
void station_free_all(struct stations *stations);
