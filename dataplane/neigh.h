/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours: which IP address was said to be at which MAC and port, in which segment, as ARP and
 * neighbour discovery told it in passing. Nothing is forwarded by it: it answers the question where
 * an address is, to users and, with arp_suppress, to machines.
 *
 * A worker that sees such a claim asks main to store it, over a ring of its own; what does not fit
 * is lost and counted, the address will be spoken of again. Main alone writes the table; workers
 * look single addresses up in a copy (neigh_index.h).
 * A guest displaces only its own: a port tells at most NEIGH_CLAIMS_PER_S, and holds at most
 * NEIGH_PER_PORT_MAX addresses, and then the one that it has not spoken of for longest makes room.
 * When the table is full (1,024 ports that all hold that many), a port that has its equal share,
 * NEIGH_MAX by the number of ports that hold any, goes on the same way; for one that has less, the
 * port with most gives up its oldest. A port at its limit takes nothing over from others.
 */
#pragma once

#include <rte_ring.h>
#include <stdbool.h>
#include <stdint.h>

#define NEIGH_MAX 262144		/* addresses in the table */
#define NEIGH_PER_PORT_MAX 256
#define NEIGH_AGE_S 1200		/* forgotten after this silence */
#define NEIGH_REQUESTS 1024		/* that fit a worker's ring to main */
#define NEIGH_CLAIMS_PER_S 1000		/* of one port */
#define NEIGH_CLAIMS_BURST 128

struct dataplane;
struct neigh;
struct port;

#define NEIGH_BUCKETS 131072		/* of what workers read: 393,216 places, 16 MiB */

/* What a neighbour's own advertisements say of it (RFC 4861 section 4.4, R flag). */
enum neigh_role {
	NEIGH_ROLE_UNKNOWN = 0,
	NEIGH_ROLE_HOST,
	NEIGH_ROLE_ROUTER,
};

/* An address where it was last seen; also the request to store it. */
struct neigh_entry {
	uint64_t key;		/* segment and MAC (fdb.h) */
	uint8_t ip[16];		/* IPv4: the first 4, the rest is zero */
	uint32_t seen_s;
	uint16_t port;		/* index */
	uint8_t version;	/* 4, 6 */
	uint8_t role;		/* enum neigh_role */
};

int neigh_create(uint64_t seed, struct neigh **neigh);
void neigh_destroy(struct neigh *neigh);	/* NULL is legal */

/* Stores or refreshes; the last claim counts. false: there is no room for it. Main. */
bool neigh_learn(struct neigh *neigh, const struct neigh_entry *entry);

/* What is known of an address; segment and MAC of the result are in its key. ip: as in an entry.
 * It may be old, or its port gone: that is for the caller to see. Any thread. */
bool neigh_find(const struct neigh *neigh, uint16_t segment, uint8_t version, const uint8_t ip[16],
		struct neigh_entry *entry);

/* Takes the addresses that an access port is configured with for claims of its own, as long as the
 * FDB has its MAC there, unless another has claimed them of late. Main. */
void neigh_note_configured(struct dataplane *dp, const struct port *port, uint32_t now_s);

/* Walks up to n entries backwards from place `from` (NEIGH_ALL: the end); those for which `forget`
 * returns true are deleted. Returns where to go on, 0: it is done. Main. */
#define NEIGH_ALL UINT32_MAX
uint32_t neigh_sweep(struct neigh *neigh, uint32_t from, uint32_t n,
		     bool (*forget)(void *ctx, const struct neigh_entry *entry), void *ctx);

/* The same with all that the port holds. Main. */
void neigh_forget(struct neigh *neigh, uint16_t port,
		  bool (*forget)(void *ctx, const struct neigh_entry *entry), void *ctx);

uint32_t neigh_count(const struct neigh *neigh);

/* Carries out the requests of one worker. Main. */
void neigh_requests(struct dataplane *dp, struct rte_ring *requests);
