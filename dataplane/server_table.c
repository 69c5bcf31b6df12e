/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding table and the neighbours as messages. Main thread. */
#include "dataplane/server_table.h"

#include <errno.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/neigh.h"

#define NEIGH_ENTRIES_PER_MESSAGE                                                                  \
	((DP_MESSAGE_BYTES - sizeof(struct dp_neigh)) / sizeof(struct dp_neigh_entry))
#define FDB_ENTRIES_PER_MESSAGE                                                                    \
	((DP_MESSAGE_BYTES - sizeof(struct dp_fdb)) / sizeof(struct dp_fdb_entry))

/* Walk over the FDB that fills message after message. */
struct fdb_dump {
	struct dataplane *dp;
	struct client *client;
	uint64_t cookie;
	uint32_t now_s;
	union {
		struct dp_fdb message;
		char bytes[DP_MESSAGE_BYTES];
	};
};

static void flush_fdb(struct fdb_dump *dump)
{
	dump->message.header.cookie = dump->cookie;
	client_send(dump->client, &dump->message,
		    sizeof(dump->message) +
			    dump->message.n_entries * sizeof(dump->message.entries[0]),
		    DP_FDB, -1);
	dump->message.n_entries = 0;
}

/* Called as a sweep that forgets nothing; there is room. */
static bool dump_entry(void *ctx, const struct fdb_entry *entry)
{
	struct fdb_dump *dump = ctx;
	struct dataplane *dp = dump->dp;
	struct port *port = atomic_load(&dp->ports[entry->port]);
	struct segment *segment = atomic_load(&dp->segments[fdb_key_segment(entry->key)]);
	int32_t age_s = (int32_t)(dump->now_s - entry->seen_s);

	if (port == NULL || segment == NULL)
		return false;
	if (!entry->is_static && age_s > (int32_t)atomic_load(&segment->age_s))
		return false;
	struct dp_fdb_entry *out = &dump->message.entries[dump->message.n_entries++];

	*out = (struct dp_fdb_entry){
		.port_id = port->spec.id,
		.segment_id = segment->spec.id,
		.age_s = age_s > 0 ? (uint32_t)age_s : 0,
		.is_static = entry->is_static,
	};
	fdb_key_mac(entry->key, out->mac);
	return false;
}

/* What no message can overflow by, and a page goes no further than. */
#define FDB_STEP_BUCKETS 128
#define FDB_PAGE_BUCKETS 65536
_Static_assert((size_t)FDB_STEP_BUCKETS * FDB_BUCKET_ENTRIES < FDB_ENTRIES_PER_MESSAGE, "a step");

/* Positions are numbers of buckets, with the size of the table, which they are good for. */
static uint64_t fdb_position(const struct fdb *fdb, uint64_t bucket)
{
	return bucket != 0 ? fdb_buckets(fdb) << 32 | bucket : 0;
}

void server_table_fdb_page(struct dataplane *dp, struct client *client,
			   const struct dp_fdb_page *page, uint32_t now_s)
{
	struct fdb *fdb = dp->fdb;
	struct fdb_dump dump = {
		.dp = dp, .client = client, .cookie = page->header.cookie, .now_s = now_s};
	uint64_t bucket = (uint32_t)page->from;
	unsigned int n_buckets = 0, n_entries = 0;

	if (page->from != fdb_position(fdb, bucket)) {
		client_done(client, dump.cookie, -ESTALE,
			    "the table has grown meanwhile; begin again");
		return;
	}
	for (bool is_last = false; !is_last;) {
		unsigned int before = dump.message.n_entries;

		bucket = fdb_sweep(fdb, bucket, FDB_STEP_BUCKETS, dump_entry, &dump);
		n_buckets += FDB_STEP_BUCKETS;
		n_entries += dump.message.n_entries - before;
		is_last = bucket == 0 || n_buckets >= FDB_PAGE_BUCKETS ||
			  n_entries >= DP_FDB_PAGE_MAX;

		dump.message.next = is_last ? fdb_position(fdb, bucket) : 0;
		if (is_last ||
		    dump.message.n_entries + FDB_STEP_BUCKETS * FDB_BUCKET_ENTRIES >
			    FDB_ENTRIES_PER_MESSAGE)
			flush_fdb(&dump);
	}
	client_done(client, dump.cookie, 0, "");
}

/* The same for the neighbour table. */
struct neigh_dump {
	struct dataplane *dp;
	struct client *client;
	uint64_t cookie;
	uint32_t now_s;
	union {
		struct dp_neigh message;
		char bytes[DP_MESSAGE_BYTES];
	};
};

static void flush_neigh(struct neigh_dump *dump)
{
	dump->message.header.cookie = dump->cookie;
	client_send(dump->client, &dump->message,
		    sizeof(dump->message) +
			    dump->message.n_entries * sizeof(dump->message.entries[0]),
		    DP_NEIGH, -1);
	dump->message.n_entries = 0;
}

static bool dump_neigh(void *ctx, const struct neigh_entry *entry)
{
	struct neigh_dump *dump = ctx;
	struct dataplane *dp = dump->dp;
	struct port *port = atomic_load(&dp->ports[entry->port]);
	struct segment *segment = atomic_load(&dp->segments[fdb_key_segment(entry->key)]);
	int32_t age_s = (int32_t)(dump->now_s - entry->seen_s);

	if (port == NULL || segment == NULL || age_s > NEIGH_AGE_S)
		return false;
	struct dp_neigh_entry *out = &dump->message.entries[dump->message.n_entries++];

	*out = (struct dp_neigh_entry){
		.port_id = port->spec.id,
		.segment_id = segment->spec.id,
		.age_s = age_s > 0 ? (uint32_t)age_s : 0,
		.version = entry->version,
	};
	memcpy(out->ip, entry->ip, sizeof(out->ip));
	fdb_key_mac(entry->key, out->mac);
	if (dump->message.n_entries == NEIGH_ENTRIES_PER_MESSAGE)
		flush_neigh(dump);
	return false;
}

void server_table_neigh_dump(struct dataplane *dp, struct client *client, uint64_t cookie,
			     uint32_t now_s)
{
	struct neigh_dump dump = {.dp = dp, .client = client, .cookie = cookie, .now_s = now_s};

	neigh_sweep(dp->neigh, NEIGH_ALL, NEIGH_ALL, dump_neigh, &dump);
	if (dump.message.n_entries != 0)
		flush_neigh(&dump);
	client_done(client, dump.cookie, 0, "");
}
