/* SPDX-License-Identifier: BSD-3-Clause */
/* weft peer ...: other hosts, which are ports of type peer, by a word of their own. */
#include "cli/cmds.h"

#include <stdio.h>
#include <string.h>

#include "cli/object.h"

/* The first few of a peer's segments, and how many more; without a list it has every segment. */
static void cell_segments(const json_t *value, char *cell, size_t cell_bytes)
{
	const size_t most = 4;
	size_t n = json_array_size(value), len = 0;

	if (n == 0)
		snprintf(cell, cell_bytes, "all");
	for (size_t i = 0; i < n && i < most && len < cell_bytes; i++) {
		if (i > 0)
			len += (size_t)snprintf(cell + len, cell_bytes - len, ",");
		print_cell_plain(json_array_get(value, i), cell + len, cell_bytes - len);
		len += strlen(cell + len);
	}
	if (n > most && len < cell_bytes)
		snprintf(cell + len, cell_bytes - len, " +%zu", n - most);
}

static const struct print_column columns[] = {
	{.key = "name", .heading = "NAME"},
	{.key = "vtep", .heading = "VTEP"},
	{.key = "segments", .heading = "SEGMENTS", .format = cell_segments},
	{.key = "state", .heading = "STATE"},
	{.key = "status.link", .heading = "LINK"},
	{.key = "status.reason", .heading = "REASON"},
};

static const struct object_kind peer = {
	.noun = "peer",
	.path = "/v1/ports",
	.list = "ports",
	.type = "peer",
	.columns = columns,
	.n_columns = sizeof(columns) / sizeof(columns[0]),
};

int cmd_peer_add(const struct call *call)
{
	return object_add(call, &peer);
}

int cmd_peer_list(const struct call *call)
{
	return object_list(call, &peer);
}

int cmd_peer_show(const struct call *call)
{
	return object_show(call, &peer);
}

int cmd_peer_set(const struct call *call)
{
	return object_set(call, &peer);
}

int cmd_peer_del(const struct call *call)
{
	return object_del(call, &peer);
}
