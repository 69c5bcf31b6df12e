/* SPDX-License-Identifier: BSD-3-Clause */
/* The words of weft replay. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/replay.h"

#define PPS_MAX 1000000000.0
#define RATE_MAX 1e12
#define LOOPS_MAX 1000000000.0
#define SPEED_MIN 0.0001
#define SPEED_MAX 10000.0

/* A number with k, M or G. Not between the bounds: false. */
static bool read_number(const char *text, double min, double max, double *number)
{
	static const char units[] = "kMG";
	char *end;

	*number = strtod(text, &end);
	if (end == text || !isfinite(*number))
		return false;
	const char *unit = *end ? strchr(units, *end) : NULL;

	for (long i = unit ? unit - units : -1; i >= 0; i--)
		*number *= 1000;
	return !end[unit ? 1 : 0] && *number >= min && *number <= max;
}

static int set_speed(struct replay *replay, const char *value)
{
	struct replay_feed *feed = &replay->feed;
	char *end;

	if (strcmp(value, "max") == 0) {
		feed->pace = REPLAY_PACE_MAX;
		return 0;
	}
	feed->pace = REPLAY_PACE_TIMES;
	feed->speed = strtod(value, &end);
	if (end == value || (strcmp(end, "x") != 0 && *end) || !(feed->speed >= SPEED_MIN) ||
	    feed->speed > SPEED_MAX)
		return call_usage(replay->call, "speed=%s: say 1x, 0.5x, 10x or max", value);
	return 0;
}

static int set_port(struct replay *replay, const char *value)
{
	struct replay_feed *feed = &replay->feed;

	if (feed->n_inputs == 0 || feed->inputs[feed->n_inputs - 1].port)
		return call_usage(replay->call, "port=%s: comes after its file", value);
	for (size_t i = 0; i + 1 < feed->n_inputs; i++) {
		if (strcmp(feed->inputs[i].port, value) == 0)
			return call_usage(replay->call, "port=%s: has a file already", value);
	}
	feed->inputs[feed->n_inputs - 1].port = value;
	return 0;
}

static int add_expect(struct replay *replay, const char *value)
{
	struct replay_expect *expect = &replay->expects[replay->n_expects];
	const char *colon = strchr(value, ':');

	if (!colon || colon == value || !colon[1] ||
	    (size_t)(colon - value) >= sizeof(expect->port))
		return call_usage(replay->call, "expect=%s: say PORT:FILE", value);
	if (replay->n_expects == REPLAY_EXPECTS_MAX)
		return call_usage(replay->call, "expect=%s: 16 at most", value);
	memcpy(expect->port, value, (size_t)(colon - value));
	expect->path = colon + 1;
	replay->n_expects++;
	return 0;
}

static int set_number(struct replay *replay, const char *key, const char *value)
{
	struct replay_feed *feed = &replay->feed;
	double number;

	if (strcmp(key, "pps") == 0) {
		feed->pace = REPLAY_PACE_PPS;
		if (!read_number(value, 1, PPS_MAX, &number))
			return call_usage(replay->call, "pps=%s: frames a second, as 100k", value);
		feed->pps = (uint64_t)number;
	} else if (strcmp(key, "rate") == 0) {
		feed->pace = REPLAY_PACE_RATE;
		if (!read_number(value, 1000, RATE_MAX, &number))
			return call_usage(replay->call, "rate=%s: bits a second, as 100M", value);
		feed->rate_bps = (uint64_t)number;
	} else {
		if (!read_number(value, 1, LOOPS_MAX, &number))
			return call_usage(replay->call, "loop=%s: how often, from 1", value);
		feed->loops = (uint64_t)number;
	}
	return 0;
}

static int add_file(struct replay *replay, const char *path)
{
	struct replay_feed *feed = &replay->feed;

	if (feed->n_inputs != 0 && !feed->inputs[feed->n_inputs - 1].port)
		return call_usage(replay->call, "%s: say port=PORT after the file",
				  feed->inputs[feed->n_inputs - 1].path);
	if (feed->n_inputs == REPLAY_INPUTS_MAX)
		return call_usage(replay->call, "%s: 16 files at most", path);
	feed->inputs[feed->n_inputs++].path = path;
	return 0;
}

static int take_word(struct replay *replay, const char *word, unsigned int *paces)
{
	const char *value;
	char key[16];

	/* What begins with no key that is known is a file, whatever is in its name. */
	if (args_split(word, key, sizeof(key), &value))
		return add_file(replay, word);
	bool is_pace =
		strcmp(key, "speed") == 0 || strcmp(key, "pps") == 0 || strcmp(key, "rate") == 0;

	*paces += is_pace;
	if (*paces > 1)
		return call_usage(replay->call, "speed=, pps= and rate=: one of them");
	if (strcmp(key, "speed") == 0)
		return set_speed(replay, value);
	if (is_pace || strcmp(key, "loop") == 0)
		return set_number(replay, key, value);
	if (strcmp(key, "port") == 0)
		return set_port(replay, value);
	if (strcmp(key, "expect") == 0)
		return add_expect(replay, value);
	if (strcmp(key, "fates") == 0) {
		replay->fates_path = value;
		return 0;
	}
	if (strcmp(key, "report") == 0) {
		replay->report = value;
		return 0;
	}
	int err = replay_rewrite_parse(&replay->feed.rewrite, key, value);

	if (err == -EINVAL)
		return call_usage(replay->call, "'%s' cannot be read", word);
	return err == -ENOENT ? add_file(replay, word) : 0;
}

int replay_parse(struct replay *replay)
{
	const struct call *call = replay->call;
	struct replay_feed *feed = &replay->feed;
	unsigned int paces = 0;
	int code = 0;

	feed->pace = REPLAY_PACE_TIMES;
	feed->speed = 1;
	feed->loops = 1;
	feed->rewrite.vlan = REPLAY_VLAN_KEEP;
	for (int i = 0; i < call->n_words && !code; i++)
		code = take_word(replay, call->words[i], &paces);
	if (!code && feed->n_inputs == 0)
		code = call_usage(call, "no file is named");
	if (!code && !feed->inputs[feed->n_inputs - 1].port)
		code = call_usage(call, "%s: say port=PORT after the file",
				  feed->inputs[feed->n_inputs - 1].path);
	return code;
}
