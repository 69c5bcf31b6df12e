/* SPDX-License-Identifier: BSD-3-Clause */
/* The REST API: the table of routes, and what several handlers need. Runs on weftd's thread. */
#include "control/api.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/apply.h"
#include "control/config.h"
#include "control/json_body.h"
#include "control/metrics.h"
#include "control/openapi.h"

/* clang-format off */
/* The routes of a kind of objects. */
#define OBJECTS(noun, nouns, schema, kind, changer)                                                \
	{"GET", "/v1/" nouns, api_list_objects, "",                                                \
	 ROLES_READ, NULL, schema "s", "all " nouns, NULL, kind},                                  \
	{"GET", "/v1/" nouns "/{name}", api_get_object, "",                                        \
	 ROLES_READ, NULL, schema, "one " noun, NULL, kind},                                       \
	{"PUT", "/v1/" nouns "/{name}", api_put_object, "dry_run",                                 \
	 changer, schema, "Changes", "create or change a " noun, NULL, kind},                      \
	{"DELETE", "/v1/" nouns "/{name}", api_delete_object, "dry_run",                           \
	 changer, NULL, "Changes", "delete a " noun " that nothing uses", NULL, kind}

/* What the OpenAPI file says, and who may do what, is this table. */
static const struct http_route routes[] = {
	{"GET", "/v1/status", api_get_status, "",
	 ROLES_READ, NULL, "Status", "is it up, and what does it hold"},
	OBJECTS("segment", "segments", "Segment", MODEL_SEGMENT, ROLES_ADMIN),
	OBJECTS("port", "ports", "Port", MODEL_PORT, ROLES_OPERATE),
	OBJECTS("pool", "pools", "Pool", MODEL_POOL, ROLES_ADMIN),
	OBJECTS("channel", "channels", "Channel", MODEL_CHANNEL, ROLES_ADMIN),
	{"GET", "/v1/channels/host/default", api_get_object, "",
	 ROLES_READ, NULL, "Channel", "the channel of those that have none", NULL, MODEL_CHANNEL},
	OBJECTS("vm", "vms", "Vm", MODEL_VM, ROLES_OPERATE),
	{"GET", "/v1/loans", api_list_objects, "",
	 ROLES_READ, NULL, "Loans", "all loans", NULL, MODEL_LOAN},
	{"POST", "/v1/loans", api_post_loan, "dry_run",
	 ROLES_OPERATE, "Loan", "Changes", "lend, under a name that is free", NULL, MODEL_LOAN},
	{"GET", "/v1/loans/{name}", api_get_object, "",
	 ROLES_READ, NULL, "Loan", "one loan", NULL, MODEL_LOAN},
	{"PUT", "/v1/loans/{name}", api_put_loan, "dry_run",
	 ROLES_OPERATE, "Loan", "Changes", "lend, or change a loan", NULL, MODEL_LOAN},
	{"DELETE", "/v1/loans/{name}", api_delete_loan, "dry_run",
	 ROLES_OPERATE, NULL, "Changes", "call a loan back", NULL, MODEL_LOAN},
	{"GET", "/v1/channels/{name}/report", api_get_report, "",
	 ROLES_READ, NULL, "Report", "what a channel was given, and whom it borrowed from",
	 NULL, MODEL_CHANNEL},
	{"GET", "/v1/channels/host/default/report", api_get_report, "",
	 ROLES_READ, NULL, "Report", "the same of host/default", NULL, MODEL_CHANNEL},
	{"GET", "/v1/reports", api_list_reports, "span",
	 ROLES_READ, NULL, "Reports", "what all channels were given in the last second"},
	{"POST", "/v1/forecast", api_forecast, "prune",
	 ROLES_READ, "Lab", "Forecast", "what channels would have if all wanted all"},
	{"GET", "/v1/ports/{name}/qemu-args", api_get_qemu_args, "memory, nic_only, tcg",
	 ROLES_READ, NULL, "QemuArgs", "the QEMU arguments for a port"},
	{"GET", "/v1/ports/{name}/libvirt-xml", api_get_libvirt_xml, "tcg",
	 ROLES_READ, NULL, "LibvirtXml", "the libvirt elements for a port"},
	{"GET", "/v1/ports/{name}/doctor", api_get_doctor, "",
	 ROLES_READ, NULL, "Doctor", "what keeps frames from a port, and what to do"},
	{"POST", "/v1/ports/{name}/test", api_test_peer, "",
	 ROLES_OPERATE, NULL, "OverlayTest", "test the way to a peer with probes; takes seconds"},
	{"POST", "/v1/ports/{name}/trace", api_trace, "",
	 ROLES_READ, "TraceFrame", "Trace", "what would become of a frame that a port sent now"},
	{"POST", "/v1/traces", api_follow, "",
	 ROLES_ADMIN, "TraceNext", NULL, "what becomes of the next frames, a line of JSON for each",
	 API_WATCH_TYPE},
	{"GET", "/v1/port-types", api_get_port_types, "",
	 ROLES_READ, NULL, "PortTypes", "the types of port and their options"},
	{"GET", "/v1/segment-keys", api_get_segment_keys, "",
	 ROLES_READ, NULL, "SegmentKeys", "the options of segments"},
	{"POST", "/v1/apply", api_apply, "dry_run, prune, confirm, comment",
	 ROLES_ADMIN, "Lab", "Changes", "add and change what a lab declares"},
	{"POST", "/v1/diff", api_diff, "prune",
	 ROLES_READ, "Lab", "Changes", "what apply would do"},
	{"GET", "/v1/export", api_export, "revision",
	 ROLES_READ, NULL, "Lab", "everything as one lab, now or at a revision"},
	{"GET", "/v1/history", api_list_history, "",
	 ROLES_READ, NULL, "History", "the changes so far, as many as are kept"},
	{"GET", "/v1/history/{name}", api_get_history, "",
	 ROLES_READ, NULL, "RevisionInfo", "what one revision changed"},
	{"POST", "/v1/rollback", api_rollback, "dry_run, revision, comment",
	 ROLES_ADMIN, NULL, "Changes", "make everything as it was at a revision"},
	{"POST", "/v1/confirm", api_confirm, "",
	 ROLES_ADMIN, NULL, "Confirmed", "keep what is on trial"},
	{"GET", "/v1/fdb", api_get_fdb, "segment, port, after",
	 ROLES_READ, NULL, "Fdb", "which MAC address is where"},
	{"GET", "/v1/stats", api_get_stats, "port",
	 ROLES_READ, NULL, "Stats", "what ports and workers have counted"},
	{"GET", "/v1/drops", api_get_drops, "port",
	 ROLES_READ, NULL, "Drops", "frames that were not delivered, and why"},
	{"GET", "/v1/ports/{name}/drops", api_get_dropped, "",
	 ROLES_ADMIN, NULL, "DroppedFrames", "the last frames that were dropped at a port"},
	{"GET", "/v1/captures", api_list_captures, "",
	 ROLES_READ, NULL, "Captures", "the captures that run"},
	{"POST", "/v1/captures", api_post_capture, "",
	 ROLES_ADMIN, "Capture", NULL, "frames as pcapng, without an end", API_CAPTURE_TYPE},
	{"DELETE", "/v1/captures/{name}", api_delete_capture, "",
	 ROLES_ADMIN, NULL, "Captures", "end a capture; who reads it gets the rest"},
	{"GET", "/v1/flights", api_list_flights, "",
	 ROLES_READ, NULL, "Flights", "what flight recorders had when something happened"},
	{"GET", "/v1/flights/{name}", api_get_flight, "",
	 ROLES_ADMIN, NULL, NULL, "one of those, as pcapng", API_CAPTURE_TYPE},
	{"DELETE", "/v1/flights/{name}", api_delete_flight, "",
	 ROLES_ADMIN, NULL, "Flights", "delete one of those"},
	{"POST", "/v1/segments/{name}/flight", api_save_flight, "",
	 ROLES_ADMIN, NULL, "Flight", "save what the flight recorder of a segment has now"},
	{"GET", "/v1/replays", api_list_replays, "",
	 ROLES_READ, NULL, "Replays", "the replays that run"},
	{"POST", "/v1/replays", api_post_replay, "",
	 ROLES_OPERATE, "ReplaySpec", "Replay", "make ready to replay frames into ports"},
	{"GET", "/v1/replays/{name}", api_get_replay, "",
	 ROLES_OPERATE, NULL, "Replay", "how far a replay is, and how exact; keeps it alive"},
	{"POST", "/v1/replays/{name}/frames", api_post_replay_frames, "",
	 ROLES_OPERATE, NULL, "Replay", "frames and when they are due; takes what it has room for"},
	{"GET", "/v1/replays/{name}/fates", api_get_replay_fates, "",
	 ROLES_OPERATE, NULL, NULL, "what became of each frame since the last look", "text/csv"},
	{"POST", "/v1/replays/{name}/start", api_start_replay, "",
	 ROLES_OPERATE, NULL, "Replay", "begin to replay, on all its ports at the same time"},
	{"DELETE", "/v1/replays/{name}", api_delete_replay, "",
	 ROLES_OPERATE, NULL, "Replay", "end a replay"},
	{"GET", "/v1/where", api_get_where, "q",
	 ROLES_READ, NULL, "Where", "where a VM, a MAC or an IP address is"},
	{"GET", "/v1/why", api_why, "from, to, size",
	 ROLES_READ, NULL, "Why", "why one machine does not reach another"},
	{"GET", "/v1/watch", api_watch, "since",
	 ROLES_READ, NULL, NULL, "what happens, a line of JSON for each event", API_WATCH_TYPE},
	{"GET", "/metrics", api_get_metrics, "",
	 ROLES_READ, NULL, NULL, "states and counters for Prometheus", METRICS_TYPE},
	{"GET", "/v1/workers", api_get_workers, "",
	 ROLES_READ, NULL, "Workers", "how busy workers are, and which queues they poll"},
	{"POST", "/v1/workers/move", api_move_queue, "",
	 ROLES_OPERATE, "QueueMove", "QueueMove", "have a worker poll a queue from now on"},
	{"GET", "/v1/openapi.json", api_get_openapi, "",
	 ROLES_READ, NULL, "OpenApi", "this API, as an OpenAPI 3 file"},
};
/* clang-format on */

const struct http_route *api_routes(size_t *n_routes)
{
	*n_routes = sizeof(routes) / sizeof(routes[0]);
	return routes;
}

int api_get_openapi(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	return api_reply(ctx, openapi_make(routes, sizeof(routes) / sizeof(routes[0])), reply,
			 problem);
}

int api_read_json(const struct http_request *request, json_t **body, struct problem *problem)
{
	const char *type = http_header(request, "Content-Type");
	json_error_t fault;

	if (type != NULL && strstr(type, "yaml") != NULL)
		return problem_set(problem, -EINVAL, 415, "media-unsupported",
				   "one object is sent as JSON; YAML is for labs, to /v1/apply and "
				   "/v1/diff");
	if (request->body_bytes == 0)
		*body = json_object();
	else
		*body = json_body_read(request->body, request->body_bytes, &fault);
	if (*body != NULL)
		return 0;
	if (request->body_bytes == 0)
		return problem_system(problem, -ENOMEM, "reading the request");
	return problem_set(problem, -EINVAL, 400, "json-invalid", "line %d: not JSON: %s",
			   fault.line, fault.text);
}

uint64_t api_revision(const struct control *control)
{
	return config_revision(control->config);
}

/* Of what is shown of a kind: the revision. Loans are no part of it and each change of one is
 * another state: without any it is the revision, too. */
static uint64_t etag_of(const struct control *control, enum model_kind kind)
{
	const struct model *model = control->model;
	uint64_t etag = api_revision(control);

	for (size_t i = 0; kind == MODEL_LOAN && i < model->n_loans; i++) {
		uint64_t state[] = {model->loans[i]->id, model->loans[i]->generation};

		etag = model_hash(etag, state, sizeof(state));
	}
	return etag;
}

int api_check_match(const struct control *control, const struct http_request *request,
		    struct problem *problem)
{
	const char *match = http_header(request, "If-Match");
	char etag[32];

	snprintf(etag, sizeof(etag), "\"%" PRIu64 "\"", etag_of(control, request->tag));
	if (match == NULL || strcmp(match, "*") == 0 || strcmp(match, etag) == 0)
		return 0;
	return problem_set(problem, -EAGAIN, 412, "changed-meanwhile",
			   "the ETag is %s now, not %.40s; read again, then decide", etag, match);
}

int api_reply(const struct control *control, json_t *json, struct http_reply *reply,
	      struct problem *problem)
{
	if (json == NULL)
		return problem_system(problem, -ENOMEM, "answering");
	reply->json = json;
	reply->etag = api_revision(control);
	return 0;
}

int api_reply_objects(const struct control *control, enum model_kind kind, json_t *json,
		      struct http_reply *reply, struct problem *problem)
{
	int error = api_reply(control, json, reply, problem);

	reply->etag = etag_of(control, kind);
	return error;
}

/* JSON, and so the history, can only keep UTF-8; a terminal would obey control characters. */
static int check_comment(const char *comment, struct problem *problem)
{
	json_t *text = json_string(comment);
	bool is_text = text != NULL;
	size_t n_chars = 0;

	json_decref(text);
	for (const unsigned char *c = (const unsigned char *)comment; *c != '\0'; c++) {
		if (*c < ' ' || *c == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
			is_text = false;
		n_chars += (*c & 0xc0) != 0x80;
	}
	if (!is_text)
		return problem_set(problem, -EINVAL, 422, "value-invalid",
				   "the comment is no text: write it as UTF-8, in one line and "
				   "without control characters");
	if (n_chars > APPLY_COMMENT_CHARS_MAX)
		return problem_set(problem, -EINVAL, 422, "value-invalid",
				   "the comment has more than %d characters; shorten it",
				   APPLY_COMMENT_CHARS_MAX);
	return 0;
}

int api_describe(const struct http_request *request, const char *how, struct apply_change *change,
		 struct problem *problem)
{
	const char *comment = http_query(request, "comment");

	*change = (struct apply_change){
		.mode = http_query_is_on(request, "dry_run") ? APPLY_DIFF : APPLY_FOR_REAL,
		.how = how,
		.comment = comment != NULL && comment[0] != '\0' ? comment : NULL,
		.user = request->user,
		.uid = request->uid,
	};
	return change->comment != NULL ? check_comment(comment, problem) : 0;
}

int api_change(struct control *control, const struct http_request *request, struct model *wanted,
	       struct http_reply *reply, struct problem *problem)
{
	struct apply_change change;
	json_t *answer;
	int error = api_describe(request, "change", &change, problem);

	if (error < 0) {
		model_destroy(wanted);
		return error;
	}
	error = apply_model(control, wanted, &change, &answer, problem);
	return error < 0 ? error : api_reply(control, answer, reply, problem);
}

int api_read_revision(const char *word, uint64_t *revision, struct problem *problem)
{
	char *end;

	errno = 0;
	*revision = strtoull(word, &end, 10);
	if (errno == 0 && word[0] >= '0' && word[0] <= '9' && *end == '\0')
		return 0;
	return problem_set(problem, -EINVAL, 422, "value-invalid",
			   "revision: %.40s is not a number; weft history shows the revisions",
			   word);
}
