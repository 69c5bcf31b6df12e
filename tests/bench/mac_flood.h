/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MAC flood: ports that send from a million addresses each, as fast as their rings take it, beside
 * an honest pair. The pair carries a numbered stream at a steady rate; and now and then its second
 * port speaks from a new address, to which the first sends until a frame arrives. In a segment that
 * drops unknown destinations that is the time until the address was learned.
 *
 * One process must drive all ends, as several on one CPU would take turns. The calling thread runs
 * all of it.
 */
#pragma once

#include <stdint.h>

#define MAC_FLOOD_PORTS_MAX 8

struct mac_flood_options {
	const char *flooders[MAC_FLOOD_PORTS_MAX];
	unsigned int n_flooders; /* 0: only the pair, for comparison */
	const char *pair[2];
	unsigned int n_macs; /* source addresses of a flooder */
	unsigned int pps;    /* of the stream */
	unsigned int seconds;
	unsigned int ring_size;
};

/* Of a sorted list. */
struct mac_flood_times {
	double p50_us;
	double p99_us;
	double max_us;
};

struct mac_flood_result {
	double seconds;
	uint64_t n_flood[MAC_FLOOD_PORTS_MAX]; /* frames sent */
	uint64_t n_sent;		       /* of the stream */
	uint64_t n_refused;		       /* the sender's ring was full: not sent */
	uint64_t n_received;
	uint64_t n_late; /* came after a higher number, or twice */
	struct mac_flood_times stream;
	uint64_t n_new;	     /* new addresses */
	uint64_t n_learned;  /* of them, within a second */
	uint64_t n_repeated; /* times that one had to speak again, after 10 ms */
	struct mac_flood_times learning;
};

/* 0 or -errno, then one line in why (FRONTEND_WHY_BYTES). */
int mac_flood_run(const struct mac_flood_options *options, struct mac_flood_result *result,
		  char *why);
