/* SPDX-License-Identifier: BSD-3-Clause */
/* weft segment ... */
#include "cli/cmds.h"

#include "cli/object.h"

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "vni", .heading = "VNI", .right = true},
	{.key = "vlan", .heading = "VLAN", .right = true},
	{.key = "channel", .heading = "CHANNEL", .rare = true},
	{.key = "status.mtu", .heading = "MTU", .right = true},
	{.key = "age", .heading = "AGE", .right = true},
};

static const struct object_kind segment = {
	.noun = "segment",
	.path = "/v1/segments",
	.list = "segments",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
};

int cmd_segment_add(const struct call *call)
{
	return object_add(call, &segment);
}

int cmd_segment_list(const struct call *call)
{
	return object_list(call, &segment);
}

int cmd_segment_show(const struct call *call)
{
	return object_show(call, &segment);
}

int cmd_segment_set(const struct call *call)
{
	return object_set(call, &segment);
}

int cmd_segment_del(const struct call *call)
{
	return object_del(call, &segment);
}

int cmd_segment_keys(const struct call *call)
{
	json_t *answer;
	int code = call_get(call, "/v1/segment-keys", &answer);

	if (code)
		return code;
	if (call_is_raw(call))
		code = call_print_raw(call, answer);
	else
		object_print_keys(call->out, json_object_get(answer, "options"));
	json_decref(answer);
	return code;
}
