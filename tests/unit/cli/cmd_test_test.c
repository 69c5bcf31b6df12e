/* SPDX-License-Identifier: BSD-3-Clause */
/* weft test: what it starts, with which words. A script stands in for weft-scenario. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cmd.h"

#define WORDS_MAX 16

struct seen {
	char text[1024]; /* of both streams */
	int code;
};

/* In a process of its own, since weft becomes what it starts. */
static void child(const char *path, int fd, const char *const words[])
{
	char *argv[WORDS_MAX + 1] = {NULL}, name[] = "weft";
	int n = 1;

	argv[0] = name;
	for (; words[n - 1] != NULL; n++)
		argv[n] = strdup(words[n - 1]);
	setenv("PATH", path, 1);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	int code = cmd_run(n, argv, stdin, stdout, stderr);

	fflush(stdout);
	_exit(code);
}

static struct seen run(const char *path, const char *const words[])
{
	struct seen seen = {.code = -1};
	int fds[2], status;
	size_t n = 0;
	ssize_t more;

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();

	if (pid == 0)
		child(path, fds[1], words);
	close(fds[1]);
	while ((more = read(fds[0], seen.text + n, sizeof(seen.text) - 1 - n)) > 0)
		n += (size_t)more;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	seen.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return seen;
}

#define RUN(path, ...) run(path, (const char *const[]){__VA_ARGS__, NULL})

static int make_script(void **state)
{
	static char folder[] = "/tmp/weft-cmd-test-XXXXXX";
	char path[64];

	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/weft-scenario", folder);
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return -1;
	fputs("#!/bin/sh\nfor word; do printf '[%s]' \"$word\"; done\nexit 1\n", file);
	fclose(file);
	*state = folder;
	return chmod(path, 0755);
}

static int remove_script(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/weft-scenario", (const char *)*state);
	unlink(path);
	return rmdir(*state);
}

static void words_and_exit_code_pass_through(void **state)
{
	struct seen seen = RUN(*state, "test", "a.yaml", "b b.yaml");

	assert_string_equal(seen.text, "[--][a.yaml][b b.yaml]");
	assert_int_equal(seen.code, 1);
	seen = RUN(*state, "-o", "json", "test", "--update", "x", "--junit", "j.xml", "--keep=k");
	assert_string_equal(seen.text, "[--update][-o][json][--junit][j.xml][--keep][k][--][x]");
}

static void usage(void **state)
{
	assert_int_equal(RUN(*state, "test").code, 2);
	assert_non_null(strstr(RUN(*state, "test", "x", "-o", "yaml").text, "say table or json"));
	struct seen seen = RUN(*state, "status", "--update");

	assert_int_equal(seen.code, 2);
	assert_non_null(strstr(seen.text, "have no meaning here"));
}

static void it_is_not_installed(void **state)
{
	struct seen seen = RUN("/nonexistent", "test", "x");

	assert_int_equal(seen.code, 4);
	assert_non_null(strstr(seen.text, "weft-scenario cannot be started: No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_exit_code_pass_through),
		cmocka_unit_test(usage),
		cmocka_unit_test(it_is_not_installed),
	};

	return cmocka_run_group_tests(tests, make_script, remove_script);
}
