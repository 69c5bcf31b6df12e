/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/base/log.c: what one call writes to standard error. */
#include "dataplane/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SECOND 1000000000ULL

/* Standard error while a test runs, and what was written there. */
struct capture {
	int saved, pipe[2];
	char text[4096];
};

static int set_up(void **state)
{
	static struct capture capture;

	memset(&capture, 0, sizeof(capture));
	assert_int_equal(pipe2(capture.pipe, O_CLOEXEC | O_NONBLOCK), 0);
	capture.saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	assert_true(dup2(capture.pipe[1], STDERR_FILENO) >= 0);
	*state = &capture;
	return 0;
}

static int tear_down(void **state)
{
	struct capture *capture = *state;

	dup2(capture->saved, STDERR_FILENO);
	close(capture->saved);
	close(capture->pipe[0]);
	close(capture->pipe[1]);
	return 0;
}

/* What was written since the last look. */
static const char *written(struct capture *capture)
{
	ssize_t n = read(capture->pipe[0], capture->text, sizeof(capture->text) - 1);

	capture->text[n < 0 ? 0 : n] = '\0';
	return capture->text;
}

static void a_call_is_one_line_with_level_and_subject(void **state)
{
	log_error("main", "port %s: %d", "web0", 5);
	assert_string_equal(written(*state), "<3>main: port web0: 5\n");
	log_warn("vhost", "x");
	assert_string_equal(written(*state), "<4>vhost: x\n");
	log_info("server", "y");
	assert_string_equal(written(*state), "<6>server: y\n");
}

static void a_long_line_is_cut_and_still_ends(void **state)
{
	char text[2000];
	struct log_limit limit = {.suppressed = UINT32_MAX};

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_info("main", "%s", text);
	const char *line = written(*state);

	assert_in_range(strlen(line), 400, 512);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	log_limited(&limit, 0, LOG_LEVEL_INFO, "main", "%s", text);
	line = written(*state);
	assert_in_range(strlen(line), 400, 512);
	assert_non_null(strstr(line, "xx (+4294967295 like it)\n"));
}

static void a_limited_line_comes_once_a_second_and_counts_the_rest(void **state)
{
	struct log_limit limit = {0};

	for (uint64_t i = 0; i < 100; i++)
		log_limited(&limit, 5 * SECOND + i, LOG_LEVEL_WARN, "vhost", "again");
	assert_string_equal(written(*state), "<4>vhost: again\n");
	log_limited(&limit, 6 * SECOND - 1, LOG_LEVEL_WARN, "vhost", "again");
	assert_string_equal(written(*state), "");
	log_limited(&limit, 6 * SECOND, LOG_LEVEL_WARN, "vhost", "again");
	assert_string_equal(written(*state), "<4>vhost: again (+100 like it)\n");
	log_limited(&limit, 7 * SECOND, LOG_LEVEL_WARN, "vhost", "again");
	assert_string_equal(written(*state), "<4>vhost: again\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_call_is_one_line_with_level_and_subject),
		TEST(a_long_line_is_cut_and_still_ends),
		TEST(a_limited_line_comes_once_a_second_and_counts_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
