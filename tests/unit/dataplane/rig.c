/* SPDX-License-Identifier: BSD-3-Clause */
/* See rig.h. */
#include "tests/unit/dataplane/rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/api/kinds.h"
#include "dataplane/api/segment_options.h"
#include "dataplane/counters.h"
#include "dataplane/txn.h"
#include "dataplane/worker.h"

/* --- the port type --- */

static int rig_prepare(struct port *port, const int *fds, unsigned int n_fds, char *why,
		       size_t why_bytes)
{
	struct rig_port *rig;

	if (strcmp(port->spec.vm, RIG_CANNOT_PREPARE) == 0) {
		snprintf(why, why_bytes, "port %s: cannot be prepared", port->spec.name);
		return -EIO;
	}
	rig = calloc(1, sizeof(*rig));
	assert_non_null(rig);
	rig->rxq = (struct rxq){.port = port, .wake_fd = -1, .worker = -1};
	rig->rxq.wake_fd = n_fds != 0 ? fcntl(fds[0], F_DUPFD_CLOEXEC, 0)
				      : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(rig->rxq.wake_fd >= 0);
	port->impl = rig;
	return 0;
}

static void rig_publish(struct port *port)
{
	struct rig_port *rig = port->impl;

	assert_int_equal(port_attach_rxq(port, &rig->rxq), 0);
}

static void rig_close(struct port *port)
{
	struct rig_port *rig = port->impl;

	port_detach_rxq(port, &rig->rxq);
	close(rig->rxq.wake_fd);
	free(rig);
}

static void rig_type_turn(struct port *port, uint64_t now_ns)
{
	struct rig_port *rig = port->impl;

	rig->n_turns++;
}

static void rig_state(const struct port *port, struct dp_port_state *state)
{
	state->link = DP_LINK_UP;
	state->n_queues = 1;
}

static unsigned int rig_give_fds(const struct port *port, int *fds)
{
	const struct rig_port *rig = port->impl;

	fds[0] = rig->rxq.wake_fd;
	return 1;
}

static void fill(struct burst *burst, const struct rig_frame *from)
{
	struct frame *frame = &burst->frames[burst->n++];

	frame->len = from->len;
	frame->head_len = (uint16_t)(from->len < FRAME_HEAD_BYTES ? from->len : FRAME_HEAD_BYTES);
	memcpy(frame->head, from->bytes, frame->head_len);
	memset(&frame->vnet, 0, sizeof(frame->vnet));
	frame->out = FRAME_OUT_DROP;
	frame->drop = DROP_NONE;
	frame->n_iov = 0;
	if (from->len > FRAME_HEAD_BYTES) {
		frame->iov = &burst->pieces[burst->n_pieces++];
		frame->n_iov = 1;
		burst->pieces[burst->n_pieces - 1] = (struct iovec){
			.iov_base = (void *)(uintptr_t)(from->bytes + FRAME_HEAD_BYTES),
			.iov_len = from->len - FRAME_HEAD_BYTES,
		};
	}
}

static void rig_rx(struct rxq *rxq, struct burst *burst)
{
	struct rig_port *rig = rxq->port->impl;

	rig->n_rx++;
	while (rig->n_taken < rig->n_in && burst->n < BURST_FRAMES)
		fill(burst, &rig->in[rig->n_taken++]);
}

static void rig_rx_done(struct rxq *rxq, struct burst *burst)
{
	struct rig_port *rig = rxq->port->impl;

	rig->n_rx_done++;
}

static void rig_tx(struct port *port, struct burst *burst, const uint8_t *order, unsigned int n,
		   struct counters_block *count)
{
	struct rig_port *rig = port->impl;

	for (unsigned int i = 0; i < n; i++) {
		const struct frame *frame = &burst->frames[order[i]];
		struct rig_frame *out = &rig->out[rig->n_out++];
		uint32_t at = frame->head_len;

		assert_true(rig->n_out < RIG_FRAMES);
		out->len = frame->len;
		memcpy(out->bytes, frame->head, at);
		for (unsigned int k = 0; k < frame->n_iov; k++) {
			memcpy(out->bytes + at, frame->iov[k].iov_base, frame->iov[k].iov_len);
			at += (uint32_t)frame->iov[k].iov_len;
		}
		assert_int_equal(at, frame->len);
		count->tx_frames++;
		count->tx_bytes += frame->len;
	}
}

static bool rig_arm(struct rxq *rxq)
{
	const struct rig_port *rig = rxq->port->impl;

	return rig->n_taken == rig->n_in;
}

static void rig_disarm(struct rxq *rxq)
{
}

const struct port_type rig_port_type = {
	.kind = &kind_tap,
	.prepare = rig_prepare,
	.publish = rig_publish,
	.close = rig_close,
	.turn = rig_type_turn,
	.state = rig_state,
	.give_fds = rig_give_fds,
	.rx = rig_rx,
	.rx_done = rig_rx_done,
	.tx = rig_tx,
	.arm = rig_arm,
	.disarm = rig_disarm,
};

/* --- dataplane and configuration --- */

struct dataplane_config rig_config(unsigned int n_workers)
{
	static const struct port_type *const types[] = {&rig_port_type, NULL};

	return (struct dataplane_config){
		.run_dir = "/nonexistent",
		.port_types = types,
		.memory = memory_plain,
		.n_workers = n_workers,
		.fdb_capacity = 1024,
		.hash_seed = 1,
		.epoch = 7,
		.tsc_hz = 1000000000,
	};
}

struct dataplane *rig_create(unsigned int n_workers)
{
	struct dataplane_config config = rig_config(n_workers);
	struct dataplane *dp = NULL;

	assert_int_equal(dataplane_create(&config, &dp), 0);
	return dp;
}

int rig_set_up(void **state)
{
	struct dataplane *dp = rig_create(1);

	rig_put_segment(dp, RIG_ALPHA);
	rig_put_segment(dp, RIG_BETA);
	for (uint64_t id = 1; id <= 3; id++)
		rig_put_port(dp, id, RIG_ALPHA);
	rig_put_port(dp, 4, RIG_BETA);
	*state = dp;
	return 0;
}

int rig_tear_down(void **state)
{
	rig_assert_accounted(*state);
	dataplane_destroy(*state);
	return 0;
}

struct dp_segment rig_segment(uint32_t id)
{
	struct dp_segment segment = {.id = id, .vni = id, .mtu = 1500, .age_s = RIG_AGE_S};

	snprintf(segment.name, sizeof(segment.name), "s%u", id);
	return segment;
}

struct dp_port rig_port_spec(uint64_t id, uint32_t segment_id)
{
	struct dp_port port = {.id = id, .n_members = segment_id != 0, .kind = "tap"};

	port.members[0].segment_id = segment_id;
	snprintf(port.name, sizeof(port.name), "p%u", (unsigned int)id);
	return port;
}

static void commit(struct txn *txn)
{
	char why[DP_TEXT_BYTES] = "";

	if (txn_prepare(txn, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	txn_commit(txn);
}

void rig_put_segment_spec(struct dataplane *dp, const struct dp_segment *spec)
{
	struct txn *txn = NULL;

	assert_int_equal(txn_begin(dp, &txn), 0);
	assert_int_equal(txn_put_segment(txn, spec), 0);
	commit(txn);
}

void rig_put_segment(struct dataplane *dp, uint32_t id)
{
	struct dp_segment segment = rig_segment(id);

	rig_put_segment_spec(dp, &segment);
}

void rig_put_port_spec(struct dataplane *dp, const struct dp_port *spec)
{
	static const int no_fds[1];
	struct txn *txn = NULL;

	assert_int_equal(txn_begin(dp, &txn), 0);
	assert_int_equal(txn_put_port(txn, spec, no_fds, 0), 0);
	commit(txn);
}

void rig_put_port(struct dataplane *dp, uint64_t id, uint32_t segment_id)
{
	struct dp_port port = rig_port_spec(id, segment_id);

	rig_put_port_spec(dp, &port);
}

static void set(const struct option_set *options, struct dp_option *value, const char *key,
		const char *word)
{
	int index = options_find(options, key);
	char why[DP_TEXT_BYTES];

	assert_true(index >= 0);
	assert_int_equal(options_parse(options, (unsigned int)index, word, value, why, sizeof(why)),
			 0);
}

void rig_set_segment(struct dp_segment *segment, const char *key, const char *word)
{
	set(&segment_options, &segment->options[segment->n_options++], key, word);
}

void rig_set_port(struct dp_port *port, const char *key, const char *word)
{
	struct option_set options = port_kinds_options(port_kinds_find(port->kind));

	set(&options, &port->options[port->n_options++], key, word);
}

void rig_del_port(struct dataplane *dp, uint64_t id)
{
	struct txn *txn = NULL;

	assert_int_equal(txn_begin(dp, &txn), 0);
	assert_int_equal(txn_del_port(txn, id), 0);
	commit(txn);
}

struct rig_port *rig_port(const struct dataplane *dp, uint64_t id)
{
	struct port *port = port_find(dp, id);

	assert_non_null(port);
	return port->impl;
}

/* --- frames --- */

void rig_mac(uint8_t mac[6], uint32_t station)
{
	mac[0] = station == RIG_BROADCAST ? 0xff : 2;
	mac[1] = station == RIG_BROADCAST ? 0xff : 0;
	for (int i = 0; i < 4; i++)
		mac[2 + i] = (uint8_t)(station >> (24 - 8 * i));
}

static void write_frame(uint8_t *bytes, uint32_t dst, uint32_t src)
{
	rig_mac(bytes, dst);
	rig_mac(bytes + 6, src);
	bytes[12] = 0x08;
	bytes[13] = 0x00;
}

void rig_send(const struct dataplane *dp, uint64_t id, uint32_t dst, uint32_t src, uint32_t len,
	      uint8_t mark)
{
	struct rig_port *rig = rig_port(dp, id);
	struct rig_frame *frame = &rig->in[rig->n_in];

	assert_true(rig->n_in < RIG_FRAMES && len >= 14 && len <= RIG_FRAME_BYTES);
	frame->len = len;
	write_frame(frame->bytes, dst, src);
	for (uint32_t i = 14; i < len; i++)
		frame->bytes[i] = mark++;
	rig->n_in++;
}

struct frame *rig_add_frame(struct burst *burst, uint32_t dst, uint32_t src, uint32_t len)
{
	struct frame *frame = &burst->frames[burst->n++];

	*frame = (struct frame){.len = len};
	frame->head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	write_frame(frame->head, dst, src);
	return frame;
}

void rig_turn(struct dataplane *dp, uint64_t now_s)
{
	for (unsigned int i = 0; i < dp->config.n_workers; i++)
		worker_turn(dp->workers[i], now_s * 1000000000ULL);
	dataplane_turn(dp, now_s * 1000000000ULL);
}

/* --- accounts --- */

struct counters_block rig_sum(const struct dataplane *dp)
{
	struct counters_block sum = {0};
	uint64_t *to = (uint64_t *)&sum;

	for (unsigned int slot = 0; slot < PORTS_MAX; slot++) {
		for (unsigned int w = 0; w < dp->config.n_workers; w++) {
			const uint64_t *from =
				(const uint64_t *)counters_block(dp->counters, slot, w);

			for (size_t i = 0; i < sizeof(sum) / sizeof(*to); i++)
				to[i] += from[i];
		}
	}
	return sum;
}

struct counters_block rig_assert_accounted(const struct dataplane *dp)
{
	struct counters_block sum = rig_sum(dp);
	uint64_t drops = 0;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		drops += sum.drops[i];
	assert_int_equal(sum.drops[DROP_NONE], 0);
	assert_int_equal(sum.rx_frames + sum.generated + sum.copies + sum.segments,
			 sum.tx_frames + drops + sum.queued);
	return sum;
}

const struct counters_block *rig_counters(const struct dataplane *dp, uint64_t id)
{
	struct port *port = port_find(dp, id);

	assert_non_null(port);
	return counters_block(dp->counters, port->slot, 0);
}

unsigned int rig_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}
