/* SPDX-License-Identifier: BSD-3-Clause */
/* See hold_rig.h. */
#include "tests/unit/dataplane/channel/hold_rig.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/api/kinds.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/counters.h"
#include "dataplane/offload.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"
#include "tests/unit/dataplane/vhost/packed_rig.h"
#include "tests/unit/dataplane/vhost/ring_rig.h"

#define BUFFER_BYTES 2048
#define HEADER_BYTES 12
#define NUMBER_AT 34 /* behind Ethernet and IPv4 */
#define SEQUENCE_AT 38
#define IP_AT 14
#define SINK_STATION 0x1000

static struct hold_rig *the_rig;
static const uint16_t imix[] = {60, 590, 60, 60, 590, 60, 1514, 60, 590, 60, 590, 60};

/* --- the guest --- */

/* TCP without options. Its ports are the number, which all pieces have. */
static void make_large(uint8_t *at, uint16_t mss)
{
	const struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = htole16(mss),
		.hdr_len = htole16(NUMBER_AT + 20),
		.csum_start = htole16(NUMBER_AT),
		.csum_offset = htole16(16),
	};

	memcpy(at, &header, sizeof(header));
	at[HEADER_BYTES + IP_AT + 9] = 6;
	memset(at + HEADER_BYTES + SEQUENCE_AT, 0, 16);
	at[HEADER_BYTES + NUMBER_AT + 12] = 5 << 4;
}

static void write_frame(const struct hold_rig *rig, const struct hold_sender *sender, uint8_t *at,
			uint16_t len)
{
	unsigned int id = (unsigned int)(sender - rig->senders);
	uint8_t *frame = at + HEADER_BYTES;

	memset(at, 0, HEADER_BYTES + NUMBER_AT);
	rig_mac(frame, sender->floods ? RIG_BROADCAST : SINK_STATION);
	rig_mac(frame + 6, id);
	frame[12] = 0x08;
	frame[IP_AT] = 0x45;
	frame[IP_AT + 1] = sender->tos;
	frame[IP_AT + 2] = (uint8_t)((len - IP_AT) >> 8);
	frame[IP_AT + 3] = (uint8_t)(len - IP_AT);
	memcpy(frame + NUMBER_AT, &sender->n_offered, sizeof(sender->n_offered));
	if (sender->mss != 0)
		make_large(at, sender->mss);
}

static void fill_split(const struct hold_rig *rig, struct hold_sender *sender)
{
	struct ring_rig *guest = sender->split;

	while ((uint16_t)(guest->avail->idx - guest->used->idx) < HOLD_RIG_RING) {
		uint16_t len = sender->lens[sender->n_offered % sender->n_lens];
		unsigned int slot = guest->avail->idx % HOLD_RIG_RING;
		uint32_t offset = RING_RIG_BUFFERS + slot * BUFFER_BYTES;

		write_frame(rig, sender, guest->guest + offset, len);
		ring_rig_desc(guest->desc, slot, RING_RIG_GPA + offset, len + HEADER_BYTES, 0, 0);
		ring_rig_offer(guest, (uint16_t)slot);
		sender->n_offered++;
	}
}

static void fill_packed(const struct hold_rig *rig, struct hold_sender *sender)
{
	struct packed_rig *guest = sender->packed;
	uint16_t id;
	uint32_t bytes;

	while (packed_ring_take_used(&guest->driver, &id, &bytes) == 0)
		;
	while (guest->driver.n_free != 0) {
		uint16_t len = sender->lens[sender->n_offered % sender->n_lens];
		uint32_t offset = sender->n_offered % HOLD_RIG_RING * BUFFER_BYTES;

		write_frame(rig, sender, guest->buffers + offset, len);
		packed_rig_offer(guest, offset, len + HEADER_BYTES, false);
		sender->n_offered++;
	}
}

/* --- the port type --- */

static int hold_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
			size_t why_bytes)
{
	struct hold_sender *sender = &the_rig->senders[port->spec.id];

	sender->rxq = (struct rxq){.port = port, .wake_fd = -1, .worker = -1};
	port->impl = sender;
	return 0;
}

static void hold_publish(struct port *port)
{
	struct hold_sender *sender = port->impl;

	assert_int_equal(port_attach_rxq(port, &sender->rxq), 0);
}

static void hold_close(struct port *port)
{
	struct hold_sender *sender = port->impl;

	port_detach_rxq(port, &sender->rxq);
}

static void hold_state(const struct port *port, struct dp_port_state *state)
{
	state->link = DP_LINK_UP;
}

static struct ring *ring_of(struct rxq *rxq)
{
	struct hold_sender *sender = rxq->port->impl;

	if (sender->split != NULL)
		return &sender->split->ring;
	return sender->packed != NULL ? &sender->packed->ring : NULL;
}

/* The sink sends one frame, by which its address is learned. */
static void say_hello(struct hold_sender *sender, struct burst *burst)
{
	if (sender->n_offered++ == 0)
		rig_add_frame(burst, RIG_BROADCAST, SINK_STATION, 60);
}

static void hold_rx(struct rxq *rxq, struct burst *burst)
{
	struct ring *ring = ring_of(rxq);

	if (ring != NULL)
		ring_take(ring, burst);
	else
		say_hello(rxq->port->impl, burst);
}

static void hold_rx_done(struct rxq *rxq, struct burst *burst)
{
	struct ring *ring = ring_of(rxq);

	if (ring != NULL)
		ring_complete(ring);
}

static void get(struct hold_got *got, const struct frame *frame, uint16_t mss)
{
	uint32_t number, sequence;

	memcpy(&number, frame->head + NUMBER_AT, sizeof(number));
	memcpy(&sequence, frame->head + SEQUENCE_AT, sizeof(sequence));
	sequence = be32toh(sequence);
	bool is_next_piece = mss != 0 && number + 1 == got->next && sequence == got->sequence + mss;

	got->n_wrong += number != got->next && !is_next_piece;
	got->next = number + 1;
	got->sequence = sequence;
	got->frames++;
	got->bytes += frame->len;
	got->n_marked += (frame->head[IP_AT + 1] & 3) == 3;
}

static void hold_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		    struct counters_block *count)
{
	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[order[i]];
		unsigned int id = frame->head[11];

		if (port->spec.id == the_rig->n_senders + 1 && id <= the_rig->n_senders)
			get(&the_rig->got[id], frame, the_rig->senders[id].mss);
		count->tx_frames++;
		count->tx_bytes += frame->len;
	}
}

static bool hold_arm(struct rxq *rxq)
{
	return true;
}

static void hold_disarm(struct rxq *rxq)
{
}

static const struct port_type hold_port_type = {
	.kind = &kind_tap,
	.prepare = hold_prepare,
	.publish = hold_publish,
	.close = hold_close,
	.state = hold_state,
	.holds_rx = true,
	.rx = hold_rx,
	.rx_done = hold_rx_done,
	.tx = hold_tx,
	.arm = hold_arm,
	.disarm = hold_disarm,
};

/* --- the rig --- */

static void add_sender(struct hold_rig *rig, unsigned int id, bool is_packed)
{
	if (is_packed)
		rig->senders[id].packed = packed_rig_create(PACKED_RIG_MODERN, HOLD_RIG_RING);
	else
		rig->senders[id].split = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);
}

struct hold_rig *hold_rig_create(unsigned int n_workers, unsigned int n_senders, bool is_packed)
{
	static const struct port_type *const types[] = {&hold_port_type, NULL};
	struct dataplane_config config = rig_config(n_workers);
	struct hold_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	the_rig = rig;
	config.port_types = types;
	assert_int_equal(dataplane_create(&config, &rig->dp), 0);
	rig->n_senders = n_senders;
	rig->now_ns = HOLD_RIG_START;
	rig_put_segment(rig->dp, 1);
	for (unsigned int id = 1; id <= n_senders + 1; id++) {
		if (id <= n_senders)
			add_sender(rig, id, is_packed);
		rig_put_port(rig->dp, id, 1);
	}
	hold_rig_turn(rig, 1000);
	dataplane_turn(rig->dp, rig->now_ns);
	return rig;
}

void hold_rig_destroy(struct hold_rig *rig)
{
	struct dataplane *dp = rig->dp;

	for (unsigned int id = 1; id <= rig->n_senders; id++)
		atomic_store(&port_find(dp, id)->channel, NULL);
	channel_changed(dp);
	for (unsigned int i = 0; i < 4; i++)
		hold_rig_drop(rig, i);
	rig_assert_accounted(dp);
	dataplane_destroy(dp);
	for (unsigned int id = 1; id <= rig->n_senders; id++) {
		if (rig->senders[id].split != NULL)
			ring_rig_destroy(rig->senders[id].split);
		else
			packed_rig_destroy(rig->senders[id].packed);
	}
	free(rig);
}

void hold_rig_send(struct hold_rig *rig, unsigned int sender, uint16_t len)
{
	static uint16_t lens[HOLD_RIG_SENDERS + 1];

	lens[sender] = len;
	rig->senders[sender].lens = len == 0 ? imix : &lens[sender];
	rig->senders[sender].n_lens = len == 0 ? sizeof(imix) / sizeof(imix[0]) : 1;
}

void hold_rig_stop(struct hold_rig *rig, unsigned int sender)
{
	rig->senders[sender].lens = NULL;
}

void hold_rig_set_rate(struct hold_rig *rig, unsigned int i, uint64_t rate_bps,
		       uint64_t burst_bytes)
{
	struct dp_channel spec = {.id = i + 1};
	struct channel *channel = rig->channels[i];

	if (channel == NULL) {
		assert_int_equal(channel_create(rig->dp, &spec, &channel), 0);
		channel_publish(channel);
		rig->channels[i] = channel;
		bucket_init(&channel->ways[DP_TX].bucket, rate_bps, burst_bytes, 0);
	}
	/* As the next round of the pool does when main has said so, at this moment. */
	spec.ways[DP_TX] =
		(struct dp_channel_way){.ceiling_bps = rate_bps, .burst_bytes = burst_bytes};
	channel_apply(channel, &spec, NULL);
	bucket_set(&channel->ways[DP_TX].bucket, rate_bps, burst_bytes, 0, rig->now_ns);
	atomic_fetch_add(&rig->dp->rates_epoch, 1);
}

void hold_rig_drop(struct hold_rig *rig, unsigned int i)
{
	if (rig->channels[i] == NULL)
		return;
	channel_unpublish(rig->channels[i]);
	channel_destroy(rig->channels[i]);
	rig->channels[i] = NULL;
}

void hold_rig_assign(struct hold_rig *rig, unsigned int sender, int i)
{
	atomic_store(&port_find(rig->dp, sender)->channel, i < 0 ? NULL : rig->channels[i]);
	channel_changed(rig->dp);
}

void hold_rig_add_lane(struct hold_rig *rig, unsigned int sender)
{
	const struct lane_set_plan plan = {.has_channel = true};
	struct port *port = port_find(rig->dp, sender);
	struct lane_set *set = NULL;

	assert_int_equal(lane_set_make(port, DP_TX, &plan, &set), 0);
	assert_null(lane_set_publish(port, DP_TX, set));
	lane_set_point(port);
	channel_changed(rig->dp);
}

void hold_rig_turn(struct hold_rig *rig, uint64_t step_ns)
{
	for (unsigned int id = 1; id <= rig->n_senders; id++) {
		struct hold_sender *sender = &rig->senders[id];

		if (sender->lens == NULL)
			continue;
		if (sender->split != NULL)
			fill_split(rig, sender);
		else
			fill_packed(rig, sender);
	}
	for (unsigned int i = 0; i < rig->dp->config.n_workers; i++)
		worker_turn(rig->dp->workers[i], rig->now_ns);
	rig->now_ns += step_ns;
}

void hold_rig_run(struct hold_rig *rig, uint64_t span_ns, uint64_t step_ns)
{
	uint64_t end_ns = rig->now_ns + span_ns;

	while (rig->now_ns < end_ns)
		hold_rig_turn(rig, step_ns);
}

void hold_rig_forget(struct hold_rig *rig)
{
	for (unsigned int id = 1; id <= rig->n_senders; id++)
		rig->got[id] = (struct hold_got){.next = rig->got[id].next,
						 .sequence = rig->got[id].sequence,
						 .n_wrong = rig->got[id].n_wrong};
}

void hold_rig_assert_in_order(const struct hold_rig *rig)
{
	struct counters_block sum = rig_assert_accounted(rig->dp);

	for (unsigned int id = 1; id <= rig->n_senders; id++)
		assert_int_equal(rig->got[id].n_wrong, 0);
	for (unsigned int reason = 0; reason < DROP_COUNT; reason++)
		assert_int_equal(sum.drops[reason], 0);
}

void hold_rig_assert_rate(uint64_t bytes, uint64_t rate_bps, uint64_t ns, uint64_t slack_bytes)
{
	uint64_t expected = (uint64_t)((unsigned __int128)rate_bps * ns / 8000000000ULL);

	if (slack_bytes < expected / 1000)
		slack_bytes = expected / 1000;
	assert_in_range(bytes, expected > slack_bytes ? expected - slack_bytes : 0,
			expected + slack_bytes);
}

const struct counters_channel *hold_rig_count(const struct hold_rig *rig, unsigned int channel,
					      unsigned int worker)
{
	return counters_channel(rig->dp->counters, rig->channels[channel]->index, worker, DP_TX);
}

uint64_t hold_rig_slack(uint64_t rate_bps, uint64_t frame_bytes)
{
	return rate_bps * BUCKET_AHEAD_NS / 8000000000ULL + frame_bytes;
}
