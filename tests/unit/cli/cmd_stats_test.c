/* SPDX-License-Identifier: BSD-3-Clause */
/* weft fdb, stats, drops: queries and tables. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

static void check_result(struct cli_rig_result *result, int code, const char *out, const char *err)
{
	assert_string_equal(result->err, err);
	assert_string_equal(result->out, out);
	assert_int_equal(result->code, code);
	cli_rig_release(result);
}

/* Runs the words against one answer; checks the request's first line and the output. */
#define check_run(body, path, out, ...)                                                            \
	do {                                                                                       \
		char room[CLI_RIG_REQUEST_BYTES];                                                  \
		const char *const answers[] = {cli_rig_answer(room, "200 OK", body)};              \
		struct cli_rig *rig = cli_rig_create(answers, 1);                                  \
		struct cli_rig_result result = cli_rig_run(rig, __VA_ARGS__);                      \
		check_result(&result, 0, out, "");                                                 \
		assert_non_null(strstr(cli_rig_request(rig, 0), "GET " path " HTTP"));             \
		cli_rig_destroy(rig);                                                              \
	} while (0)

static void fdb_is_sorted_by_segment_and_shows_age(void **state)
{
	check_run("{\"entries\":[{\"segment\":\"B\",\"mac\":\"02:00:00:00:00:02\",\"port\":\"p1\","
		  "\"vm\":\"\",\"age_s\":75},{\"segment\":\"A\",\"mac\":\"02:00:00:00:00:01\","
		  "\"port\":\"p0\",\"vm\":\"web\",\"age_s\":0,\"static\":true}]}",
		  "/v1/fdb?segment=A%26B&port=p0",
		  "SEGMENT  MAC                PORT  VM     AGE  KIND\n"
		  "A        02:00:00:00:00:01  p0    web     0s  static\n"
		  "B        02:00:00:00:00:02  p1    -    1m15s  learned\n",
		  "fdb", "list", "segment=A&B", "port=p0");
}

static const char stats[] =
	"{\"ports\":[{\"name\":\"p10\",\"segment\":\"A\",\"rx_frames\":12,\"rx_bytes\":1500,"
	"\"rx_gso_frames\":1,\"tx_frames\":3,\"tx_bytes\":180,\"tx_gso_frames\":0,\"drops\":4},"
	"{\"name\":\"p9\",\"segment\":\"A\",\"rx_frames\":0,\"rx_bytes\":0,\"rx_gso_frames\":0,"
	"\"tx_frames\":0,\"tx_bytes\":0,\"tx_gso_frames\":0,\"drops\":0}],"
	"\"retired\":{\"rx_frames\":%d,\"rx_bytes\":60,\"rx_gso_frames\":0,\"tx_frames\":0,"
	"\"tx_bytes\":0,\"tx_gso_frames\":0,\"drops\":0},\"workers\":[],"
	"\"memory_bytes\":13200000}";

static const char table_with_gone[] =
	"PORT    SEGMENT  RX-FRAMES  RX-BYTES  RX-GSO  TX-FRAMES  TX-BYTES  TX-GSO  DROPS\n"
	"(gone)  -                1       60B       0          0        0B       0      0\n"
	"p9      A                0        0B       0          0        0B       0      0\n"
	"p10     A               12    1.50kB       1          3      180B       0      4\n"
	"memory of weft-dataplane: 13.2MB\n";

static const char table_without_gone[] =
	"PORT  SEGMENT  RX-FRAMES  RX-BYTES  RX-GSO  TX-FRAMES  TX-BYTES  TX-GSO  DROPS\n"
	"p9    A                0        0B       0          0        0B       0      0\n"
	"p10   A               12    1.50kB       1          3      180B       0      4\n";

static void stats_have_a_row_for_ports_that_are_gone_if_they_counted(void **state)
{
	char body[2048], out[1024];

	snprintf(body, sizeof(body), stats, 1);
	check_run(body, "/v1/stats", table_with_gone, "stats");
	snprintf(body, sizeof(body), stats, 0);
	snprintf(out, sizeof(out), "%smemory of weft-dataplane: 13.2MB\n", table_without_gone);
	check_run(body, "/v1/stats", out, "stats");
}

static void stats_of_one_port_leave_out_those_that_are_gone(void **state)
{
	char body[2048];

	snprintf(body, sizeof(body), stats, 1);
	check_run(body, "/v1/stats?port=p9", table_without_gone, "stats", "p9");
}

static void stats_of_an_uplink_are_what_went_over_its_wire(void **state)
{
	check_run(
		"{\"ports\":[{\"name\":\"up\",\"segment\":\"\",\"rx_frames\":2,"
		"\"rx_bytes\":100,\"rx_gso_frames\":0,\"tx_frames\":0,\"tx_bytes\":0,"
		"\"tx_gso_frames\":0,\"drops\":2,\"carried_rx_frames\":10,"
		"\"carried_rx_bytes\":800,\"carried_tx_frames\":7,"
		"\"carried_tx_bytes\":700}],\"workers\":[]}",
		"/v1/stats",
		"PORT  SEGMENT  RX-FRAMES  RX-BYTES  RX-GSO  TX-FRAMES  TX-BYTES  TX-GSO  DROPS\n"
		"up    -               12      900B       0          7      700B       0      2\n",
		"stats");
}

static void drops_say_what_the_reason_means(void **state)
{
	check_run(
		"{\"drops\":[{\"port\":\"p1\",\"reason\":\"too-short\",\"help\":\"under 14 bytes\","
		"\"frames\":7},{\"port\":\"\",\"reason\":\"no-room\",\"help\":\"ring full\","
		"\"frames\":123456}]}",
		"/v1/drops?port=p1",
		"PORT    REASON     FRAMES  MEANING\n"
		"(gone)  no-room    123456  ring full\n"
		"p1      too-short       7  under 14 bytes\n",
		"drops", "p1");
}

static void status_prints_every_key(void **state)
{
	check_run("{\"version\":\"0.1.0\",\"dataplane\":{\"connected\":true,\"pid\":7},"
		  "\"segments\":3}",
		  "/v1/status",
		  "version              0.1.0\n"
		  "dataplane.connected  yes\n"
		  "dataplane.pid        7\n"
		  "segments             3\n",
		  "status");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fdb_is_sorted_by_segment_and_shows_age),
		cmocka_unit_test(stats_have_a_row_for_ports_that_are_gone_if_they_counted),
		cmocka_unit_test(stats_of_one_port_leave_out_those_that_are_gone),
		cmocka_unit_test(stats_of_an_uplink_are_what_went_over_its_wire),
		cmocka_unit_test(drops_say_what_the_reason_means),
		cmocka_unit_test(status_prints_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
