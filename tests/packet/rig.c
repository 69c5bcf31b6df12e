/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet suite's dataplane: ports of packet lists, stepped through virtual time. */
#include "tests/packet/rig.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/encode.h"
#include "control/model.h"
#include "dataplane/api/kinds.h"
#include "dataplane/counters.h"
#include "dataplane/port_peer.h"
#include "dataplane/txn.h"
#include "dataplane/worker.h"
#include "tests/packet/offloads.h"

/* --- a port type made of lists --- */

static int list_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
			size_t why_bytes)
{
	struct rig_port *lists = calloc(1, sizeof(*lists));

	if (lists == NULL)
		return -ENOMEM;
	lists->rxq = (struct rxq){.port = port, .wake_fd = -1, .worker = -1};
	port->impl = lists;
	return 0;
}

static void list_publish(struct port *port)
{
	struct rig_port *lists = port->impl;

	if (port_attach_rxq(port, &lists->rxq) < 0)
		abort();
}

static void list_close(struct port *port)
{
	struct rig_port *lists = port->impl;

	port_detach_rxq(port, &lists->rxq);
	packets_clear(&lists->in);
	packets_clear(&lists->out);
	free(lists);
}

static void list_state(const struct port *port, struct dp_port_state *state)
{
	state->link = DP_LINK_UP;
}

/* Like every port: head to private memory, the rest stays where it is, here in the list. */
static void list_rx(struct rxq *rxq, struct burst *burst)
{
	struct rig_port *lists = (struct rig_port *)rxq;

	while (burst->n < BURST_FRAMES && lists->taken < lists->in.n &&
	       lists->in.list[lists->taken].time_ns <= *lists->now_ns) {
		const struct packet *packet = &lists->in.list[lists->taken++];
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
		if (lists->segment_bytes != 0)
			offloads_describe(frame, lists->segment_bytes);
	}
}

static void list_rx_done(struct rxq *rxq, struct burst *burst)
{
	/* Nothing is lent. */
}

static void put_out(struct rig_port *lists, const struct port_out *out,
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
	if (packets_add(&lists->out, *lists->now_ns, bytes, (uint32_t)at) < 0)
		abort();
	free(bytes);
	count->tx_frames++;
	count->tx_bytes += frame->len;
}

static void list_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		    struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct port_out out = {.frame = &burst->frames[order[i]]};

		put_out(port->impl, &out, count);
	}
}

/* An uplink's: what a peer sends through it. */
static void list_send(struct port *port, const struct port_out *out, unsigned int n,
		      struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++)
		put_out(port->impl, &out[i], count);
}

static bool list_arm(struct rxq *rxq)
{
	return true;
}

static void list_disarm(struct rxq *rxq)
{
	/* Nothing wakes a list. */
}

#define LIST_TYPE(of_kind, of_send)                                                                \
	{                                                                                          \
		.kind = (of_kind), .prepare = list_prepare, .publish = list_publish,               \
		.close = list_close, .state = list_state, .rx = list_rx, .rx_done = list_rx_done,  \
		.tx = list_tx, .send = (of_send), .arm = list_arm, .disarm = list_disarm,          \
	}

/* A lab may name any kind: they all are lists here, but peers, which lead to an uplink's. */
static const struct port_type list_tap = LIST_TYPE(&kind_tap, NULL);
static const struct port_type list_vhost = LIST_TYPE(&kind_vhost_user, NULL);
static const struct port_type list_uplink = LIST_TYPE(&kind_uplink, list_send);
static const struct port_type *const list_types[] = {&list_tap, &list_vhost, &list_uplink,
						     &port_peer_type, NULL};

/* --- the rig --- */

static int put_model(struct dataplane *dp, const struct model *model, char *why, size_t why_bytes)
{
	struct txn *txn = NULL;
	int error = txn_begin(dp, &txn);

	for (size_t i = 0; error == 0 && i < model->n_segments; i++) {
		struct dp_segment message;

		encode_segment(model, model->segments[i], &message);
		error = txn_put_segment(txn, &message);
	}
	for (size_t i = 0; error == 0 && i < model->n_ports; i++) {
		struct dp_port message;

		encode_port(model, model->ports[i], &message);
		error = txn_put_port(txn, &message, NULL, 0);
	}
	if (error == 0)
		error = txn_prepare(txn, why, why_bytes);
	if (error == 0)
		txn_commit(txn);
	else
		txn_abort(txn);
	return error;
}

int rig_create(struct rig *rig, const struct model *model, char *why, size_t why_bytes)
{
	struct dataplane_config config = {
		.run_dir = "/nonexistent",
		.port_types = list_types,
		.memory = memory_plain,
		.n_workers = 1,
		.fdb_capacity = 65536,
		.hash_seed = 1,
		.epoch = 1,
	};
	int error = dataplane_create(&config, &rig->dp);

	snprintf(why, why_bytes, "cannot make a dataplane");
	rig->now_ns = 0;
	if (error == 0)
		error = put_model(rig->dp, model, why, why_bytes);
	if (error < 0) {
		dataplane_destroy(rig->dp);
		rig->dp = NULL;
		return error;
	}
	for (unsigned int i = 1; i < rig->dp->ports_end; i++) {
		struct port *port = atomic_load(&rig->dp->ports[i]);

		if (port != NULL && !port->is_peer)
			((struct rig_port *)port->impl)->now_ns = &rig->now_ns;
	}
	return 0;
}

void rig_destroy(struct rig *rig)
{
	dataplane_destroy(rig->dp);
	rig->dp = NULL;
}

static struct port *find(const struct rig *rig, const char *name)
{
	for (unsigned int i = 1; i < rig->dp->ports_end; i++) {
		struct port *port = atomic_load(&rig->dp->ports[i]);

		if (port != NULL && strcmp(port->spec.name, name) == 0)
			return port;
	}
	return NULL;
}

struct rig_port *rig_port(const struct rig *rig, const char *name)
{
	struct port *port = find(rig, name);

	return port != NULL && !port->is_peer ? port->impl : NULL;
}

int rig_nexthop(const struct rig *rig, const char *peer, const char *uplink,
		const struct dp_nexthop *nexthop)
{
	struct port *from = find(rig, peer), *through = find(rig, uplink);
	struct dp_nexthop message = *nexthop;
	char why[DP_TEXT_BYTES];

	if (from == NULL || !from->is_peer || through == NULL)
		return -ENOENT;
	message.peer_id = from->spec.id;
	message.uplink_id = through->spec.id;
	return port_peer_nexthop(from, &message, why, sizeof(why));
}

/* The earliest time that some port still has input for; false: all is taken. */
static bool next_time(const struct rig *rig, uint64_t *time_ns)
{
	bool found = false;

	for (unsigned int i = 1; i < rig->dp->ports_end; i++) {
		struct port *port = atomic_load(&rig->dp->ports[i]);
		const struct rig_port *lists =
			port != NULL && !port->is_peer ? port->impl : NULL;

		if (lists == NULL || lists->taken == lists->in.n)
			continue;
		uint64_t first = lists->in.list[lists->taken].time_ns;

		if (!found || first < *time_ns)
			*time_ns = first;
		found = true;
	}
	return found;
}

void rig_run(struct rig *rig)
{
	while (next_time(rig, &rig->now_ns)) {
		while (worker_turn(rig->dp->workers[0], rig->now_ns) != 0)
			dataplane_turn(rig->dp, rig->now_ns);
		dataplane_turn(rig->dp, rig->now_ns);
	}
}

const struct counters_block *rig_counters(const struct rig *rig, const char *name)
{
	const struct port *port = find(rig, name);

	return port != NULL ? counters_block(rig->dp->counters, port->slot, 0) : NULL;
}

struct counters_block rig_totals(const struct rig *rig)
{
	struct counters_block sum = {0};

	for (unsigned int slot = 0; slot < PORTS_MAX; slot++) {
		const uint64_t *from = (const uint64_t *)counters_block(rig->dp->counters, slot, 0);

		for (size_t i = 0; i < sizeof(sum) / sizeof(uint64_t); i++)
			((uint64_t *)&sum)[i] += from[i];
	}
	return sum;
}

bool rig_accounts_for_all(const struct rig *rig)
{
	struct counters_block sum = rig_totals(rig);
	uint64_t came = sum.rx_frames + sum.generated + sum.copies + sum.segments;
	uint64_t drops = 0;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		drops += sum.drops[i];
	if (came == sum.tx_frames + drops + sum.queued)
		return true;
	fprintf(stderr,
		"  frames unaccounted for: rx %" PRIu64 " + generated %" PRIu64 " + copies %" PRIu64
		" + segments %" PRIu64 " != tx %" PRIu64 " + drops %" PRIu64 " + queued %" PRIu64
		"\n",
		sum.rx_frames, sum.generated, sum.copies, sum.segments, sum.tx_frames, drops,
		sum.queued);
	return false;
}
