/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports that could not be made on this host, and why. One thread. */
#include "control/broken.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void broken_fini(struct broken_list *list)
{
	free(list->ports);
	*list = (struct broken_list){0};
}

void broken_clear(struct broken_list *list)
{
	list->n_ports = 0;
}

const struct broken_port *broken_find(const struct broken_list *list, uint64_t port_id)
{
	for (size_t i = 0; i < list->n_ports; i++) {
		if (list->ports[i].port_id == port_id)
			return &list->ports[i];
	}
	return NULL;
}

bool broken_put(struct broken_list *list, uint64_t port_id, uint64_t generation, const char *why)
{
	const struct broken_port *known = broken_find(list, port_id);

	if (known != NULL && known->generation == generation && strcmp(known->why, why) == 0)
		return false;
	broken_remove(list, port_id);
	if (list->n_ports == list->max_ports) {
		size_t max = list->max_ports == 0 ? 8 : list->max_ports * 2;
		struct broken_port *ports = realloc(list->ports, max * sizeof(*ports));

		/* Without memory it is not noted, and so tried and reported again. */
		if (ports == NULL)
			return true;
		list->ports = ports;
		list->max_ports = max;
	}
	struct broken_port *port = &list->ports[list->n_ports++];
	*port = (struct broken_port){.port_id = port_id, .generation = generation};
	snprintf(port->why, sizeof(port->why), "%s", why);
	return true;
}

void broken_remove(struct broken_list *list, uint64_t port_id)
{
	for (size_t i = list->n_ports; i-- > 0;) {
		if (list->ports[i].port_id == port_id)
			list->ports[i] = list->ports[--list->n_ports];
	}
}

void broken_keep(struct broken_list *list, const struct table *wanted)
{
	for (size_t i = list->n_ports; i-- > 0;) {
		if (table_find(wanted, list->ports[i].port_id) == NULL)
			list->ports[i] = list->ports[--list->n_ports];
	}
}
