/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guard: may this port say what its frames say? Stage between classify and learn, so what is
 * refused teaches nothing. Worker threads; guards are made and freed by main.
 *
 * Which guards are on is a set of bits (enum dp_guard). A segment has the set for its ports; a port
 * adds and takes away. With an empty set a burst costs one test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"
#include "dataplane/frame.h"

struct dataplane;
struct port;
struct worker;

/* What a port may say. A value: main makes a new one for every change, and frees the old one after
 * a grace period. */
struct guard {
	uint16_t on, off;	/* enum dp_guard: added to, taken from the segment's */
	bool has_mac;
	uint8_t mac[6];
	uint8_t link_local[16];	/* fe80:: and the MAC, RFC 4291 appendix A */
	uint16_t n_addresses;	/* 0: any address */
	struct dp_address addresses[];
};

int guard_create(const struct dp_port *spec, struct guard **guard);
void guard_destroy(struct guard *guard);	/* NULL is legal */

/* Gives frames that must not pass a drop reason, and tells main which addresses the others claim.
 * Returns whether main has something to do. */
bool guard_burst(struct worker *worker, struct port *port, struct burst *burst);
