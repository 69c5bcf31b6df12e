/* SPDX-License-Identifier: BSD-3-Clause */
/* See playback.h. */
#include "control/playback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "control/fastpath.h"
#include "control/playback_body.h"
#include "dataplane/api/record.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

#define NS_PER_S 1000000000ULL
#define RING_BYTES (UINT64_C(8) << 20)
#define LEAD_NS 10000000ULL /* from the order to start until the start: workers may sleep */
#define TURN_MS 500
#define FATES_BYTES (UINT64_C(8) << 20) /* of all ports, for each worker */
#define FATES_BYTES_MIN (UINT64_C(1) << 20)
#define LINES_MAX 32768 /* in one answer */
#define LINE_BYTES_MAX (2 * DP_NAME_BYTES + 160)

/* One port of it. */
struct ring {
	char name[DP_NAME_BYTES];
	uint64_t dp_id;
	int fd;
	struct record_map map;
	struct record_writer writer;
	uint64_t put;
	struct outcomes_source fates;
	int fates_error;
};

struct playback {
	struct control *control;
	struct playback *next;
	char name[DP_NAME_BYTES], who[DP_NAME_BYTES];
	uint64_t epoch; /* of the dataplane */
	uint64_t heard_ns;
	bool is_started, has_lines;
	uint64_t start_ns;
	struct outcomes outcomes;
	size_t n_rings;
	struct ring rings[DP_REPLAYS_MAX];
};

/* --- open and close --- */

/* Is there still the dataplane that has the rings? */
static bool is_alive(const struct playback *playback)
{
	const struct dp_welcome *welcome = fastpath_welcome(playback->control->fastpath);

	return welcome != NULL && welcome->epoch == playback->epoch;
}

static void take_memory(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct ring *ring = ctx;

	if (message->type == DP_REPLAY_FATES && n_fds == 1 && ring->fates.map.header == NULL)
		ring->fates_error = outcomes_source_open(&ring->fates, fds[0]);
	if (message->type != DP_REPLAY || n_fds != 1 || ring->fd >= 0)
		return;
	ring->dp_id = ((const struct dp_object *)message)->id;
	ring->fd = fds[0];
	fds[0] = -1;
}

/* Of each port, so that all together are no more than one would have. */
static uint64_t fates_bytes(size_t n_ports)
{
	uint64_t bytes = FATES_BYTES;

	while (bytes > FATES_BYTES_MIN && bytes * n_ports > FATES_BYTES)
		bytes /= 2;
	return bytes;
}

static int open_ring(struct playback *playback, const struct model_port *port, size_t n_ports,
		     struct problem *problem)
{
	struct ring *ring = &playback->rings[playback->n_rings];
	struct dp_replay_open open = {
		.port_id = port->id, .ring_bytes = RING_BYTES, .fates_bytes = fates_bytes(n_ports)};

	*ring = (struct ring){.fd = -1, .fates_error = -EBADMSG};
	snprintf(ring->name, sizeof(ring->name), "%s", port->name);
	int error = fastpath_ask(playback->control->fastpath, DP_REPLAY_OPEN, &open, sizeof(open),
				 take_memory, ring, problem);

	if (error < 0)
		return error;
	playback->n_rings++;
	error = ring->fd >= 0 ? record_open(ring->fd, &ring->map) : -EBADMSG;
	if (error == 0)
		error = ring->fates_error;
	if (error < 0)
		return problem_system(problem, error, "reading the dataplane's memory");
	record_writer_begin(&ring->writer, &ring->map, 0);
	return 0;
}

static void close_ring(const struct playback *playback, struct ring *ring)
{
	struct dp_object object = {.id = ring->dp_id};
	struct problem problem = {0};

	/* Without an answer the dataplane has gone, and the replay with it. */
	if (is_alive(playback) && fastpath_ask(playback->control->fastpath, DP_REPLAY_CLOSE,
					       &object, sizeof(object), NULL, NULL, &problem) < 0)
		problem_fini(&problem);
	record_close(&ring->map);
	outcomes_source_close(&ring->fates);
	if (ring->fd >= 0)
		close(ring->fd);
}

static void close_all(struct playback *playback)
{
	for (size_t i = 0; i < playback->n_rings; i++)
		close_ring(playback, &playback->rings[i]);
	outcomes_fini(&playback->outcomes);
	free(playback);
}

static void choose_name(struct playback *playback)
{
	for (unsigned int i = 1; playback->name[0] == '\0'; i++) {
		char name[DP_NAME_BYTES];

		snprintf(name, sizeof(name), "replay%u", i);
		if (playback_find(playback->control, name) == NULL)
			memcpy(playback->name, name, sizeof(name));
	}
}

int playback_open(struct control *control, const struct model_port *const *ports, size_t n_ports,
		  bool has_lines, const char *who, struct playback **out, struct problem *problem)
{
	struct playback *playback = calloc(1, sizeof(*playback));
	const struct dp_welcome *welcome = fastpath_welcome(control->fastpath);
	int error = 0;

	if (playback == NULL)
		return problem_system(problem, -ENOMEM, "answering");
	playback->control = control;
	playback->has_lines = has_lines;
	playback->epoch = welcome != NULL ? welcome->epoch : 0;
	playback_renew(playback);
	for (size_t i = 0; i < n_ports && error == 0; i++)
		error = open_ring(playback, ports[i], n_ports, problem);
	if (error < 0) {
		close_all(playback);
		return error;
	}
	snprintf(playback->who, sizeof(playback->who), "%s", who);
	choose_name(playback);
	playback->next = control->playbacks;
	control->playbacks = playback;
	*out = playback;
	return 0;
}

void playback_end(struct playback *playback)
{
	struct playback **link = &playback->control->playbacks;

	while (*link != playback)
		link = &(*link)->next;
	*link = playback->next;
	close_all(playback);
}

void playback_end_all(struct control *control)
{
	while (control->playbacks != NULL)
		playback_end(control->playbacks);
}

int playback_turn(struct control *control, uint64_t now_ns)
{
	struct playback *next;

	for (struct playback *playback = control->playbacks; playback != NULL; playback = next) {
		next = playback->next;
		playback_sum_up(playback);
		if (now_ns < playback->heard_ns + PLAYBACK_LEASE_S * NS_PER_S)
			continue;
		log_info("replay", "%s of %s: nothing was heard for %d s, it ends here",
			 playback->name, playback->who, PLAYBACK_LEASE_S);
		playback_end(playback);
	}
	return control->playbacks != NULL ? TURN_MS : -1;
}

/* --- frames --- */

/* false: there is no room. */
static bool put(struct ring *ring, const struct playback_frame *frame)
{
	struct record *record = record_writer_reserve(&ring->writer, frame->len);

	if (record == NULL)
		return false;
	record->wire_len = frame->len;
	record->way = RECORD_RX;
	record->reason = 0;
	record->reserved = 0;
	record->time_ns = frame->due_ns;
	record->port_id = 0;
	record->segment_id = record->reserved2 = 0;
	memcpy(record + 1, frame->bytes, frame->len);
	record_writer_commit(&ring->writer, record);
	ring->put++;
	return true;
}

int playback_put(struct playback *playback, const char *body, size_t bytes, size_t *taken,
		 struct problem *problem)
{
	struct playback_frame frame;

	*taken = 0;
	int error = playback_body_check(body, bytes, playback->n_rings, problem);

	for (size_t at = 0; error == 0 && at < bytes; *taken = at) {
		at += playback_body_frame(body + at, &frame);
		if (!put(&playback->rings[frame.port], &frame))
			break;
	}
	return error;
}

int playback_start(struct playback *playback, struct problem *problem)
{
	uint64_t start_ns = loop_clock_ns() + LEAD_NS;
	int error = 0;

	if (playback->is_started)
		return problem_set(problem, -EINVAL, 422, "value-invalid",
				   "%s has been started already", playback->name);
	for (size_t i = 0; i < playback->n_rings && error == 0; i++) {
		struct dp_replay_start start = {.id = playback->rings[i].dp_id,
						.start_ns = start_ns};

		error = fastpath_ask(playback->control->fastpath, DP_REPLAY_START, &start,
				     sizeof(start), NULL, NULL, problem);
	}
	playback->is_started = error == 0;
	playback->start_ns = start_ns;
	return error;
}

/* --- what became of them --- */

static int take_fates(struct playback *playback, struct ring *ring, size_t max, outcomes_fn fn,
		      void *ctx)
{
	int n = outcomes_take(&playback->outcomes, &ring->fates, playback->control->model, max, fn,
			      ctx);

	/* Nothing more is read of what is damaged. */
	if (n < 0) {
		log_info("replay", "%s: fates of port %s cannot be read: %s", playback->name,
			 ring->name, strerror(-n));
		outcomes_source_close(&ring->fates);
	}
	return n;
}

void playback_sum_up(struct playback *playback)
{
	for (size_t i = 0; i < playback->n_rings && !playback->has_lines; i++)
		take_fates(playback, &playback->rings[i], SIZE_MAX, NULL, NULL);
}

struct lines {
	const struct playback *playback;
	const struct ring *ring;
	char *text;
	size_t n;
	size_t n_lines;
};

static void add_line(void *ctx, const struct outcomes_event *event)
{
	struct lines *lines = ctx;
	uint64_t start_ns = lines->playback->start_ns;

	lines->n_lines++;
	lines->n += (size_t)snprintf(
		lines->text + lines->n, LINE_BYTES_MAX,
		"%" PRIu64 ",%s,%" PRIu64 ",%s,%s,%s,%" PRIu64 "\n", (uint64_t)event->number + 1,
		lines->ring->name, event->in_ns - start_ns, outcomes_kind_name(event->kind),
		event->port, event->kind == FATE_DROPPED ? drop_reason_name(event->reason) : "",
		event->at_ns - start_ns);
}

int playback_fates(struct playback *playback, char **text, struct problem *problem)
{
	struct lines lines = {.playback = playback};

	if (!playback->has_lines)
		return problem_set(problem, -EINVAL, 422, "value-invalid",
				   "%s was opened without fates", playback->name);
	lines.text = malloc(LINES_MAX * LINE_BYTES_MAX);
	if (lines.text == NULL)
		return problem_system(problem, -ENOMEM, "answering");
	lines.text[0] = '\0';
	for (size_t i = 0; i < playback->n_rings; i++) {
		lines.ring = &playback->rings[i];
		/* One that is damaged may have given some lines, too. */
		take_fates(playback, &playback->rings[i], LINES_MAX - lines.n_lines, add_line,
			   &lines);
	}
	*text = lines.text;
	return 0;
}

const struct outcomes *playback_outcomes(const struct playback *playback)
{
	return &playback->outcomes;
}

uint64_t playback_lost(const struct playback *playback)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < playback->n_rings; i++)
		lost += outcomes_source_lost(&playback->rings[i].fates);
	return lost;
}

/* --- what is known --- */

struct playback *playback_next(const struct control *control, const struct playback *playback)
{
	return playback != NULL ? playback->next : control->playbacks;
}

struct playback *playback_find(const struct control *control, const char *name)
{
	struct playback *playback = control->playbacks;

	while (playback != NULL && strcmp(playback->name, name) != 0)
		playback = playback->next;
	return playback;
}

void playback_renew(struct playback *playback)
{
	playback->heard_ns = loop_clock_ns();
}

const char *playback_name(const struct playback *playback)
{
	return playback->name;
}

const char *playback_who(const struct playback *playback)
{
	return playback->who;
}

bool playback_is_started(const struct playback *playback)
{
	return playback->is_started;
}

size_t playback_n_ports(const struct playback *playback)
{
	return playback->n_rings;
}

static void take_state(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct dp_replay_state *state = ctx;

	if (message->type == DP_REPLAY_STATE)
		memcpy(state, message, sizeof(*state));
}

int playback_look(const struct playback *playback, size_t port, struct playback_port *look,
		  struct problem *problem)
{
	const struct ring *ring = &playback->rings[port];
	struct dp_object object = {.id = ring->dp_id};

	*look = (struct playback_port){.name = ring->name, .put = ring->put};
	if (!is_alive(playback))
		return problem_set(problem, -ENOENT, 404, "replay-unknown",
				   "weft-dataplane ended, and %s with it", playback->name);
	return fastpath_ask(playback->control->fastpath, DP_REPLAY_LOOK, &object, sizeof(object),
			    take_state, &look->state, problem);
}
