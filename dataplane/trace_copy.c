/* SPDX-License-Identifier: BSD-3-Clause */
/* See trace_copy.h. Main thread. */
#include "dataplane/trace_copy.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/counters.h"
#include "dataplane/worker.h"

/* --- what copies do with frames: they count them --- */

static void count_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		     struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++) {
		count->tx_frames++;
		count->tx_bytes += burst->frames[order[i]].len;
	}
}

static void count_send(struct port *port, const struct port_out *out, unsigned int n,
		       struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++) {
		count->tx_frames++;
		count->tx_bytes += out[i].frame->len;
	}
}

/* --- copies --- */

/* What workers write while main copies: not with the rest. */
struct hole {
	size_t begin, end;
};

/* Holes in order. What is in them is left as it is. */
static void copy_around(void *to, const void *from, size_t bytes, const struct hole *holes,
			size_t n_holes)
{
	size_t at = 0;

	for (size_t i = 0; i <= n_holes; i++) {
		size_t end = i < n_holes ? holes[i].begin : bytes;

		memcpy((char *)to + at, (const char *)from + at, end - at);
		at = i < n_holes ? holes[i].end : bytes;
	}
}

static void copy_storm(struct storm *to, const struct storm *from)
{
	for (unsigned int i = 0; i < DP_STORM_KINDS; i++)
		rate_copy(&to->rates[i], &from->rates[i]);
}

static void copy_port(struct port *to, const struct port *from)
{
	static const struct hole rates = {offsetof(struct port, storm),
					  offsetof(struct port, state)};

	_Static_assert(offsetof(struct port, state) - offsetof(struct port, storm) ==
			       sizeof(struct storm) + 4 * sizeof(struct rate),
		       "each of the rates is copied below");
	copy_around(to, from, sizeof(*to), &rates, 1);
	copy_storm(&to->storm, &from->storm);
	rate_copy(&to->claims, &from->claims);
	rate_copy(&to->learns_easy, &from->learns_easy);
	rate_copy(&to->learns, &from->learns);
	rate_copy(&to->answers, &from->answers);
}

static void copy_segment(struct segment *to, const struct segment *from)
{
	static const struct hole rates = {offsetof(struct segment, storm),
					  offsetof(struct segment, storm) + sizeof(struct storm)};

	copy_around(to, from, sizeof(*to), &rates, 1);
	copy_storm(&to->storm, &from->storm);
}

/* Of what workers tell main by it nothing is asked here. */
static void copy_dataplane(struct dataplane *to, const struct dataplane *from)
{
	static const struct hole told[] = {
		{offsetof(struct dataplane, news),
		 offsetof(struct dataplane, news) + sizeof(from->news)},
		{offsetof(struct dataplane, rates_epoch),
		 offsetof(struct dataplane, rates_epoch) + sizeof(from->rates_epoch)},
	};

	_Static_assert(offsetof(struct dataplane, news) < offsetof(struct dataplane, rates_epoch),
		       "in order");
	copy_around(to, from, sizeof(*to), told, 2);
}

static struct port *find_copy(const struct trace_copy *copy, uint16_t index)
{
	for (struct trace_port *port = copy->ports; port != NULL; port = port->next) {
		if (port->port.index == index)
			return &port->port;
	}
	return NULL;
}

struct port *trace_copy_port(struct trace_copy *copy, uint16_t index)
{
	struct port *found = find_copy(copy, index);
	const struct port *real = atomic_load(&copy->dp->ports[index]);
	struct trace_port *made;

	if (found != NULL || real == NULL)
		return found;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return NULL;
	copy_port(&made->port, real);
	made->type = *real->type;
	made->type.tx_soon = NULL;
	made->type.has_room = NULL;
	/* To a peer: outer headers are made as ever, and the uplink's copy has them. */
	if (!real->is_peer)
		made->type.tx = count_tx;
	if (real->type->send != NULL)
		made->type.send = count_send;
	made->port.type = &made->type;
	atomic_store(&made->port.io, &made->type);
	atomic_store(&made->port.captures, 0);
	made->port.dp = copy->dp;
	for (int way = 0; way < DP_WAYS; way++)
		atomic_store(&made->port.lanes[way], NULL);
	made->next = copy->ports;
	copy->ports = made;
	atomic_store(&copy->dp->ports[index], &made->port);
	return &made->port;
}

bool trace_copy_segment(struct trace_copy *copy, uint16_t index)
{
	const struct segment *real = atomic_load(&copy->dp->segments[index]);
	struct trace_segment *made;

	for (made = copy->segments; made != NULL; made = made->next) {
		if (made->segment.index == index)
			return true;
	}
	if (real == NULL)
		return true;
	made = calloc(1, sizeof(*made));
	if (made == NULL)
		return false;
	copy_segment(&made->segment, real);
	atomic_store(&made->segment.flight, NULL);
	made->next = copy->segments;
	copy->segments = made;
	atomic_store(&copy->dp->segments[index], &made->segment);
	return true;
}

static bool copy_uplinks(struct trace_copy *copy)
{
	for (unsigned int i = 1; i < copy->dp->ports_end; i++) {
		const struct port *port = atomic_load(&copy->dp->ports[i]);

		if (port != NULL && port->type->send != NULL &&
		    trace_copy_port(copy, (uint16_t)i) == NULL)
			return false;
	}
	return true;
}

int trace_copy_init(struct trace_copy *copy, const struct dataplane *dp)
{
	int error;

	*copy = (struct trace_copy){.dp = calloc(1, sizeof(*dp))};
	if (copy->dp == NULL)
		return -ENOMEM;
	copy_dataplane(copy->dp, dp);
	copy->dp->config.memory = memory_plain;
	copy->dp->config.n_workers = 1;
	copy->dp->config.worker_cpus = NULL;
	copy->dp->counters = NULL;
	memset(copy->dp->workers, 0, sizeof(copy->dp->workers));
	atomic_store(&copy->dp->drop_captures, 0);
	atomic_store(&copy->dp->follow, NULL);
	atomic_store(&copy->dp->n_flights, 0);
	error = counters_create(PORTS_MAX, 1, 1, 0, 1, &copy->dp->counters);
	if (error == 0)
		error = worker_create(copy->dp, 0, &copy->worker);
	copy->dp->workers[0] = copy->worker;
	if (error == 0 && !copy_uplinks(copy))
		error = -ENOMEM;
	if (error < 0)
		trace_copy_fini(copy);
	return error;
}

void trace_copy_fini(struct trace_copy *copy)
{
	worker_destroy(copy->worker);
	counters_destroy(copy->dp->counters);
	free(copy->dp);
	while (copy->ports != NULL) {
		struct trace_port *next = copy->ports->next;

		free(copy->ports);
		copy->ports = next;
	}
	while (copy->segments != NULL) {
		struct trace_segment *next = copy->segments->next;

		free(copy->segments);
		copy->segments = next;
	}
}
