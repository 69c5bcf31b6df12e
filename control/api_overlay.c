/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handler that tests the way to a peer. The answer is a stream that begins when the test has
 * ended: until then weftd does everything else. A client that hangs up ends its test. Runs on
 * weftd's thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/doctor.h"
#include "control/overlay_test.h"
#include "control/overlay_verdict.h"
#include "control/places.h"
#include "control/underlay.h"
#include "dataplane/api/kinds.h"

/* One that is asked for. */
struct control_test {
	struct control_test *next;
	struct control *control;
	struct overlay_test *test; /* NULL: there was nothing to test */
	char peer[DP_NAME_BYTES];
	char *text; /* the answer; NULL: not yet */
	size_t text_at;
	bool has_ended;
};

static void answer(struct control_test *test, json_t *checks)
{
	json_t *json = json_pack("{s:s, s:b, s:o}", "peer", test->peer, "healthy",
				 doctor_is_healthy(checks), "checks", checks);

	test->text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
	test->has_ended = true;
	json_decref(json);
}

static int read_answer(void *ctx, char *buffer, size_t buffer_bytes)
{
	struct control_test *test = ctx;
	size_t left = test->text != NULL ? strlen(test->text) - test->text_at : 0;
	size_t n = left < buffer_bytes ? left : buffer_bytes;

	if (!test->has_ended)
		return 0;
	if (n == 0)
		return test->text != NULL ? -ENODATA : -ENOMEM;
	memcpy(buffer, test->text + test->text_at, n);
	test->text_at += n;
	return (int)n;
}

static void close_test(void *ctx)
{
	struct control_test *test = ctx;
	struct control_test **link = &test->control->tests;

	while (*link != test)
		link = &(*link)->next;
	*link = test->next;
	test->control->n_tests--;
	overlay_test_destroy(test->test);
	free(test->text);
	free(test);
}

int api_run_tests(struct control *control, uint64_t now_ns)
{
	int wait_ms = -1;

	for (struct control_test *test = control->tests; test != NULL; test = test->next) {
		int ms = test->has_ended ? -1 : overlay_test_run(test->test, now_ns);

		if (!test->has_ended && ms < 0) {
			answer(test, overlay_verdict(overlay_test_result(test->test)));
			control_wake(control);
		}
		if (ms >= 0 && (wait_ms < 0 || ms < wait_ms))
			wait_ms = ms;
	}
	return wait_ms;
}

/* Of what this peer's segments may send; all of them if it has no list. */
static uint32_t needed_bytes(const struct model *model, const struct model_port *peer,
			     uint32_t overhead)
{
	uint16_t mtu = model_port_mtu(model, peer);

	for (size_t i = 0; i < model->n_segments && peer->trunk == NULL; i++) {
		uint16_t other = model_segment_mtu(model, model->segments[i]);

		mtu = other > mtu ? other : mtu;
	}
	return mtu != 0 ? mtu + overhead : 0;
}

static int start(struct control_test *test, const struct model_port *peer)
{
	struct control *control = test->control;
	struct overlay_test_spec spec = {.vxlan_port = 0};
	const char *why = underlay_reason(control->underlay, peer->id);
	const struct model_port *uplink = NULL;

	if (underlay_way(control->underlay, peer->id, &spec.way))
		uplink = places_find_port(control->model, spec.way.uplink_id);
	if (uplink == NULL) {
		json_t *checks = json_array();

		doctor_say(checks, "way", DOCTOR_FAIL, "%s",
			   why != NULL ? why : "weftd has not looked for the way yet");
		doctor_fix(
			checks,
			"put that right; weft peer list shows the peer as up once there is a way");
		answer(test, checks);
		return 0;
	}
	spec.vxlan_port = (uint16_t)model_option_number(uplink, "vxlan_port", 4789);
	spec.needed_bytes = needed_bytes(control->model, peer, spec.way.overhead_bytes);
	/* Over IPv6 a peer refuses them, unless it is set up to take them. */
	spec.has_bare = spec.way.from.family == AF_INET;
	return overlay_test_create(control->loop, &spec, &test->test);
}

int api_test_peer(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem)
{
	struct control *control = ctx;
	const struct model_port *port = NULL;
	int error = api_check_match(control, request, problem);

	if (error < 0)
		return error;
	port = api_find_port(control, request->name, problem);
	if (port == NULL)
		return -ENOENT;
	if (port->kind != &kind_peer)
		return problem_set(problem, -EINVAL, 409, "not-for-this-type",
				   "port %s is no peer; weft peer list shows the peers",
				   port->name);
	if (control->n_tests == CONTROL_TESTS_MAX)
		return problem_set(problem, -EUSERS, 503, "tests-many",
				   "%d tests run already; try again in some seconds",
				   CONTROL_TESTS_MAX);
	struct control_test *test = calloc(1, sizeof(*test));

	if (test == NULL)
		return problem_system(problem, -ENOMEM, "answering");
	test->control = control;
	memcpy(test->peer, port->name, sizeof(test->peer));
	test->next = control->tests;
	control->tests = test;
	control->n_tests++;
	error = start(test, port);

	if (error < 0) {
		close_test(test);
		return problem_system(problem, error, "opening sockets for probes");
	}
	reply->stream = (struct http_stream){
		.type = "application/json", .ctx = test, .read = read_answer, .close = close_test};
	return 0;
}
