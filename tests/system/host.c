/* SPDX-License-Identifier: BSD-3-Clause */
/* A live dataplane as a test sees it. See host.h. Owned by one thread. */
#include "tests/system/host.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS 10000

int host_open(struct host *host, const char *run_dir, char why[DP_TEXT_BYTES])
{
	char path[256];
	int fd;

	*host = (struct host){0};
	snprintf(path, sizeof(path), "%s/dataplane.sock", run_dir);
	int err = dp_client_open(&host->client, path);

	if (err < 0) {
		snprintf(why, DP_TEXT_BYTES, "%.160s: %s", path, strerror(-err));
		return err;
	}
	err = dp_client_hello(host->client, ANSWER_MS, &host->accounting.welcome, &fd, why);
	if (err == 0) {
		err = accounting_map(&host->accounting, fd, why);
		close(fd);
	}
	if (err < 0)
		host_close(host);
	return err;
}

void host_close(struct host *host)
{
	accounting_close(&host->accounting);
	dp_client_close(host->client);
	host->client = NULL;
}

static void take_port(struct host_view *view, const struct dp_port *message)
{
	if (view->n_ports == HOST_PORTS_MAX)
		return;
	struct host_port *port = &view->ports[view->n_ports++];

	*port = (struct host_port){.id = message->id};
	if (message->n_members != 0)
		port->segment_id = message->members[0].segment_id;
	memcpy(port->name, message->name, sizeof(port->name));
}

static void take_state(struct host_view *view, const struct dp_port_state *message)
{
	for (unsigned int i = 0; i < view->n_ports; i++) {
		struct host_port *port = &view->ports[i];

		if (port->id != message->id)
			continue;
		port->slot = message->counters_slot;
		port->link = message->link;
		memcpy(port->reason, message->reason, sizeof(port->reason));
	}
}

static void take_segment(struct host_view *view, const struct dp_segment *message)
{
	if (view->n_segments == HOST_SEGMENTS_MAX)
		return;
	struct host_segment *segment = &view->segments[view->n_segments++];

	segment->id = message->id;
	memcpy(segment->name, message->name, sizeof(segment->name));
}

static void take_object(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	switch (message->type) {
	case DP_PORT_PUT:
		take_port(ctx, (const void *)message);
		break;
	case DP_PORT_STATE:
		take_state(ctx, (const void *)message);
		break;
	case DP_SEGMENT_PUT:
		take_segment(ctx, (const void *)message);
		break;
	default:
		break;
	}
}

int host_look(struct host *host, struct host_view *view)
{
	char why[DP_TEXT_BYTES];

	view->n_ports = view->n_segments = 0;
	return dp_client_request(host->client, DP_DUMP, NULL, 0, ANSWER_MS, take_object, view, why);
}

static void take_entries(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	const struct dp_fdb *batch = (const void *)message;
	struct host_fdb *fdb = ctx;

	if (message->type != DP_FDB)
		return;
	for (uint32_t i = 0; i < batch->n_entries && fdb->n < HOST_FDB_MAX; i++)
		fdb->entries[fdb->n++] = batch->entries[i];
}

int host_read_fdb(struct host *host, struct host_fdb *fdb)
{
	struct dp_fdb_walk walk = {.fn = take_entries, .ctx = fdb};
	char why[DP_TEXT_BYTES];
	int err;

	do {
		if (walk.page.from == 0)
			fdb->n = 0;
		err = dp_client_request(host->client, DP_FDB_DUMP, &walk.page, sizeof(walk.page),
					ANSWER_MS, dp_client_walk_fdb, &walk, why);
		/* It has grown: from the beginning. */
		if (err == -ESTALE)
			walk.page.from = 0;
	} while (err == -ESTALE || (err == 0 && walk.page.from != 0));
	return err;
}

const struct host_port *host_find_port(const struct host_view *view, const char *name)
{
	for (unsigned int i = 0; i < view->n_ports; i++) {
		if (strcmp(view->ports[i].name, name) == 0)
			return &view->ports[i];
	}
	return NULL;
}

const struct host_segment *host_find_segment(const struct host_view *view, const char *name)
{
	for (unsigned int i = 0; i < view->n_segments; i++) {
		if (strcmp(view->segments[i].name, name) == 0)
			return &view->segments[i];
	}
	return NULL;
}

void host_count(const struct host *host, uint32_t slot, struct counters_block *sum)
{
	const struct counters_header *h = host->accounting.header;
	const char *base = (const char *)h;
	const struct counters_block *blocks = (const void *)(base + h->blocks_offset);
	uint64_t *to = (uint64_t *)sum;

	*sum = (struct counters_block){0};
	for (uint32_t worker = 0; worker < h->n_workers; worker++) {
		const uint64_t *from =
			(const uint64_t *)&blocks[(uint64_t)slot * h->n_workers + worker];

		for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_ACQUIRE);
	}
}
