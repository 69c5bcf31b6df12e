/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of every port, asked of the dataplane without waiting. Runs on weftd's thread. */
#include "control/states.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *states_link_name(uint32_t link)
{
	static const char *const names[] = {
		[DP_LINK_DOWN] = "down",
		[DP_LINK_ATTACHED] = "attached",
		[DP_LINK_UP] = "up",
		[DP_LINK_BROKEN] = "broken",
	};

	return link < sizeof(names) / sizeof(names[0]) ? names[link] : "unknown";
}

static void list_fini(struct states_list *list)
{
	free(list->ports);
	*list = (struct states_list){0};
}

void states_fini(struct states *states)
{
	list_fini(&states->known);
	list_fini(&states->coming);
}

void states_restart(struct states *states)
{
	states->is_asked = false;
	states->coming.n_ports = 0;
	states->known.n_ports = 0;
	states->version++;
}

static void take_state(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct states *states = ctx;
	struct states_list *list = &states->coming;

	if (message->type != DP_PORT_STATE || states->is_failed)
		return;
	if (list->n_ports == list->max_ports) {
		size_t max = list->max_ports == 0 ? 64 : list->max_ports * 2;
		struct dp_port_state *ports = realloc(list->ports, max * sizeof(*ports));

		states->is_failed = ports == NULL;
		if (ports == NULL)
			return;
		list->ports = ports;
		list->max_ports = max;
	}
	struct dp_port_state *state = &list->ports[list->n_ports++];
	*state = *(const struct dp_port_state *)message;
	state->header = (struct dp_header){0}; /* so that equal states are equal bytes */
}

static int compare(const void *a, const void *b)
{
	const struct dp_port_state *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

int states_ask(struct states *states, struct dp_client *client, uint64_t now_ns,
	       char why[DP_TEXT_BYTES])
{
	if (states->is_asked)
		return 0;
	states->is_asked = true;
	states->is_failed = false;
	states->asked_ns = now_ns;
	states->coming.n_ports = 0;
	return dp_client_ask(client, DP_STATES, why);
}

static bool is_news(const struct states *states)
{
	const struct states_list *known = &states->known, *coming = &states->coming;

	return known->n_ports != coming->n_ports ||
	       (known->n_ports > 0 &&
		memcmp(known->ports, coming->ports, known->n_ports * sizeof(known->ports[0])) != 0);
}

int states_take(struct states *states, struct dp_client *client, int timeout_ms,
		char why[DP_TEXT_BYTES])
{
	struct states_list known = states->known;

	if (!states->is_asked)
		return 0;
	int error = dp_client_take(client, timeout_ms, take_state, states, why);
	if (error == -EAGAIN)
		return error;
	states->is_asked = false;
	if (error == 0 && states->is_failed) {
		snprintf(why, DP_TEXT_BYTES, "out of memory");
		error = -ENOMEM;
	}
	if (error < 0)
		return error;
	if (states->coming.n_ports > 0)
		qsort(states->coming.ports, states->coming.n_ports, sizeof(struct dp_port_state),
		      compare);
	states->version += is_news(states);
	states->known = states->coming;
	states->coming = known;
	return 0;
}

static uint64_t age_ms(const struct states *states, uint64_t now_ns)
{
	return (now_ns - states->asked_ns) / 1000000;
}

int states_left_ms(const struct states *states, uint64_t now_ns)
{
	uint64_t asked_ms = age_ms(states, now_ns);

	return asked_ms < STATES_PATIENCE_MS ? STATES_PATIENCE_MS - (int)asked_ms : 0;
}

uint64_t states_silence_ms(const struct states *states, uint64_t now_ns)
{
	if (!states->is_asked || states_left_ms(states, now_ns) > 0)
		return 0;
	return age_ms(states, now_ns);
}

const struct dp_port_state *states_find(const struct states *states, uint64_t port_id)
{
	struct dp_port_state key = {.id = port_id};

	if (states->known.n_ports == 0)
		return NULL;
	return bsearch(&key, states->known.ports, states->known.n_ports, sizeof(key), compare);
}
