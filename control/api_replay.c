/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for replays (playback.h). Runs on weftd's thread. */
#include <errno.h>
#include <string.h>

#include "control/api.h"
#include "control/playback.h"
#include "dataplane/api/replay_gap.h"

static int refuse(struct problem *problem, const char *why)
{
	return problem_set(problem, -EINVAL, 422, "value-invalid", "ports: %s", why);
}

/* {"ports": [NAME, ...]}, and perhaps "fates". Returns how many, or -errno. */
static int read_ports(const struct control *control, const json_t *body,
		      const struct model_port *ports[DP_REPLAYS_MAX], struct problem *problem)
{
	const json_t *names = json_object_get(body, "ports"), *name;
	const json_t *fates = json_object_get(body, "fates");
	size_t i;

	if (json_object_size(body) != (fates != NULL ? 2 : 1) || json_array_size(names) == 0 ||
	    json_array_size(names) > DP_REPLAYS_MAX || (fates != NULL && !json_is_boolean(fates)))
		return refuse(problem, "a list of 1 to 16 names, as {\"ports\": [\"web0\"]}");
	json_array_foreach(names, i, name) {
		if (!json_is_string(name))
			return refuse(problem, "a list of names of ports");
		ports[i] = api_find_port(control, json_string_value(name), problem);
		if (ports[i] == NULL)
			return -ENOENT;
		for (size_t k = 0; k < i; k++) {
			if (ports[k] == ports[i])
				return refuse(problem, "a name stands there twice");
		}
	}
	return (int)json_array_size(names);
}

static const char *fault_name(uint32_t fault)
{
	switch (fault) {
	case DP_REPLAY_GOES_ON:
		return "";
	case DP_REPLAY_PORT_GONE:
		return "the port was deleted or made anew";
	default:
		return "the memory between weftd and weft-dataplane is damaged";
	}
}

static json_t *format_port(const struct playback_port *port)
{
	const struct dp_replay_state *state = &port->state;

	return json_pack(
		"{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I}, s:s}",
		"port", port->name, "put", (json_int_t)port->put, "frames",
		(json_int_t)state->frames, "fated", (json_int_t)state->fated, "bytes",
		(json_int_t)state->bytes, "first_ns", (json_int_t)state->first_ns, "last_ns",
		(json_int_t)state->last_ns, "first_due_ns", (json_int_t)state->first_due_ns,
		"last_due_ns", (json_int_t)state->last_due_ns, "late_max_ns",
		(json_int_t)state->late_max_ns, "gap_error_ns", "p50",
		(json_int_t)replay_gap_permille(state->gap_errors, 500), "p99",
		(json_int_t)replay_gap_permille(state->gap_errors, 990), "max",
		(json_int_t)state->gap_error_max_ns, "fault", fault_name(state->fault));
}

/* NULL with *problem: the dataplane does not know it any more. */
static json_t *describe(const struct playback *playback, struct problem *problem)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < playback_n_ports(playback); i++) {
		struct playback_port port;

		if (playback_look(playback, i, &port, problem) < 0) {
			json_decref(ports);
			return NULL;
		}
		json_array_append_new(ports, format_port(&port));
	}
	return json_pack("{s:s, s:s, s:b, s:i, s:o, s:o, s:I}", "name", playback_name(playback),
			 "who", playback_who(playback), "started", playback_is_started(playback),
			 "lease_s", PLAYBACK_LEASE_S, "ports", ports, "fates",
			 outcomes_describe(playback_outcomes(playback)), "fates_lost",
			 (json_int_t)playback_lost(playback));
}

static int reply_state(struct control *control, const struct playback *playback,
		       struct http_reply *reply, struct problem *problem)
{
	json_t *state = describe(playback, problem);

	return state == NULL ? -ENOENT : api_reply(control, state, reply, problem);
}

/* NULL with *problem: it is not there. What asks for it keeps it alive. */
static struct playback *find(const struct control *control, const struct http_request *request,
			     struct problem *problem)
{
	struct playback *playback = playback_find(control, request->name);

	if (playback == NULL)
		problem_set(problem, -ENOENT, 404, "replay-unknown",
			    "no replay %.60s runs (any more); it ends when nothing is heard of it "
			    "for %d s",
			    request->name, PLAYBACK_LEASE_S);
	if (playback != NULL) {
		playback_renew(playback);
		playback_sum_up(playback);
	}
	return playback;
}

/* The same for a request that changes something: it may be for another revision. */
static struct playback *find_to_change(const struct control *control,
				       const struct http_request *request, struct problem *problem)
{
	if (api_check_match(control, request, problem) < 0)
		return NULL;
	return find(control, request, problem);
}

int api_post_replay(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	const struct model_port *ports[DP_REPLAYS_MAX];
	struct control *control = ctx;
	struct playback *playback;
	json_t *body = NULL;
	int n = api_check_match(control, request, problem);

	if (n == 0)
		n = api_read_json(request, &body, problem);
	if (n == 0)
		n = read_ports(control, body, ports, problem);
	bool has_lines = json_is_true(json_object_get(body, "fates"));

	json_decref(body);
	if (n < 0)
		return n;
	int error = playback_open(control, ports, (size_t)n, has_lines, request->who, &playback,
				  problem);

	return error < 0 ? error : reply_state(control, playback, reply, problem);
}

int api_list_replays(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem)
{
	const struct playback *playback = NULL;
	json_t *list = json_array();

	while ((playback = playback_next(ctx, playback)) != NULL) {
		json_t *state = describe(playback, problem);

		if (state == NULL) {
			json_decref(list);
			return -ENOENT;
		}
		json_array_append_new(list, state);
	}
	return api_reply(ctx, json_pack("{s:o}", "replays", list), reply, problem);
}

int api_get_replay(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	const struct playback *playback = find(ctx, request, problem);

	return playback == NULL ? -ENOENT : reply_state(ctx, playback, reply, problem);
}

int api_get_replay_fates(void *ctx, const struct http_request *request, struct http_reply *reply,
			 struct problem *problem)
{
	struct playback *playback = find(ctx, request, problem);

	reply->text_type = "text/csv";
	return playback == NULL ? -ENOENT : playback_fates(playback, &reply->text, problem);
}

int api_post_replay_frames(void *ctx, const struct http_request *request, struct http_reply *reply,
			   struct problem *problem)
{
	struct playback *playback = find_to_change(ctx, request, problem);
	size_t taken = 0;

	if (playback == NULL)
		return -ENOENT;
	int error = playback_put(playback, request->body, request->body_bytes, &taken, problem);

	if (error < 0)
		return error;
	json_t *state = describe(playback, problem);

	if (state == NULL)
		return -ENOENT;
	json_object_set_new(state, "taken", json_integer((json_int_t)taken));
	return api_reply(ctx, state, reply, problem);
}

int api_start_replay(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem)
{
	struct playback *playback = find_to_change(ctx, request, problem);
	int error = playback == NULL ? -ENOENT : playback_start(playback, problem);

	return error < 0 ? error : reply_state(ctx, playback, reply, problem);
}

int api_delete_replay(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem)
{
	struct playback *playback = find_to_change(ctx, request, problem);
	json_t *state = playback == NULL ? NULL : describe(playback, problem);

	if (playback == NULL)
		return -ENOENT;
	/* One whose dataplane has gone ends, too; the answer says that it had. */
	playback_end(playback);
	return state == NULL ? -ENOENT : api_reply(ctx, state, reply, problem);
}
