/* SPDX-License-Identifier: BSD-3-Clause */
/* weft top without a terminal: rates from two answers, order, what is wrong with the words. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

#define PORT(name, rx, tx, drops)                                                                  \
	"{\"name\":\"" name "\",\"rx_frames\":" rx ",\"rx_bytes\":" rx "000,\"tx_frames\":" tx     \
	",\"tx_bytes\":" tx "000,\"drops\":" drops "}"

struct looks {
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *answers[2];
};

static struct cli_rig *create(struct looks *looks)
{
	looks->answers[0] = cli_rig_answer(looks->rooms[0], "200 OK",
					   "{\"ports\":[" PORT("web2", "10", "10", "0") "," PORT(
						   "web10", "900000", "5", "0") "]}");
	looks->answers[1] = cli_rig_answer(
		looks->rooms[1], "200 OK",
		"{\"ports\":[" PORT("web2", "110", "10", "0") "," PORT(
			"web10", "7", "500", "20") "," PORT("new", "800000", "1", "0") "]}");
	return cli_rig_create(looks->answers, 2);
}

/* The first words of the lines, with a blank after each. */
static void read_names(const char *out, char *names)
{
	*names = '\0';
	for (; *out; out = strchr(out, '\n') + 1) {
		size_t len = strcspn(out, " ");

		strncat(names, out, len + 1);
	}
}

static void ports_stand_in_the_order_asked_for(void **state)
{
	static const struct {
		const char *word, *names;
	} orders[] = {
		{"sort=name", "PORT new web2 web10 (3 "},
		{"sort=rx", "PORT web2 web10 new (3 "},
		{"sort=tx", "PORT web10 new web2 (3 "},
		{"sort=drops", "PORT web10 new web2 (3 "},
	};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct looks looks;
		struct cli_rig *rig = create(&looks);
		struct cli_rig_result result = cli_rig_run(rig, "top", orders[i].word, "--count",
							   "1", "--interval", "0.1");
		char names[256];

		assert_string_equal(result.err, "");
		assert_int_equal(result.code, 0);
		read_names(result.out, names);
		assert_string_equal(names, orders[i].names);
		cli_rig_release(&result);
		cli_rig_destroy(rig);
	}
}

static void lines_fit_a_terminal_of_80_columns(void **state)
{
	struct looks looks;
	struct cli_rig *rig = create(&looks);
	struct cli_rig_result result = cli_rig_run(rig, "top", "--interval", "0.1");

	assert_int_equal(result.code, 0);
	assert_true(result.out[0] != '\0');
	for (const char *line = result.out; *line; line = strchr(line, '\n') + 1)
		assert_true(strcspn(line, "\n") < 80);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

/* The number after "KEY": in the part of the text that begins with `from`. */
static long number_after(const char *text, const char *from, const char *key)
{
	const char *at = strstr(strstr(text, from), key);

	assert_non_null(at);
	return strtol(at + strlen(key), NULL, 10);
}

static void rates_are_what_was_counted_in_a_second(void **state)
{
	struct looks looks;
	struct cli_rig *rig = create(&looks);
	struct cli_rig_result result = cli_rig_run(rig, "top", "--interval", "0.1", "-o", "json");
	/* 100 frames in a little more than 0.1 s; a machine that stands still may make it long. */
	long pps = number_after(result.out, "\"web2\"", "\"rx_pps\": ");

	assert_in_range(pps, 1, 1000);
	assert_in_range(number_after(result.out, "\"web2\"", "\"rx_bps\": ") / 8, pps * 1000,
			pps * 1000 + 1000);
	/* A counter that went back began anew; a port that is new has no rate. */
	assert_in_range(number_after(result.out, "\"web10\"", "\"rx_pps\": "), 1, 70);
	assert_int_equal(number_after(result.out, "\"new\"", "\"rx_pps\": "), 0);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
	static const char *const lines[][4] = {
		{"top", "sort=size", NULL, "'sort=size' is not sort=name, rx, tx or drops"},
		{"top", "--count", "0", "--count 0: say how many times, 1 to 1000000"},
		{"top", "--interval", "0.05", "--interval 0.05: say how many seconds, 0.1 to 3600"},
		{"top", "--interval", "soon", "--interval soon: say how many seconds, 0.1 to 3600"},
		{"stats", "--count", "2", "--count has no meaning here"},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *const words[] = {lines[i][0], lines[i][1], lines[i][2], NULL};
		struct cli_rig_result result = cli_rig_run_in(NULL, "", words);

		assert_int_equal(result.code, 2);
		assert_non_null(strstr(result.err, lines[i][3]));
		assert_ptr_equal(strchr(result.err, '\n') + 1, result.err + strlen(result.err));
		cli_rig_release(&result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_stand_in_the_order_asked_for),
		cmocka_unit_test(lines_fit_a_terminal_of_80_columns),
		cmocka_unit_test(rates_are_what_was_counted_in_a_second),
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
