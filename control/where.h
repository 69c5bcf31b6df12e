/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a machine is: what the configuration says, what the forwarding table has learned and what
 * ARP and ND have said, laid over each other. One place for each segment, port and MAC address; a
 * machine that is at several, or is not where it should be, has several. Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "control/places.h"
#include "dataplane/api/dp_msg.h"

enum where_kind {
	WHERE_NAME, /* of a VM or a port */
	WHERE_MAC,
	WHERE_IP,
};

struct where {
	enum where_kind kind;
	const char *name;
	uint8_t mac[6];
	uint8_t ip[16], version; /* IPv4: the first 4; 4 or 6 */
	const char *host;	 /* where all this is */
	struct places places;
	json_t *rows;  /* "segment port mac" -> place, in the order in which they were found */
	json_t *cards; /* IP: "segment mac" of who has it */
};

/* What is asked for is a MAC address if it looks like one, an IP address if it looks like one, else
 * a name. 0 or -ENOMEM. */
int where_init(struct where *where, const char *query, const char *host, const struct model *model);
void where_fini(struct where *where);

/* In this order: what is learned is looked up by what the others say. */
void where_add_ports(struct where *where);
void where_add_neigh(struct where *where, const struct dp_neigh_entry *entry);
void where_add_fdb(struct where *where, const struct dp_fdb_entry *entry);

/* The places. New reference. */
json_t *where_format(const struct where *where);
