/* SPDX-License-Identifier: BSD-3-Clause */
/* See shape_rig.h. */
#include "tests/unit/dataplane/channel/shape_rig.h"

#include <endian.h>
#include <linux/if_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/api/kinds.h"
#include "dataplane/channel/buffers.h"
#include "dataplane/checksum.h"
#include "dataplane/counters.h"
#include "dataplane/drop.h"
#include "dataplane/offload.h"
#include "dataplane/txn.h"
#include "dataplane/txn_channels.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define SERIAL_AT SHAPE_HEADERS /* in a frame without a tag, behind UDP's header */
#define TIME_AT (SERIAL_AT + 4)
#define TCP_HEADERS 54

static const uint8_t body[FRAME_BYTES_MAX];

/* --- the port type --- */

static int shape_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
			 size_t why_bytes)
{
	struct shape_port *own = calloc(1, sizeof(*own));

	assert_non_null(own);
	own->rxq = (struct rxq){.port = port, .worker = -1};
	own->rxq.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	own->station = (uint32_t)port->spec.id;
	own->room = -1;
	own->n_allowed = UINT32_MAX;
	rte_spinlock_init(&own->lock);
	atomic_store(&port->offload_caps, OFFLOAD_ALL);
	port->impl = own;
	return 0;
}

static void shape_publish(struct port *port)
{
	struct shape_port *own = port->impl;

	assert_int_equal(port_attach_rxq(port, &own->rxq), 0);
}

static void shape_close(struct port *port)
{
	struct shape_port *own = port->impl;

	port_detach_rxq(port, &own->rxq);
	close(own->rxq.wake_fd);
	free(own);
}

static void shape_state(const struct port *port, struct dp_port_state *state)
{
	state->link = DP_LINK_UP;
}

static void write_ip(uint8_t *ip, const struct shape_frame *from, uint32_t len)
{
	uint16_t checksum;

	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = from->tos;
	ip[2] = (uint8_t)((len - ETH_HLEN) >> 8);
	ip[3] = (uint8_t)(len - ETH_HLEN);
	ip[8] = 64;
	ip[9] = from->gso_bytes != 0 ? 6 : 17;
	ip[12] = ip[16] = 10;
	checksum = (uint16_t)~checksum_fold(checksum_add(0, ip, 20));
	memcpy(ip + 10, &checksum, sizeof(checksum));
}

static void write_head(const struct shape_port *own, const struct shape_frame *from, uint8_t *head)
{
	uint8_t *ip = head + ETH_HLEN, *l4 = ip + 20;

	rig_mac(head, from->dst);
	rig_mac(head + ETH_ALEN, own->station);
	head[12] = 0x08;
	head[13] = 0;
	write_ip(ip, from, from->len);
	memset(l4, 0, 20);
	l4[0] = (uint8_t)(from->flow >> 8);
	l4[1] = (uint8_t)from->flow;
	if (from->gso_bytes != 0) {
		memcpy(l4 + 4, &from->serial, sizeof(from->serial));
		l4[12] = 5 << 4;
		return;
	}
	memcpy(head + SERIAL_AT, &from->serial, sizeof(from->serial));
	memcpy(head + TIME_AT, &from->sent_ns, sizeof(from->sent_ns));
}

static void push_tag(struct frame *frame, uint16_t vlan)
{
	memmove(frame->head + 16, frame->head + 12, FRAME_HEAD_BYTES - 16);
	frame->head[12] = 0x81;
	frame->head[13] = 0;
	frame->head[14] = (uint8_t)(vlan >> 8);
	frame->head[15] = (uint8_t)vlan;
	frame->len += 4;
}

static void fill(const struct shape_port *own, const struct shape_frame *from, struct burst *burst)
{
	struct frame *frame = &burst->frames[burst->n++];

	memset(frame, 0, sizeof(*frame));
	frame->len = from->len;
	write_head(own, from, frame->head);
	if (from->vlan != 0)
		push_tag(frame, from->vlan);
	frame->head_len = (uint16_t)(frame->len < FRAME_HEAD_BYTES ? frame->len : FRAME_HEAD_BYTES);
	frame->vnet.num_buffers = htole16(1);
	if (from->gso_bytes != 0) {
		frame->vnet.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		frame->vnet.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		frame->vnet.hdr.gso_size = htole16(from->gso_bytes);
		frame->vnet.hdr.hdr_len = htole16(TCP_HEADERS);
		frame->vnet.hdr.csum_start = htole16(34);
		frame->vnet.hdr.csum_offset = htole16(16);
	}
	if (frame->len > FRAME_HEAD_BYTES) {
		burst->pieces[burst->n_pieces] =
			(struct iovec){(void *)(uintptr_t)body, frame->len - FRAME_HEAD_BYTES};
		frame->iov = &burst->pieces[burst->n_pieces++];
		frame->n_iov = 1;
	}
}

static void shape_rx(struct rxq *rxq, struct burst *burst)
{
	struct shape_port *own = rxq->port->impl;

	if (own->refilled != NULL)
		own->refilled->room = INT32_MAX;
	while (own->n != 0 && burst->n < BURST_FRAMES && own->n_taken < own->n_allowed) {
		fill(own, &own->pending[own->first], burst);
		own->first = (own->first + 1) % SHAPE_PENDING;
		own->n_taken++;
		own->n--;
	}
}

static void shape_rx_done(struct rxq *rxq, struct burst *burst)
{
}

static void look_at(struct shape_port *own, const struct frame *frame, uint64_t now_ns)
{
	const uint8_t *head = frame->head + (frame->head[12] == 0x81 ? 4 : 0),
		      *ip = head + ETH_HLEN;
	struct shape_flow *flow = &own->got[(ip[20] << 8 | ip[21]) % SHAPE_FLOWS];
	uint32_t serial;
	uint64_t sent_ns;

	own->got_frames++;
	own->got_bytes += frame->len;
	flow->frames++;
	flow->bytes += frame->len;
	flow->marks += (ip[1] & 3) == 3;
	flow->large += frame->vnet.hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE;
	if (ip[9] == 6)
		return;
	memcpy(&serial, head + SERIAL_AT, sizeof(serial));
	memcpy(&sent_ns, head + TIME_AT, sizeof(sent_ns));
	flow->reordered += serial < flow->next;
	flow->next = serial + 1;
	flow->delay_ns = now_ns - sent_ns;
	if (flow->delay_ns > flow->delay_max_ns)
		flow->delay_max_ns = flow->delay_ns;
}

static bool is_of_flow(const struct frame *frame, uint16_t flow)
{
	return frame->head[34] == flow >> 8 && frame->head[35] == (flow & 0xff);
}

static void shape_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		     struct counters_block *count)
{
	struct shape_port *own = port->impl;

	rte_spinlock_lock(&own->lock);
	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[order[i]];
		size_t bytes = frame->head_len;

		for (unsigned int k = 0; k < frame->n_iov; k++)
			bytes += frame->iov[k].iov_len;
		assert_int_equal(bytes, frame->len);
		if (own->room == 0 || (own->full_flow != 0 && is_of_flow(frame, own->full_flow))) {
			drop_frame(burst->recorder, count, frame, DROP_RING_FULL);
			continue;
		}
		if (own->room > 0)
			own->room--;
		look_at(own, frame, burst->now_ns);
		count->tx_frames++;
		count->tx_bytes += frame->len;
	}
	rte_spinlock_unlock(&own->lock);
	if (own->on_tx != NULL)
		own->on_tx(own->on_tx_ctx);
}

static bool shape_has_room(const struct port *port, unsigned int n_buffers)
{
	const struct shape_port *own = port->impl;

	return own->full_flow == 0 && (own->room < 0 || own->room >= n_buffers);
}

static bool shape_arm(struct rxq *rxq)
{
	const struct shape_port *own = rxq->port->impl;

	return own->lets_sleep;
}

static void shape_disarm(struct rxq *rxq)
{
}

static const struct port_type shape_type = {
	.kind = &kind_tap,
	.prepare = shape_prepare,
	.publish = shape_publish,
	.close = shape_close,
	.state = shape_state,
	.rx = shape_rx,
	.rx_done = shape_rx_done,
	.tx = shape_tx,
	.has_room = shape_has_room,
	.arm = shape_arm,
	.disarm = shape_disarm,
};

/* --- the dataplane --- */

void shape_rig_create(struct shape_rig *rig, unsigned int n_workers, uint64_t queue_bytes)
{
	static const struct port_type *const types[] = {&shape_type, NULL};
	struct dataplane_config config = rig_config(n_workers);

	config.port_types = types;
	config.queue_bytes = queue_bytes;
	*rig = (struct shape_rig){.now_ns = 1000000000000ULL};
	assert_int_equal(dataplane_create(&config, &rig->dp), 0);
}

void shape_rig_destroy(struct shape_rig *rig)
{
	rig_assert_accounted(rig->dp);
	for (uint64_t id = 1; id <= SHAPE_PORTS; id++) {
		if (port_find(rig->dp, id) != NULL)
			rig_del_port(rig->dp, id);
	}
	assert_int_equal(shape_rig_queued(rig), 0);
	assert_int_equal(buffers_n_free(rig->dp->buffers), rig->dp->buffers->n);
	rig_assert_accounted(rig->dp);
	dataplane_destroy(rig->dp);
}

static struct dp_channel_way way_spec(uint64_t bps)
{
	return (struct dp_channel_way){
		.ceiling_bps = bps,
		.burst_bytes = 3028,
		.weight = 1,
		.target_us = bps != 0 && bps < 50000000 ? (uint32_t)(24224000000 / bps) : 500,
	};
}

static struct txn *begin(const struct shape_rig *rig)
{
	struct txn *txn = NULL;

	assert_int_equal(txn_begin(rig->dp, &txn), 0);
	return txn;
}

static void commit(struct txn *txn)
{
	char why[DP_TEXT_BYTES] = "";

	if (txn_prepare(txn, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	txn_commit(txn);
}

struct channel *shape_rig_channel(struct shape_rig *rig, uint32_t id, uint64_t tx_bps,
				  uint64_t rx_bps)
{
	struct dp_channel spec = {.id = id, .ways = {way_spec(tx_bps), way_spec(rx_bps)}};
	struct txn *txn = begin(rig);

	snprintf(spec.name, sizeof(spec.name), "channel%u", id);
	assert_int_equal(txn_channels_put_channel(txn, &spec), 0);
	commit(txn);
	return channel_find(rig->dp, id);
}

void shape_rig_assign(struct shape_rig *rig, uint64_t port_id, const struct channel *channel)
{
	struct dp_port spec = port_find(rig->dp, port_id)->spec;

	spec.channel_id = channel != NULL ? channel->spec.id : 0;
	rig_put_port_spec(rig->dp, &spec);
}

void shape_rig_assign_segment(struct shape_rig *rig, uint32_t segment_id,
			      const struct channel *channel)
{
	struct dp_segment spec = segment_find(rig->dp, segment_id)->spec;

	spec.channel_id = channel != NULL ? channel->spec.id : 0;
	rig_put_segment_spec(rig->dp, &spec);
}

struct shape_port *shape_rig_port(const struct shape_rig *rig, uint64_t id)
{
	struct port *port = port_find(rig->dp, id);

	assert_non_null(port);
	return port->impl;
}

void shape_rig_send_frame(struct shape_rig *rig, uint64_t from, struct shape_frame frame)
{
	struct shape_port *own = shape_rig_port(rig, from);

	assert_true(own->n < SHAPE_PENDING);
	frame.sent_ns = rig->now_ns;
	frame.serial = own->serials[frame.flow % SHAPE_FLOWS]++;
	own->pending[(own->first + own->n++) % SHAPE_PENDING] = frame;
}

void shape_rig_send(struct shape_rig *rig, uint64_t from, uint32_t to, uint16_t flow, uint32_t len)
{
	shape_rig_send_frame(rig, from, (struct shape_frame){.dst = to, .flow = flow, .len = len});
}

void shape_rig_teach(struct shape_rig *rig)
{
	for (uint64_t id = 1; id <= SHAPE_PORTS; id++) {
		if (port_find(rig->dp, id) != NULL)
			shape_rig_send(rig, id, RIG_BROADCAST, 0, 60);
	}
	for (unsigned int i = 0; i < 100; i++)
		shape_rig_turn(rig, 10000000);
	for (uint64_t id = 1; id <= SHAPE_PORTS; id++) {
		struct port *port = port_find(rig->dp, id);
		struct shape_port *own = port != NULL ? port->impl : NULL;

		if (own == NULL)
			continue;
		memset(own->got, 0, sizeof(own->got));
		own->got_frames = own->got_bytes = 0;
	}
}

void shape_rig_turn(struct shape_rig *rig, uint64_t step_ns)
{
	rig->now_ns += step_ns;
	for (unsigned int i = 0; i < rig->dp->config.n_workers; i++)
		worker_turn(rig->dp->workers[i], rig->now_ns);
	dataplane_turn(rig->dp, rig->now_ns);
}

uint64_t shape_rig_queued(const struct shape_rig *rig)
{
	return rig_sum(rig->dp).queued;
}

uint64_t shape_rig_drops(const struct shape_rig *rig, uint64_t port_id, enum drop_reason reason)
{
	const struct port *port = port_find(rig->dp, port_id);
	uint64_t n = 0;

	for (unsigned int i = 0; i < rig->dp->config.n_workers; i++)
		n += counters_block(rig->dp->counters, port->slot, i)->drops[reason];
	return n;
}

int shape_rig_set_up(void **state)
{
	struct shape_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	shape_rig_create(rig, 1, 0);
	rig_put_segment(rig->dp, 1);
	rig_put_segment(rig->dp, 2);
	for (uint64_t id = 1; id <= 4; id++)
		rig_put_port(rig->dp, id, id <= 3 ? 1 : 2);
	shape_rig_teach(rig);
	*state = rig;
	return 0;
}

int shape_rig_tear_down(void **state)
{
	shape_rig_destroy(*state);
	free(*state);
	return 0;
}

struct counters_channel shape_rig_counts(const struct shape_rig *rig, const struct channel *channel,
					 enum dp_way way)
{
	return *counters_channel(rig->dp->counters, channel->index, 0, way);
}
