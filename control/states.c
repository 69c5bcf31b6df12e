/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of every port, asked of the dataplane now. Runs on weftd's thread. */
#include "control/states.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct reading {
	struct states *states;
	bool is_failed;
};

static void take_state(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct reading *reading = ctx;
	struct states *states = reading->states;

	if (message->type != DP_PORT_STATE || reading->is_failed)
		return;
	if (states->n_ports == states->max_ports) {
		size_t max = states->max_ports == 0 ? 64 : states->max_ports * 2;
		struct dp_port_state *ports = realloc(states->ports, max * sizeof(*ports));

		reading->is_failed = ports == NULL;
		if (ports == NULL)
			return;
		states->ports = ports;
		states->max_ports = max;
	}
	states->ports[states->n_ports++] = *(const struct dp_port_state *)message;
}

static int compare(const void *a, const void *b)
{
	const struct dp_port_state *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int states_read(struct fastpath *fastpath, struct states *states)
{
	struct reading reading = {.states = states};
	struct problem ignored;

	*states = (struct states){0};
	fastpath_ask(fastpath, DP_DUMP, take_state, &reading, &ignored);
	if (reading.is_failed) {
		states_fini(states);
		return -ENOMEM;
	}
	if (states->n_ports > 0)
		qsort(states->ports, states->n_ports, sizeof(states->ports[0]), compare);
	return 0;
}

void states_fini(struct states *states)
{
	free(states->ports);
	*states = (struct states){0};
}

struct dp_port_state states_find(const struct states *states, const struct fastpath *fastpath,
				 uint64_t port_id)
{
	struct dp_port_state state = {.id = port_id, .link = DP_LINK_DOWN};
	const char *broken = fastpath_broken(fastpath, port_id);
	const struct dp_port_state *found =
		states->n_ports == 0
			? NULL
			: bsearch(&state, states->ports, states->n_ports, sizeof(state), compare);

	if (found != NULL && broken == NULL)
		return *found;
	if (broken != NULL) {
		state.link = DP_LINK_BROKEN;
		snprintf(state.reason, sizeof(state.reason), "%s", broken);
	} else {
		snprintf(state.reason, sizeof(state.reason),
			 "weft-dataplane does not have it (yet)");
	}
	return state;
}
