/* SPDX-License-Identifier: BSD-3-Clause */
/* Port objects: creation in steps, publication, queues. Main thread. */
#include "dataplane/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/answer.h"
#include "dataplane/balance.h"
#include "dataplane/captures.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/guard.h"
#include "dataplane/learn.h"
#include "dataplane/neigh.h"
#include "dataplane/probe.h"
#include "dataplane/replays.h"
#include "dataplane/segment_set.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

const struct port_type *port_find_type(const struct dataplane *dp, const char *kind)
{
	for (size_t i = 0; dp->config.port_types[i] != NULL; i++) {
		if (strcmp(dp->config.port_types[i]->kind->name, kind) == 0)
			return dp->config.port_types[i];
	}
	return NULL;
}

/* What stages need to know of the port, from its spec. */
static int set_up_limits(struct port *port)
{
	struct guard *guard = NULL;
	int error = guard_create(&port->spec, &guard);

	atomic_store(&port->guard, guard);
	storm_init(&port->storm);
	rate_init(&port->claims, NEIGH_CLAIMS_PER_S, NEIGH_CLAIMS_BURST);
	rate_init(&port->learns_easy, LEARN_EASY_PER_S, LEARN_EASY_BURST);
	rate_init(&port->learns, LEARN_PER_S, LEARN_BURST);
	if (port->is_peer)
		rate_init(&port->answers, PROBES_PER_S, PROBES_BURST);
	else
		rate_init(&port->answers, ANSWERS_PER_S, ANSWERS_BURST);
	return error;
}

/* An index that neither a published port nor one that waits for it has. */
static int take_index(struct dataplane *dp)
{
	for (unsigned int i = dp->ports_free_from; i < PORTS_MAX; i++) {
		if (atomic_load(&dp->ports[i]) == NULL && !dp->ports_taken[i]) {
			dp->ports_taken[i] = true;
			dp->ports_free_from = i + 1;
			return (int)i;
		}
	}
	return -ENOSPC;
}

static void return_index(struct dataplane *dp, unsigned int index)
{
	dp->ports_taken[index] = false;
	if (index < dp->ports_free_from)
		dp->ports_free_from = index;
}

int port_create(struct dataplane *dp, const struct dp_port *spec, const int *fds,
		unsigned int n_fds, struct port **out, char *why, size_t why_bytes)
{
	const struct port_type *type = port_find_type(dp, spec->kind);
	struct port *port = calloc(1, sizeof(*port));

	if (type == NULL || port == NULL) {
		snprintf(why, why_bytes,
			 type == NULL ? "port %s: unknown type %s" : "port %s: out of memory",
			 spec->name, spec->kind);
		free(port);
		return type == NULL ? -EINVAL : -ENOMEM;
	}
	int index = take_index(dp);
	int slot = index < 0 ? index : counters_take_slot(dp->counters, spec->id);

	if (slot < 0) {
		snprintf(why, why_bytes, "port %s: this host already has %d ports, the maximum",
			 spec->name, PORTS_MAX - 1);
		if (index >= 0)
			return_index(dp, (unsigned int)index);
		free(port);
		return -ENOSPC;
	}
	port->type = type;
	atomic_init(&port->io, type);
	port->dp = dp;
	port->spec = *spec;
	port->index = (uint16_t)index;
	port->slot = (uint16_t)slot;
	port->is_peer = type->kind->place == PORT_PLACE_VNI;
	int error = set_up_limits(port);

	if (error < 0)
		snprintf(why, why_bytes, "port %s: out of memory", spec->name);
	else
		error = type->prepare(port, fds, n_fds, why, why_bytes);
	if (error < 0) {
		guard_destroy(atomic_load(&port->guard));
		counters_return_slot(dp->counters, port->slot);
		return_index(dp, port->index);
		free(port);
		return error;
	}
	port_apply(port);
	*out = port;
	return 0;
}

void port_close(struct port *port)
{
	replays_leave(port);
	port->type->close(port);
}

void port_free(struct port *port)
{
	/* What lanes hold is counted as lost with the counters. */
	for (unsigned int way = 0; way < DP_WAYS; way++)
		lane_set_free(atomic_load(&port->lanes[way]), NULL);
	counters_return_slot(port->dp->counters, port->slot);
	return_index(port->dp, port->index);
	guard_destroy(atomic_load(&port->guard));
	free(atomic_load(&port->vlans));
	free(atomic_load(&port->segments));
	free(port);
}

void port_destroy(struct port *port)
{
	if (port == NULL)
		return;
	port_close(port);
	port_free(port);
}

void port_apply(struct port *port)
{
	const struct dp_port *spec = &port->spec;
	struct option_set set = port_kinds_options(port->type->kind);

	const struct dp_option *macs = port_option(port, "macs");
	const struct dp_option *learn = port_option(port, "learn");
	int n_macs = macs != NULL ? port_options_parse_macs(macs->text, port->macs) : 0;

	port->n_macs = n_macs > 0 ? (unsigned int)n_macs : 0;
	port->max_macs = (uint32_t)options_number(&set, spec->options, spec->n_options, "max_macs");
	atomic_store(&port->takes_tags,
		     options_number(&set, spec->options, spec->n_options, "qinq") != 0);
	atomic_store(&port->is_isolated,
		     options_number(&set, spec->options, spec->n_options, "isolated") != 0);
	atomic_store(&port->is_teaching, learn == NULL || learn->number != 0);
	storm_set(&port->storm, spec->storm_pps);
	atomic_store(&port->state,
		     (uint8_t)options_number(&set, spec->options, spec->n_options, "state"));
}

bool port_is_in(const struct port *port, uint16_t segment)
{
	const struct vlan_map *vlans = atomic_load_explicit(&port->vlans, memory_order_acquire);

	if (port->is_peer)
		return segment_set_has(atomic_load_explicit(&port->segments, memory_order_acquire),
				       segment);
	if (vlans != NULL)
		return vlan_of(vlans, segment) != VLAN_NOT_MEMBER;
	return atomic_load_explicit(&port->segment, memory_order_acquire) == segment;
}

void port_mark_segments(const struct port *port, bool marks[])
{
	const struct vlan_map *vlans = atomic_load(&port->vlans);

	for (unsigned int i = 1; port->is_peer && i < SEGMENTS_MAX; i++)
		marks[i] |= segment_set_has(atomic_load(&port->segments), (uint16_t)i);
	if (vlans == NULL)
		marks[atomic_load(&port->segment)] = true;
	for (uint16_t i = 1; vlans != NULL && i < vlans->n_segments; i++)
		marks[i] |= vlan_of(vlans, i) != VLAN_NOT_MEMBER;
}

void port_publish(struct port *port)
{
	struct dataplane *dp = port->dp;

	captures_join(port);
	if (port->index >= dp->ports_end)
		dp->ports_end = port->index + 1u;
	atomic_store_explicit(&dp->ports[port->index], port, memory_order_release);
	port->is_published = true;
	dp->n_ports++;
	port->next_by_id = dp->ports_by_id[port->spec.id % PORTS_BY_ID];
	dp->ports_by_id[port->spec.id % PORTS_BY_ID] = port;
	port->type->publish(port);
}

void port_unpublish(struct port *port)
{
	struct dataplane *dp = port->dp;

	atomic_store_explicit(&dp->ports[port->index], NULL, memory_order_release);
	port->is_published = false;
	dp->n_ports--;
	struct port **link = &dp->ports_by_id[port->spec.id % PORTS_BY_ID];

	while (*link != port)
		link = &(*link)->next_by_id;
	*link = port->next_by_id;
	while (dp->ports_end > 1 && atomic_load(&dp->ports[dp->ports_end - 1]) == NULL)
		dp->ports_end--;
}

int port_attach_rxq(struct port *port, struct rxq *rxq)
{
	struct dataplane *dp = port->dp;

	rxq->port = port;
	return worker_attach_rxq(dp->workers[balance_choose(dp, rxq)], rxq);
}

void port_detach_rxq(struct port *port, struct rxq *rxq)
{
	if (rxq->worker >= 0)
		worker_detach_rxq(port->dp->workers[rxq->worker], rxq);
}

void port_wake_rxq(struct port *port, struct rxq *rxq)
{
	if (rxq->worker >= 0)
		worker_wake(port->dp->workers[rxq->worker]);
}

const struct dp_option *port_spec_option(const struct dp_port *spec, const struct port_kind *kind,
					 const char *key)
{
	int index = port_kinds_option(kind, key);

	return index < 0 ? NULL
			 : options_value(spec->options, spec->n_options, (unsigned int)index);
}

const struct dp_option *port_option(const struct port *port, const char *key)
{
	return port_spec_option(&port->spec, port->type->kind, key);
}

struct port *port_find(const struct dataplane *dp, uint64_t id)
{
	struct port *port = dp->ports_by_id[id % PORTS_BY_ID];

	while (port != NULL && port->spec.id != id)
		port = port->next_by_id;
	return port;
}

bool port_has_successor(const struct port *port)
{
	const struct dataplane *dp = port->dp;

	for (unsigned int i = 1; i < dp->ports_end; i++) {
		const struct port *other = atomic_load(&dp->ports[i]);

		if (other != NULL && other != port && other->type == port->type &&
		    strcmp(other->spec.name, port->spec.name) == 0)
			return true;
	}
	return false;
}
