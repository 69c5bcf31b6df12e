/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Handlers for objects of any kind, which the route's tag says: list, get, put, delete. What a kind
 * shows beyond what was asked for is its `describe`. Runs on weftd's thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/api.h"
#include "control/channels.h"
#include "control/fastpath.h"
#include "control/kinds.h"

static json_t *describe_segment(const struct api_view *view, const struct model_object *object)
{
	return json_pack(
		"{s:i}", "mtu",
		model_segment_mtu(view->control->model, (const struct model_segment *)object));
}

static json_t *(*const describe[MODEL_KINDS])(const struct api_view *view,
					      const struct model_object *object) = {
	[MODEL_SEGMENT] = describe_segment, [MODEL_PORT] = api_describe_port,
	[MODEL_POOL] = api_describe_pool,   [MODEL_CHANNEL] = api_describe_channel,
	[MODEL_VM] = api_describe_vm,	    [MODEL_LOAN] = api_describe_loan,
};

/* What is of no use for the kind is not looked for. 0 or -ENOMEM; view_fini() in any case. */
static int view_init(struct api_view *view, const struct control *control, enum model_kind kind,
		     bool is_alone)
{
	*view = (struct api_view){.control = control, .is_alone = is_alone};
	if (kind == MODEL_PORT)
		fastpath_look(control->fastpath);
	if (kind == MODEL_CHANNEL)
		view->frame_bytes = channels_frame_bytes(control->model);
	if (kind == MODEL_VM)
		view->ports = api_list_vm_ports(control->model);
	return kind == MODEL_POOL ? channels_assured_init(&view->assured, control->model) : 0;
}

static void view_fini(struct api_view *view)
{
	channels_assured_fini(&view->assured);
	json_decref(view->ports);
}

static json_t *format(const struct api_view *view, enum model_kind kind,
		      const struct model_object *object)
{
	json_t *json = kinds[kind].format(view->control->cluster, object, SPEC_FULL);

	if (json == NULL)
		return NULL;
	if (object->lab[0] != '\0')
		json_object_set_new(json, "lab", json_string(object->lab));
	/* Whether frames pass at all is worth a word even where it is the default. */
	if (kind == MODEL_PORT && json_object_get(json, "state") == NULL)
		json_object_set_new(json, "state", json_string("active"));
	json_object_set_new(json, "status", describe[kind](view, object));
	return json;
}

int api_list_objects(void *ctx, const struct http_request *request, struct http_reply *reply,
		     struct problem *problem)
{
	const struct control *control = ctx;
	enum model_kind kind = request->tag;
	const struct model_list *objects = &control->model->lists[kind];
	struct model_channel fallback;
	struct api_view view;
	json_t *list = json_array();
	int error = view_init(&view, control, kind, false);

	for (size_t i = 0; i < objects->n && error == 0; i++)
		json_array_append_new(list, format(&view, kind, objects->items[i]));
	if (kind == MODEL_CHANNEL && channels_default(control->model, &fallback))
		json_array_append_new(list, format(&view, kind, &fallback.object));
	view_fini(&view);
	if (error < 0) {
		json_decref(list);
		return problem_system(problem, error, "answering");
	}
	return api_reply_objects(control, kind, json_pack("{s:o}", kinds[kind].plural, list), reply,
				 problem);
}

const struct model_object *api_find_shown(const struct control *control,
					  const struct http_request *request,
					  struct model_channel *fallback, struct problem *problem)
{
	const char *name = request->name[0] != '\0' ? request->name : CHANNELS_DEFAULT;

	if (strcmp(name, CHANNELS_DEFAULT) == 0 && channels_default(control->model, fallback))
		return &fallback->object;
	return api_find(control, request->tag, name, problem);
}

int api_get_object(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	const struct control *control = ctx;
	enum model_kind kind = request->tag;
	struct model_channel fallback;
	struct api_view view;
	json_t *json = NULL;
	const struct model_object *object = api_find_shown(control, request, &fallback, problem);

	if (object == NULL)
		return -ENOENT;
	if (view_init(&view, control, kind, true) == 0)
		json = format(&view, kind, object);
	view_fini(&view);
	return api_reply_objects(control, kind, json, reply, problem);
}

int api_read_object(const struct control *control, const struct http_request *request, json_t *body,
		    union model_any *object, struct problem *problem)
{
	enum model_kind kind = request->tag;

	/* What GET shows may come back as it is; these two are not the body's to say. */
	json_object_del(body, "lab");
	json_object_del(body, "status");
	int error = kinds[kind].parse(control->cluster, request->name, body, object, problem);

	if (error < 0)
		return error;
	const struct model_object *old = model_find(control->model, kind, request->name);
	if (old != NULL)
		memcpy(object->object.lab, old->lab, sizeof(old->lab));
	return 0;
}

int api_read_wanted(const struct control *control, const struct http_request *request,
		    api_read_fn read, struct model **wanted, struct problem *problem)
{
	union model_any object;
	json_t *body;
	int error = api_check_match(control, request, problem);

	if (error == 0)
		error = api_read_json(request, &body, problem);
	if (error < 0)
		return error;
	error = read(control, request, body, &object, problem);
	json_decref(body);
	if (error < 0)
		return error;
	error = model_copy(control->model, wanted);
	if (error == 0) {
		error = model_put(*wanted, request->tag, &object.object);
		if (error < 0)
			model_destroy(*wanted);
	}
	model_fini(request->tag, &object.object);
	return error < 0 ? problem_system(problem, error, "changing") : 0;
}

int api_put_object(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	struct control *control = ctx;
	struct model *wanted;
	int error = api_read_wanted(control, request, api_read_object, &wanted, problem);

	return error < 0 ? error : api_change(control, request, wanted, reply, problem);
}

static int refuse_in_use(const struct model *model, const struct http_request *request,
			 struct problem *problem)
{
	const struct kind *kind = &kinds[request->tag];
	char users[320];

	if (kinds_users(model, request->tag, request->name, users, sizeof(users)) == 0)
		return 0;
	return problem_set(problem, -EBUSY, 409, kind->in_use_code, "%s %s is used by %s; %s",
			   kind->noun, request->name, users, kind->in_use_hint);
}

int api_delete_object(void *ctx, const struct http_request *request, struct http_reply *reply,
		      struct problem *problem)
{
	struct control *control = ctx;
	struct model *wanted;
	int error = api_check_match(control, request, problem);

	if (error == 0 && api_find(control, request->tag, request->name, problem) == NULL)
		error = -ENOENT;
	if (error == 0)
		error = refuse_in_use(control->model, request, problem);
	if (error < 0)
		return error;
	if (model_copy(control->model, &wanted) < 0)
		return problem_system(problem, -ENOMEM, "changing");
	model_del(wanted, request->tag, request->name);
	return api_change(control, request, wanted, reply, problem);
}

const struct model_object *api_find(const struct control *control, enum model_kind kind,
				    const char *name, struct problem *problem)
{
	const struct model_object *object = model_find(control->model, kind, name);

	if (object == NULL)
		problem_set(problem, -ENOENT, 404, kinds[kind].unknown_code,
			    "there is no %s %.80s; weft %s list shows them", kinds[kind].noun, name,
			    kinds[kind].noun);
	return object;
}
