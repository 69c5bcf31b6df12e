/* SPDX-License-Identifier: BSD-3-Clause */
/* weft uplink ...: ports of type uplink, by a word of their own. */
#include "cli/cmds.h"
#include "cli/object.h"

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "ifname", .heading = "INTERFACE"},
	{.key = "vtep", .heading = "VTEP"},
	{.key = "segment", .heading = "SEGMENT", .rare = true},
	{.key = "trunk", .heading = "TRUNK", .format = print_cell_trunk, .rare = true},
	{.key = "native", .heading = "NATIVE", .rare = true},
	{.key = "state", .heading = "STATE"},
	{.key = "status.link", .heading = "LINK"},
	{.key = "status.lost", .heading = "LOST"},
	{.key = "status.reason", .heading = "REASON"},
};

static const struct object_kind uplink = {
	.noun = "uplink",
	.path = "/v1/ports",
	.list = "ports",
	.type = "uplink",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
};

int cmd_uplink_add(const struct call *call)
{
	return object_add(call, &uplink);
}

int cmd_uplink_list(const struct call *call)
{
	return object_list(call, &uplink);
}

int cmd_uplink_show(const struct call *call)
{
	return object_show(call, &uplink);
}

int cmd_uplink_set(const struct call *call)
{
	return object_set(call, &uplink);
}

int cmd_uplink_del(const struct call *call)
{
	return object_del(call, &uplink);
}
