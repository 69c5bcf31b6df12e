/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What weft replay expects at ports: captured by weftd while the replay runs, each by a process of
 * its own, and then compared by weft-scenario.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/cmds.h"
#include "cli/replay.h"

#define TRIES 100
#define TRY_MS 20
#define CODE_NO_PROGRAM 127

static int take_piece(void *ctx, const char *data, size_t bytes)
{
	const int *fd = ctx;

	while (bytes != 0) {
		ssize_t n = write(*fd, data, bytes);

		if (n < 0)
			return -errno;
		data += n;
		bytes -= (size_t)n;
	}
	return 0;
}

/* The child: ends with the capture, or with its parent. */
static void capture(const struct call *call, const struct replay_expect *expect, int fd)
{
	json_t *body = json_pack("{s:[s], s:s, s:s}", "ports", expect->port, "way", "tx", "name",
				 expect->name);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	const struct client_request request = {.method = "POST",
					       .path = "/v1/captures",
					       .body = text,
					       .body_bytes = text ? strlen(text) : 0,
					       .take = take_piece,
					       .take_ctx = &fd};
	struct client_answer answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	int code = text ? call_send(call, &request, &answer) : CALL_REFUSED;

	if (!code)
		code = call_check(call, &answer);
	fflush(call->err);
	_exit(code);
}

/* Is the capture under way? */
static bool runs(const struct call *call, const struct replay_expect *expect)
{
	const json_t *row;
	json_t *answer;
	bool is_there = false;
	size_t i;

	if (call_get(call, "/v1/captures", &answer))
		return false;
	json_array_foreach(json_object_get(answer, "captures"), i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));

		is_there |= name && strcmp(name, expect->name) == 0;
	}
	json_decref(answer);
	return is_there;
}

static int begin(const struct call *call, struct replay_expect *expect, size_t number)
{
	int status = 0, fd, n;

	snprintf(expect->name, sizeof(expect->name), "replay-%ld-%zu", (long)getpid(), number);
	const char *folder = getenv("TMPDIR");

	n = snprintf(expect->seen, sizeof(expect->seen), "%s/weft-replay.XXXXXX",
		     folder && *folder ? folder : "/tmp");
	if (n < 0 || (size_t)n >= sizeof(expect->seen)) {
		expect->seen[0] = '\0';
		return call_fail(call, CALL_REFUSED, "TMPDIR: %s", strerror(ENAMETOOLONG));
	}
	fd = mkstemp(expect->seen);
	if (fd < 0)
		return call_fail(call, CALL_REFUSED, "%s: %s", expect->seen, strerror(errno));
	fflush(call->out);
	fflush(call->err);
	expect->pid = fork();
	if (expect->pid == 0)
		capture(call, expect, fd);
	close(fd);
	if (expect->pid < 0)
		return call_fail(call, CALL_REFUSED, "fork: %s", strerror(errno));
	for (int i = 0; i < TRIES && !runs(call, expect); i++) {
		if (waitpid(expect->pid, &status, WNOHANG) == expect->pid) {
			expect->pid = 0;
			/* It has said why. */
			return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status)
									: CALL_REFUSED;
		}
		nanosleep(&(struct timespec){.tv_nsec = TRY_MS * 1000000L}, NULL);
	}
	return CALL_DONE;
}

int replay_expect_begin(struct replay *replay)
{
	int code = CALL_DONE;

	for (size_t i = 0; i < replay->n_expects && !code; i++)
		code = begin(replay->call, &replay->expects[i], i + 1);
	return code;
}

static void end(const struct call *call, struct replay_expect *expect)
{
	char path[CLIENT_PATH_BYTES];
	struct client_request request = {.method = "DELETE", .path = path};
	struct client_answer answer;
	int status;

	if (expect->pid <= 0)
		return;
	/* Whatever comes of it, the process is not waited for in vain. */
	snprintf(path, sizeof(path), "/v1/captures/%s", expect->name);
	if (call_send(call, &request, &answer) == CALL_DONE) {
		if (answer.status != 200)
			kill(expect->pid, SIGKILL);
		client_release(&answer);
	} else {
		kill(expect->pid, SIGKILL);
	}
	waitpid(expect->pid, &status, 0);
	expect->pid = 0;
}

void replay_expect_end(struct replay *replay)
{
	for (size_t i = 0; i < replay->n_expects; i++)
		end(replay->call, &replay->expects[i]);
}

void replay_expect_fini(struct replay *replay)
{
	replay_expect_end(replay);
	for (size_t i = 0; i < replay->n_expects; i++) {
		if (replay->expects[i].seen[0])
			unlink(replay->expects[i].seen);
	}
}

/* The exit code of weft-scenario, whose words go to our output. */
static int compare(const struct call *call, const struct replay_expect *expect)
{
	int status = 0;

	fflush(call->out);
	fflush(call->err);
	pid_t pid = fork();

	if (pid == 0) {
		dup2(call_is_raw(call) ? STDERR_FILENO : fileno(call->out), STDOUT_FILENO);
		cmd_test_compare(expect->path, expect->seen);
		_exit(CODE_NO_PROGRAM);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == CODE_NO_PROGRAM)
		return call_fail(call, CALL_REFUSED,
				 "weft-scenario cannot be started; is it installed?");
	return WEXITSTATUS(status);
}

int replay_expect_check(const struct replay *replay)
{
	int worst = CALL_DONE;

	for (size_t i = 0; i < replay->n_expects; i++) {
		const struct replay_expect *expect = &replay->expects[i];
		int code = compare(replay->call, expect);

		if (code)
			call_fail(replay->call, code, "port %s: not what %s expects", expect->port,
				  expect->path);
		worst = code > worst ? code : worst;
	}
	return worst;
}
