/* SPDX-License-Identifier: BSD-3-Clause */
/* weft trace --pcap: a request for each packet, and what is said of those that were left out. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/cli/cli_rig.h"

#define MAGIC_US 0xa1b2c3d4u
#define PACKETS_MAX 1000
#define PACKET_BYTES_MAX 9600

static const char traced[] = "{\"bytes\":60,\"receivers\":1,\"steps\":[]}";

struct capture {
	char path[32];
};

static int set_up(void **state)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	*state = capture;
	strcpy(capture->path, "/tmp/trace.XXXXXX");
	int fd = mkstemp(capture->path);

	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	struct capture *capture = *state;

	unlink(capture->path);
	free(capture);
	return 0;
}

static void write_packets(const struct capture *capture, size_t n, uint32_t bytes)
{
	const uint32_t head[] = {MAGIC_US, 2 | 4 << 16, 0, 0, 65535, 1};
	const uint32_t record[] = {1, 0, bytes, bytes};
	uint8_t *packet = calloc(1, bytes);
	FILE *file = fopen(capture->path, "w");

	assert_non_null(packet);
	assert_non_null(file);
	fwrite(head, sizeof(head), 1, file);
	for (size_t i = 0; i < n; i++) {
		fwrite(record, sizeof(record), 1, file);
		fwrite(packet, bytes, 1, file);
	}
	assert_int_equal(fclose(file), 0);
	free(packet);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static void a_caller_that_is_too_fast_waits(void **state)
{
	const struct capture *capture = *state;
	char fine[CLI_RIG_REQUEST_BYTES], many[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(fine, "200 OK", traced),
		cli_rig_answer(many, "429 Too Many Requests",
			       "{\"code\":\"requests-many\",\"detail\":\"wait a second\"}"),
		many, fine};
	struct cli_rig *rig = cli_rig_create(answers, 4);

	write_packets(capture, 2, 60);
	struct cli_rig_result result =
		cli_rig_run(rig, "-o", "json", "trace", "p1", "--pcap", capture->path);

	assert_string_equal(result.err, "");
	assert_int_equal(result.code, 0);
	assert_int_equal(count(result.out, "receivers"), 2);
	for (size_t i = 0; i < 4; i++)
		assert_non_null(strstr(cli_rig_request(rig, i), "POST /v1/ports/p1/trace "));
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

/* Traces n packets of so many bytes each; `said`: on standard error. */
static void check_said(const struct capture *capture, size_t n, uint32_t bytes, const char *said)
{
	static const char *answers[PACKETS_MAX + 1];
	char fine[CLI_RIG_REQUEST_BYTES];

	cli_rig_answer(fine, "200 OK", traced);
	for (size_t i = 0; i < PACKETS_MAX + 1; i++)
		answers[i] = fine;
	struct cli_rig *rig = cli_rig_create(answers, PACKETS_MAX + 1);

	write_packets(capture, n, bytes);
	struct cli_rig_result result = cli_rig_run(rig, "trace", "p1", "--pcap", capture->path);

	assert_string_equal(result.err, said);
	assert_int_equal(result.code, 0);
	assert_int_equal(count(result.out, "packet "), n < PACKETS_MAX ? n : PACKETS_MAX);
	cli_rig_release(&result);
	cli_rig_destroy(rig);
}

static void packets_that_are_left_out_are_told(void **state)
{
	check_said(*state, PACKETS_MAX, 60, "");
	check_said(*state, PACKETS_MAX + 1, 60,
		   "only the first 1000 packets were traced; there are more\n");
}

static void packets_that_are_cut_are_told(void **state)
{
	check_said(*state, 2, PACKET_BYTES_MAX, "");
	check_said(*state, 2, PACKET_BYTES_MAX + 1,
		   "2 packets were traced by their first 9600 bytes only\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_caller_that_is_too_fast_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(packets_that_are_left_out_are_told, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(packets_that_are_cut_are_told, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
