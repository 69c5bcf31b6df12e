/* SPDX-License-Identifier: BSD-3-Clause */
/* Every port, every shape, every address. See matrix.h. One thread. */
#include "tests/system/isolation/matrix.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/deadline.h"
#include "tests/lib/mark.h"
#include "tests/system/isolation/plain.h"

#define SETTLE_MS 3000
#define N_LINK_LOCAL 16
#define TAP_BYTES_MAX 65535 /* the kernel cuts what is longer before the tap sees it */

/* A kind of marked frame and what is changed in it: tags, in place of those that it has. */
struct shape {
	const char *name;
	enum mark_kind kind;
	uint16_t outer_type;
	uint16_t outer_id;
	uint16_t inner_type;
	uint16_t inner_id;
};

/* The VLAN ids of the three segments are 10, 20 and 30: none opens a door. */
static const struct shape shapes[] = {
	{.name = "plain", .kind = MARK_UNICAST},
	{.name = "bare", .kind = MARK_BARE},
	{.name = "short", .kind = MARK_SHORT},
	{.name = "LLC", .kind = MARK_LENGTH},
	{.name = "open checksum", .kind = MARK_CHECKSUM},
	{.name = "TSO", .kind = MARK_SEGMENTS},
	{.name = "runt", .kind = MARK_RUNT},
	{.name = "priority", .kind = MARK_PRIORITY_TAGGED},
	{"VLAN 10", MARK_TAGGED, 0x8100, 10, 0, 0},
	{"VLAN 20", MARK_TAGGED, 0x8100, 20, 0, 0},
	{"VLAN 30", MARK_TAGGED, 0x8100, 30, 0, 0},
	{"VLAN 4095", MARK_TAGGED, 0x8100, 0xffff, 0, 0},
	{"S-VLAN 20", MARK_TAGGED, 0x88a8, 20, 0, 0},
	{"0x9100 VLAN 20", MARK_TAGGED, 0x9100, 20, 0, 0},
	{"QinQ 10 20", MARK_DOUBLE_TAGGED, 0x88a8, 10, 0x8100, 20},
	{"QinQ 20 30", MARK_DOUBLE_TAGGED, 0x88a8, 20, 0x8100, 30},
	{"double 10 20", MARK_DOUBLE_TAGGED, 0x8100, 10, 0x8100, 20},
	{"double 0 30", MARK_DOUBLE_TAGGED, 0x8100, 0, 0x8100, 30},
};
static const struct shape large = {.name = "64 KiB", .kind = MARK_LARGE};

static const uint8_t unknown[6] = {0x02, 'W', 0xee, 0xee, 0xee, 0xee};
static const uint8_t shared[6] = {0x02, 'W', 0x5a, 0x5a, 0x5a, 0x5a};
static const uint8_t groups[][6] = {
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03},
	{0x33, 0x33, 0x00, 0x00, 0x00, 0x01},
	{0x01, 0x80, 0xc2, 0x00, 0x00, 0x10}, /* the first one that is not reserved */
	{0x01, 0x80, 0xc2, 0x00, 0x01, 0x00},
};
static const uint8_t bad_sources[][6] = {
	{0, 0, 0, 0, 0, 0},
	{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03},
	{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
};

struct matrix {
	struct rig *rig;
	struct model model;
	struct matrix_result *result;
	unsigned int n_errors;
	uint32_t sequence;
	const struct shape *shape;
	const struct rig_port *from;
	struct rig_frame frame;
	unsigned char bytes[MARK_FRAME_MAX];
	unsigned char plain[MARK_FRAME_MAX];
	struct counters_block before[RIG_PORTS_MAX];
	struct counters_block after[RIG_PORTS_MAX];
};

static void complain(struct matrix *m, const char *what, const struct rig_port *where)
{
	const unsigned char *to = m->frame.bytes;

	if (m->n_errors++ >= MATRIX_ERRORS_MAX)
		return;
	fprintf(stderr, "%s in %s sends '%s' to %02x:%02x:%02x:%02x:%02x:%02x: %s %s in %s\n",
		m->from->name, m->rig->segments[m->from->segment], m->shape->name, to[0], to[1],
		to[2], to[3], to[4], to[5], what, where->name, m->rig->segments[where->segment]);
}

/* ---- building ---- */

static void put16(unsigned char *bytes, unsigned int value)
{
	bytes[0] = (unsigned char)(value >> 8);
	bytes[1] = (unsigned char)value;
}

static void build(struct matrix *m, const struct shape *shape, const uint8_t to[6],
		  const uint8_t *source)
{
	struct mark mark = {
		.segment = (uint16_t)(m->from->segment + 1),
		.port = (uint16_t)m->from->index,
		.sequence = m->sequence++,
		.kind = shape->kind,
	};

	m->shape = shape;
	m->frame.bytes = m->bytes;
	m->frame.n_bytes = mark_build(&mark, to, m->bytes, &m->frame.header);
	memcpy(m->bytes + 6, source == NULL ? m->from->mac : source, 6);
	if (m->from->kind == RIG_TAP && m->frame.n_bytes > TAP_BYTES_MAX) {
		m->frame.n_bytes = TAP_BYTES_MAX;
		put16(m->bytes + 16, TAP_BYTES_MAX - 14); /* IP's length */
	}
	if (shape->outer_type != 0) {
		put16(m->bytes + 12, shape->outer_type);
		put16(m->bytes + 14, shape->outer_id);
	}
	if (shape->inner_type != 0) {
		put16(m->bytes + 16, shape->inner_type);
		put16(m->bytes + 18, shape->inner_id);
	}
}

/* What the port must get at place `index` of the frame in flight. false: no more. */
static bool expect(struct matrix *m, const struct rig_port *port, unsigned int index,
		   struct rig_frame *wanted)
{
	*wanted = m->frame;
	if (port->kind != RIG_PLAIN || !plain_is_needed(&m->frame))
		return index == 0;
	wanted->n_bytes = plain_packet(&m->frame, index, m->plain);
	wanted->bytes = m->plain;
	return wanted->n_bytes != 0;
}

static unsigned int count_expected(struct matrix *m, const struct rig_port *port)
{
	struct rig_frame wanted;
	unsigned int n = 0;

	while (expect(m, port, n, &wanted))
		n++;
	return n;
}

/* ---- counters ---- */

static void read_counters(struct matrix *m, struct counters_block *blocks)
{
	for (unsigned int i = 0; i < m->rig->n_ports; i++)
		host_count(&m->rig->host, m->rig->ports[i].slot, &blocks[i]);
}

/* Whether the frame has come in and everything that became of it is counted. */
static bool has_settled(struct matrix *m)
{
	unsigned int from = m->from->index;
	int64_t balance = 0;

	read_counters(m, m->after);
	for (unsigned int i = 0; i < m->rig->n_ports; i++)
		balance +=
			accounting_difference(&m->after[i]) - accounting_difference(&m->before[i]);
	return balance == 0 && m->after[from].rx_frames != m->before[from].rx_frames;
}

static bool is_count_right(struct matrix *m, const struct model_outcome *outcome,
			   const struct rig_port *port)
{
	const struct counters_block *before = &m->before[port->index];
	const struct counters_block *after = &m->after[port->index];
	bool sends = port == m->from;
	bool receives = (outcome->receivers >> port->index & 1) != 0;
	unsigned int n = receives ? count_expected(m, port) : 0;
	bool is_right = after->rx_frames - before->rx_frames == (sends ? 1 : 0) &&
			after->tx_frames - before->tx_frames == n &&
			after->segments - before->segments == (n > 1 ? n - 1 : 0) &&
			after->copies - before->copies == (sends ? outcome->n_instances - 1 : 0);

	for (unsigned int reason = 1; reason < DROP_COUNT; reason++) {
		uint64_t expected = outcome->drops[port->index] == reason ? 1 : 0;

		is_right &= after->drops[reason] - before->drops[reason] == expected;
	}
	return is_right;
}

/* ---- one frame ---- */

/* wanted: NULL if nothing more should come. */
static void judge(struct matrix *m, const struct rig_port *port, const struct rig_frame *frame,
		  const struct rig_frame *wanted)
{
	struct matrix_result *r = m->result;
	if (port->segment != m->from->segment) {
		r->n_foreign++;
		complain(m, "FOREIGN frame at", port);
	} else if (wanted == NULL) {
		r->n_surplus++;
		complain(m, "not for", port);
	} else if (frame->n_bytes != wanted->n_bytes ||
		   memcmp(frame->bytes, wanted->bytes, frame->n_bytes) != 0) {
		r->n_changed++;
		complain(m, "changed on its way to", port);
	} else {
		r->n_received++;
	}
}

static int collect(struct matrix *m, struct rig_port *port, bool is_expected)
{
	uint64_t deadline_ns = deadline_in_ms(SETTLE_MS);
	struct rig_frame frame, wanted = {0};
	int err = 0;

	for (unsigned int i = 0; err == 0; i++) {
		bool is_more = is_expected && expect(m, port, i, &wanted);

		/* Counted means written; a kernel between may take a moment more. */
		do {
			err = rig_receive(port, &frame);
		} while (err == -EAGAIN && is_more && !deadline_passed(deadline_ns));
		if (err == 0)
			judge(m, port, &frame, is_more ? &wanted : NULL);
		if (err == -EAGAIN && is_more) {
			m->result->n_missing++;
			complain(m, "does not arrive at", port);
		}
	}
	if (err != -EAGAIN)
		fprintf(stderr, "receiving at %s: %s\n", port->name, strerror(-err));
	return err == -EAGAIN ? 0 : err;
}

static int fly(struct matrix *m, struct rig_port *from)
{
	uint64_t deadline_ns = deadline_in_ms(SETTLE_MS);
	struct model_outcome outcome = model_send(&m->model, m->rig, from, &m->frame);

	memcpy(m->before, m->after, sizeof(m->before));
	int err = rig_send(from, &m->frame);

	if (err < 0) {
		fprintf(stderr, "sending '%s' from %s: %s\n", m->shape->name, from->name,
			strerror(-err));
		return err;
	}
	m->result->n_sent++;
	if (model_is_priority_tagged(&m->frame)) {
		memmove(m->bytes + 12, m->bytes + 16, m->frame.n_bytes - 16);
		m->frame.n_bytes -= 4;
	}
	while (!has_settled(m)) {
		if (deadline_passed(deadline_ns)) {
			complain(m, "is never accounted for, sent by", from);
			m->result->n_miscounted++;
			break;
		}
	}
	for (unsigned int i = 0; i < m->rig->n_ports && err == 0; i++) {
		struct rig_port *port = &m->rig->ports[i];

		err = collect(m, port, (outcome.receivers >> i & 1) != 0);
		if (!is_count_right(m, &outcome, port)) {
			m->result->n_miscounted++;
			complain(m, "wrong counters of", port);
		}
		m->result->drops[outcome.drops[i]]++;
	}
	/* Who learns wrongly once is not waited for again. */
	if (err == 0 && outcome.learns && m->result->n_mislearned == 0 &&
	    model_wait(&m->model, m->rig) < 0) {
		m->result->n_mislearned++;
		complain(m, "is not learned, sent by", from);
	}
	return m->n_errors >= MATRIX_ERRORS_MAX ? -EUCLEAN : err;
}

static int send_shape(struct matrix *m, struct rig_port *from, const struct shape *shape,
		      const uint8_t to[6], const uint8_t *source)
{
	/* The kernel of a tap's namespace makes no frame without a whole header. */
	if (shape->kind == MARK_RUNT && from->kind == RIG_TAP)
		return 0;
	m->from = from;
	build(m, shape, to, source);
	return fly(m, from);
}

/* ---- all of them ---- */

/* To every port of every segment, its own included, to nobody, to the address that two segments
 * have. */
static int send_unicasts(struct matrix *m, struct rig_port *from, const struct shape *shape)
{
	int err = send_shape(m, from, shape, unknown, NULL);

	if (err == 0)
		err = send_shape(m, from, shape, shared, NULL);
	for (unsigned int i = 0; i < m->rig->n_ports && err == 0; i++)
		err = send_shape(m, from, shape, m->rig->ports[i].mac, NULL);
	return err;
}

static int send_groups(struct matrix *m, struct rig_port *from, const struct shape *shape)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && err == 0; i++)
		err = send_shape(m, from, shape, groups[i], NULL);
	return err;
}

static int send_reserved(struct matrix *m, struct rig_port *from)
{
	uint8_t reserved[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0};
	int err = 0;

	for (unsigned int i = 0; i < N_LINK_LOCAL && err == 0; i++) {
		reserved[5] = (uint8_t)i;
		err = send_shape(m, from, &shapes[0], reserved, NULL);
	}
	for (size_t i = 0; i < sizeof(bad_sources) / sizeof(bad_sources[0]) && err == 0; i++) {
		err = send_shape(m, from, &shapes[0], groups[0], bad_sources[i]);
		if (err == 0)
			err = send_shape(m, from, &shapes[0], unknown, bad_sources[i]);
	}
	return err;
}

static int send_all(struct matrix *m, struct rig_port *from)
{
	int err = 0;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]) && err == 0; i++) {
		err = send_unicasts(m, from, &shapes[i]);
		if (err == 0)
			err = send_groups(m, from, &shapes[i]);
	}
	if (err == 0)
		err = send_shape(m, from, &large, groups[0], NULL);
	if (err == 0)
		err = send_unicasts(m, from, &large);
	return err == 0 ? send_reserved(m, from) : err;
}

/* The first port of every segment but the last says that it has the shared address. */
static int introduce(struct matrix *m)
{
	uint32_t n_shared = 0;
	int err = 0;

	for (unsigned int i = 0; i < m->rig->n_ports && err == 0; i++) {
		struct rig_port *port = &m->rig->ports[i];

		err = send_shape(m, port, &shapes[0], groups[0], NULL);
		if (err == 0 && port->segment < 2 && (n_shared >> port->segment & 1) == 0) {
			n_shared |= 1U << port->segment;
			err = send_shape(m, port, &shapes[0], groups[0], shared);
		}
	}
	return err;
}

/* A port pretends to have the address of a port in another segment: that changes nothing there. */
static int pretend(struct matrix *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->rig->n_ports && err == 0; i++) {
		struct rig_port *port = &m->rig->ports[i];
		const struct rig_port *other = &m->rig->ports[(i + 1) % m->rig->n_ports];

		if (other->segment != port->segment)
			err = send_shape(m, port, &shapes[0], unknown, other->mac);
	}
	for (unsigned int i = 0; i < m->rig->n_ports && err == 0; i++)
		err = send_unicasts(m, &m->rig->ports[i], &shapes[0]);
	return err;
}

int matrix_run(struct rig *rig, struct matrix_result *result)
{
	struct matrix *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -ENOMEM;
	m->rig = rig;
	m->result = result;
	*result = (struct matrix_result){0};
	read_counters(m, m->after);
	int err = model_load(&m->model, rig);

	if (err == 0)
		err = introduce(m);
	for (unsigned int i = 0; i < rig->n_ports && err == 0; i++)
		err = send_all(m, &rig->ports[i]);
	if (err == 0)
		err = pretend(m);
	if (err == 0 && m->n_errors != 0)
		err = -EUCLEAN;
	free(m);
	return err;
}

void matrix_print(const struct matrix_result *r)
{
	printf("%u frames sent one by one, %u received as they should be; foreign %u, missing %u, "
	       "surplus %u, changed %u, miscounted %u, mislearned %u\n",
	       r->n_sent, r->n_received, r->n_foreign, r->n_missing, r->n_surplus, r->n_changed,
	       r->n_miscounted, r->n_mislearned);
	for (unsigned int i = 1; i < DROP_COUNT; i++) {
		if (r->drops[i] != 0)
			printf("  dropped as they should be: %-14s %llu\n", drop_reason_name(i),
			       (unsigned long long)r->drops[i]);
	}
}
