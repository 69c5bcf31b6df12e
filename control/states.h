/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of every port, asked of the dataplane now: a list sorted by id. Ports that could not be
 * made, or whose dataplane is away, have a state too, with the reason. Runs on weftd's thread.
 */
#pragma once

#include <stddef.h>

#include "control/fastpath.h"
#include "control/model.h"

struct states {
	struct dp_port_state *ports;
	size_t n_ports, max_ports;
};

/* A dataplane that is away is no error: every port is then down for that reason. 0 or -ENOMEM. */
int states_read(struct fastpath *fastpath, struct states *states);
void states_fini(struct states *states);

struct dp_port_state states_find(const struct states *states, const struct fastpath *fastpath,
				 uint64_t port_id);
