/* SPDX-License-Identifier: BSD-3-Clause */
/* weft vm ...: what the ports of a machine have in common. */
#include "cli/cmds.h"

#include "cli/object.h"

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "channel", .heading = "CHANNEL"},
	{.key = "status.ports", .heading = "PORTS"},
};

static const struct object_kind vm = {
	.noun = "vm",
	.path = "/v1/vms",
	.list = "vms",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
};

int cmd_vm_add(const struct call *call)
{
	return object_add(call, &vm);
}

int cmd_vm_list(const struct call *call)
{
	return object_list(call, &vm);
}

int cmd_vm_show(const struct call *call)
{
	return object_show(call, &vm);
}

int cmd_vm_set(const struct call *call)
{
	return object_set(call, &vm);
}

int cmd_vm_del(const struct call *call)
{
	return object_del(call, &vm);
}
