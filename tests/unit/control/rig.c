/* SPDX-License-Identifier: BSD-3-Clause */
/* A weftd in this process and a weft-dataplane beside it. */
#include "tests/unit/control/rig.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/fastpath.h"
#include "control/history.h"
#include "tests/lib/deadline.h"

#define SKIPPED 77

void rig_start_dataplane(struct rig *rig)
{
	rig->dataplane = fork();
	assert_true(rig->dataplane >= 0);
	if (rig->dataplane > 0)
		return;
	int null = open("/dev/null", O_RDWR);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execl(rig->dataplane_path, rig->dataplane_path, "--run-dir", rig->run_dir, "--no-huge",
	      (char *)NULL);
	_exit(127);
}

void rig_stop_dataplane(struct rig *rig)
{
	kill(rig->dataplane, SIGKILL);
	waitpid(rig->dataplane, NULL, 0);
}

void rig_start_control(struct rig *rig)
{
	char why[512];

	struct control_options options = {
		.run_dir = rig->run_dir, .state_dir = rig->state_dir, .history = rig->history};

	if (control_create(&options, &rig->control, why, sizeof(why)) < 0)
		fail_msg("%s", why);
}

static bool is_connected(struct rig *rig)
{
	return fastpath_welcome(rig->control->fastpath) != NULL;
}

/* Steps control until the dataplane is there, or is not. */
void rig_await_connected(struct rig *rig, bool is_wanted)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	while (is_connected(rig) != is_wanted) {
		assert_int_equal(control_turn(rig->control), 0);
		assert_false(deadline_passed(deadline));
	}
}

static int connect_to(struct rig *rig)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/weftd.sock", rig->run_dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Sends a request as it stands, returns the whole answer; the connection is closed by weftd. */
static char *exchange(struct rig *rig, const char *request, size_t bytes)
{
	int fd = connect_to(rig);
	size_t sent = 0, len = 0, max = 1 << 16;
	char *answer = malloc(max);
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	for (;;) {
		ssize_t n = send(fd, request + sent, bytes - sent, MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		if (len + 1 == max)
			answer = realloc(answer, max *= 2);
		n = recv(fd, answer + len, max - len - 1, 0);
		if (n == 0)
			break;
		len += n > 0 ? (size_t)n : 0;
		assert_false(deadline_passed(deadline));
		/* A turn may sleep, so it comes only when there is nothing to read. */
		if (n < 0)
			assert_int_equal(control_turn(rig->control), 0);
	}
	close(fd);
	answer[len] = '\0';
	return answer;
}

/* One request; *status and the body as JSON. */
json_t *rig_call_as(struct rig *rig, const char *method, const char *path, const char *headers,
		    const char *body, int *status)
{
	size_t max = strlen(body) + 1024;
	char *request = malloc(max);

	snprintf(request, max,
		 "%s %s HTTP/1.1\r\nHost: weft\r\nConnection: close\r\n%s"
		 "Content-Length: %zu\r\n\r\n%s",
		 method, path, headers, strlen(body), body);
	char *answer = exchange(rig, request, strlen(request));
	const char *end = strstr(answer, "\r\n\r\n");

	assert_int_equal(sscanf(answer, "HTTP/1.1 %d", status), 1);
	assert_non_null(end);
	json_t *json = json_loads(end + 4, 0, NULL);
	if (json == NULL)
		json = json_string(end + 4);
	free(request);
	free(answer);
	return json;
}

void rig_read_etag(struct rig *rig, const char *path, char etag[RIG_ETAG_BYTES])
{
	char request[256];

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: weft\r\nConnection: close\r\n\r\n", path);
	char *answer = exchange(rig, request, strlen(request));
	const char *header = strstr(answer, "\r\nETag: ");

	assert_non_null(header);
	assert_int_equal(sscanf(header, "\r\nETag: %63s", etag), 1);
	free(answer);
}

json_t *rig_call(struct rig *rig, const char *method, const char *path, const char *body,
		 int expected)
{
	int status;
	json_t *json = rig_call_as(rig, method, path, "", body, &status);

	if (status != expected) {
		char *text = json_dumps(json, JSON_ENCODE_ANY);

		fail_msg("%s %s: %d, not %d: %s", method, path, status, expected, text);
	}
	return json;
}

void rig_call_only(struct rig *rig, const char *method, const char *path, const char *body,
		   int expected)
{
	json_decref(rig_call(rig, method, path, body, expected));
}

void rig_assert_problem(struct rig *rig, const char *method, const char *path, const char *body,
			int status, const char *code, const char *words)
{
	json_t *json = rig_call(rig, method, path, body, status);
	const char *detail = json_string_value(json_object_get(json, "detail"));

	assert_string_equal(json_string_value(json_object_get(json, "code")), code);
	assert_int_equal(json_integer_value(json_object_get(json, "status")), status);
	if (strstr(detail, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", detail, words);
	json_decref(json);
}

size_t rig_count_changes(struct rig *rig, const char *method, const char *path, const char *body)
{
	json_t *json = rig_call(rig, method, path, body, 200);
	size_t n = json_array_size(json_object_get(json, "changes"));

	json_decref(json);
	return n;
}

const char *rig_link_of(struct rig *rig, const char *port, json_t **json)
{
	char path[128];

	snprintf(path, sizeof(path), "/v1/ports/%s", port);
	*json = rig_call(rig, "GET", path, "", 200);
	return json_string_value(json_object_get(json_object_get(*json, "status"), "link"));
}

void rig_assert_link(struct rig *rig, const char *port, const char *expected)
{
	json_t *json;

	assert_string_equal(rig_link_of(rig, port, &json), expected);
	json_decref(json);
}

const char rig_lab[] =
	"{\"name\": \"demo\", \"segments\": {\"A\": {\"vni\": 100}, \"B\": {\"vni\": 200}},"
	" \"ports\": {\"web0\": {\"type\": \"vhost-user\", \"segment\": \"A\"},"
	" \"c1\": {\"type\": \"tap\", \"segment\": \"B\", \"ip\": \"10.9.0.1/24\"},"
	" \"c2\": {\"type\": \"tap\", \"segment\": \"B\"}}}";

/* Each test begins with an empty state and an empty dataplane. */
int rig_setup(void **state)
{
	struct rig *rig = *state;

	rig->history = HISTORY_KEEP_DEFAULT;
	snprintf(rig->state_dir, sizeof(rig->state_dir), "%s/state%u", rig->dir, rig->n_tests++);
	rig_start_dataplane(rig);
	rig_start_control(rig);
	rig_await_connected(rig, true);
	return 0;
}

int rig_teardown(void **state)
{
	struct rig *rig = *state;

	control_destroy(rig->control);
	rig_stop_dataplane(rig);
	return 0;
}

int rig_run(struct rig *rig, int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests)
{
	char command[160];

	rig->dataplane_path = argc > 1 ? argv[1] : NULL;
	if (rig->dataplane_path == NULL)
		return 2;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		puts("skipped: needs root, for a network namespace of its own");
		return SKIPPED;
	}
	snprintf(rig->dir, sizeof(rig->dir), "/tmp/weft-control.XXXXXX");
	if (mkdtemp(rig->dir) == NULL)
		return 1;
	snprintf(rig->run_dir, sizeof(rig->run_dir), "%s/run", rig->dir);
	mkdir(rig->run_dir, 0755);
	int failed = _cmocka_run_group_tests("control", tests, n_tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf '%s'", rig->dir);
	return failed != 0 || system(command) != 0;
}
