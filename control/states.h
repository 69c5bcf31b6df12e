/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of every port, as the dataplane said last. Asking and taking the answer are two steps,
 * so that a dataplane that hangs holds up nobody: what was last known is still there. A sorted
 * list, by port id. Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_client.h"

#define STATES_PATIENCE_MS 2000

struct states_list {
	struct dp_port_state *ports;
	size_t n_ports, max_ports;
};

/* All zero: nothing known. */
struct states {
	struct states_list known;
	struct states_list coming; /* of the question that is under way */
	bool is_asked;
	bool is_failed; /* the answer did not fit into memory */
	uint64_t asked_ns;
	uint64_t version; /* grows with every answer that says something new */
};

void states_fini(struct states *states);

/* Forgets everything, for a new connection. */
void states_restart(struct states *states);

/* Asks, unless a question is under way. Here and below: 0 or -errno with one line in `why`. */
int states_ask(struct states *states, struct dp_client *client, uint64_t now_ns,
	       char why[DP_TEXT_BYTES]);

/* Takes the answer. -EAGAIN: it is not complete within timeout_ms; call again. */
int states_take(struct states *states, struct dp_client *client, int timeout_ms,
		char why[DP_TEXT_BYTES]);

/* How long to wait yet for the question that is under way; for how long the answer has been owed, 0
 * if there is time left. */
int states_left_ms(const struct states *states, uint64_t now_ns);
uint64_t states_silence_ms(const struct states *states, uint64_t now_ns);

/* "up", "down"; of enum dp_link. */
const char *states_link_name(uint32_t link);

/* NULL: the dataplane did not have the port. */
const struct dp_port_state *states_find(const struct states *states, uint64_t port_id);
