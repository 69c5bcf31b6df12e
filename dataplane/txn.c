/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes of the configuration: stage, prepare, commit. Main thread. */
#include "dataplane/txn.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/captures.h"
#include "dataplane/dataplane.h"
#include "dataplane/flight.h"
#include "dataplane/guard.h"
#include "dataplane/overlay.h"
#include "dataplane/port_peer.h"
#include "dataplane/segment_set.h"
#include "dataplane/txn_check.h"
#include "dataplane/vlan.h"

void *txn_make_room(void *items, size_t n, size_t item_bytes)
{
	if (n != 0 && (n & (n - 1)) != 0)
		return items;
	return realloc(items, (n != 0 ? 2 * n : 1) * item_bytes);
}

static struct txn_port *add_port(struct txn *txn)
{
	struct txn_port *ports = txn_make_room(txn->ports, txn->n_ports, sizeof(txn->ports[0]));

	if (ports == NULL)
		return NULL;
	txn->ports = ports;
	memset(&ports[txn->n_ports], 0, sizeof(ports[0]));
	return &ports[txn->n_ports++];
}

static struct txn_segment *add_segment(struct txn *txn)
{
	struct txn_segment *segments =
		txn_make_room(txn->segments, txn->n_segments, sizeof(txn->segments[0]));

	if (segments == NULL)
		return NULL;
	txn->segments = segments;
	memset(&segments[txn->n_segments], 0, sizeof(segments[0]));
	return &segments[txn->n_segments++];
}

int txn_begin(struct dataplane *dp, struct txn **out)
{
	struct txn *txn = calloc(1, sizeof(*txn));

	if (txn == NULL)
		return -ENOMEM;
	txn->dp = dp;
	*out = txn;
	return 0;
}

int txn_put_segment(struct txn *txn, const struct dp_segment *spec)
{
	struct txn_segment *segment = add_segment(txn);

	if (segment == NULL)
		return -ENOMEM;
	segment->spec = *spec;
	return 0;
}

int txn_del_segment(struct txn *txn, uint32_t id)
{
	struct txn_segment *segment = add_segment(txn);

	if (segment == NULL)
		return -ENOMEM;
	segment->spec.id = id;
	segment->is_delete = true;
	return 0;
}

int txn_put_port(struct txn *txn, const struct dp_port *spec, const int *fds, unsigned int n_fds)
{
	struct txn_port *port = add_port(txn);

	if (port == NULL) {
		for (unsigned int i = 0; i < n_fds; i++)
			close(fds[i]);
		return -ENOMEM;
	}
	port->spec = *spec;
	if (n_fds != 0)
		memcpy(port->fds, fds, n_fds * sizeof(fds[0]));
	port->n_fds = n_fds;
	return 0;
}

int txn_del_port(struct txn *txn, uint64_t id)
{
	struct txn_port *port = add_port(txn);

	if (port == NULL)
		return -ENOMEM;
	port->spec.id = id;
	port->is_delete = true;
	return 0;
}

/* --- prepare --- */

static int prepare_segment(struct txn *txn, struct txn_segment *staged, char *why, size_t why_bytes)
{
	struct dataplane *dp = txn->dp;

	staged->old = segment_find(dp, staged->spec.id);
	if (staged->is_delete)
		return 0;
	int error = segment_make_flight(dp, staged->old, &staged->spec, &staged->swaps_flight,
					&staged->flight);

	if (error < 0)
		snprintf(why, why_bytes, "segment %s: no memory for flight=on", staged->spec.name);
	if (error < 0 || staged->old != NULL)
		return error;
	for (unsigned int i = dp->segments_free_from; i < SEGMENTS_MAX; i++) {
		dp->segments_free_from = i;
		if (dp->segments_taken[i])
			continue;
		error = segment_create(dp, &staged->spec, &staged->made);
		if (error < 0) {
			snprintf(why, why_bytes, "segment %s: out of memory", staged->spec.name);
			return error;
		}
		staged->made->index = (uint16_t)i;
		dp->segments_taken[i] = true;
		return 0;
	}
	snprintf(why, why_bytes, "segment %s: this host already has %d segments, the maximum",
		 staged->spec.name, SEGMENTS_MAX - 1);
	return -ENOSPC;
}

uint16_t txn_segment_index(const struct txn *txn, uint32_t id)
{
	const struct txn_segment *staged = txn_check_staged_segment(txn, id);

	if (staged != NULL && staged->made != NULL)
		return staged->made->index;
	const struct segment *segment = segment_find(txn->dp, id);

	return segment != NULL ? segment->index : 0;
}

/* A peer, which has segments by their VNI. txn_check() has found the kind. */
static bool is_peer(const struct dp_port *spec)
{
	return port_kinds_find(spec->kind)->place == PORT_PLACE_VNI;
}

static bool is_trunk(const struct dp_port *spec)
{
	if (is_peer(spec))
		return false;
	return spec->n_members > 1 || (spec->n_members == 1 && spec->members[0].vlan != 0);
}

static int make_vlans(struct txn *txn, struct txn_port *staged, char *why, size_t why_bytes)
{
	const struct dp_port *spec = &staged->spec;
	struct vlan_member *members = calloc(spec->n_members, sizeof(members[0]));

	for (unsigned int i = 0; members != NULL && i < spec->n_members; i++) {
		members[i].segment = txn_segment_index(txn, spec->members[i].segment_id);
		members[i].vlan = spec->members[i].vlan;
	}
	if (members != NULL)
		staged->vlans = vlan_create(members, spec->n_members);
	free(members);
	if (staged->vlans != NULL)
		return 0;
	snprintf(why, why_bytes, "port %s: out of memory", spec->name);
	return -ENOMEM;
}

static int make_segments(struct txn *txn, struct txn_port *staged, char *why, size_t why_bytes)
{
	const struct dp_port *spec = &staged->spec;
	uint16_t members[DP_MEMBERS_MAX];

	for (unsigned int i = 0; i < spec->n_members; i++)
		members[i] = txn_segment_index(txn, spec->members[i].segment_id);
	staged->segments = segment_set_create(members, spec->n_members);
	if (staged->segments != NULL)
		return 0;
	snprintf(why, why_bytes, "port %s: out of memory", spec->name);
	return -ENOMEM;
}

/* What says which segments it is in, if that takes memory. */
static int make_place(struct txn *txn, struct txn_port *staged, char *why, size_t why_bytes)
{
	if (is_peer(&staged->spec))
		return make_segments(txn, staged, why, why_bytes);
	return is_trunk(&staged->spec) ? make_vlans(txn, staged, why, why_bytes) : 0;
}

static int prepare_port(struct txn *txn, struct txn_port *staged, char *why, size_t why_bytes)
{
	struct port *old = port_find(txn->dp, staged->spec.id);

	staged->old = old;
	if (staged->is_delete)
		return 0;
	int error = make_place(txn, staged, why, why_bytes);

	if (error < 0)
		return error;
	if (old != NULL && !port_kinds_is_replace(&old->spec, &staged->spec)) {
		error = guard_create(&staged->spec, &staged->guard);
		if (error < 0)
			snprintf(why, why_bytes, "port %s: out of memory", staged->spec.name);
		staged->in_place = true;
		return error;
	}
	error = port_create(txn->dp, &staged->spec, staged->fds, staged->n_fds, &staged->made, why,
			    why_bytes);
	if (error == 0)
		txn_unique_note(staged->made);
	return error;
}

/* Room for the flood lists that commit will replace. */
static int reserve_lists(struct txn *txn, char *why, size_t why_bytes)
{
	txn->unused_lists =
		calloc(txn->dp->segments_end + txn->n_segments, sizeof(txn->unused_lists[0]));
	txn->touched = calloc(SEGMENTS_MAX, sizeof(txn->touched[0]));
	if (txn->unused_lists != NULL && txn->touched != NULL)
		return 0;
	snprintf(why, why_bytes, "out of memory");
	return -ENOMEM;
}

static bool is_removed(const struct txn_port *staged)
{
	return staged->old != NULL && !staged->in_place;
}

/* By how many peers and uplinks a port changes their numbers: by (unsigned) -1 if it goes. */
static void count_port(const struct port *port, unsigned int by, unsigned int *n_peers,
		       unsigned int *n_uplinks)
{
	if (port != NULL && port->is_peer)
		*n_peers += by;
	if (port != NULL && port->type->send != NULL)
		*n_uplinks += by;
}

/* Peers and uplinks of the result. */
static void count_tunnels(const struct txn *txn, unsigned int *n_peers, unsigned int *n_uplinks)
{
	const struct dataplane *dp = txn->dp;

	*n_peers = *n_uplinks = 0;
	for (unsigned int i = 1; i < dp->ports_end; i++)
		count_port(atomic_load(&dp->ports[i]), 1, n_peers, n_uplinks);
	for (size_t i = 0; i < txn->n_ports; i++) {
		const struct txn_port *staged = &txn->ports[i];

		count_port(staged->made, 1, n_peers, n_uplinks);
		if (is_removed(staged))
			count_port(staged->old, UINT_MAX, n_peers, n_uplinks);
	}
}

/* The overlay that commit will fill, if anything in it changes. */
static int reserve_overlay(struct txn *txn, char *why, size_t why_bytes)
{
	unsigned int n_peers, n_uplinks, n_segments = txn->dp->segments_end;
	int error = 0;

	txn->has_overlay = txn->n_segments != 0;
	for (size_t i = 0; i < txn->n_ports && !txn->has_overlay; i++) {
		const struct port *port =
			txn->ports[i].made != NULL ? txn->ports[i].made : txn->ports[i].old;

		txn->has_overlay = port != NULL && (port->is_peer || port->type->send != NULL);
	}
	if (!txn->has_overlay)
		return 0;
	count_tunnels(txn, &n_peers, &n_uplinks);
	if (n_peers + n_uplinks != 0)
		error = overlay_create(n_segments + (unsigned int)txn->n_segments, n_peers,
				       n_uplinks, txn->dp->config.hash_seed, &txn->overlay);
	if (error < 0)
		snprintf(why, why_bytes, "out of memory");
	return error;
}

int txn_prepare(struct txn *txn, char *why, size_t why_bytes)
{
	int error = txn_check_index_segments(txn);

	if (error < 0)
		snprintf(why, why_bytes, "out of memory");
	else
		error = txn_check(txn, why, why_bytes);
	if (error == 0)
		error = txn_channels_prepare(txn, why, why_bytes);
	for (size_t i = 0; error == 0 && i < txn->n_segments; i++)
		error = prepare_segment(txn, &txn->segments[i], why, why_bytes);
	for (size_t i = 0; error == 0 && i < txn->n_ports; i++)
		error = prepare_port(txn, &txn->ports[i], why, why_bytes);
	if (error == 0)
		error = txn_lanes_prepare(txn, why, why_bytes);
	if (error == 0)
		error = reserve_lists(txn, why, why_bytes);
	if (error == 0)
		error = reserve_overlay(txn, why, why_bytes);
	return error;
}

/* --- commit --- */

static void publish_segments(struct txn *txn)
{
	struct dataplane *dp = txn->dp;

	for (size_t i = 0; i < txn->n_segments; i++) {
		struct txn_segment *staged = &txn->segments[i];

		if (staged->is_delete)
			continue;
		if (staged->old != NULL) {
			segment_apply(staged->old, &staged->spec);
			if (staged->swaps_flight)
				staged->flight =
					segment_swap_flight(dp, staged->old, staged->flight);
			txn->has_moved |= channel_resolve_segment(dp, staged->old);
			continue;
		}
		channel_resolve_segment(dp, staged->made);
		atomic_store(&staged->made->flight, staged->flight);
		staged->flight = NULL;
		segment_publish(dp, staged->made);
		/* Peers that have every segment have it too. */
		txn->touched[staged->made->index] = true;
		staged->made = NULL;
	}
}

/* An access port's one segment. */
static uint16_t access_segment(const struct txn *txn, const struct dp_port *spec)
{
	return spec->n_members == 1 && !is_trunk(spec) && !is_peer(spec)
		       ? txn_segment_index(txn, spec->members[0].segment_id)
		       : 0;
}

/* Puts the port into its segments. An access port changes by one store, or not at all; where there
 * is a trunk before or after, a worker that looks meanwhile finds the port in none. */
static void enter_segments(struct txn *txn, struct port *port, struct txn_port *staged)
{
	if (staged->vlans != NULL || atomic_load(&port->vlans) != NULL) {
		atomic_store(&port->segment, 0);
		staged->vlans = atomic_exchange(&port->vlans, staged->vlans);
	}
	if (port->is_peer)
		staged->segments = atomic_exchange(&port->segments, staged->segments);
	atomic_store_explicit(&port->segment, access_segment(txn, &staged->spec),
			      memory_order_release);
	port_mark_segments(port, txn->touched);
}

static void publish_ports(struct txn *txn)
{
	for (size_t i = 0; i < txn->n_ports; i++) {
		struct txn_port *staged = &txn->ports[i];

		if (staged->old != NULL)
			port_mark_segments(staged->old, txn->touched);
		if (staged->is_delete)
			continue;
		if (staged->in_place) {
			staged->old->spec = staged->spec;
			txn_unique_note(staged->old);
			port_apply(staged->old);
			staged->guard = atomic_exchange(&staged->old->guard, staged->guard);
			enter_segments(txn, staged->old, staged);
			channel_resolve_port(txn->dp, staged->old);
			continue;
		}
		enter_segments(txn, staged->made, staged);
		channel_resolve_port(txn->dp, staged->made);
		port_publish(staged->made);
		staged->made = NULL;
	}
}

/* Ports that are not in the transaction, of segments that have another channel. */
static void resolve_ports(struct txn *txn)
{
	struct dataplane *dp = txn->dp;

	for (unsigned int i = 1; txn->has_moved && i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL)
			channel_resolve_port(dp, port);
	}
}

/* New flood lists for the segments that ports have entered or left; the old ones go to
 * unused_lists. Without memory for a new list the old one stays: its floods miss a new port, and
 * the gate before tx keeps them out of others. */
static void publish_lists(struct txn *txn)
{
	struct dataplane *dp = txn->dp;
	struct flood_list **lists = segment_flood_lists(dp, txn->touched);

	for (unsigned int i = 1; lists != NULL && i < dp->segments_end; i++) {
		struct segment *segment = atomic_load(&dp->segments[i]);

		if (lists[i] == NULL)
			continue;
		txn->unused_lists[txn->n_unused_lists++] = atomic_load(&segment->flood);
		atomic_store_explicit(&segment->flood, lists[i], memory_order_release);
	}
	free(lists);
}

/* What decap knows, and the headers of the peers' tunnels, which name uplinks and their options. */
static void publish_overlay(struct txn *txn)
{
	struct dataplane *dp = txn->dp;

	if (!txn->has_overlay)
		return;
	if (txn->overlay != NULL)
		overlay_fill(txn->overlay, dp);
	txn->overlay = atomic_exchange(&dp->overlay, txn->overlay);
	for (unsigned int i = 1; txn->n_ports != 0 && i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL && port->type == &port_peer_type)
			port_peer_refresh(port);
	}
}

static void unpublish(struct txn *txn)
{
	struct dataplane *dp = txn->dp;

	for (size_t i = 0; i < txn->n_ports; i++) {
		struct txn_port *staged = &txn->ports[i];

		if (staged->old != NULL && !staged->in_place)
			port_unpublish(staged->old);
	}
	for (size_t i = 0; i < txn->n_segments; i++) {
		struct txn_segment *staged = &txn->segments[i];

		if (staged->is_delete && staged->old != NULL)
			segment_unpublish(dp, staged->old);
	}
}

/* Of ports that left a segment or are gone, and of those that bring addresses to bind, the tables
 * must hear. A segment goes after its ports have left it. */
static void forget(struct txn *txn)
{
	struct dataplane *dp = txn->dp;
	bool is_departure = false;

	dataplane_drain(dp);
	for (size_t i = 0; i < txn->n_ports; i++) {
		if (txn->ports[i].old == NULL)
			continue;
		dataplane_forget(dp, txn->ports[i].old->index);
		is_departure = true;
	}
	if (is_departure)
		dataplane_forget(dp, FDB_NO_PORT);
	/* What is bound to another port now was forgotten first. */
	for (size_t i = 0; i < txn->n_ports; i++) {
		const struct port *port = port_find(dp, txn->ports[i].spec.id);

		if (port != NULL)
			dataplane_bind(dp, port);
	}
}

/* After the grace period: nobody holds what was taken away. */
static void release(struct txn *txn)
{
	struct dataplane *dp = txn->dp;

	for (size_t i = 0; i < txn->n_unused_lists; i++)
		free(txn->unused_lists[i]);
	for (size_t i = 0; i < txn->n_ports; i++) {
		if (is_removed(&txn->ports[i]))
			port_close(txn->ports[i].old);
	}
	txn_lanes_free(txn);
	forget(txn);
	for (size_t i = 0; i < txn->n_ports; i++) {
		if (is_removed(&txn->ports[i]))
			port_free(txn->ports[i].old);
	}
	for (size_t i = 0; i < txn->n_segments; i++) {
		struct txn_segment *staged = &txn->segments[i];

		if (!staged->is_delete || staged->old == NULL)
			continue;
		segment_return_index(dp, staged->old->index);
		segment_destroy(staged->old);
	}
	txn_channels_release(txn);
}

static void free_txn(struct txn *txn)
{
	for (size_t i = 0; i < txn->n_ports; i++) {
		for (unsigned int k = 0; k < txn->ports[i].n_fds; k++)
			close(txn->ports[i].fds[k]);
		guard_destroy(txn->ports[i].guard);
		free(txn->ports[i].vlans);
		free(txn->ports[i].segments);
	}
	for (size_t i = 0; i < txn->n_segments; i++)
		flight_destroy(txn->segments[i].flight);
	overlay_destroy(txn->overlay);
	txn_channels_free(txn);
	free(txn->by_id);
	free(txn->touched);
	free(txn->unused_lists);
	free(txn->ports);
	free(txn->segments);
	free(txn);
}

void txn_commit(struct txn *txn)
{
	bool has_channels = txn_channels_has_any(txn) || txn->n_ports != 0;
	bool has_flights = atomic_load(&txn->dp->n_flights) != 0;

	unpublish(txn);
	/* A port that is replaced must be out of the workers' hands before its successor comes. */
	atomic_fetch_add(&txn->dp->channels_epoch, has_channels);
	dataplane_synchronize(txn->dp);
	txn_channels_publish(txn);
	publish_segments(txn);
	publish_ports(txn);
	/* Which ports have one may be another matter now. */
	if (has_flights || atomic_load(&txn->dp->n_flights) != 0)
		captures_join_all(txn->dp);
	resolve_ports(txn);
	txn_lanes_publish(txn);
	txn_channels_withdraw(txn);
	publish_lists(txn);
	publish_overlay(txn);
	if (has_channels || txn->has_moved)
		channel_changed(txn->dp);
	dataplane_synchronize(txn->dp);
	release(txn);
	free_txn(txn);
}

void txn_abort(struct txn *txn)
{
	if (txn == NULL)
		return;
	txn_lanes_free(txn);
	for (size_t i = 0; i < txn->n_ports; i++)
		port_destroy(txn->ports[i].made);
	for (size_t i = 0; i < txn->n_segments; i++) {
		if (txn->segments[i].made == NULL)
			continue;
		segment_return_index(txn->dp, txn->segments[i].made->index);
		segment_destroy(txn->segments[i].made);
	}
	free_txn(txn);
}
