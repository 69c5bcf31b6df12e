/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: whole frames with any virtio header, from ports of every manner to ports of every
 * manner, through all stages: offload check, classify, guard, learn, look up, storm, spread, gate,
 * tags, segmentation, checksums. What leaves is judged by rules written down here a second time:
 * the segment is right, offsets lie inside, a receiver gets no offload that it did not ask for,
 * checksums are right, every frame is accounted for.
 *
 *	input: { choice u8 | virtio_net_hdr | filler u16 | n u8 | n bytes } ...
 *
 * Choice: port in the low 3 bits, 0x08: in one burst with the frame before, 0x10: in small pieces,
 * 0x20: all bits of filler count, else only that many: large frames are slow. A frame is its n
 * bytes and as many of filler.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/kinds.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/offload.h"
#include "dataplane/txn.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"
#include "tests/fuzz/frame_rules.h"

#define STEPS_MAX 16u
#define FILLER_FEW 0x0fffu
#define N_PORTS 6u
#define N_SEGMENTS 3u /* 1, 2 and 3 */
#define TURN_NS 1000000u
#define FORGET_NS UINT64_C(1000000000000) /* between inputs: everything ages, buckets fill */

struct input {
	const uint8_t *at;
	size_t left;
};

struct fuzz_port {
	struct rxq rxq;
	struct port *port;
};

/* One switch for all inputs: making it anew would cost more than the rest. */
struct scene {
	struct dataplane *dp;
	uint64_t now_ns;
	struct fuzz_port ports[N_PORTS];
	struct frame_in in[BURST_FRAMES];
	unsigned int n_in, from; /* of this burst, and which port's it is */
};

/* Native segment 1, VLAN 10 is segment 2, VLAN 20 is segment 3 on both trunks. */
static const struct frame_manner manners[N_PORTS] = {
	{.segment = 1, .caps = OFFLOAD_ALL},
	{.segment = 1, .caps = 0, .takes_tags = true},
	{.segment = 0, .caps = OFFLOAD_CSUM},
	{.segment = 0, .caps = 0, .takes_tags = true},
	{.segment = 2, .caps = OFFLOAD_ALL, .takes_tags = true},
	{.segment = 2, .caps = OFFLOAD_CSUM, .mac = {2, 0, 0, 0, 0, 6}},
};

static struct scene scene;

static uint64_t number(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	for (; bytes != 0 && in->left != 0; bytes--, in->left--)
		value = value << 8 | *in->at++;
	return value;
}

/* ---- a port type that receives what the input says ---- */

static int fuzz_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
			size_t why_bytes)
{
	struct fuzz_port *impl = &scene.ports[port->spec.id - 1];

	*impl = (struct fuzz_port){.port = port};
	impl->rxq = (struct rxq){.port = port, .wake_fd = -1, .worker = -1};
	port->impl = impl;
	return 0;
}

static void fuzz_publish(struct port *port)
{
	frame_check(port_attach_rxq(port, &((struct fuzz_port *)port->impl)->rxq) == 0);
}

static void fuzz_close(struct port *port)
{
	port_detach_rxq(port, &((struct fuzz_port *)port->impl)->rxq);
}

static void fuzz_state(const struct port *port, struct dp_port_state *state)
{
	state->link = DP_LINK_UP;
}

/* As a real port does: the head is copied, the body stays, the header is checked at the door. */
static void add(struct burst *burst, const struct frame_in *in)
{
	struct frame *frame = &burst->frames[burst->n++];
	uint32_t step = in->is_in_pieces ? 61 : FRAME_BYTES_MAX;

	memset(frame, 0, sizeof(*frame));
	frame->len = in->len;
	frame->head_len = (uint16_t)(in->len < FRAME_HEAD_BYTES ? in->len : FRAME_HEAD_BYTES);
	memcpy(frame->head, in->bytes, frame->head_len);
	frame->iov = &burst->pieces[burst->n_pieces];
	for (uint32_t at = frame->head_len, n; at < in->len; at += n) {
		n = in->len - at;
		if (n > step && frame->n_iov < FRAME_PIECES_MAX - 1)
			n = step;
		burst->pieces[burst->n_pieces++] =
			(struct iovec){.iov_base = in->bytes + at, .iov_len = n};
		frame->n_iov++;
	}
	frame->vnet.hdr = in->hdr;
	if (!offload_check(frame, OFFLOAD_ALL))
		frame->drop = DROP_BAD_OFFLOAD;
}

static void fuzz_rx(struct rxq *rxq, struct burst *burst)
{
	if (rxq != &scene.ports[scene.from].rxq)
		return;
	for (unsigned int i = 0; i < scene.n_in; i++) {
		if (burst->n_pieces + FRAME_PIECES_MAX <= BURST_PIECES)
			add(burst, &scene.in[i]);
	}
}

static void fuzz_rx_done(struct rxq *rxq, struct burst *burst)
{
	/* What was lent is freed with the burst. */
}

/* What weft itself says to a sender: ICMP or ICMPv6, that a frame was too big. */
static bool is_answer(const struct frame *frame)
{
	const uint8_t *at = frame->head + 12;

	while (at < frame->head + 24 &&
	       ((at[0] == 0x81 && at[1] == 0x00) || (at[0] == 0x88 && at[1] == 0xa8) ||
		(at[0] == 0x91 && at[1] == 0x00)))
		at += 4;
	if (at[0] == 0x08 && at[1] == 0x00)
		return at[2 + 9] == 1 && at[2 + 20] == 3 && at[2 + 21] == 4;
	return at[0] == 0x86 && at[1] == 0xdd && at[2 + 6] == 58 && at[2 + 40] == 2;
}

static void fuzz_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		    struct counters_block *count)
{
	unsigned int to = (unsigned int)((struct fuzz_port *)port->impl - scene.ports);

	for (unsigned int i = 0; i < n; i++) {
		frame_check(order[i] < burst->n);
		if (to == scene.from) {
			frame_check(is_answer(&burst->frames[order[i]]));
			count->tx_bytes += burst->frames[order[i]].len;
			continue;
		}
		frame_check_out(&burst->frames[order[i]], &manners[scene.from], &manners[to],
				scene.n_in == 1 ? &scene.in[0] : NULL);
		count->tx_bytes += burst->frames[order[i]].len;
	}
	count->tx_frames += n;
}

static bool fuzz_arm(struct rxq *rxq)
{
	return true;
}

static void fuzz_disarm(struct rxq *rxq)
{
	/* Nothing wakes it. */
}

static const struct port_type fuzz_type = {
	.kind = &kind_tap,
	.prepare = fuzz_prepare,
	.publish = fuzz_publish,
	.close = fuzz_close,
	.state = fuzz_state,
	.rx = fuzz_rx,
	.rx_done = fuzz_rx_done,
	.tx = fuzz_tx,
	.arm = fuzz_arm,
	.disarm = fuzz_disarm,
};

/* ---- the switch ---- */

static void put_port(struct txn *txn, unsigned int i)
{
	struct dp_port spec = {.id = i + 1, .kind = "tap", .n_members = 1};

	snprintf(spec.name, sizeof(spec.name), "p%u", i);
	spec.members[0].segment_id = manners[i].segment;
	if (manners[i].segment == 0) {
		spec.n_members = N_SEGMENTS;
		for (uint16_t k = 0; k < N_SEGMENTS; k++)
			spec.members[k] = (struct dp_member){.segment_id = k + 1u,
							     .vlan = (uint16_t)(10 * k)};
	}
	memcpy(spec.mac, manners[i].mac, sizeof(spec.mac));
	if (frame_is_guarded(&manners[i]))
		spec.guards_on = DP_GUARD_ALL;
	frame_check(txn_put_port(txn, &spec, NULL, 0) == 0);
}

static void open_scene(void)
{
	static const struct port_type *const types[] = {&fuzz_type, NULL};
	struct dataplane_config config = {
		.run_dir = "/nonexistent",
		.port_types = types,
		.memory = memory_plain,
		.n_workers = 1,
		.fdb_capacity = 64,
		.hash_seed = 1,
		.epoch = 1,
		.tsc_hz = 1000000000,
	};
	char why[DP_TEXT_BYTES];
	struct txn *txn = NULL;

	frame_check(dataplane_create(&config, &scene.dp) == 0);
	frame_check(txn_begin(scene.dp, &txn) == 0);
	for (uint32_t i = 1; i <= N_SEGMENTS; i++) {
		struct dp_segment spec = {.id = i, .vni = i, .mtu = 1500, .age_s = 300};

		snprintf(spec.name, sizeof(spec.name), "s%u", i);
		frame_check(txn_put_segment(txn, &spec) == 0);
	}
	for (unsigned int i = 0; i < N_PORTS; i++)
		put_port(txn, i);
	frame_check(txn_prepare(txn, why, sizeof(why)) == 0);
	txn_commit(txn);
	for (unsigned int i = 0; i < N_PORTS; i++) {
		atomic_store(&scene.ports[i].port->offload_caps, manners[i].caps);
		atomic_store(&scene.ports[i].port->takes_tags, manners[i].takes_tags);
	}
	scene.now_ns = FORGET_NS;
}

/* What came or was made, less what left or was dropped; the difference is that of a burst: 0. */
static uint64_t unaccounted(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < N_PORTS; i++) {
		const struct counters_block *count =
			counters_block(scene.dp->counters, scene.ports[i].port->slot, 0);

		sum += count->rx_frames + count->generated + count->copies + count->segments;
		sum -= count->tx_frames + count->queued;
		for (unsigned int k = 0; k < DROP_COUNT; k++)
			sum -= count->drops[k];
	}
	return sum;
}

static void run_burst(void)
{
	scene.now_ns += TURN_NS;
	worker_turn(scene.dp->workers[0], scene.now_ns);
	dataplane_turn(scene.dp, scene.now_ns);
	frame_check(unaccounted() == 0);
	for (unsigned int i = 0; i < scene.n_in; i++)
		free(scene.in[i].bytes);
	scene.n_in = 0;
}

/* In memory of exactly its size, so that a byte too far is seen. */
static void read_frame(struct input *in, uint8_t choice)
{
	struct frame_in *frame = &scene.in[scene.n_in++];
	uint32_t filler, n;

	*frame = (struct frame_in){.is_in_pieces = (choice & 0x10) != 0};
	for (size_t i = 0; i < sizeof(frame->hdr); i++)
		((uint8_t *)&frame->hdr)[i] = (uint8_t)number(in, 1);
	filler = (uint32_t)number(in, 2) & ((choice & 0x20) != 0 ? UINT16_MAX : FILLER_FEW);
	n = (uint32_t)number(in, 1);
	frame->len = n + filler < FRAME_BYTES_MAX ? n + filler : FRAME_BYTES_MAX;
	frame->bytes = malloc(frame->len);
	frame_check(frame->bytes != NULL);
	memset(frame->bytes, 0x5a, frame->len);
	for (uint32_t i = 0; i < n && i < frame->len; i++)
		frame->bytes[i] = (uint8_t)number(in, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	struct input in = {bytes, n_bytes};

	if (scene.dp == NULL)
		open_scene();
	scene.now_ns += FORGET_NS;
	for (unsigned int i = 0; i < STEPS_MAX && in.left != 0; i++) {
		uint8_t choice = (uint8_t)number(&in, 1);

		if (scene.n_in != 0 && (choice & 0x08) == 0)
			run_burst();
		if (scene.n_in == 0)
			scene.from = (choice & 0x07) % N_PORTS;
		read_frame(&in, choice);
	}
	run_burst();
	return 0;
}
