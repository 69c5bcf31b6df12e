/* SPDX-License-Identifier: BSD-3-Clause */
/* Handler that finds machines. Runs on weftd's thread. */
#include <errno.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/where.h"

static void take_batch(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	const struct dp_neigh *neigh = (const void *)message;
	const struct dp_fdb *fdb = (const void *)message;

	if (message->type == DP_NEIGH) {
		for (uint32_t i = 0; i < neigh->n_entries; i++)
			where_add_neigh(ctx, &neigh->entries[i]);
	} else if (message->type == DP_FDB) {
		for (uint32_t i = 0; i < fdb->n_entries; i++)
			where_add_fdb(ctx, &fdb->entries[i]);
	}
}

/* A table that grows under the walk is walked again: what is found twice is noted once. */
static int read_fdb(struct control *control, struct where *where)
{
	struct dp_fdb_walk walk = {.fn = take_batch, .ctx = where};
	struct problem ignored;
	int error;

	do {
		error = fastpath_ask(control->fastpath, DP_FDB_DUMP, &walk.page, sizeof(walk.page),
				     dp_client_walk_fdb, &walk, &ignored);
		if (error == -ESTALE)
			walk.page.from = 0;
	} while (error == -ESTALE || (error == 0 && walk.page.from != 0));
	return error;
}

int api_get_where(void *ctx, const struct http_request *request, struct http_reply *reply,
		  struct problem *problem)
{
	struct control *control = ctx;
	const char *query = http_query(request, "q");
	struct problem ignored;
	struct where where;

	if (query == NULL || query[0] == '\0')
		return problem_set(problem, -EINVAL, 422, "value-invalid",
				   "q: say what to find: a VM, a port, a MAC or an IP address");
	if (where_init(&where, query, control->host, control->model) < 0)
		return problem_system(problem, -ENOMEM, "answering");
	where_add_ports(&where);
	/* Without the dataplane the configuration is an answer too, only not a whole one. */
	int error = fastpath_ask(control->fastpath, DP_NEIGH_DUMP, NULL, 0, take_batch, &where,
				 &ignored);
	if (error == 0)
		error = read_fdb(control, &where);
	json_t *answer =
		json_pack("{s:o, s:b}", "places", where_format(&where), "complete", error == 0);
	where_fini(&where);
	return api_reply(control, answer, reply, problem);
}
