/* SPDX-License-Identifier: BSD-3-Clause */
/* weft pool ... */
#include "cli/cmds.h"

#include "cli/cmd_forecast.h"
#include "cli/object.h"

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "status.tx.capacity", .heading = "TX", .right = true},
	{.key = "status.tx.assured", .heading = "ASSURED", .right = true},
	{.key = "status.rx.capacity", .heading = "RX", .right = true},
	{.key = "status.rx.assured", .heading = "ASSURED", .right = true},
	{.key = "uplink", .heading = "UPLINK", .rare = true},
	{.key = "overcommit", .heading = "OVERCOMMIT"},
};

static const struct object_kind pool = {
	.noun = "pool",
	.path = "/v1/pools",
	.list = "pools",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
};

int cmd_pool_add(const struct call *call)
{
	return object_add(call, &pool);
}

int cmd_pool_list(const struct call *call)
{
	return object_list(call, &pool);
}

int cmd_pool_show(const struct call *call)
{
	return object_show(call, &pool);
}

int cmd_pool_set(const struct call *call)
{
	return object_set(call, &pool);
}

int cmd_pool_del(const struct call *call)
{
	return object_del(call, &pool);
}

int cmd_pool_plan(const struct call *call)
{
	return cmd_forecast_print(call, &pool);
}
