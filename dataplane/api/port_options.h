/* SPDX-License-Identifier: BSD-3-Clause */
/* Options that ports of every kind have: what a port may do in its segments. */
#pragma once

#include "dataplane/api/options.h"

/*
 * The choices of "state", in their order: what happens to frames.
 *
 *		from the machine	to the machine			its addresses
 *	ACTIVE	forwarded		delivered			learned
 *	BLOCKED	dropped			dropped, floods go past it	forgotten, not learned
 *	STANDBY	as BLOCKED: of a machine that comes from another host
 *	DRAINING forwarded		what is addressed to it only	kept until seen elsewhere
 *		or too old, not learned: of a machine that leaves
 */
enum port_state {
	PORT_STATE_ACTIVE,
	PORT_STATE_BLOCKED,
	PORT_STATE_STANDBY,
	PORT_STATE_DRAINING,
};

/* The choices of "queue". */
enum port_queue {
	PORT_QUEUE_RING,
	PORT_QUEUE_SWITCH,
};

#define PORT_OPTIONS_MACS_MAX 6 /* as many as a text has room for */

/* Parses the value of "macs": addresses of stations, not of groups, each once. Returns how many, or
 * -EINVAL. Pure; any thread. */
int port_options_parse_macs(const char *text, uint8_t macs[PORT_OPTIONS_MACS_MAX][6]);

extern const struct option_def port_options[];
extern const size_t port_options_count;
