/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports that could not be made on this host, and why. Few, so a plain list. One thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/table.h"
#include "dataplane/api/dp_msg.h"

struct broken_port {
	uint64_t port_id;
	uint64_t generation; /* of the spec that failed */
	char why[DP_TEXT_BYTES];
};

struct broken_list {
	struct broken_port *ports;
	size_t n_ports, max_ports;
};

/* All zero is an empty list. */
void broken_fini(struct broken_list *list);
void broken_clear(struct broken_list *list);

/* Returns whether this is news: a new port, or a new reason. */
bool broken_put(struct broken_list *list, uint64_t port_id, uint64_t generation, const char *why);
void broken_remove(struct broken_list *list, uint64_t port_id);
void broken_keep(struct broken_list *list, const struct table *wanted); /* and no others */
const struct broken_port *broken_find(const struct broken_list *list, uint64_t port_id);
