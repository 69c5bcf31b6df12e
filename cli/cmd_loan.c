/* SPDX-License-Identifier: BSD-3-Clause */
/* weft loan ...: what channels have lent. Made and called back by weft channel. */
#include "cli/cmds.h"

#include "cli/object.h"

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "from", .heading = "FROM"},
	{.key = "to", .heading = "TO"},
	{.key = "rate", .heading = "RATE", .right = true},
	{.key = "way", .heading = "WAY"},
	{.key = "status.left_s", .heading = "LEFT", .format = print_cell_duration_s, .right = true},
};

static const struct object_kind loan = {
	.noun = "loan",
	.path = "/v1/loans",
	.list = "loans",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
};

int cmd_loan_list(const struct call *call)
{
	return object_list(call, &loan);
}

int cmd_loan_show(const struct call *call)
{
	return object_show(call, &loan);
}
