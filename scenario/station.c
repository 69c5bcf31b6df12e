/* SPDX-License-Identifier: BSD-3-Clause */
/* Stations: ports made of lists. */
#include "scenario/station.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/kinds.h"
#include "dataplane/drop.h"
#include "dataplane/port_peer.h"
#include "dataplane/vhost/ring_budget.h"
#include "scenario/offloads.h"

/* A port of the dataplane. */
struct plug {
	struct rxq rxq;
	struct station *station;
};

static int plug_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
			size_t why_bytes)
{
	/* cast: a port of a station's type has no other */
	const struct station_type *type = (const struct station_type *)port->type;
	struct station *station = station_find(type->stations, port->spec.name);
	struct plug *plug = calloc(1, sizeof(*plug));

	if (plug == NULL || station == NULL) {
		free(plug);
		snprintf(why, why_bytes, "port %s: no station", port->spec.name);
		return -ENOENT;
	}
	plug->rxq = (struct rxq){.port = port, .wake_fd = -1, .worker = -1};
	plug->station = station;
	port->impl = plug;
	return 0;
}

static void plug_publish(struct port *port)
{
	struct plug *plug = port->impl;

	atomic_store(&port->offload_caps, plug->station->offload_caps);
	if (port_attach_rxq(port, &plug->rxq) < 0)
		abort();
}

static void plug_close(struct port *port)
{
	struct plug *plug = port->impl;

	if (plug->rxq.worker >= 0)
		port_detach_rxq(port, &plug->rxq);
	free(plug);
}

static void plug_state(const struct port *port, struct dp_port_state *state)
{
	state->link = DP_LINK_UP;
}

/* Like every port: head to private memory, the rest stays where it is, here in the list. */
static void take(struct station *station, const struct packet *packet, struct burst *burst)
{
	struct frame *frame = &burst->frames[burst->n++];
	uint32_t head = packet->len < FRAME_HEAD_BYTES ? packet->len : FRAME_HEAD_BYTES;

	memset(frame, 0, sizeof(*frame));
	frame->len = packet->len;
	frame->head_len = (uint16_t)head;
	memcpy(frame->head, packet->bytes, head);
	if (packet->len > head) {
		struct iovec *piece = &burst->pieces[burst->n_pieces++];

		piece->iov_base = packet->bytes + head;
		piece->iov_len = packet->len - head;
		frame->iov = piece;
		frame->n_iov = 1;
	}
	if (packet->len > FRAME_BYTES_MAX)
		frame->drop = DROP_OVERSIZE;
	else if (station->segment_bytes != 0)
		offloads_describe(frame, station->segment_bytes);
}

static bool has_come(const struct station *station, size_t i)
{
	return i < station->in.n && station->in.list[i].time_ns <= *station->now_ns;
}

static void plug_rx(struct rxq *rxq, struct burst *burst)
{
	struct station *station = ((struct plug *)rxq)->station;

	while (burst->n < BURST_FRAMES && has_come(station, station->taken))
		take(station, &station->in.list[station->taken++], burst);
}

/* A guest's ring: what the budget does not allow stays there. */
static void ring_rx(struct rxq *rxq, struct burst *burst)
{
	struct station *station = ((struct plug *)rxq)->station;
	struct ring_budget budget = ring_budget(burst);
	enum ring_budget_step step = RING_BUDGET_MORE;
	size_t end = station->taken;

	if (!burst->has_budget) {
		plug_rx(rxq, burst);
		return;
	}
	while (burst->n < budget.frames && budget.bytes > 0 && step == RING_BUDGET_MORE &&
	       has_come(station, station->taken)) {
		take(station, &station->in.list[station->taken], burst);
		step = ring_budget_take(&budget, burst, burst->n - 1);
		if (step == RING_BUDGET_STAYS)
			burst->n--;
		else
			station->taken++;
	}
	while (has_come(station, end))
		end++;
	burst->n_left = (uint32_t)(end - station->taken);
}

static void plug_rx_done(struct rxq *rxq, struct burst *burst)
{
	/* Nothing is lent. */
}

/* A guest that does not read has a full ring. */
static bool has_room(const struct station *station)
{
	return *station->now_ns < station->full_from_ns ||
	       *station->now_ns >= station->full_until_ns;
}

static bool plug_has_room(const struct port *port, unsigned int n_buffers)
{
	return has_room(((struct plug *)port->impl)->station);
}

static void put_out(struct station *station, const struct port_out *out,
		    struct counters_block *count)
{
	const struct frame *frame = out->frame;
	uint8_t *bytes = malloc(out->outer_len + frame->len);
	size_t at = out->outer_len;

	if (bytes == NULL)
		abort();
	if (at != 0)
		memcpy(bytes, out->outer, at);
	memcpy(bytes + at, frame->head, frame->head_len);
	at += frame->head_len;
	for (unsigned int k = 0; k < frame->n_iov; k++) {
		memcpy(bytes + at, frame->iov[k].iov_base, frame->iov[k].iov_len);
		at += frame->iov[k].iov_len;
	}
	if (packets_add(&station->out, *station->now_ns, bytes, (uint32_t)at) < 0)
		abort();
	free(bytes);
	count->tx_frames++;
	count->tx_bytes += frame->len;
}

static void plug_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		    struct counters_block *count)
{
	if (!has_room(((struct plug *)port->impl)->station)) {
		drop_frames(burst, count, order, n, DROP_RING_FULL);
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		const struct port_out out = {.frame = &burst->frames[order[i]]};

		put_out(((struct plug *)port->impl)->station, &out, count);
	}
}

/* An uplink's: what a peer sends through it. */
static void plug_send(struct port *port, const struct port_out *out, unsigned int n,
		      struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++)
		put_out(((struct plug *)port->impl)->station, &out[i], count);
}

static bool plug_arm(struct rxq *rxq)
{
	return true;
}

static void plug_disarm(struct rxq *rxq)
{
	/* Nothing wakes a list. */
}

void station_fill_set(struct station_set *set, struct stations *stations)
{
	static const struct port_kind *const kinds[STATION_TYPES] = {&kind_tap, &kind_vhost_user,
								     &kind_uplink};

	for (size_t i = 0; i < STATION_TYPES; i++) {
		set->types[i] = (struct station_type){
			.type =
				{
					.kind = kinds[i],
					.prepare = plug_prepare,
					.publish = plug_publish,
					.close = plug_close,
					.state = plug_state,
					.rx = kinds[i] == &kind_vhost_user ? ring_rx : plug_rx,
					.rx_done = plug_rx_done,
					.tx = plug_tx,
					.send = kinds[i] == &kind_uplink ? plug_send : NULL,
					.has_room =
						kinds[i] == &kind_vhost_user ? plug_has_room : NULL,
					.arm = plug_arm,
					.disarm = plug_disarm,
					.holds_rx = kinds[i] == &kind_vhost_user,
				},
			.stations = stations,
		};
		set->list[i] = &set->types[i].type;
	}
	set->list[STATION_TYPES] = &port_peer_type;
	set->list[STATION_TYPES + 1] = NULL;
}

struct station *station_find(const struct stations *stations, const char *name)
{
	for (size_t i = 0; i < stations->n; i++) {
		if (strcmp(stations->list[i]->name, name) == 0)
			return stations->list[i];
	}
	return NULL;
}

struct station *station_make(struct stations *stations, const char *name)
{
	struct station *station = station_find(stations, name);

	if (station != NULL)
		return station;
	struct station **list = realloc(stations->list, (stations->n + 1) * sizeof(*list));

	if (list == NULL)
		return NULL;
	stations->list = list;
	/* The counters in it lie on lines of their own. */
	station = aligned_alloc(_Alignof(struct station), sizeof(*station));
	if (station == NULL)
		return NULL;
	*station = (struct station){.now_ns = stations->now_ns};
	snprintf(station->name, sizeof(station->name), "%s", name);
	list[stations->n++] = station;
	return station;
}

void station_free_all(struct stations *stations)
{
	for (size_t i = 0; i < stations->n; i++) {
		packets_clear(&stations->list[i]->in);
		packets_clear(&stations->list[i]->out);
		free(stations->list[i]);
	}
	free(stations->list);
	stations->list = NULL;
	stations->n = 0;
}
