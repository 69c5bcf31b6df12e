/* SPDX-License-Identifier: BSD-3-Clause */
/* See replay_fates.h. */
#include "cli/replay_fates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* weftd's numbers have so many bits. */
#define FRAMES_MAX (UINT64_C(1) << 32)
#define SETTLE_AT_MIN 65536

/* One line of weftd's. */
struct event {
	uint64_t number, in_ns, at_ns;
	char from[64], fate[16], port[64], reason[32];
};

int replay_fates_open(struct replay_fates *fates, const char *path, const struct replay_feed *feed)
{
	*fates = (struct replay_fates){.feed = feed, .settle_at = SETTLE_AT_MIN};
	for (size_t i = 0; i < feed->n_inputs; i++) {
		uint64_t frames = feed->inputs[i].packets * feed->loops;

		if (frames >= FRAMES_MAX)
			return -EFBIG;
		fates->known[i] = calloc(frames / 8 + 1, 1);
		if (!fates->known[i])
			return -ENOMEM;
	}
	fates->file = fopen(path, "we");
	if (!fates->file)
		return -errno;
	fprintf(fates->file, "frame,from,in_ns,fate,port,reason,out_ns\n");
	return 0;
}

void replay_fates_fini(struct replay_fates *fates)
{
	if (fates->file)
		fclose(fates->file);
	for (size_t i = 0; i < REPLAY_INPUTS_MAX; i++)
		free(fates->known[i]);
	free(fates->waits);
	free(fates->ports);
	*fates = (struct replay_fates){0};
}

/* --- frames that wait --- */

static int by_frame(const void *a, const void *b)
{
	const struct replay_wait *x = a, *y = b;

	if (x->input != y->input)
		return x->input < y->input ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	/* What ended behind what began. */
	return (y->change > x->change) - (y->change < x->change);
}

static bool are_one(const struct replay_wait *a, const struct replay_wait *b)
{
	return a->input == b->input && a->number == b->number && a->port == b->port;
}

/* Leaves those that wait still, in order. */
static void settle(struct replay_fates *fates)
{
	struct replay_wait *waits = fates->waits;
	size_t n = 0;

	if (fates->n_waits == 0)
		return;
	qsort(waits, fates->n_waits, sizeof(*waits), by_frame);
	for (size_t i = 0, end; i < fates->n_waits; i = end) {
		int sum = 0;

		for (end = i; end < fates->n_waits && are_one(&waits[i], &waits[end]); end++)
			sum += waits[end].change;
		if (sum != 0)
			waits[n++] = waits[i];
	}
	fates->n_waits = n;
	fates->settle_at = 2 * n > SETTLE_AT_MIN ? 2 * n : SETTLE_AT_MIN;
}

/* The place of a name among those where frames waited; -errno. */
static int find_port(struct replay_fates *fates, const char *name)
{
	for (size_t i = 0; i < fates->n_ports; i++) {
		if (strcmp(fates->ports[i], name) == 0)
			return (int)i;
	}
	char(*ports)[64] = fates->n_ports < UINT16_MAX
				   ? reallocarray(fates->ports, fates->n_ports + 1, sizeof(*ports))
				   : NULL;

	if (!ports)
		return -ENOMEM;
	fates->ports = ports;
	snprintf(ports[fates->n_ports], sizeof(ports[0]), "%s", name);
	return (int)fates->n_ports++;
}

static int add_wait(struct replay_fates *fates, const struct event *event, size_t input, int change)
{
	int port = find_port(fates, event->port);

	if (port < 0)
		return port;
	if (fates->n_waits >= fates->settle_at)
		settle(fates);
	if (fates->n_waits == fates->room_waits) {
		size_t room = 2 * fates->room_waits + 64;
		struct replay_wait *waits = reallocarray(fates->waits, room, sizeof(*waits));

		if (!waits)
			return -ENOMEM;
		fates->waits = waits;
		fates->room_waits = room;
	}
	fates->waits[fates->n_waits++] = (struct replay_wait){.number = event->number,
							      .in_ns = event->in_ns,
							      .input = (uint16_t)input,
							      .port = (uint16_t)port,
							      .change = (int16_t)change};
	return 0;
}

/* --- lines --- */

/* Up to the next comma, or the end. false: it is too long, or there is none. */
static bool take_word(const char **at, char *word, size_t word_bytes)
{
	size_t n = strcspn(*at, ",");

	if (n >= word_bytes)
		return false;
	memcpy(word, *at, n);
	word[n] = '\0';
	*at += n + ((*at)[n] == ',');
	return true;
}

static bool take_number(const char **at, uint64_t *number)
{
	char word[24], *end;

	if (!take_word(at, word, sizeof(word)) || word[0] < '0' || word[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(word, &end, 10);
	return *end == '\0' && errno == 0;
}

static bool read_event(const char *line, struct event *event)
{
	return take_number(&line, &event->number) &&
	       take_word(&line, event->from, sizeof(event->from)) &&
	       take_number(&line, &event->in_ns) &&
	       take_word(&line, event->fate, sizeof(event->fate)) &&
	       take_word(&line, event->port, sizeof(event->port)) &&
	       take_word(&line, event->reason, sizeof(event->reason)) &&
	       take_number(&line, &event->at_ns) && *line == '\0';
}

/* The input that enters by the port; n_inputs: none does. */
static size_t find_input(const struct replay_feed *feed, const char *port)
{
	size_t i = 0;

	while (i < feed->n_inputs && strcmp(feed->inputs[i].port, port) != 0)
		i++;
	return i;
}

static int take_line(struct replay_fates *fates, const char *line)
{
	const struct replay_feed *feed = fates->feed;
	struct event event;

	if (!read_event(line, &event))
		return -EBADMSG;
	size_t input = find_input(feed, event.from);

	if (input == feed->n_inputs || event.number == 0 ||
	    event.number > feed->inputs[input].packets * feed->loops)
		return -EBADMSG;
	fates->known[input][(event.number - 1) / 8] |= (uint8_t)(1u << (event.number - 1) % 8);
	if (strcmp(event.fate, "queued") == 0)
		return add_wait(fates, &event, input, 1);
	if (strcmp(event.fate, "left") == 0)
		return add_wait(fates, &event, input, -1);
	return fprintf(fates->file, "%s\n", line) < 0 ? -EIO : 0;
}

int replay_fates_push(struct replay_fates *fates, const char *text, size_t bytes)
{
	int err = 0;

	while (bytes && !err) {
		const char *end = memchr(text, '\n', bytes);
		size_t n = end ? (size_t)(end - text) : bytes;

		if (n >= sizeof(fates->rest) - fates->n_rest)
			return -EBADMSG;
		memcpy(fates->rest + fates->n_rest, text, n);
		fates->n_rest += n;
		text += n;
		bytes -= n;
		if (!end)
			break;
		text++;
		bytes--;
		fates->rest[fates->n_rest] = '\0';
		fates->n_rest = 0;
		err = take_line(fates, fates->rest);
	}
	return err;
}

int replay_fates_end(struct replay_fates *fates, const uint64_t taken[REPLAY_INPUTS_MAX])
{
	const struct replay_feed *feed = fates->feed;
	FILE *file = fates->file;

	settle(fates);
	for (size_t i = 0; i < fates->n_waits; i++) {
		const struct replay_wait *wait = &fates->waits[i];

		fprintf(file, "%" PRIu64 ",%s,%" PRIu64 ",queued,%s,,\n", wait->number,
			feed->inputs[wait->input].port, wait->in_ns, fates->ports[wait->port]);
	}
	for (size_t i = 0; i < feed->n_inputs; i++) {
		for (uint64_t k = 0; k < taken[i] && k < feed->inputs[i].packets * feed->loops;
		     k++) {
			if (!(fates->known[i][k / 8] & 1u << k % 8))
				fprintf(file, "%" PRIu64 ",%s,,unknown,,,\n", k + 1,
					feed->inputs[i].port);
		}
	}
	fates->file = NULL;
	int err = ferror(file) ? -EIO : 0;

	return fclose(file) ? -errno : err;
}
