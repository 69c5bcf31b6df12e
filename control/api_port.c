/* SPDX-License-Identifier: BSD-3-Clause */
/* Handlers for ports. Runs on weftd's thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/spec.h"
#include "control/states.h"
#include "control/taps.h"
#include "control/underlay.h"

/* Bits of the virtio specification that weft can negotiate; others are shown as bit-N. */
static json_t *format_features(uint64_t features)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} known[] = {
		{0, "csum"},
		{1, "guest_csum"},
		{3, "mtu"},
		{5, "mac"},
		{7, "guest_tso4"},
		{8, "guest_tso6"},
		{9, "guest_ecn"},
		{11, "host_tso4"},
		{12, "host_tso6"},
		{13, "host_ecn"},
		{15, "mrg_rxbuf"},
		{16, "status"},
		{22, "mq"},
		{27, "any_layout"},
		{28, "indirect_desc"},
		{29, "event_idx"},
		{30, "protocol_features"},
		{32, "version_1"},
		{33, "access_platform"},
		{34, "ring_packed"},
		{35, "in_order"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if ((features >> known[i].bit & 1) != 0)
			json_array_append_new(list, json_string(known[i].name));
	}
	return list;
}

static json_t *format(const struct control *control, const struct model_port *port,
		      const struct dp_port_state *state)
{
	json_t *object = spec_format_port(control->cluster, port, SPEC_FULL);

	if (object == NULL)
		return NULL;
	if (port->lab[0] != '\0')
		json_object_set_new(object, "lab", json_string(port->lab));
	const char *reason = underlay_reason(control->underlay, port->id);

	/* Whether frames pass at all is worth a word even where it is the default. */
	if (json_object_get(object, "state") == NULL)
		json_object_set_new(object, "state", json_string("active"));
	json_object_set_new(object, "status",
			    json_pack("{s:s, s:s, s:o, s:i, s:I, s:I}", "link",
				      states_link_name(state->link), "reason",
				      reason != NULL ? reason : state->reason, "features",
				      format_features(state->features), "queues",
				      (int)state->n_queues, "attaches", (json_int_t)state->attaches,
				      "lost", (json_int_t)state->lost));
	return object;
}

int api_list_ports(void *ctx, const struct http_request *request, struct http_reply *reply,
		   struct problem *problem)
{
	const struct control *control = ctx;
	json_t *list = json_array();

	fastpath_look(control->fastpath);
	for (size_t i = 0; i < control->model->n_ports; i++) {
		const struct model_port *port = control->model->ports[i];
		struct dp_port_state state = fastpath_state(control->fastpath, port->id);

		json_array_append_new(list, format(control, port, &state));
	}
	return api_reply(control, json_pack("{s:o}", "ports", list), reply, problem);
}

/* A device is looked at when somebody asks for it: that costs as much as all else of a GET. */
static void describe_drift(const struct control *control, const struct model_port *port,
			   char reason[DP_TEXT_BYTES])
{
	char drift[DP_TEXT_BYTES];

	taps_compare(fastpath_taps(control->fastpath), port->id, drift, sizeof(drift));
	if (drift[0] != '\0')
		snprintf(reason, DP_TEXT_BYTES,
			 "somebody changed its device: %.150s; weft apply puts it right", drift);
}

int api_get_port(void *ctx, const struct http_request *request, struct http_reply *reply,
		 struct problem *problem)
{
	const struct control *control = ctx;
	const struct model_port *port = api_find_port(control, request->name, problem);

	if (port == NULL)
		return -ENOENT;
	fastpath_look(control->fastpath);
	struct dp_port_state state = fastpath_state(control->fastpath, port->id);
	if (state.reason[0] == '\0')
		describe_drift(control, port, state.reason);
	return api_reply(control, format(control, port, &state), reply, problem);
}

int api_put_port(void *ctx, const struct http_request *request, struct http_reply *reply,
		 struct problem *problem)
{
	struct control *control = ctx;
	struct model_port port;
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
	error = spec_parse_port(control->cluster, request->name, body, &port, problem);
	json_decref(body);
	if (error < 0)
		return error;
	const struct model_port *old = model_port(control->model, request->name);
	if (old != NULL)
		memcpy(port.lab, old->lab, sizeof(port.lab));
	error = model_copy(control->model, &wanted);
	if (error == 0) {
		error = model_put_port(wanted, &port);
		if (error < 0)
			model_destroy(wanted);
	}
	model_port_fini(&port);
	if (error < 0)
		return problem_system(problem, error, "changing");
	return api_change(control, request, wanted, reply, problem);
}

int api_delete_port(void *ctx, const struct http_request *request, struct http_reply *reply,
		    struct problem *problem)
{
	struct control *control = ctx;
	struct model *wanted;
	int error = api_check_match(control, request, problem);

	if (error == 0 && api_find_port(control, request->name, problem) == NULL)
		error = -ENOENT;
	if (error < 0)
		return error;
	if (model_copy(control->model, &wanted) < 0)
		return problem_system(problem, -ENOMEM, "changing");
	model_del_port(wanted, request->name);
	return api_change(control, request, wanted, reply, problem);
}
