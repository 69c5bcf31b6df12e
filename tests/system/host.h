/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A live dataplane as a test sees it from outside: its ports and their state, the addresses it has
 * learned, its counters. One conversation beside weftd's. Owned by one thread.
 */
#pragma once

#include <stdint.h>

#include "dataplane/api/dp_client.h"
#include "tests/lib/accounting.h"

#define HOST_PORTS_MAX 32
#define HOST_SEGMENTS_MAX 16
#define HOST_FDB_MAX 256

struct host {
	struct dp_client *client;
	struct accounting accounting;
};

struct host_port {
	uint64_t id;
	uint32_t segment_id;	/* of the first member */
	uint32_t slot;		/* in the counters */
	uint32_t link;		/* enum dp_link */
	char name[DP_NAME_BYTES];
	char reason[DP_TEXT_BYTES];
};

struct host_segment {
	uint32_t id;
	char name[DP_NAME_BYTES];
};

struct host_view {
	struct host_port ports[HOST_PORTS_MAX];
	struct host_segment segments[HOST_SEGMENTS_MAX];
	unsigned int n_ports;
	unsigned int n_segments;
};

struct host_fdb {
	struct dp_fdb_entry entries[HOST_FDB_MAX];
	unsigned int n;
};

/* 0 or -errno, and one line in why. */
int host_open(struct host *host, const char *run_dir, char why[DP_TEXT_BYTES]);
void host_close(struct host *host);

int host_look(struct host *host, struct host_view *view);
int host_read_fdb(struct host *host, struct host_fdb *fdb);

/* Of a view, by name; NULL: there is none. */
const struct host_port *host_find_port(const struct host_view *view, const char *name);
const struct host_segment *host_find_segment(const struct host_view *view, const char *name);

/* Sum of a slot's counters over all workers. */
void host_count(const struct host *host, uint32_t slot, struct counters_block *sum);
