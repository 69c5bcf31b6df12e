/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for segments. Runs on weftd's thread. */
#include <errno.h>
#include <string.h>

#include "control/api.h"
#include "control/spec.h"

static json_t *format(const struct control *control, const struct model_segment *segment)
{
	json_t *object = spec_format_segment(segment, SPEC_FULL);

	if (object == NULL)
		return NULL;
	if (segment->lab[0] != '\0')
		json_object_set_new(object, "lab", json_string(segment->lab));
	json_object_set_new(object, "status",
			    json_pack("{s:i}", "mtu", model_segment_mtu(control->model, segment)));
	return object;
}

int api_list_segments(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem)
{
	const struct control *control = ctx;
	json_t *list = json_array();

	for (size_t i = 0; i < control->model->n_segments; i++)
		json_array_append_new(list, format(control, control->model->segments[i]));
	return api_reply(control, json_pack("{s:o}", "segments", list), reply, problem);
}

int api_get_segment(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	const struct model_segment *segment = api_find_segment(ctx, request->name, problem);

	return segment == NULL ? -ENOENT : api_reply(ctx, format(ctx, segment), reply, problem);
}

int api_put_segment(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	struct control *control = ctx;
	struct model_segment segment;
	struct model *wanted;
	json_t *body;
	int error = api_check_match(control, request, problem);

	if (error == 0)
		error = api_read_json(request, &body, problem);
	if (error < 0)
		return error;
	/* What GET shows may come back as it is; these two are not the body's to say. */
	json_object_del(body, "lab");
	json_object_del(body, "status");
	error = spec_parse_segment(request->name, body, &segment, problem);
	json_decref(body);
	if (error < 0)
		return error;
	const struct model_segment *old = model_segment(control->model, request->name);
	if (old != NULL)
		memcpy(segment.lab, old->lab, sizeof(segment.lab));
	if (model_copy(control->model, &wanted) < 0)
		return problem_system(problem, -ENOMEM, "changing");
	if (model_put_segment(wanted, &segment) < 0) {
		model_destroy(wanted);
		return problem_system(problem, -ENOMEM, "changing");
	}
	return api_change(control, request, wanted, reply, problem);
}

static int refuse_in_use(const struct model *model, const char *name, struct problem *problem)
{
	size_t n = 0;
	const char *first = NULL;

	for (size_t i = 0; i < model->n_ports; i++) {
		if (!model_port_is_in(model->ports[i], name))
			continue;
		first = first != NULL ? first : model->ports[i]->name;
		n++;
	}
	if (n == 0)
		return 0;
	return problem_set(problem, -EBUSY, 409, "segment-in-use",
			   "segment %s has %zu port(s), as %s; delete or move them first", name, n,
			   first);
}

int api_delete_segment(void *ctx, const struct http_request *request, struct http_reply *reply,
		       struct problem *problem)
{
	struct control *control = ctx;
	struct model *wanted;
	int error = api_check_match(control, request, problem);

	if (error == 0 && api_find_segment(control, request->name, problem) == NULL)
		error = -ENOENT;
	if (error == 0)
		error = refuse_in_use(control->model, request->name, problem);
	if (error < 0)
		return error;
	if (model_copy(control->model, &wanted) < 0)
		return problem_system(problem, -ENOMEM, "changing");
	model_del_segment(wanted, request->name);
	return api_change(control, request, wanted, reply, problem);
}
