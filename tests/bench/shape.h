/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbered flows between ports of a switch, stamped by who receives them: bytes for each
 * millisecond, what was lost or overtaken, how long frames were on their way. One thread drives all
 * ports; another one runs commands at their times.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/delays.h"
#include "tests/bench/shape_port.h"

#define SHAPE_FLOWS_MAX 64
#define SHAPE_EVENTS_MAX 16
#define SHAPE_NAME_BYTES 32

/* Words of the user; `from` with n sources are from0, from1, ... */
struct shape_flow_options {
	char from[SHAPE_NAME_BYTES], to[SHAPE_NAME_BYTES]; /* to "*": everybody */
	unsigned int n_sources;				   /* 0: one, called `from` itself */
	enum shape_load load;
	unsigned int n_bytes;
	unsigned int ring_size;		/* of its sources; 0: as all */
	unsigned int pps;		/* of each source; 0: as its ring takes them */
	unsigned int first_ms, last_ms; /* it sends from then on, and until then; 0: to the end */
	bool stuck;			/* nobody takes what arrives */
};

struct shape_event {
	unsigned int at_ms;
	const char *command;
	double began_ms, ended_ms; /* since the start */
	int status;
};

struct shape_options {
	const char *sockets; /* directory */
	struct shape_flow_options flows[SHAPE_FLOWS_MAX];
	unsigned int n_flows;
	struct shape_event events[SHAPE_EVENTS_MAX];
	unsigned int n_events;
	unsigned int ms;
	unsigned int ring_size;
	bool busy; /* never leave the CPU */
	unsigned int switch_cpu;
	const char *switch_task; /* schedstat file of its worker; NULL: not looked at */
};

struct shape_flow_result {
	/* Of a paced flow; refused: by a full ring; skipped: due while who measures was away. */
	uint64_t n_sent, n_refused, n_skipped;
	uint64_t n_received, received_bytes;
	uint64_t lost, late;  /* numbers: frames, or bytes of a large TCP frame */
	uint32_t *bins;	      /* bytes in each ms */
	uint64_t n_disturbed; /* whose delay is not counted: a CPU was away meanwhile */
	struct delays delays;
};

struct shape_result {
	struct shape_flow_result flows[SHAPE_FLOWS_MAX];
	uint32_t *gaps_us;  /* in each ms: the longest time in which nothing was looked at */
	uint32_t *waits_us; /* in each ms: how late what runs on the worker's CPU was */
	uint32_t *kept_us;  /* in each ms: how long others had the worker's CPU, who was ready */
	uint64_t start_ns;  /* monotonic */
	uint64_t n_bad, n_foreign;
};

/* 0 or -errno, then a line in why (FRONTEND_WHY_BYTES). The result is to be freed either way. */
int shape_run(struct shape_options *options, struct shape_result *result, char *why);
void shape_result_fini(struct shape_result *result, unsigned int n_flows);
