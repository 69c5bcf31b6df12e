/* SPDX-License-Identifier: BSD-3-Clause */
/* Load between ports of a switch. See load.h. The calling thread runs all of it. */
#include "tests/bench/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load_frame.h"
#include "tests/lib/deadline.h"
#include "tests/lib/frontend_bulk.h"

#define SECOND_NS 1000000000ULL
#define QUIET_NS 3000000ULL   /* nothing comes for so long: nothing will */
#define DRAIN_NS 500000000ULL /* but at most so long */
#define RING_SIZE 1024u
#define BATCH 64u
#define UNLOOKED 16u /* turns between looks at the clock, where nobody asks for the time */

struct station {
	struct load *load;
	struct frontend *frontend;
	struct frontend_bulk bulk;
	struct load_look look;
	uint16_t one_size;
	bool sends;
	uint64_t n_paced;  /* frames that were due */
	uint32_t sequence; /* of its next frame */
	uint32_t next;	   /* number that is due to come here */
};

struct load {
	struct load_options options;
	struct station stations[LOAD_PORTS_MAX];
	struct load_result *result;
	uint64_t now_ns;
};

static void build(void *ctx, unsigned int i, unsigned char *frame)
{
	const struct station *s = ctx;

	load_frame_build(&s->look, i, frame);
}

static void sending(void *ctx, unsigned char *frame)
{
	struct station *s = ctx;

	load_frame_mark(frame, s->sequence++, s->load->now_ns);
}

/* Numbers that are missing count as lost, until they come late after all. */
static void arrived(void *ctx, const unsigned char *frame, uint32_t n_bytes)
{
	struct station *s = ctx;
	struct load_result *result = s->load->result;
	uint32_t sequence;
	uint64_t sent_ns;

	if (result == NULL || n_bytes < 60)
		return;
	load_frame_read(frame, &sequence, &sent_ns);
	int32_t ahead = (int32_t)(sequence - s->next);

	if (ahead >= 0) {
		result->n_lost += (uint32_t)ahead;
		s->next = sequence + 1;
	} else {
		result->n_late++;
		result->n_lost -= result->n_lost > 0;
	}
	if (sent_ns <= s->load->now_ns)
		delays_note(&result->delays, s->load->now_ns - sent_ns);
}

static void choose_look(struct station *s, unsigned int i)
{
	const struct load_options *o = &s->load->options;
	bool is_newcomer = o->way == LOAD_BOTH && i == 2;

	s->one_size = (uint16_t)o->n_bytes;
	s->sends = o->way == LOAD_BOTH || (i == 0 && o->way != LOAD_NONE);
	s->look = (struct load_look){
		.from = i,
		.to = o->way == LOAD_FLOOD ? (i == 0 ? LOAD_BROADCAST : 0)
		      : i == 1		   ? 0
					   : 1,
		.n_macs = is_newcomer ? o->n_newcomers : o->n_macs,
		.n_to = is_newcomer ? 1 : o->n_macs,
		.n_flows = o->n_flows,
		.sizes = o->n_bytes == 0 ? load_imix : &s->one_size,
		.n_sizes = o->n_bytes == 0 ? LOAD_IMIX_FRAMES : 1,
	};
}

static int open_station(struct load *load, unsigned int i, char *why)
{
	struct station *s = &load->stations[i];
	const struct load_options *o = &load->options;

	s->load = load;
	choose_look(s, i);
	unsigned int n_frames =
		s->look.n_macs * s->look.n_sizes * (o->n_flows > 0 ? o->n_flows : 1);
	unsigned int n_laps = o->numbered ? (RING_SIZE + n_frames - 1) / n_frames : 1;
	struct frontend_bulk_load bulk = {
		.n_frames = n_frames * n_laps,
		.n_bytes = o->n_bytes == 0 ? 1514 : o->n_bytes,
		.sizes = o->n_bytes == 0 ? load_imix : NULL,
		.n_sizes = s->look.n_sizes,
		.touch = true,
		.build = build,
		.sending = o->numbered && i < 2 ? sending : NULL,
		.arrived = o->numbered ? arrived : NULL,
		.ctx = s,
	};
	struct frontend_config config = {
		.path = o->paths[i],
		.layout = o->packed ? FRONTEND_PACKED : FRONTEND_SPLIT,
		.ring_size = RING_SIZE,
		.features = FRONTEND_ALL,
		.extra_bytes = frontend_bulk_bytes(bulk.n_frames, bulk.n_bytes, RING_SIZE),
		.frame_bytes_max = 64, /* the slots of the honest half stay unused */
		.rx_bytes = 64,
		.manual_post = true,
		.why = why,
	};
	int err = frontend_create(&config, &s->frontend);

	if (err == 0) {
		err = frontend_bulk_init(&s->bulk, s->frontend, 0, &bulk);
		if (err < 0)
			snprintf(why, FRONTEND_WHY_BYTES, "building %u frames: %s", bulk.n_frames,
				 strerror(-err));
	}
	return err;
}

int load_open(const struct load_options *options, struct load **out, char *why)
{
	struct load *load = calloc(1, sizeof(*load));
	int err = load == NULL ? -ENOMEM : 0;

	if (load != NULL)
		load->options = *options;
	for (unsigned int i = 0; i < options->n_ports && err == 0; i++)
		err = open_station(load, i, why);
	if (err < 0) {
		load_close(load);
		return err;
	}
	*out = load;
	return 0;
}

void load_close(struct load *load)
{
	if (load == NULL)
		return;
	for (unsigned int i = 0; i < load->options.n_ports; i++)
		frontend_destroy(load->stations[i].frontend);
	free(load);
}

static void send_paced(struct station *s, uint64_t since_ns, unsigned int pps,
		       struct load_result *result)
{
	uint64_t due = since_ns * pps / SECOND_NS - s->n_paced;

	if (due == 0)
		return;
	result->n_refused += due - frontend_bulk_send(&s->bulk, (unsigned int)due);
	s->n_paced += due;
}

static unsigned int receive_all(struct load *load)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < load->options.n_ports; i++)
		n += frontend_bulk_receive(&load->stations[i].bulk, BATCH);
	return n;
}

static void send_all(struct load *load, uint64_t since_ns, unsigned int pps,
		     unsigned int newcomer_pps)
{
	for (unsigned int i = 0; i < load->options.n_ports; i++) {
		struct station *s = &load->stations[i];
		unsigned int rate = i == 2 ? newcomer_pps : pps;

		if (!s->sends)
			continue;
		if (i < 2 && rate == 0)
			frontend_bulk_send(&s->bulk, BATCH);
		else
			send_paced(s, since_ns, rate, load->result);
		if (i == 0 && load->options.n_ports > 1)
			frontend_bulk_receive(&load->stations[1].bulk, BATCH);
	}
}

static void add_up(const struct load *load, struct load_result *result, int sign)
{
	for (unsigned int i = 0; i < load->options.n_ports; i++) {
		const struct frontend_bulk *bulk = &load->stations[i].bulk;

		result->n_sent += bulk->n_sent * (uint64_t)sign;
		result->n_received += bulk->n_received * (uint64_t)sign;
		result->received_bytes += bulk->received_bytes * (uint64_t)sign;
		result->n_bad += bulk->n_bad * (uint64_t)sign;
	}
}

/* Receives what is still on its way. */
static void drain(struct load *load)
{
	uint64_t start_ns = load->now_ns, heard_ns = start_ns;

	while (load->now_ns < heard_ns + QUIET_NS && load->now_ns < start_ns + DRAIN_NS) {
		load->now_ns = deadline_now_ns();
		if (receive_all(load) > 0)
			heard_ns = load->now_ns;
	}
}

int load_run(struct load *load, unsigned int ms, unsigned int pps, unsigned int newcomer_pps,
	     struct load_result *result)
{
	bool looks = load->options.numbered || pps > 0;
	uint64_t start_ns = deadline_now_ns(), end_ns = start_ns + ms * (SECOND_NS / 1000);

	*result = (struct load_result){0};
	add_up(load, result, -1);
	load->result = result;
	load->now_ns = start_ns;
	for (unsigned int i = 0; i < load->options.n_ports; i++)
		load->stations[i].n_paced = 0;
	for (unsigned int turn = 0; load->now_ns < end_ns; turn++) {
		if (looks || turn % UNLOOKED == 0)
			load->now_ns = deadline_now_ns();
		send_all(load, load->now_ns - start_ns, pps, newcomer_pps);
		receive_all(load);
	}
	result->seconds = (double)(load->now_ns - start_ns) / (double)SECOND_NS;
	drain(load);
	add_up(load, result, 1);
	load->result = NULL;
	for (unsigned int i = 0; i < load->options.n_ports; i++) {
		if (frontend_wait_closed(load->stations[i].frontend, 0) == 0)
			return -ECONNRESET;
	}
	return 0;
}
