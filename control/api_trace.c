/* SPDX-License-Identifier: BSD-3-Clause */
/* The handlers that trace a frame, or follow the next real ones. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/following.h"
#include "control/tracing.h"

#define NEXT_MAX 1000
#define SECONDS_MAX (7 * 86400)
#define NS_PER_S 1000000000ULL

/* "02:00 5e ..": hex digits in pairs, with blanks, colons or dots between them. -1: something else,
 * or too much. */
static int read_hex(const char *text, uint8_t *bytes, size_t max)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	size_t n = 0;

	for (;;) {
		text += strspn(text, " :.\t\r\n");
		if (*text == '\0')
			return (int)n;
		const char *high = strchr(digits, text[0]);
		const char *low = text[1] != '\0' ? strchr(digits, text[1]) : NULL;

		if (high == NULL || low == NULL || n == max)
			return -1;
		bytes[n++] = (uint8_t)((high - digits) % 16 * 16 + (low - digits) % 16);
		text += 2;
	}
}

static int read_frame(const struct http_request *request, uint8_t bytes[DP_TRACE_BYTES],
		      struct problem *problem)
{
	json_t *body;
	int n, error = api_read_json(request, &body, problem);

	if (error < 0)
		return error;
	const char *text = json_string_value(json_object_get(body, "frame"));

	if (text == NULL || json_object_size(body) != 1)
		n = problem_set(problem, -EINVAL, 422, text == NULL ? "key-missing" : "key-unknown",
				"the body is {\"frame\": \"HEX\"} and nothing else");
	else if ((n = read_hex(text, bytes, DP_TRACE_BYTES)) <= 0)
		n = problem_set(problem, -EINVAL, 422, "value-invalid",
				"frame: say 1 to %d bytes as pairs of hex digits, from the "
				"destination's MAC address on, without FCS",
				DP_TRACE_BYTES);
	json_decref(body);
	return n;
}

int api_trace(void *ctx, const struct http_request *request, struct http_reply *reply,
	      struct problem *problem)
{
	const struct control *control = ctx;
	const struct model_port *port = NULL;
	uint8_t bytes[DP_TRACE_BYTES];
	struct tracing *tracing;
	int error = api_check_match(control, request, problem);

	if (error < 0)
		return error;
	port = api_find_port(control, request->name, problem);
	if (port == NULL)
		return -ENOENT;
	int n = read_frame(request, bytes, problem);

	if (n < 0)
		return n;
	if (port->kind->place == PORT_PLACE_VNI)
		return problem_set(problem, -EINVAL, 409, "not-for-this-type",
				   "a peer sends nothing by itself: trace what its uplink gets");
	tracing = calloc(1, sizeof(*tracing));
	if (tracing == NULL)
		return problem_system(problem, -ENOMEM, "tracing");
	error = tracing_run(control, port, bytes, (size_t)n, tracing, problem);

	if (error == 0)
		error = api_reply(control,
				  json_pack("{s:s, s:i, s:i, s:o}", "port", port->name, "bytes", n,
					    "receivers", (int)tracing_count_receivers(tracing),
					    "steps", tracing_format(control, tracing)),
				  reply, problem);
	free(tracing);
	return error;
}

/* --- real ones --- */

static int read_key(const struct control *control, const char *key, const json_t *value,
		    struct dp_follow_open *open, uint64_t *seconds, struct problem *problem)
{
	uint64_t number = 0;
	int error;

	if (strcmp(key, "ports") == 0)
		return api_read_ports(control, value, open->port_ids, &open->n_ports, problem);
	if (strcmp(key, "filter") == 0)
		return api_read_filter(value, open->insns, &open->n_insns, problem);
	if (strcmp(key, "seconds") == 0)
		return api_read_number(key, value, SECONDS_MAX, seconds, problem);
	if (strcmp(key, "next") != 0)
		return problem_set(problem, -EINVAL, 422, "key-unknown",
				   "unknown key '%.60s'; known: next, ports, filter, seconds", key);
	error = api_read_number(key, value, NEXT_MAX, &number, problem);
	open->n_frames = (uint32_t)number;
	return error;
}

static int read_next(const struct control *control, json_t *body, struct dp_follow_open *open,
		     uint64_t *seconds, struct problem *problem)
{
	const char *key;
	json_t *value;
	int error = 0;

	json_object_foreach(body, key, value) {
		if (error == 0)
			error = read_key(control, key, value, open, seconds, problem);
	}
	if (error == 0 && open->n_frames == 0)
		error = problem_set(problem, -EINVAL, 422, "key-missing",
				    "say how many frames, as {\"next\": 5}");
	return error;
}

int api_follow(void *ctx, const struct http_request *request, struct http_reply *reply,
	       struct problem *problem)
{
	struct control *control = ctx;
	struct dp_follow_open *open = calloc(1, sizeof(*open));
	uint64_t seconds = 0;
	json_t *body = NULL;
	int error = open != NULL ? api_check_match(control, request, problem)
				 : problem_system(problem, -ENOMEM, "answering");

	if (error == 0)
		error = api_read_json(request, &body, problem);
	if (error == 0)
		error = read_next(control, body, open, &seconds, problem);
	if (error == 0)
		error = following_open(control, open, seconds * NS_PER_S, &reply->stream, problem);
	json_decref(body);
	free(open);
	return error;
}
