/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of cli/replay_words.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/replay.h"

struct rig {
	struct replay replay;
	struct call call;
	char *said;
	size_t said_bytes;
};

static const struct cmd cmd = {.noun = "replay", .usage = "replay FILE port=PORT"};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct rig));
	return *state == NULL;
}

static int tear_down(void **state)
{
	free(((struct rig *)*state)->said);
	free(*state);
	return 0;
}

/* What replay_parse() says of these words, ended by NULL. */
static int parse(struct rig *rig, const char *const *words)
{
	int n = 0;

	while (words[n])
		n++;
	free(rig->said);
	rig->replay = (struct replay){.call = &rig->call};
	FILE *err = open_memstream(&rig->said, &rig->said_bytes);

	rig->call = (struct call){
		.cmd = &cmd, .n_words = n, .words = (char **)(uintptr_t)words, .err = err};
	int code = replay_parse(&rig->replay);

	fclose(err);
	return code;
}

#define PARSE(rig, ...) parse(rig, (const char *const[]){__VA_ARGS__, NULL})

static void assert_refused(struct rig *rig, int code, const char *why)
{
	assert_int_equal(code, CALL_USAGE);
	assert_non_null(strstr(rig->said, why));
	assert_ptr_equal(strchr(rig->said, '\n'), rig->said + rig->said_bytes - 1);
}

static void files_come_with_their_ports(void **state)
{
	struct rig *rig = *state;
	const struct replay_feed *feed = &rig->replay.feed;

	assert_int_equal(PARSE(rig, "a.pcap", "port=p1", "b=c.pcap", "port=p2"), CALL_DONE);
	assert_int_equal(feed->n_inputs, 2);
	assert_string_equal(feed->inputs[1].path, "b=c.pcap");
	assert_string_equal(feed->inputs[1].port, "p2");
	assert_int_equal(feed->pace, REPLAY_PACE_TIMES);
	assert_true(feed->speed == 1);
	assert_int_equal(feed->loops, 1);
	assert_int_equal(feed->rewrite.vlan, REPLAY_VLAN_KEEP);
	assert_refused(rig, PARSE(rig, "speed=1x"), "no file");
	assert_refused(rig, PARSE(rig, "port=p1"), "after its file");
	assert_refused(rig, PARSE(rig, "a", "b", "port=p1"), "say port=PORT");
	assert_refused(rig, PARSE(rig, "a", "port=p1", "b"), "say port=PORT");
	assert_refused(rig, PARSE(rig, "a", "port=p1", "port=p2"), "after its file");
	assert_refused(rig, PARSE(rig, "a", "port=p1", "b", "port=p1"), "has a file already");
}

static void there_are_no_more_than_are_kept(void **state)
{
	struct rig *rig = *state;
	const char *words[2 * REPLAY_INPUTS_MAX + 3] = {0};
	char ports[REPLAY_INPUTS_MAX + 1][16];

	for (size_t i = 0; i <= REPLAY_INPUTS_MAX; i++) {
		snprintf(ports[i], sizeof(ports[i]), "port=p%zu", i);
		words[2 * i] = "a";
		words[2 * i + 1] = ports[i];
	}
	assert_refused(rig, parse(rig, words), "16 files");
	words[2 * REPLAY_INPUTS_MAX] = NULL;
	assert_int_equal(parse(rig, words), CALL_DONE);
	for (size_t i = 0; i <= REPLAY_EXPECTS_MAX; i++)
		words[i + 2] = "expect=p1:a";
	words[0] = "a";
	words[1] = "port=p1";
	words[REPLAY_EXPECTS_MAX + 3] = NULL;
	assert_refused(rig, parse(rig, words), "16 at most");
}

static void paces_are_read(void **state)
{
	struct rig *rig = *state;
	const struct replay_feed *feed = &rig->replay.feed;

	assert_int_equal(PARSE(rig, "a", "port=p", "pps=1.5k", "loop=2M"), CALL_DONE);
	assert_int_equal(feed->pace, REPLAY_PACE_PPS);
	assert_int_equal(feed->pps, 1500);
	assert_int_equal(feed->loops, 2000000);
	assert_int_equal(PARSE(rig, "a", "port=p", "rate=1G"), CALL_DONE);
	assert_int_equal(feed->rate_bps, 1000000000);
	assert_int_equal(PARSE(rig, "a", "port=p", "speed=0.5x"), CALL_DONE);
	assert_true(feed->speed == 0.5);
	assert_int_equal(PARSE(rig, "a", "port=p", "speed=max"), CALL_DONE);
	assert_int_equal(feed->pace, REPLAY_PACE_MAX);
	assert_refused(rig, PARSE(rig, "a", "port=p", "speed=1x", "pps=1"), "one of them");
}

static void other_values_are_refused(void **state)
{
	static const char *const words[] = {
		"speed=",    "speed=0x",      "speed=-1x",   "speed=nan", "speed=inf",
		"speed=1y",  "speed=20000x",  "pps=",	     "pps=0",	  "pps=-5",
		"pps=nan",   "pps=1kk",	      "pps=1K",	     "pps=2G",	  "rate=999",
		"rate=1e13", "loop=0",	      "loop=x",	     "loop=2G",	  "vlan=4095",
		"vlan=0",    "src_mac=02:00", "dst_ip=1.2.3"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int code = PARSE(*state, "a", "port=p", words[i]);

		if (code != CALL_USAGE)
			print_error("%s\n", words[i]);
		assert_int_equal(code, CALL_USAGE);
	}
}

static void where_it_is_told_is_kept(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(PARSE(rig, "a", "port=p", "report=r", "fates=f", "expect=p2:x:y"),
			 CALL_DONE);
	assert_string_equal(rig->replay.report, "r");
	assert_string_equal(rig->replay.fates_path, "f");
	assert_string_equal(rig->replay.expects[0].port, "p2");
	assert_string_equal(rig->replay.expects[0].path, "x:y");
	assert_refused(rig, PARSE(rig, "a", "port=p", "expect=p2"), "PORT:FILE");
	assert_refused(rig, PARSE(rig, "a", "port=p", "expect=:x"), "PORT:FILE");
	assert_refused(rig, PARSE(rig, "a", "port=p", "expect=p2:"), "PORT:FILE");
	assert_refused(rig,
		       PARSE(rig, "a", "port=p",
			     "expect=a-name-that-is-longer-than-any-port-may-have-for-it-has-70-"
			     "characters:x"),
		       "PORT:FILE");
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_RIG(files_come_with_their_ports),
		WITH_RIG(there_are_no_more_than_are_kept),
		WITH_RIG(paces_are_read),
		WITH_RIG(other_values_are_refused),
		WITH_RIG(where_it_is_told_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
