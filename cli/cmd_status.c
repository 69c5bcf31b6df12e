/* SPDX-License-Identifier: BSD-3-Clause */
/* weft status, weft version. */
#include "cli/cmds.h"

#include <errno.h>
#include <time.h>

#include "cli/call.h"
#include "cli/print.h"

#define WAIT_STEP_MS 50

static const struct client_request ask_status = {.method = "GET", .path = "/v1/status"};

static bool is_connected(const json_t *status)
{
	return json_is_true(print_member(status, "dataplane.connected"));
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * One try. CALL_DONE: connected, *status is the caller's. CALL_FALSE: not yet, `why` says what is
 * missing. Else an answer that no waiting makes better, and a line on err.
 */
static int try_status(const struct call *call, long timeout_ms, json_t **status,
		      char why[CLIENT_WHY_BYTES])
{
	struct client_request request = ask_status;
	struct client_answer answer;
	int code;

	request.timeout_ms = timeout_ms;
	code = client_run(call->args->run_dir, &request, &answer, why, CLIENT_WHY_BYTES);
	if (code == -ECONNREFUSED)
		return CALL_FALSE;
	if (code)
		return call_fail(call, CALL_REFUSED, "%s", why);
	code = call_check(call, &answer);
	if (!code)
		code = call_parse(call, &answer, status);
	client_release(&answer);
	if (code || is_connected(*status))
		return code;
	json_decref(*status);
	snprintf(why, CLIENT_WHY_BYTES,
		 "weftd answers, but its dataplane is not connected; does weft-dataplane run on "
		 "the same run directory?");
	return CALL_FALSE;
}

/* Both daemons may be just starting: tries until it is connected or --wait is over. */
static int wait_status(const struct call *call, json_t **status)
{
	static const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000L};
	long end_ms = now_ms() + (long)call->args->wait_s * 1000, left_ms;
	char why[CLIENT_WHY_BYTES] = "";

	while ((left_ms = end_ms - now_ms()) > 0) {
		int code = try_status(call, left_ms, status, why);

		if (code != CALL_FALSE)
			return code;
		nanosleep(&step, NULL);
	}
	return call_fail(call, CALL_UNREACHABLE, "waited %u s: %s", call->args->wait_s, why);
}

int cmd_status_run(const struct call *call)
{
	json_t *status;
	int code;

	if (call->args->wait_s)
		code = wait_status(call, &status);
	else
		code = call_ask(call, &ask_status, &status);
	if (code)
		return code;
	code = call_print_object(call, status);
	if (!code && !is_connected(status))
		code = CALL_FALSE;
	json_decref(status);
	return code;
}

int cmd_status_version(const struct call *call)
{
	json_t *version;
	int code;

	if (!call_is_raw(call)) {
		fprintf(call->out, "weft %s\n", WEFT_VERSION);
		return CALL_DONE;
	}
	version = json_pack("{s:s}", "version", WEFT_VERSION);
	code = call_print_raw(call, version);
	json_decref(version);
	return code;
}
