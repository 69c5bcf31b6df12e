/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The load of the figures that compare switches: front-ends of tests/lib, all in one thread, as two
 * processes on one CPU would take turns. Frames are prebuilt; each run sends at a rate (open loop:
 * what is due goes out whether or not anything comes back) or as fast as the rings take it.
 *
 *     LOAD_BOTH      port 0 and port 1 send to each other; port 2, if there is one, are newcomers:
 *                    frames from always other addresses to port 1, at a rate of their own
 *     LOAD_ONE_WAY   port 0 sends to port 1
 *     LOAD_FLOOD     port 0 broadcasts to all others
 *     LOAD_NONE      all receive
 *
 * Port 0 may be alone where nobody else sends: then what it sends is for port 1 of another load.
 *
 * Numbered frames carry a sequence and the time at which they were sent.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/delays.h"
#include "tests/lib/frontend.h"

#define LOAD_PORTS_MAX 16

enum load_way {
	LOAD_BOTH,
	LOAD_ONE_WAY,
	LOAD_FLOOD,
	LOAD_NONE,
};

struct load_options {
	const char *paths[LOAD_PORTS_MAX];
	unsigned int n_ports;
	enum load_way way;
	unsigned int n_bytes; /* of a frame, without FCS; 0: IMIX */
	unsigned int n_macs;  /* source addresses a side; frame i goes to the other side's i */
	unsigned int n_flows; /* UDP source ports an address; 0: no IP at all */
	unsigned int n_newcomers;
	bool packed;
	bool numbered;
};

struct load_result {
	double seconds;	    /* in which they were sent */
	uint64_t n_sent;    /* in all directions together, as all of these */
	uint64_t n_refused; /* that were due, but the ring was full */
	uint64_t n_received, received_bytes;
	uint64_t n_bad;		 /* used entries and headers that cannot be */
	uint64_t n_lost, n_late; /* of numbered frames: never came; came after a higher number */
	struct delays delays;
};

struct load;

/* 0 or -errno, then one line in why (FRONTEND_WHY_BYTES). */
int load_open(const struct load_options *options, struct load **load, char *why);
void load_close(struct load *load);

/* Sends for `ms`, pps frames a second and direction (0: as fast as they go), and receives until
 * nothing comes any more. 0, or -ECONNRESET when the switch has closed a connection. */
int load_run(struct load *load, unsigned int ms, unsigned int pps, unsigned int newcomer_pps,
	     struct load_result *result);
