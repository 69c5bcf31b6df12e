/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Load: two front-ends in one thread, frames as fast as the rings take, both drained. One process
 * must drive both ends, as two on one CPU would take turns. The calling thread runs all of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct flood_options {
	const char *paths[2];
	unsigned int n_bytes; /* of a frame, without FCS */
	unsigned int n_macs;  /* source addresses a side; frame i goes to the other side's i */
	unsigned int ring_size;
	unsigned int batch;
	unsigned int seconds;
	bool one_way;					   /* only from the first to the second */
	bool touch;					   /* frontend_bulk.h */
	bool plain;					   /* no offloads, no mergeable buffers */
	void (*each_second)(double pps_ab, double pps_ba); /* or NULL */
};

struct flood_direction {
	uint64_t n_sent;
	uint64_t n_received;
	uint64_t n_bad;
};

struct flood_result {
	struct flood_direction ab;
	struct flood_direction ba;
	double seconds; /* in which they were sent */
};

/* 0 or -errno, then one line in why (FRONTEND_WHY_BYTES). */
int flood_run(const struct flood_options *options, struct flood_result *result, char *why);
