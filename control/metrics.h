/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What Prometheus reads: its text format, version 0.0.4. Names say what is counted and in which
 * unit. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/counters.h"

struct metrics_segment {
	const char *name;
	uint32_t vni;
	uint32_t n_ports;
};

struct metrics_port {
	const char *name; /* "" : the sum of ports that are gone */
	const char *segment, *vm;
	bool is_up, is_broken;
	uint32_t attaches;
	uint64_t lost;
	struct counters_block sum;
};

/* One way of one channel. */
struct metrics_channel {
	const char *name, *pool, *way;
	uint64_t assured_bps, ceiling_bps; /* in force; ceiling 0: none */
	bool has_counted;		   /* else what follows is left out */
	uint64_t queued_bytes;
	struct counters_channel total;
	uint64_t n_delays, p50_ns, p99_ns; /* of the last minute; n_delays 0: none */
};

/* Names are those of objects or constants: nothing in them needs to be escaped. */
struct metrics {
	const char *version, *host;
	const struct metrics_segment *segments;
	size_t n_segments;
	const struct metrics_port *ports;
	size_t n_ports;
	const struct metrics_channel *channels;
	size_t n_channels;
	bool is_up;	   /* the dataplane answers */
	bool has_counters; /* else the dataplane is away, and what it counts is left out */
	const struct counters_worker *workers;
	size_t n_workers;
	uint64_t tsc_hz;
};

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* malloc'ed; NULL: no memory. */
char *metrics_write(const struct metrics *metrics);
