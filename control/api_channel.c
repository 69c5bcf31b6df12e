/* SPDX-License-Identifier: BSD-3-Clause */
/* What GET shows of pools, channels and vms beyond what was asked for. Runs on weftd's thread. */
#include <string.h>

#include "control/api.h"
#include "control/channels.h"
#include "control/kinds.h"
#include "control/quantity.h"

static const char *const way_names[] = {[DP_TX] = "tx", [DP_RX] = "rx"};

static json_t *format_quantity(enum quantity quantity, uint64_t value)
{
	char text[QUANTITY_TEXT_BYTES];

	quantity_format(quantity, value, text);
	return json_string(text);
}

static json_t *format_users(const struct control *control, enum model_kind kind, const char *name)
{
	char text[320];

	kinds_users(control->model, kind, name, text, sizeof(text));
	return json_string(text);
}

json_t *api_describe_pool(const struct api_view *view, const struct model_object *object)
{
	const struct model_pool *pool = (const struct model_pool *)object;
	json_t *status = json_object();

	json_object_set_new(status, "derived",
			    pool->is_derived ? json_pack("[s]", "capacity") : json_array());
	for (enum dp_way way = DP_TX; way < DP_WAYS; way++) {
		uint64_t assured_bps = channels_assured_bps(&view->assured, pool->name, way);
		uint64_t free_bps = pool->capacity_bps[way] > assured_bps
					    ? pool->capacity_bps[way] - assured_bps
					    : 0;

		json_object_set_new(
			status, way_names[way],
			json_pack("{s:o, s:o, s:o}", "capacity",
				  format_quantity(QUANTITY_RATE, pool->capacity_bps[way]),
				  "assured", format_quantity(QUANTITY_RATE, assured_bps),
				  "unassured", format_quantity(QUANTITY_RATE, free_bps)));
	}
	if (view->is_alone)
		json_object_set_new(status, "used_by",
				    format_users(view->control, MODEL_POOL, pool->name));
	return status;
}

/* What is in force, and which of it the user has left to weft. */
static json_t *describe_way(const struct model_channel_way *given, const struct dp_channel_way *way)
{
	json_t *derived = json_array();
	json_t *object = json_pack(
		"{s:o, s:i, s:o, s:o, s:o}", "rate",
		format_quantity(QUANTITY_RATE, way->assured_bps), "weight", (int)way->weight,
		"burst", format_quantity(QUANTITY_BYTES, way->burst_bytes), "latency",
		format_quantity(QUANTITY_TIME, way->target_us), "derived", derived);

	if (way->ceiling_bps != 0)
		json_object_set_new(object, "ceil",
				    format_quantity(QUANTITY_RATE, way->ceiling_bps));
	if (given->ceil_bps == 0 && way->ceiling_bps != 0)
		json_array_append_new(derived, json_string("ceil"));
	if (given->burst_bytes == 0)
		json_array_append_new(derived, json_string("burst"));
	if (given->latency_us == 0)
		json_array_append_new(derived, json_string("latency"));
	return object;
}

/* The loans of a channel, by name: what it lends, or what it borrows. */
static json_t *describe_loans(const struct api_view *view, const char *channel, bool is_lender)
{
	const struct control *control = view->control;
	json_t *list = json_object();

	for (size_t i = 0; i < control->model->n_loans; i++) {
		const struct model_loan *loan = control->model->loans[i];
		json_t *json;

		if (strcmp(is_lender ? loan->from : loan->to, channel) != 0)
			continue;
		json = kinds[MODEL_LOAN].format(control->cluster, &loan->object, SPEC_SHORT);
		json_object_update_new(json, api_describe_loan(view, &loan->object));
		json_object_set_new(list, loan->name, json);
	}
	return list;
}

json_t *api_describe_channel(const struct api_view *view, const struct model_object *object)
{
	const struct model_channel *channel = (const struct model_channel *)object;
	struct dp_channel_way ways[DP_WAYS];
	json_t *status = json_object();

	channels_derive(view->control->model, channel, view->frame_bytes, ways);
	for (enum dp_way way = DP_TX; way < DP_WAYS; way++)
		json_object_set_new(status, way_names[way],
				    describe_way(&channel->ways[way], &ways[way]));
	json_object_set_new(status, "lends", describe_loans(view, channel->name, true));
	json_object_set_new(status, "borrows", describe_loans(view, channel->name, false));
	if (view->is_alone)
		json_object_set_new(status, "used_by",
				    format_users(view->control, MODEL_CHANNEL, channel->name));
	return status;
}

json_t *api_list_vm_ports(const struct model *model)
{
	json_t *list = json_object();

	for (size_t i = 0; i < model->n_ports; i++) {
		const struct model_port *port = model->ports[i];
		json_t *ports = json_object_get(list, port->vm);

		if (port->vm[0] == '\0')
			continue;
		if (ports == NULL && json_object_set_new(list, port->vm, json_array()) == 0)
			ports = json_object_get(list, port->vm);
		json_array_append_new(ports, json_string(port->name));
	}
	return list;
}

json_t *api_describe_vm(const struct api_view *view, const struct model_object *object)
{
	json_t *ports = json_object_get(view->ports, object->name);

	return json_pack("{s:o}", "ports", ports != NULL ? json_incref(ports) : json_array());
}
