/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weftd from its socket to the dataplane: a control in this process, stepped while it is asked,
 * and a real weft-dataplane (argv[1]) beside it, started without huge pages. Both live in a
 * network namespace of this test's own, for the taps. Needs root; skipped without.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <jansson.h>

#include "control/control.h"
#include "control/fastpath.h"
#include "tests/lib/deadline.h"

#define SKIPPED 77
#define DEADLINE_MS 20000

struct fixture {
	const char *dataplane_path;
	char dir[64];
	char run_dir[80];
	char state_dir[80];
	unsigned int n_tests;
	pid_t dataplane;
	struct control *control;
};

static void start_dataplane(struct fixture *fixture)
{
	fixture->dataplane = fork();
	assert_true(fixture->dataplane >= 0);
	if (fixture->dataplane > 0)
		return;
	int null = open("/dev/null", O_RDWR);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	execl(fixture->dataplane_path, fixture->dataplane_path, "--run-dir", fixture->run_dir,
	      "--no-huge", (char *)NULL);
	_exit(127);
}

static void stop_dataplane(struct fixture *fixture)
{
	kill(fixture->dataplane, SIGKILL);
	waitpid(fixture->dataplane, NULL, 0);
}

static void start_control(struct fixture *fixture)
{
	char why[512];

	if (control_create(fixture->run_dir, fixture->state_dir, &fixture->control, why,
			   sizeof(why)) < 0)
		fail_msg("%s", why);
}

static bool is_connected(struct fixture *fixture)
{
	return fastpath_welcome(fixture->control->fastpath) != NULL;
}

/* Steps control until the dataplane is there, or is not. */
static void await_connected(struct fixture *fixture, bool is_wanted)
{
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	while (is_connected(fixture) != is_wanted) {
		assert_int_equal(control_turn(fixture->control), 0);
		assert_false(deadline_passed(deadline));
	}
}

static int connect_to(struct fixture *fixture)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/weftd.sock", fixture->run_dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Sends a request as it stands, returns the whole answer; the connection is closed by weftd. */
static char *exchange(struct fixture *fixture, const char *request, size_t bytes)
{
	int fd = connect_to(fixture);
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
			assert_int_equal(control_turn(fixture->control), 0);
	}
	close(fd);
	answer[len] = '\0';
	return answer;
}

/* One request; *status and the body as JSON. */
static json_t *call_as(struct fixture *fixture, const char *method, const char *path,
		       const char *headers, const char *body, int *status)
{
	size_t max = strlen(body) + 1024;
	char *request = malloc(max);

	snprintf(request, max,
		 "%s %s HTTP/1.1\r\nHost: weft\r\nConnection: close\r\n%s"
		 "Content-Length: %zu\r\n\r\n%s",
		 method, path, headers, strlen(body), body);
	char *answer = exchange(fixture, request, strlen(request));
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

static json_t *call(struct fixture *fixture, const char *method, const char *path, const char *body,
		    int expected)
{
	int status;
	json_t *json = call_as(fixture, method, path, "", body, &status);

	if (status != expected) {
		char *text = json_dumps(json, JSON_ENCODE_ANY);

		fail_msg("%s %s: %d, not %d: %s", method, path, status, expected, text);
	}
	return json;
}

static void call_only(struct fixture *fixture, const char *method, const char *path,
		      const char *body, int expected)
{
	json_decref(call(fixture, method, path, body, expected));
}

static void assert_problem(struct fixture *fixture, const char *method, const char *path,
			   const char *body, int status, const char *code, const char *words)
{
	json_t *json = call(fixture, method, path, body, status);
	const char *detail = json_string_value(json_object_get(json, "detail"));

	assert_string_equal(json_string_value(json_object_get(json, "code")), code);
	assert_int_equal(json_integer_value(json_object_get(json, "status")), status);
	if (strstr(detail, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", detail, words);
	json_decref(json);
}

static size_t count_changes(struct fixture *fixture, const char *method, const char *path,
			    const char *body)
{
	json_t *json = call(fixture, method, path, body, 200);
	size_t n = json_array_size(json_object_get(json, "changes"));

	json_decref(json);
	return n;
}

static const char *link_of(struct fixture *fixture, const char *port, json_t **json)
{
	char path[128];

	snprintf(path, sizeof(path), "/v1/ports/%s", port);
	*json = call(fixture, "GET", path, "", 200);
	return json_string_value(json_object_get(json_object_get(*json, "status"), "link"));
}

static void assert_link(struct fixture *fixture, const char *port, const char *expected)
{
	json_t *json;

	assert_string_equal(link_of(fixture, port, &json), expected);
	json_decref(json);
}

static const char lab[] =
	"{\"name\": \"demo\", \"segments\": {\"A\": {\"vni\": 100}, \"B\": {\"vni\": 200}},"
	" \"ports\": {\"web0\": {\"type\": \"vhost-user\", \"segment\": \"A\"},"
	" \"c1\": {\"type\": \"tap\", \"segment\": \"B\", \"ip\": \"10.9.0.1/24\"},"
	" \"c2\": {\"type\": \"tap\", \"segment\": \"B\"}}}";

/* Each test begins with an empty state, and so with an empty dataplane: weftd sees to that. */
static int setup(void **state)
{
	struct fixture *fixture = *state;

	snprintf(fixture->state_dir, sizeof(fixture->state_dir), "%s/state%u", fixture->dir,
		 fixture->n_tests++);
	start_control(fixture);
	await_connected(fixture, true);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	control_destroy(fixture->control);
	return 0;
}

static int run(struct fixture *fixture, const struct CMUnitTest *tests, size_t n_tests)
{
	char command[160];

	snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/weft-control.XXXXXX");
	if (mkdtemp(fixture->dir) == NULL)
		return 1;
	snprintf(fixture->run_dir, sizeof(fixture->run_dir), "%s/run", fixture->dir);
	mkdir(fixture->run_dir, 0755);
	start_dataplane(fixture);
	int failed = _cmocka_run_group_tests("control", tests, n_tests, NULL, NULL);
	stop_dataplane(fixture);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->dir);
	return failed != 0 || system(command) != 0;
}

static void a_lab_becomes_ports_in_the_dataplane(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(count_changes(fixture, "POST", "/v1/apply", lab), 5);
	assert_link(fixture, "web0", "down");
	assert_link(fixture, "c1", "up");
	assert_int_not_equal(if_nametoindex("c1"), 0);
	assert_int_equal(count_changes(fixture, "POST", "/v1/diff", lab), 0);
	assert_int_equal(count_changes(fixture, "POST", "/v1/apply", lab), 0);
}

static void a_dry_run_changes_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(count_changes(fixture, "POST", "/v1/apply?dry_run=1", lab), 5);
	assert_int_equal(fixture->control->model->n_ports, 0);
	assert_int_equal(if_nametoindex("c1"), 0);
	call_only(fixture, "PUT", "/v1/segments/A?dry_run=1", "{\"vni\": 1}", 200);
	call_only(fixture, "GET", "/v1/segments/A", "", 404);
}

static void a_port_that_the_host_refuses_leaves_everything_as_it_was(void **state)
{
	struct fixture *fixture = *state;

	call_only(fixture, "POST", "/v1/apply", lab, 200);
	assert_problem(
		fixture, "POST", "/v1/apply",
		"{\"segments\": {\"A\": {\"vni\": 101}}, \"ports\": {\"c1\": {\"type\": \"tap\","
		" \"segment\": \"B\", \"ip\": \"10.9.0.7/24\"}, \"n1\": {\"type\": \"tap\","
		" \"segment\": \"A\"}, \"n2\": {\"type\": \"tap\", \"segment\": \"A\","
		" \"netns\": \"weft-no-such-namespace\"}}}",
		422, "host-refused", "port n2: network namespace weft-no-such-namespace");
	assert_int_equal(if_nametoindex("n1"), 0);
	assert_int_equal(count_changes(fixture, "POST", "/v1/diff", lab), 0);
	assert_link(fixture, "c1", "up");
	/* The dataplane has the old world too, so the next change is only its own. */
	assert_int_equal(count_changes(fixture, "PUT", "/v1/segments/C", "{\"vni\": 7}"), 1);
}

static void without_a_dataplane_nothing_is_changed(void **state)
{
	struct fixture *fixture = *state;

	call_only(fixture, "POST", "/v1/apply", lab, 200);
	stop_dataplane(fixture);
	await_connected(fixture, false);
	assert_problem(fixture, "DELETE", "/v1/ports/c1", "", 503, "dataplane-unreachable",
		       "nothing was changed");
	assert_problem(fixture, "GET", "/v1/stats", "", 503, "dataplane-unreachable", "");
	assert_problem(fixture, "GET", "/v1/fdb", "", 503, "dataplane-unreachable", "");
	assert_link(fixture, "c1", "down");
	assert_int_equal(count_changes(fixture, "DELETE", "/v1/ports/c1?dry_run=1", ""), 1);
	start_dataplane(fixture);
	await_connected(fixture, true);
	assert_link(fixture, "c1", "up");
	assert_int_equal(fixture->control->model->n_ports, 3);
}

static void a_restart_of_weftd_finds_the_same_devices(void **state)
{
	struct fixture *fixture = *state;

	call_only(fixture, "POST", "/v1/apply", lab, 200);
	unsigned int index = if_nametoindex("c1");
	control_destroy(fixture->control);
	assert_int_equal(if_nametoindex("c1"), index);
	start_control(fixture);
	await_connected(fixture, true);
	assert_int_equal(if_nametoindex("c1"), index);
	assert_link(fixture, "c1", "up");
	assert_int_equal(count_changes(fixture, "POST", "/v1/diff", lab), 0);
	call_only(fixture, "DELETE", "/v1/ports/c1", "", 200);
	assert_int_equal(if_nametoindex("c1"), 0);
}

static void a_restart_of_the_dataplane_keeps_the_devices(void **state)
{
	struct fixture *fixture = *state;

	call_only(fixture, "POST", "/v1/apply", lab, 200);
	unsigned int index = if_nametoindex("c1");
	stop_dataplane(fixture);
	await_connected(fixture, false);
	assert_int_equal(if_nametoindex("c1"), index);
	start_dataplane(fixture);
	await_connected(fixture, true);
	assert_link(fixture, "c1", "up");
	assert_link(fixture, "web0", "down");
	assert_int_equal(if_nametoindex("c1"), index);
}

static void what_cannot_be_made_again_is_broken_and_the_rest_comes_up(void **state)
{
	struct fixture *fixture = *state;
	json_t *json;

	call_only(fixture, "POST", "/v1/apply", lab, 200);
	control_destroy(fixture->control);
	stop_dataplane(fixture);
	/* Nobody holds c1 now; a stranger takes its name. */
	assert_int_equal(system("ip tuntap add c1 mode tap"), 0);
	start_dataplane(fixture);
	start_control(fixture);
	await_connected(fixture, true);
	assert_string_equal(link_of(fixture, "c1", &json), "broken");
	assert_non_null(strstr(
		json_string_value(json_object_get(json_object_get(json, "status"), "reason")),
		"exists already"));
	json_decref(json);
	assert_link(fixture, "c2", "up");
	/* A change elsewhere is not held up; when the name is free, the port comes by itself. */
	call_only(fixture, "PUT", "/v1/segments/C", "{\"vni\": 7}", 200);
	assert_int_equal(system("ip link del c1"), 0);
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);
	while (strcmp(link_of(fixture, "c1", &json), "up") != 0) {
		json_decref(json);
		assert_false(deadline_passed(deadline));
	}
	json_decref(json);
}

static void a_device_that_vanished_is_made_anew(void **state)
{
	struct fixture *fixture = *state;
	uint64_t deadline = deadline_in_ms(DEADLINE_MS);

	call_only(fixture, "POST", "/v1/apply", lab, 200);
	unsigned int index = if_nametoindex("c1");
	assert_int_equal(system("ip link del c1"), 0);
	while (if_nametoindex("c1") == 0) {
		assert_int_equal(control_turn(fixture->control), 0);
		assert_false(deadline_passed(deadline));
	}
	assert_int_not_equal(if_nametoindex("c1"), index);
	assert_link(fixture, "c1", "up");
}

static void objects_are_put_changed_and_deleted_one_by_one(void **state)
{
	struct fixture *fixture = *state;
	json_t *json;

	call_only(fixture, "PUT", "/v1/segments/A", "{\"vni\": 5, \"vlan\": 50}", 200);
	call_only(fixture, "PUT", "/v1/ports/p", "{\"type\": \"tap\", \"segment\": \"A\"}", 200);
	assert_problem(fixture, "DELETE", "/v1/segments/A", "", 409, "segment-in-use",
		       "port(s), as p");
	json = call(fixture, "GET", "/v1/ports/p", "", 200);
	/* What GET says can be put as it is. */
	char *text = json_dumps(json, 0);
	assert_int_equal(count_changes(fixture, "PUT", "/v1/ports/p", text), 0);
	free(text);
	json_decref(json);
	assert_int_equal(count_changes(fixture, "PUT", "/v1/ports/p",
				       "{\"type\": \"tap\", \"segment\": \"A\", \"vm\": \"x\"}"),
			 1);
	call_only(fixture, "DELETE", "/v1/ports/p", "", 200);
	call_only(fixture, "DELETE", "/v1/segments/A", "", 200);
	json = call(fixture, "GET", "/v1/export", "", 200);
	assert_int_equal(json_object_size(json_object_get(json, "segments")), 0);
	json_decref(json);
}

static void bad_requests_get_their_own_codes(void **state)
{
	struct fixture *fixture = *state;

	assert_problem(fixture, "GET", "/v1/nothing", "", 404, "path-unknown", "/v1/nothing");
	assert_problem(fixture, "GET", "/v1/ports/", "", 404, "path-unknown", "");
	assert_problem(fixture, "POST", "/v1/ports", "{}", 405, "method-not-allowed", "POST");
	assert_problem(fixture, "GET", "/v1/ports/x", "", 404, "port-unknown", "x");
	assert_problem(fixture, "DELETE", "/v1/segments/x", "", 404, "segment-unknown", "x");
	assert_problem(fixture, "PUT", "/v1/segments/x", "{", 400, "json-invalid", "line 1");
	assert_problem(fixture, "PUT", "/v1/segments/x", "", 422, "key-missing", "vni");
	assert_problem(fixture, "PUT", "/v1/segments/x", "[]", 422, "value-invalid", "keys");
	assert_problem(fixture, "PUT", "/v1/segments/x%2f%01", "{\"vni\": 1}", 404, "path-unknown",
		       "?");
	assert_problem(fixture, "POST", "/v1/apply", "", 400, "json-invalid", "");
}

static void a_body_beyond_the_limit_is_refused(void **state)
{
	struct fixture *fixture = *state;
	size_t bytes = 9u << 20;
	char *body = malloc(bytes + 1);

	memset(body, ' ', bytes);
	body[bytes] = '\0';
	assert_problem(fixture, "POST", "/v1/apply", body, 413, "body-too-large", "8 MiB");
	free(body);
}

static void if_match_refuses_what_was_read_too_long_ago(void **state)
{
	struct fixture *fixture = *state;
	char header[64];
	int status;

	call_only(fixture, "PUT", "/v1/segments/A", "{\"vni\": 1}", 200);
	json_t *json = call(fixture, "GET", "/v1/status", "", 200);
	snprintf(header, sizeof(header), "If-Match: \"%s\"\r\n",
		 json_string_value(json_object_get(json, "revision")));
	json_decref(json);
	json_decref(call_as(fixture, "PUT", "/v1/segments/B", header, "{\"vni\": 2}", &status));
	assert_int_equal(status, 200);
	json_decref(call_as(fixture, "PUT", "/v1/segments/B", header, "{\"vni\": 3}", &status));
	assert_int_equal(status, 412);
}

static void labs_travel_as_yaml_too(void **state)
{
	struct fixture *fixture = *state;
	int status;
	json_t *json = call_as(
		fixture, "POST", "/v1/apply", "Content-Type: application/yaml\r\n",
		"segments:\n  A: {vni: 1}\nports:\n  v: {type: vhost-user, segment: A}\n", &status);

	assert_int_equal(status, 200);
	json_decref(json);
	json = call_as(fixture, "GET", "/v1/export", "Accept: application/yaml\r\n", "", &status);
	assert_string_equal(json_string_value(json), "segments:\n  A: {vni: 1}\nports:\n"
						     "  v: {type: vhost-user, segment: A}\n");
	json_decref(json);
}

static void guests_are_told_how_to_plug_in(void **state)
{
	struct fixture *fixture = *state;
	char expected[256];

	call_only(fixture, "POST", "/v1/apply", lab, 200);
	json_t *json = call(fixture, "GET", "/v1/ports/web0/qemu-args?memory=256M&tcg=1", "", 200);
	char *text = json_dumps(json, 0);
	snprintf(expected, sizeof(expected), "path=%s/vhost/web0.sock,reconnect=1",
		 fixture->control->run_dir);
	assert_non_null(strstr(text, expected));
	assert_non_null(strstr(text, "memory-backend-memfd,id=weft-mem,share=on,size=256M"));
	assert_non_null(strstr(text, "host_mtu=1500"));
	assert_non_null(strstr(text, "vectors=0"));
	free(text);
	json_decref(json);
	json = call(fixture, "GET", "/v1/ports/web0/qemu-args?nic_only=1", "", 200);
	text = json_dumps(json, 0);
	assert_null(strstr(text, "memory-backend"));
	assert_null(strstr(text, "vectors"));
	free(text);
	json_decref(json);
	json = call(fixture, "GET", "/v1/ports/web0/libvirt-xml", "", 200);
	assert_non_null(strstr(json_string_value(json_object_get(json, "xml")),
			       "<interface type='vhostuser'>"));
	json_decref(json);
	assert_problem(fixture, "GET", "/v1/ports/c1/qemu-args", "", 409, "not-for-this-type",
		       "tap");
	assert_problem(fixture, "GET", "/v1/ports/web0/qemu-args?memory=1,x", "", 422,
		       "value-invalid", "256M");
}

static void counters_and_tables_have_every_port(void **state)
{
	struct fixture *fixture = *state;

	call_only(fixture, "POST", "/v1/apply", lab, 200);
	json_t *json = call(fixture, "GET", "/v1/stats", "", 200);
	assert_int_equal(json_array_size(json_object_get(json, "ports")), 3);
	assert_int_equal(json_array_size(json_object_get(json, "workers")), 1);
	assert_true(json_is_object(json_object_get(json, "retired")));
	json_decref(json);
	json = call(fixture, "GET", "/v1/stats?port=c1", "", 200);
	assert_int_equal(json_array_size(json_object_get(json, "ports")), 1);
	json_decref(json);
	call_only(fixture, "GET", "/v1/stats?port=no", "", 404);
	call_only(fixture, "GET", "/v1/drops", "", 200);
	call_only(fixture, "GET", "/v1/fdb?segment=B&port=c1", "", 200);
	call_only(fixture, "GET", "/v1/fdb?segment=no", "", 404);
	json = call(fixture, "GET", "/v1/port-types", "", 200);
	assert_int_equal(json_array_size(json_object_get(json, "types")), 2);
	json_decref(json);
}

static void a_second_weftd_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct control *second;
	char why[512];
	char other[96];

	assert_true(control_create(fixture->run_dir, fixture->state_dir, &second, why,
				   sizeof(why)) < 0);
	assert_non_null(strstr(why, "another weftd uses"));
	snprintf(other, sizeof(other), "%s/x", fixture->dir);
	assert_true(control_create(fixture->run_dir, other, &second, why, sizeof(why)) < 0);
	assert_non_null(strstr(why, "another weftd answers"));
	call_only(fixture, "GET", "/v1/status", "", 200);
}

static void the_socket_is_for_the_group_and_the_state_for_root(void **state)
{
	struct fixture *fixture = *state;
	char path[128];
	struct stat stat_;

	snprintf(path, sizeof(path), "%s/weftd.sock", fixture->run_dir);
	assert_int_equal(stat(path, &stat_), 0);
	assert_int_equal(stat_.st_mode & 0777, 0660);
	assert_int_equal(stat(fixture->state_dir, &stat_), 0);
	assert_int_equal(stat_.st_mode & 0777, 0700);
}

int main(int argc, char **argv)
{
	struct fixture fixture = {.dataplane_path = argc > 1 ? argv[1] : NULL};

	if (fixture.dataplane_path == NULL)
		return 2;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		puts("skipped: needs root, for a network namespace of its own");
		return SKIPPED;
	}
#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, setup, teardown, &fixture)
	const struct CMUnitTest tests[] = {
		TEST(a_lab_becomes_ports_in_the_dataplane),
		TEST(a_dry_run_changes_nothing),
		TEST(a_port_that_the_host_refuses_leaves_everything_as_it_was),
		TEST(without_a_dataplane_nothing_is_changed),
		TEST(a_restart_of_weftd_finds_the_same_devices),
		TEST(a_restart_of_the_dataplane_keeps_the_devices),
		TEST(what_cannot_be_made_again_is_broken_and_the_rest_comes_up),
		TEST(a_device_that_vanished_is_made_anew),
		TEST(objects_are_put_changed_and_deleted_one_by_one),
		TEST(bad_requests_get_their_own_codes),
		TEST(a_body_beyond_the_limit_is_refused),
		TEST(if_match_refuses_what_was_read_too_long_ago),
		TEST(labs_travel_as_yaml_too),
		TEST(guests_are_told_how_to_plug_in),
		TEST(counters_and_tables_have_every_port),
		TEST(a_second_weftd_is_refused),
		TEST(the_socket_is_for_the_group_and_the_state_for_root),
	};

	return run(&fixture, tests, sizeof(tests) / sizeof(tests[0]));
}
