/* SPDX-License-Identifier: BSD-3-Clause */
/* Floods of addresses beside an honest pair. See mac_flood.h. */
#include "tests/bench/mac_flood.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/deadline.h"
#include "tests/lib/frontend.h"
#include "tests/lib/frontend_bulk.h"

#define SECOND_NS 1000000000ULL
#define MS_NS 1000000ULL
#define FRAME_BYTES 60
#define BATCH 64
#define SETTLE_MS 3000u
#define QUIET_NS SECOND_NS
#define NEW_EVERY_NS (50 * MS_NS)
#define REPEAT_NS (10 * MS_NS)
#define GIVE_UP_NS SECOND_NS
#define ASK_NS 20000ULL

enum kind {
	KIND_STREAM = 1,
	KIND_HELLO, /* from a new address */
	KIND_ASK,   /* to a new address */
};

/* What a frame of the pair carries behind its EtherType. */
struct load {
	uint32_t kind;
	uint32_t number;
	uint64_t sent_ns;
};

struct flooder {
	struct frontend *frontend;
	struct frontend_bulk bulk;
};

struct mac_flood {
	const struct mac_flood_options *options;
	struct mac_flood_result *result;
	struct flooder flooders[MAC_FLOOD_PORTS_MAX];
	struct frontend *pair[2];
	uint64_t n_heard[2]; /* frames of the pair */

	uint32_t *stream_ns, *learning_ns;
	uint64_t n_stream_max, n_learning_max;
	uint64_t next_number; /* of the stream, expected */

	bool is_waiting; /* for the last new address to be learned */
	uint64_t new_ns, hello_ns, ask_ns;
};

/* Address `number` of a kind: 'G' and a flooder's index, 'P' for the pair, 'N' for new ones. */
static void put_address(unsigned char *mac, char kind, unsigned int owner, uint32_t number)
{
	const unsigned char bytes[6] = {0x02,
					(unsigned char)kind,
					(unsigned char)owner,
					(unsigned char)(number >> 16),
					(unsigned char)(number >> 8),
					(unsigned char)number};

	memcpy(mac, bytes, sizeof(bytes));
}

static void put_type(unsigned char *frame)
{
	frame[12] = 0x88;
	frame[13] = 0xb5;
}

struct look {
	unsigned int owner, peer;
};

/* To an address of the next flooder, which nearly always is not known: it is not among those that
 * the next has its place for. */
static void build(void *ctx, unsigned int i, unsigned char *frame)
{
	const struct look *look = ctx;

	memset(frame, 0, FRAME_BYTES);
	put_address(frame, 'G', look->peer, i);
	put_address(frame + 6, 'G', look->owner, i);
	put_type(frame);
}

static int open_flooder(struct mac_flood *m, unsigned int i, char *why)
{
	const struct mac_flood_options *o = m->options;
	struct frontend_config config = {
		.path = o->flooders[i],
		.ring_size = o->ring_size,
		.extra_bytes = frontend_bulk_bytes(o->n_macs, FRAME_BYTES, o->ring_size),
		.frame_bytes_max = 64, /* the slots of the honest half stay unused */
		.rx_bytes = 64,
		.manual_post = true,
		.why = why,
	};
	struct look look = {.owner = i, .peer = (i + 1) % o->n_flooders};
	struct frontend_bulk_load load = {
		.n_frames = o->n_macs,
		.n_bytes = FRAME_BYTES,
		.touch = true,
		.build = build,
		.ctx = &look,
	};
	struct flooder *flooder = &m->flooders[i];
	int err = frontend_create(&config, &flooder->frontend);

	if (err < 0)
		return err;
	err = frontend_bulk_init(&flooder->bulk, flooder->frontend, 0, &load);
	if (err < 0)
		snprintf(why, FRONTEND_WHY_BYTES, "%u frames: %s", o->n_macs, strerror(-err));
	return err;
}

static int open_pair(struct mac_flood *m, unsigned int i, char *why)
{
	struct frontend_config config = {
		.path = m->options->pair[i],
		.ring_size = m->options->ring_size,
		.frame_bytes_max = 1514,
		.rx_bytes = 1536,
		.why = why,
	};

	return frontend_create(&config, &m->pair[i]);
}

/* Sends a frame of the pair between these addresses. */
static int send_load(struct frontend *f, const unsigned char *to, const unsigned char *from,
		     const struct load *load)
{
	unsigned char bytes[FRAME_BYTES] = {0};
	struct frontend_frame frame = {.bytes = bytes, .n_bytes = sizeof(bytes)};

	memcpy(bytes, to, 6);
	memcpy(bytes + 6, from, 6);
	put_type(bytes);
	memcpy(bytes + 16, load, sizeof(*load));
	return frontend_send(f, 0, &frame);
}

/* From one of the pair to the other. */
static int send_over(struct mac_flood *m, unsigned int from, const struct load *load)
{
	unsigned char addresses[2][6];

	put_address(addresses[0], 'P', 0, 0);
	put_address(addresses[1], 'P', 1, 0);
	return send_load(m->pair[from], addresses[!from], addresses[from], load);
}

static void note_stream(struct mac_flood *m, const struct load *load, uint64_t now_ns)
{
	struct mac_flood_result *r = m->result;

	if (load->number < m->next_number) {
		r->n_late++;
		return;
	}
	m->next_number = load->number + 1ULL;
	m->stream_ns[r->n_received++] = (uint32_t)(now_ns - load->sent_ns);
}

static void note_answer(struct mac_flood *m, const struct load *load, uint64_t now_ns)
{
	if (!m->is_waiting || load->number != m->result->n_new)
		return;
	m->is_waiting = false;
	m->learning_ns[m->result->n_learned++] = (uint32_t)(now_ns - m->new_ns);
}

static unsigned int receive(struct mac_flood *m, unsigned int i)
{
	struct frontend_received received;
	struct load load;
	unsigned int n = 0;

	while (split_ring_waiting(&m->pair[i]->rx[0].ring) > 0 &&
	       frontend_receive(m->pair[i], 0, 0, &received) == 0) {
		n++;
		if (received.n_bytes != FRAME_BYTES || received.bytes[12] != 0x88)
			continue;
		memcpy(&load, received.bytes + 16, sizeof(load));
		m->n_heard[i]++;
		if (i == 1 && load.kind == KIND_STREAM)
			note_stream(m, &load, deadline_now_ns());
		else if (i == 1 && load.kind == KIND_ASK)
			note_answer(m, &load, deadline_now_ns());
	}
	return n;
}

/* The numbered stream: what is due by now. */
static void stream(struct mac_flood *m, uint64_t now_ns, uint64_t *next_ns)
{
	while (now_ns >= *next_ns) {
		struct load load = {.kind = KIND_STREAM,
				    .number = (uint32_t)m->result->n_sent,
				    .sent_ns = deadline_now_ns()};

		if (m->result->n_sent == m->n_stream_max)
			return;
		if (send_over(m, 0, &load) == 0)
			m->result->n_sent++;
		else
			m->result->n_refused++;
		*next_ns += SECOND_NS / m->options->pps;
	}
}

static void say_hello(struct mac_flood *m, uint64_t now_ns)
{
	struct load load = {.kind = KIND_HELLO};
	unsigned char from[6], to[6];

	put_address(from, 'N', 0, (uint32_t)m->result->n_new);
	put_address(to, 'P', 0, 0);
	if (send_load(m->pair[1], to, from, &load) == 0)
		m->hello_ns = now_ns;
}

static void ask(struct mac_flood *m, uint64_t now_ns)
{
	struct load load = {.kind = KIND_ASK, .number = (uint32_t)m->result->n_new};
	unsigned char from[6], to[6];

	put_address(from, 'P', 0, 0);
	put_address(to, 'N', 0, (uint32_t)m->result->n_new);
	if (send_load(m->pair[0], to, from, &load) == 0)
		m->ask_ns = now_ns;
}

/* New addresses, one at a time. */
static void try_new(struct mac_flood *m, uint64_t now_ns)
{
	if (m->is_waiting && now_ns > m->new_ns + GIVE_UP_NS)
		m->is_waiting = false;
	if (!m->is_waiting) {
		if (now_ns < m->new_ns + NEW_EVERY_NS || m->result->n_new == m->n_learning_max)
			return;
		m->result->n_new++;
		m->is_waiting = true;
		m->new_ns = now_ns;
		say_hello(m, now_ns);
	}
	if (now_ns > m->hello_ns + REPEAT_NS) {
		m->result->n_repeated++;
		say_hello(m, now_ns);
	}
	if (now_ns > m->ask_ns + ASK_NS)
		ask(m, now_ns);
}

/* One turn of the flood. */
static void flood(struct mac_flood *m)
{
	for (unsigned int i = 0; i < m->options->n_flooders; i++) {
		frontend_bulk_send(&m->flooders[i].bulk, BATCH);
		frontend_bulk_receive(&m->flooders[i].bulk, BATCH);
	}
}

/* Until each of the pair has heard the other: both are known. */
static int settle(struct mac_flood *m, char *why)
{
	uint64_t deadline_ns = deadline_in_ms(SETTLE_MS);
	struct load load = {.kind = KIND_HELLO};

	while (m->n_heard[0] == 0 || m->n_heard[1] == 0) {
		if (deadline_passed(deadline_ns)) {
			snprintf(why, FRONTEND_WHY_BYTES, "the pair did not hear itself in 3 s");
			return -ETIMEDOUT;
		}
		for (unsigned int i = 0; i < 2; i++) {
			struct frontend_received received;

			send_over(m, i, &load);
			if (frontend_receive(m->pair[!i], 0, 50, &received) == 0)
				m->n_heard[!i]++;
		}
	}
	return 0;
}

static int check_alive(const struct mac_flood *m, char *why)
{
	for (unsigned int i = 0; i < m->options->n_flooders; i++) {
		if (frontend_wait_closed(m->flooders[i].frontend, 0) == 0) {
			snprintf(why, FRONTEND_WHY_BYTES, "%s was closed by the switch",
				 m->options->flooders[i]);
			return -ECONNRESET;
		}
	}
	return 0;
}

static void measure(struct mac_flood *m)
{
	uint64_t start_ns = deadline_now_ns();
	uint64_t end_ns = start_ns + m->options->seconds * SECOND_NS;
	uint64_t next_ns = start_ns, now_ns = start_ns, last_ns;

	while (now_ns < end_ns) {
		flood(m);
		now_ns = deadline_now_ns();
		stream(m, now_ns, &next_ns);
		try_new(m, now_ns);
		receive(m, 0);
		receive(m, 1);
	}
	m->result->seconds = (double)(now_ns - start_ns) / (double)SECOND_NS;
	m->is_waiting = false;
	last_ns = now_ns;
	while (deadline_now_ns() < last_ns + QUIET_NS) {
		for (unsigned int i = 0; i < m->options->n_flooders; i++)
			frontend_bulk_receive(&m->flooders[i].bulk, BATCH);
		if (receive(m, 0) + receive(m, 1) > 0)
			last_ns = deadline_now_ns();
	}
	for (unsigned int i = 0; i < m->options->n_flooders; i++)
		m->result->n_flood[i] = m->flooders[i].bulk.n_sent;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static struct mac_flood_times times_of(uint32_t *ns, uint64_t n)
{
	if (n == 0)
		return (struct mac_flood_times){0};
	qsort(ns, n, sizeof(*ns), by_value);
	return (struct mac_flood_times){ns[n / 2] / 1e3, ns[n * 99 / 100] / 1e3, ns[n - 1] / 1e3};
}

static int open_all(struct mac_flood *m, char *why)
{
	const struct mac_flood_options *o = m->options;
	int err = 0;

	m->n_stream_max = (uint64_t)o->pps * o->seconds + 1;
	m->n_learning_max = o->seconds * SECOND_NS / NEW_EVERY_NS + 1;
	m->stream_ns = calloc(m->n_stream_max, sizeof(*m->stream_ns));
	m->learning_ns = calloc(m->n_learning_max, sizeof(*m->learning_ns));
	if (m->stream_ns == NULL || m->learning_ns == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < o->n_flooders && err == 0; i++)
		err = open_flooder(m, i, why);
	for (unsigned int i = 0; i < 2 && err == 0; i++)
		err = open_pair(m, i, why);
	return err;
}

int mac_flood_run(const struct mac_flood_options *options, struct mac_flood_result *result,
		  char *why)
{
	struct mac_flood *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return -ENOMEM;
	*result = (struct mac_flood_result){0};
	m->options = options;
	m->result = result;
	int err = open_all(m, why);

	if (err == 0)
		err = settle(m, why);
	if (err == 0) {
		measure(m);
		err = check_alive(m, why);
		result->stream = times_of(m->stream_ns, result->n_received);
		result->learning = times_of(m->learning_ns, result->n_learned);
	}
	for (unsigned int i = 0; i < options->n_flooders; i++)
		frontend_destroy(m->flooders[i].frontend);
	frontend_destroy(m->pair[0]);
	frontend_destroy(m->pair[1]);
	free(m->stream_ns);
	free(m->learning_ns);
	free(m);
	return err;
}
