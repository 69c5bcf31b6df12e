/* SPDX-License-Identifier: BSD-3-Clause */
/* Load over two front-ends. See flood.h. */
#include "tests/bench/flood.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/deadline.h"
#include "tests/lib/frontend.h"
#include "tests/lib/frontend_bulk.h"

#define SECOND_NS 1000000000ULL
#define QUIET_NS 50000000ULL	/* nothing arrives for so long: nothing will */
#define SETTLE_NS 3000000000ULL /* the first frame must pass within this */
#define WARM_NS 300000000ULL
#define LEARN_NS 100000ULL /* the switch learns an address of a port in that time */
#define LEARNED_MAX 16384U /* so many at most are waited for */

struct side {
	struct frontend *frontend;
	struct frontend_bulk bulk;
	bool sends;
};

struct flood {
	const struct flood_options *options;
	struct side sides[2];
};

/* What a side's frames look like. */
struct look {
	unsigned int side;
	unsigned int n_bytes;
};

static void put_address(unsigned char *mac, unsigned int side, unsigned int i)
{
	mac[0] = 0x02;
	mac[1] = 'G';
	mac[2] = (unsigned char)side;
	mac[3] = (unsigned char)(i >> 16);
	mac[4] = (unsigned char)(i >> 8);
	mac[5] = (unsigned char)i;
}

static void build(void *ctx, unsigned int i, unsigned char *frame)
{
	const struct look *look = ctx;

	memset(frame, 0, look->n_bytes);
	put_address(frame, !look->side, i);
	put_address(frame + 6, look->side, i);
	frame[12] = 0x88;
	frame[13] = 0xb5;
}

static int open_side(const struct flood_options *o, unsigned int i, struct side *side, char *why)
{
	struct frontend_config config = {
		.path = o->paths[i],
		.ring_size = o->ring_size,
		.features = o->plain ? FRONTEND_BASIC : FRONTEND_ALL,
		.extra_bytes = frontend_bulk_bytes(o->n_macs, o->n_bytes, o->ring_size),
		.frame_bytes_max = 64, /* the slots of the honest half stay unused */
		.rx_bytes = 64,
		.manual_post = true,
		.why = why,
	};
	struct look look = {.side = i, .n_bytes = o->n_bytes};
	struct frontend_bulk_load load = {
		.n_frames = o->n_macs,
		.n_bytes = o->n_bytes,
		.touch = o->touch,
		.build = build,
		.ctx = &look,
	};
	int err = frontend_create(&config, &side->frontend);

	if (err < 0)
		return err;
	err = frontend_bulk_init(&side->bulk, side->frontend, 0, &load);
	if (err < 0)
		snprintf(why, FRONTEND_WHY_BYTES, "building %u frames: %s", o->n_macs,
			 strerror(-err));
	side->sends = i == 0 || !o->one_way;
	return err;
}

/* One turn of the load; frames received. */
static unsigned int turn(struct flood *flood, bool sending)
{
	unsigned int batch = flood->options->batch;
	unsigned int n = 0;

	for (unsigned int i = 0; i < 2; i++) {
		struct side *side = &flood->sides[i];

		if (sending && side->sends)
			frontend_bulk_send(&side->bulk, batch);
		n += frontend_bulk_receive(&flood->sides[!i].bulk, batch);
	}
	return n;
}

static int drain(struct flood *flood, char *why)
{
	uint64_t last_ns = deadline_now_ns();

	while (deadline_now_ns() < last_ns + QUIET_NS) {
		if (turn(flood, false) > 0)
			last_ns = deadline_now_ns();
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (frontend_wait_closed(flood->sides[i].frontend, 0) == 0) {
			snprintf(why, FRONTEND_WHY_BYTES, "%s was closed by the switch",
				 flood->options->paths[i]);
			return -ECONNRESET;
		}
	}
	return 0;
}

/* Until both sides have heard the other, so that the switch knows every address. */
static int warm_up(struct flood *flood, char *why)
{
	uint64_t start_ns = deadline_now_ns();
	uint64_t heard_ns = 0;
	unsigned int n_macs = flood->options->n_macs;
	uint64_t warm_ns = WARM_NS + LEARN_NS * (n_macs < LEARNED_MAX ? n_macs : LEARNED_MAX);
	struct frontend_bulk *a = &flood->sides[0].bulk;
	struct frontend_bulk *b = &flood->sides[1].bulk;

	flood->sides[1].sends = true;
	while (heard_ns == 0 || deadline_now_ns() < heard_ns + warm_ns) {
		turn(flood, true);
		if (heard_ns == 0 && a->n_received > 0 && b->n_received > 0)
			heard_ns = deadline_now_ns();
		if (heard_ns == 0 && deadline_now_ns() > start_ns + SETTLE_NS) {
			snprintf(why, FRONTEND_WHY_BYTES,
				 "no frame came through in 3 s (received %llu and %llu)",
				 (unsigned long long)a->n_received,
				 (unsigned long long)b->n_received);
			return -ETIMEDOUT;
		}
	}
	flood->sides[1].sends = !flood->options->one_way;
	return drain(flood, why);
}

static void measure(struct flood *flood, struct flood_result *result)
{
	const struct frontend_bulk *a = &flood->sides[0].bulk;
	const struct frontend_bulk *b = &flood->sides[1].bulk;
	uint64_t start_ns = deadline_now_ns();
	uint64_t mark_ns = start_ns;
	uint64_t end_ns = start_ns + flood->options->seconds * SECOND_NS;
	uint64_t seen[2] = {b->n_received, a->n_received};
	uint64_t now_ns = start_ns;

	while (now_ns < end_ns) {
		for (unsigned int i = 0; i < 16; i++)
			turn(flood, true);
		now_ns = deadline_now_ns();
		if (now_ns < mark_ns + SECOND_NS || flood->options->each_second == NULL)
			continue;
		double s = (double)(now_ns - mark_ns) / (double)SECOND_NS;

		flood->options->each_second((double)(b->n_received - seen[0]) / s,
					    (double)(a->n_received - seen[1]) / s);
		seen[0] = b->n_received;
		seen[1] = a->n_received;
		mark_ns = now_ns;
	}
	result->seconds = (double)(now_ns - start_ns) / (double)SECOND_NS;
}

static void add_up(const struct side *from, const struct side *to, struct flood_direction *sum,
		   int sign)
{
	sum->n_sent += from->bulk.n_sent * (uint64_t)sign;
	sum->n_received += to->bulk.n_received * (uint64_t)sign;
	sum->n_bad += to->bulk.n_bad * (uint64_t)sign;
}

int flood_run(const struct flood_options *options, struct flood_result *result, char *why)
{
	struct flood flood = {.options = options};
	int err = open_side(options, 0, &flood.sides[0], why);

	*result = (struct flood_result){0};
	if (err == 0)
		err = open_side(options, 1, &flood.sides[1], why);
	if (err == 0)
		err = warm_up(&flood, why);
	if (err == 0) {
		/* The result is the difference between before and after. */
		add_up(&flood.sides[0], &flood.sides[1], &result->ab, -1);
		add_up(&flood.sides[1], &flood.sides[0], &result->ba, -1);
		measure(&flood, result);
		err = drain(&flood, why);
		add_up(&flood.sides[0], &flood.sides[1], &result->ab, 1);
		add_up(&flood.sides[1], &flood.sides[0], &result->ba, 1);
	}
	frontend_destroy(flood.sides[0].frontend);
	frontend_destroy(flood.sides[1].frontend);
	return err;
}
