/* SPDX-License-Identifier: BSD-3-Clause */
/* A numbered probe between two ports. See probe.h. */
#include "tests/bench/probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lib/deadline.h"
#include "tests/lib/frontend.h"
#include "tests/lib/mark.h"

#define SECOND_NS 1000000000ULL
#define MS_NS 1000000ULL
#define SETTLE_MS 3000u
#define RECONNECT_MS 30000u
#define QUIET_NS (200 * MS_NS)
#define NAP_NS (MS_NS / 20)
#define PROBE_SEGMENT 0xfeed

struct probe {
	const struct probe_options *options;
	struct probe_result *result;
	struct frontend *from;
	struct frontend *to;
	struct frontend_frame frame;
	unsigned char bytes[MARK_FRAME_MAX];
	uint64_t n_max;	      /* frames at most */
	uint64_t *sent_ns;    /* by sequence number; 0 once received */
	uint32_t *latency_ns; /* by order of arrival */
	uint64_t highest;     /* sequence number received, + 1 */
	uint64_t heard_ns;    /* time of the last arrival */
};

static int open_port(const struct probe_options *o, unsigned int i, struct frontend **frontend,
		     char *why)
{
	struct frontend_config config = {
		.path = o->paths[i],
		.ring_size = o->ring_size,
		.features = o->plain ? FRONTEND_BASIC : FRONTEND_ALL,
		.frame_bytes_max = 1514,
		.rx_bytes = 1536,
		.why = why,
	};

	return frontend_create(&config, frontend);
}

/* Port numbers: 1 is the probe's source, 2 its target. */
static int send_mark(struct probe *p, struct frontend *f, uint16_t port, uint32_t sequence)
{
	struct mark mark = {PROBE_SEGMENT, port, sequence, MARK_UNICAST};
	uint8_t to[6];

	mark_source(PROBE_SEGMENT, port == 1 ? 2 : 1, to);
	p->frame.bytes = p->bytes;
	p->frame.n_bytes = mark_build(&mark, to, p->bytes, &p->frame.header);
	return frontend_send(f, 0, &p->frame);
}

/* Until a frame has gone each way: the links are up and the addresses learned. */
static int settle(struct probe *p, char *why)
{
	uint64_t deadline_ns = deadline_in_ms(SETTLE_MS);
	struct frontend_received received;
	bool heard[2] = {false, false};

	while (!heard[0] || !heard[1]) {
		if (deadline_passed(deadline_ns)) {
			snprintf(why, FRONTEND_WHY_BYTES, "no frame came through in 3 s");
			return -ETIMEDOUT;
		}
		send_mark(p, p->from, 1, 0);
		send_mark(p, p->to, 2, 0);
		if (frontend_receive(p->to, 0, 50, &received) == 0)
			heard[1] = true;
		if (frontend_receive(p->from, 0, 50, &received) == 0)
			heard[0] = true;
	}
	while (frontend_receive(p->to, 0, 100, &received) == 0)
		;
	return 0;
}

static void note_silence(struct probe *p, uint64_t now_ns)
{
	double silence_ms = (double)(now_ns - p->heard_ns) / (double)MS_NS;

	if (silence_ms > p->result->gap_ms)
		p->result->gap_ms = silence_ms;
}

static void count(struct probe *p, const struct frontend_received *received, uint64_t now_ns)
{
	struct probe_result *r = p->result;
	struct mark mark;

	if (mark_find(received->bytes, received->n_bytes, &mark) < 0 ||
	    mark.segment != PROBE_SEGMENT || mark.port != 1 || mark.sequence >= r->n_sent) {
		r->n_foreign++;
		return;
	}
	uint64_t sent_ns = p->sent_ns[mark.sequence];

	if (sent_ns == 0) {
		r->n_repeated++;
		return;
	}
	uint64_t latency_ns = now_ns - sent_ns;

	p->latency_ns[r->n_received++] =
		latency_ns > UINT32_MAX ? UINT32_MAX : (uint32_t)latency_ns;
	p->sent_ns[mark.sequence] = 0;
	note_silence(p, now_ns);
	p->heard_ns = now_ns;
	if (mark.sequence < p->highest)
		r->n_late++;
	else
		p->highest = mark.sequence + 1ULL;
}

static unsigned int receive_all(struct probe *p)
{
	struct frontend_received received;
	unsigned int n = 0;

	while (split_ring_waiting(&p->to->rx[0].ring) > 0 &&
	       frontend_receive(p->to, 0, 0, &received) == 0) {
		count(p, &received, deadline_now_ns());
		n++;
	}
	return n;
}

static int heal(struct probe *p, struct frontend *f)
{
	if (frontend_wait_closed(f, 0) < 0)
		return 0;
	f->config.timeout_ms = RECONNECT_MS;
	int err = frontend_reconnect(f);

	/* Closed again half-way: the next look tries again. */
	if (err == 0)
		p->result->n_reconnects++;
	return err == -ECONNRESET ? 0 : err;
}

static bool is_over(const struct probe *p)
{
	return p->options->is_over != NULL && *p->options->is_over != 0;
}

static void nap(const struct probe *p, uint64_t next_ns)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};

	if (p->options->gentle && deadline_now_ns() + NAP_NS < next_ns)
		ppoll(NULL, 0, &nap, NULL);
}

static int stream(struct probe *p)
{
	uint64_t interval_ns = SECOND_NS / p->options->pps;
	uint64_t start_ns = deadline_now_ns();
	uint64_t next_ns = start_ns;
	uint64_t look_ns = start_ns;
	int err = 0;

	p->heard_ns = start_ns;
	for (uint64_t i = 0; i < p->n_max && err == 0 && !is_over(p);) {
		uint64_t now_ns = deadline_now_ns();

		if (now_ns >= next_ns) {
			p->sent_ns[p->result->n_sent] = now_ns;
			if (send_mark(p, p->from, 1, (uint32_t)p->result->n_sent) == 0)
				p->result->n_sent++;
			else
				p->result->n_refused++;
			next_ns += interval_ns;
			i++;
		}
		if (receive_all(p) == 0)
			nap(p, next_ns);
		if (now_ns < look_ns + MS_NS)
			continue;
		look_ns = now_ns;
		err = heal(p, p->from);
		if (err == 0)
			err = heal(p, p->to);
	}
	uint64_t last_ns = deadline_now_ns();

	note_silence(p, last_ns); /* an outage that lasts to the end is one, too */
	while (deadline_now_ns() < last_ns + QUIET_NS) {
		if (receive_all(p) > 0)
			last_ns = deadline_now_ns();
	}
	return err;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void evaluate(struct probe *p)
{
	struct probe_result *r = p->result;
	uint64_t missing = 0;

	for (uint64_t i = 0; i < r->n_sent; i++) {
		missing = p->sent_ns[i] != 0 ? missing + 1 : 0;
		if (missing > r->gap_frames)
			r->gap_frames = missing;
	}
	if (r->n_received == 0)
		return;
	qsort(p->latency_ns, r->n_received, sizeof(*p->latency_ns), by_value);
	r->p50_us = p->latency_ns[r->n_received / 2] / 1e3;
	r->p99_us = p->latency_ns[r->n_received * 99 / 100] / 1e3;
	r->max_us = p->latency_ns[r->n_received - 1] / 1e3;
}

int probe_run(const struct probe_options *options, struct probe_result *result, char *why)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return -ENOMEM;
	*result = (struct probe_result){0};
	p->options = options;
	p->result = result;
	p->n_max = (uint64_t)options->pps * options->seconds;
	p->sent_ns = calloc(p->n_max + 1, sizeof(*p->sent_ns));
	p->latency_ns = calloc(p->n_max + 1, sizeof(*p->latency_ns));
	int err = p->sent_ns == NULL || p->latency_ns == NULL ? -ENOMEM : 0;

	if (err == 0)
		err = open_port(options, 0, &p->from, why);
	if (err == 0)
		err = open_port(options, 1, &p->to, why);
	if (err == 0)
		err = settle(p, why);
	if (err == 0) {
		err = stream(p);
		if (err < 0 && why[0] == '\0')
			snprintf(why, FRONTEND_WHY_BYTES, "lost a port: %s", strerror(-err));
		evaluate(p);
	}
	frontend_destroy(p->from);
	frontend_destroy(p->to);
	free(p->sent_ns);
	free(p->latency_ns);
	free(p);
	return err;
}
