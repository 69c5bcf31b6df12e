/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A probe: numbered frames at a steady rate from one port to another, through faults of the switch.
 * A connection that breaks is made again. The calling thread runs all of it.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct probe_options {
	const char *paths[2];
	unsigned int pps;
	unsigned int seconds;
	unsigned int ring_size;
	bool plain;  /* no offloads, no mergeable buffers */
	bool gentle; /* leave the CPU to others where nothing is due: costs latency */
	const volatile sig_atomic_t *is_over; /* set: it ends before its time; may be NULL */
};

struct probe_result {
	uint64_t n_sent;
	uint64_t n_refused;  /* not sent: the ring was full, or the switch away */
	uint64_t n_received; /* different ones */
	uint64_t n_repeated; /* came a second time */
	uint64_t n_late;     /* came after a higher number */
	uint64_t n_foreign;  /* not from this probe, or damaged */
	unsigned int n_reconnects;
	uint64_t gap_frames; /* most numbers missing in a row */
	double gap_ms;	     /* longest time without any frame */
	double p50_us;
	double p99_us;
	double max_us;
};

/* 0 or -errno, then one line in why (FRONTEND_WHY_BYTES). */
int probe_run(const struct probe_options *options, struct probe_result *result, char *why);
