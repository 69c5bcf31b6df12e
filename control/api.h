/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The REST API (docs/api.md): one table of routes, and the handlers behind it, in api_*.c. Every
 * handler has the type http_fn, with the struct control as ctx.
 */
#pragma once

#include "control/apply.h"
#include "control/channels.h"
#include "control/control.h"
#include "control/http.h"

const struct http_route *api_routes(size_t *n_routes);

/* api_routes.c */
int api_get_openapi(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem);

/* api_status.c */
int api_get_status(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem);
int api_get_port_types(void *ctx, const struct http_request *request, struct http_reply *reply,
		       struct problem *problem);

int api_get_segment_keys(void *ctx, const struct http_request *request, struct http_reply *reply,
			 struct problem *problem);

/* api_object.c: objects of the kind (enum model_kind) that is the route's tag. */
int api_list_objects(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem);
int api_get_object(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem);
int api_put_object(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem);
int api_delete_object(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem);

/* What a body says of the object that the request names; *object must be let go (model_fini()). */
typedef int (*api_read_fn)(const struct control *control, const struct http_request *request,
			   json_t *body, union model_any *object, struct problem *problem);
int api_read_object(const struct control *control, const struct http_request *request, json_t *body,
		    union model_any *object, struct problem *problem);

/* The model with the object that the body says, if the present revision is the one that was meant;
 * the caller's. */
int api_read_wanted(const struct control *control, const struct http_request *request,
		    api_read_fn read, struct model **wanted, struct problem *problem);

/* What objects of one kind are shown with, found out once for all of a list. */
struct api_view {
	const struct control *control;
	bool is_alone;			 /* it is what was asked for, and not one of a list */
	struct channels_assured assured; /* pools */
	uint64_t frame_bytes;		 /* channels */
	json_t *ports;			 /* vms: list of ports by the name of the vm */
};

/* api_port.c, api_channel.c, api_loan.c: the `status` of an object. New reference. */
json_t *api_describe_port(const struct api_view *view, const struct model_object *object);
json_t *api_describe_pool(const struct api_view *view, const struct model_object *object);
json_t *api_describe_channel(const struct api_view *view, const struct model_object *object);
json_t *api_describe_vm(const struct api_view *view, const struct model_object *object);
json_t *api_describe_loan(const struct api_view *view, const struct model_object *object);

/* api_channel.c: names of the ports of each vm, by that of the vm. New reference. */
json_t *api_list_vm_ports(const struct model *model);

/* api_loan.c: put and delete as above, and a put under a name that is free. */
int api_put_loan(void *ctx, const struct http_request *request, struct http_reply *reply,
		 struct problem *problem);
int api_post_loan(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem);
int api_delete_loan(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem);

/* Frames that the kernel had for the port and could not keep until they were taken: an uplink's, as
 * the dataplane says, a tap's, as the kernel does. */
uint64_t api_port_lost(const struct control *control, const struct model_port *port,
		       const struct dp_port_state *state);

/* api_guest.c */
int api_get_qemu_args(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem);
int api_get_libvirt_xml(void *ctx, const struct http_request *request, struct http_reply *reply,
			struct problem *problem);

/* Where the socket of a port lies that guests are plugged into; false: it is of another kind. */
bool api_guest_socket(const struct control *control, const struct model_port *port, char *path,
		      size_t path_bytes);

/* api_doctor.c */
int api_get_doctor(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem);

/* api_lab.c */
int api_apply(void *ctx, const struct http_request *request, struct http_reply *reply,
	      struct problem *problem);
int api_diff(void *ctx, const struct http_request *request, struct http_reply *reply,
	     struct problem *problem);
int api_export(void *ctx, const struct http_request *request, struct http_reply *reply,
	       struct problem *problem);

/* api_history.c */
int api_list_history(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem);
int api_get_history(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem);
int api_rollback(void *ctx, const struct http_request *request, struct http_reply *reply,
		 struct problem *problem);
int api_confirm(void *ctx, const struct http_request *request, struct http_reply *reply,
		struct problem *problem);

/* api_stats.c, api_metrics.c, api_fdb.c */
int api_get_metrics(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem);
int api_get_stats(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem);
int api_get_drops(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem);
int api_get_fdb(void *ctx, const struct http_request *request, struct http_reply *reply,
		struct problem *problem);

/* api_worker.c */
int api_get_workers(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem);
int api_move_queue(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem);

/* api_replay.c */
int api_list_replays(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem);
int api_post_replay(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem);
int api_get_replay(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem);
int api_get_replay_fates(void *ctx, const struct http_request *request, struct http_reply *reply,
			 struct problem *problem);
int api_post_replay_frames(void *ctx, const struct http_request *request, struct http_reply *reply,
			   struct problem *problem);
int api_start_replay(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem);
int api_delete_replay(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem);

/* api_report.c, api_forecast.c */
int api_get_report(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem);
int api_list_reports(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem);
int api_forecast(void *ctx, const struct http_request *request, struct http_reply *reply,
		 struct problem *problem);

/* api_where.c */
int api_get_where(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem);

/* api_why.c, api_trace.c */
int api_why(void *ctx, const struct http_request *request, struct http_reply *reply,
	    struct problem *problem);
int api_trace(void *ctx, const struct http_request *request, struct http_reply *reply,
	      struct problem *problem);
int api_follow(void *ctx, const struct http_request *request, struct http_reply *reply,
	       struct problem *problem);

/* api_overlay.c */
int api_test_peer(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem);

/* Goes on with the tests that run. Returns ms until it wants to be called again; -1: none does. */
int api_run_tests(struct control *control, uint64_t now_ns);

/* api_watch.c */
#define API_WATCH_TYPE "application/x-ndjson"
int api_watch(void *ctx, const struct http_request *request, struct http_reply *reply,
	      struct problem *problem);

/* api_capture.c */
#define API_CAPTURE_TYPE "application/x-pcapng"
int api_list_captures(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem);
int api_post_capture(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem);
int api_delete_capture(void *ctx, const struct http_request *request, struct http_reply *reply,
		       struct problem *problem);
int api_get_dropped(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem);

/* api_flight.c */
int api_list_flights(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem);
int api_get_flight(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem);
int api_delete_flight(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem);
int api_save_flight(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem);

/* For the handlers. api.c has no state of its own. */

/* api_frames.c: what a body says, checked. 0 or -errno with *problem. Ports are added to those that
 * are there. */
int api_read_ports(const struct control *control, const json_t *value,
		   uint64_t ids[DP_CAPTURE_PORTS_MAX], uint32_t *n, struct problem *problem);
int api_read_filter(const json_t *value, struct dp_insn insns[DP_INSNS_MAX], uint32_t *n_insns,
		    struct problem *problem);
int api_read_number(const char *key, const json_t *value, json_int_t max, uint64_t *number,
		    struct problem *problem);

/* Of a frame's first bytes: lowercase, two digits each. New reference. */
json_t *api_format_hex(const uint8_t *bytes, size_t n);

/* The body as JSON; an empty body is {}. */
int api_read_json(const struct http_request *request, json_t **body, struct problem *problem);

/* If-Match, if given, must be the present ETag of what the route is for. */
int api_check_match(const struct control *control, const struct http_request *request,
		    struct problem *problem);

/* The revision, as the ETag of an answer unless it is about loans. */
uint64_t api_revision(const struct control *control);

/* What the request says about a change: whose it is, dry_run, comment. */
int api_describe(const struct http_request *request, const char *how, struct apply_change *change,
		 struct problem *problem);

/* "17" as a revision. */
int api_read_revision(const char *word, uint64_t *revision, struct problem *problem);

/* Applies `wanted` (becomes ours), or only plans it with ?dry_run=1, and answers with the plan. */
int api_change(struct control *control, const struct http_request *request, struct model *wanted,
	       struct http_reply *reply, struct problem *problem);

/* The object of that name; NULL with a 404. */
const struct model_object *api_find(const struct control *control, enum model_kind kind,
				    const char *name, struct problem *problem);

/* The same for what a request names and that can be shown: host/default too, which is made in
 * *fallback. Its path has no hole for a name (api_routes.c). */
const struct model_object *api_find_shown(const struct control *control,
					  const struct http_request *request,
					  struct model_channel *fallback, struct problem *problem);

static inline const struct model_port *api_find_port(const struct control *control,
						     const char *name, struct problem *problem)
{
	return (const struct model_port *)api_find(control, MODEL_PORT, name, problem);
}

/* Fills in reply->json; NULL means no memory. */
int api_reply(const struct control *control, json_t *json, struct http_reply *reply,
	      struct problem *problem);

/* The same of what is about objects of a kind: loans have an ETag of their own. */
int api_reply_objects(const struct control *control, enum model_kind kind, json_t *json,
		      struct http_reply *reply, struct problem *problem);
