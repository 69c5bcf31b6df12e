/* SPDX-License-Identifier: BSD-3-Clause */
/* weft apply, diff, export: files, plans, exit codes. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/cli/cli_rig.h"

static const char plan[] =
	"{\"changes\":[{\"action\":\"delete\",\"kind\":\"port\",\"name\":\"x\"},"
	"{\"action\":\"create\",\"kind\":\"segment\",\"name\":\"ALPHA\"},"
	"{\"action\":\"create\",\"kind\":\"port\",\"name\":\"web0\"},"
	"{\"action\":\"update\",\"kind\":\"port\",\"name\":\"db0\",\"fields\":[\"segment\"]},"
	"{\"action\":\"replace\",\"kind\":\"port\",\"name\":\"gw0\",\"fields\":[\"socket\"]}],"
	"\"dry_run\":%s,\"revision\":\"17\"}";
static const char lines[] = "- port x\n"
			    "+ segment ALPHA\n"
			    "+ port web0\n"
			    "~ port db0 (segment)\n"
			    "! port gw0 replaced (socket)\n";
static const char no_change[] = "{\"changes\":[],\"dry_run\":false,\"revision\":\"17\"}";

static void check_result(struct cli_rig_result *result, int code, const char *out, const char *err)
{
	assert_string_equal(result->err, err);
	assert_string_equal(result->out, out);
	assert_int_equal(result->code, code);
	cli_rig_release(result);
}

/* Runs the words with `in` on standard input against one answer; *request is what left. */
static struct cli_rig_result run_once(const char *body, const char *in, char *request,
				      const char *const *words)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(room, "200 OK", body)};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run_in(rig, in, words);

	snprintf(request, CLI_RIG_REQUEST_BYTES, "%s", cli_rig_request(rig, 0));
	cli_rig_destroy(rig);
	return result;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void apply_sends_the_file_untouched_and_prints_what_was_done(void **state)
{
	static const char lab[] = "segments:\n  ALPHA: {vni: 100} # \xc3\xa9\n";
	char request[CLI_RIG_REQUEST_BYTES], body[1024], out[1024];
	struct cli_rig_result result;

	snprintf(body, sizeof(body), plan, "false");
	snprintf(out, sizeof(out), "%s2 created, 1 changed, 1 replaced, 1 deleted\n", lines);
	result = run_once(body, lab, request, WORDS("apply", "-f", "-"));
	check_result(&result, 0, out, "");
	assert_non_null(strstr(request, "POST /v1/apply HTTP"));
	assert_non_null(strstr(request, "Content-Type: application/yaml\r\n"));
	assert_string_equal(strstr(request, "\r\n\r\n") + 4, lab);
}

static void dry_run_says_what_would_be_done(void **state)
{
	char request[CLI_RIG_REQUEST_BYTES], body[1024], out[1024];
	struct cli_rig_result result;

	snprintf(body, sizeof(body), plan, "true");
	snprintf(out, sizeof(out), "%s2 to create, 1 to change, 1 to replace, 1 to delete\n",
		 lines);
	result = run_once(body, "", request, WORDS("apply", "-f", "-", "--dry-run"));
	check_result(&result, 0, out, "");
	assert_non_null(strstr(request, "POST /v1/apply?dry_run=1 HTTP"));
}

static void prune_is_passed_on(void **state)
{
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result;

	result = run_once(no_change, "", request, WORDS("apply", "-f", "-", "--prune"));
	check_result(&result, 0, "no change\n", "");
	assert_non_null(strstr(request, "POST /v1/apply?prune=1 HTTP"));
	result =
		run_once(no_change, "", request, WORDS("apply", "-f", "-", "--prune", "--dry-run"));
	check_result(&result, 0, "no change\n", "");
	assert_non_null(strstr(request, "POST /v1/apply?dry_run=1&prune=1 HTTP"));
	result = run_once(no_change, "", request, WORDS("diff", "-f", "-", "--prune"));
	check_result(&result, 0, "no change\n", "");
	assert_non_null(strstr(request, "POST /v1/diff?prune=1 HTTP"));
}

static void apply_of_what_is_there_says_no_change(void **state)
{
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result = run_once(no_change, "", request, WORDS("apply", "-f", "-"));

	check_result(&result, 0, "no change\n", "");
}

static void diff_exits_1_if_there_is_a_difference(void **state)
{
	char request[CLI_RIG_REQUEST_BYTES], body[1024], out[1024];
	struct cli_rig_result result;

	snprintf(body, sizeof(body), plan, "true");
	snprintf(out, sizeof(out), "%s2 to create, 1 to change, 1 to replace, 1 to delete\n",
		 lines);
	result = run_once(body, "", request, WORDS("diff", "-f", "-"));
	check_result(&result, 1, out, "");
	assert_non_null(strstr(request, "POST /v1/diff HTTP"));
	result = run_once(no_change, "", request, WORDS("diff", "-f", "-"));
	check_result(&result, 0, "no change\n", "");
}

static void answer_that_is_no_plan_is_exit_4(void **state)
{
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result = run_once("{}", "", request, WORDS("diff", "-f", "-"));

	check_result(&result, 4, "",
		     "weft: the answer is no plan; weft and weftd differ in version\n");
}

static void json_file_is_sent_as_json(void **state)
{
	char path[] = "/tmp/weft-cli-test-XXXXXX.json", request[CLI_RIG_REQUEST_BYTES];
	int fd = mkstemps(path, strlen(".json"));
	struct cli_rig_result result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{}", 2), 2);
	close(fd);
	result = run_once(no_change, "", request, WORDS("apply", "-f", path));
	unlink(path);
	check_result(&result, 0, "no change\n", "");
	assert_non_null(strstr(request, "Content-Type: application/json\r\n"));
	assert_string_equal(strstr(request, "\r\n\r\n") + 4, "{}");
}

static void files_that_cannot_be_read_are_one_line_and_exit_4(void **state)
{
	struct cli_rig_result result;

	result = cli_rig_run(NULL, "apply", "-f", "/tmp");
	check_result(&result, 4, "", "weft: reading /tmp: Is a directory\n");
	result = cli_rig_run(NULL, "diff", "-f", "/nonexistent/lab.yaml");
	check_result(&result, 4, "",
		     "weft: reading /nonexistent/lab.yaml: No such file or directory\n");
}

/* Makes a sparse file; mkstemp() completes its name. */
static void make_file(char *path, off_t bytes)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	close(fd);
}

static void file_over_8_mib_is_refused_before_anything_is_sent(void **state)
{
	char path[] = "/tmp/weft-cli-test-XXXXXX";
	struct cli_rig_result result;

	make_file(path, (8 << 20) + 1);
	result = cli_rig_run(NULL, "--run-dir", "/nonexistent", "apply", "-f", path);
	assert_int_equal(result.code, 4);
	assert_non_null(strstr(result.err, "larger than 8 MiB"));
	cli_rig_release(&result);
	assert_int_equal(truncate(path, 8 << 20), 0);
	result = cli_rig_run(NULL, "--run-dir", "/nonexistent", "apply", "-f", path);
	assert_int_equal(result.code, 3);
	cli_rig_release(&result);
	unlink(path);
}

static void endless_file_is_refused(void **state)
{
	struct cli_rig_result result = cli_rig_run(NULL, "apply", "-f", "/dev/zero");

	check_result(&result, 4, "",
		     "weft: reading /dev/zero: larger than 8 MiB, which no lab is\n");
}

static void export_prints_weftds_own_yaml(void **state)
{
	static const char lab[] = "name: demo   # as it came\n";
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result = run_once(lab, "", request, WORDS("export"));

	check_result(&result, 0, lab, "");
	assert_non_null(strstr(request, "GET /v1/export HTTP"));
	assert_non_null(strstr(request, "Accept: application/yaml\r\n"));
}

static void export_as_json_asks_for_json(void **state)
{
	char request[CLI_RIG_REQUEST_BYTES];
	struct cli_rig_result result =
		run_once("{\"name\":\"demo\"}", "", request, WORDS("export", "-o", "json"));

	check_result(&result, 0, "{\n  \"name\": \"demo\"\n}\n", "");
	assert_non_null(strstr(request, "Accept: application/json\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apply_sends_the_file_untouched_and_prints_what_was_done),
		cmocka_unit_test(dry_run_says_what_would_be_done),
		cmocka_unit_test(prune_is_passed_on),
		cmocka_unit_test(apply_of_what_is_there_says_no_change),
		cmocka_unit_test(diff_exits_1_if_there_is_a_difference),
		cmocka_unit_test(answer_that_is_no_plan_is_exit_4),
		cmocka_unit_test(json_file_is_sent_as_json),
		cmocka_unit_test(files_that_cannot_be_read_are_one_line_and_exit_4),
		cmocka_unit_test(file_over_8_mib_is_refused_before_anything_is_sent),
		cmocka_unit_test(endless_file_is_refused),
		cmocka_unit_test(export_prints_weftds_own_yaml),
		cmocka_unit_test(export_as_json_asks_for_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
