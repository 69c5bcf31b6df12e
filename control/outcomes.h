/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What became of the frames of a replay, as the dataplane tells it (dataplane/api/fate.h): read out
 * of its rings, and summed up by port and reason. What is read is checked. weftd's thread.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "control/table.h"
#include "dataplane/api/dp_msg.h"
#include "dataplane/api/drop_reasons.h"
#include "dataplane/api/fate.h"
#include "dataplane/api/record.h"

struct model;

/* Of the frames that enter by one port. */
struct outcomes_source {
	struct record_map map;
	struct record_reader readers[RECORD_RINGS_MAX];
};

/* At one port. */
struct outcomes_port {
	char name[DP_NAME_BYTES]; /* as it was called when it was first heard of */
	uint64_t delivered, queued;
	uint64_t left; /* of those that were queued */
	uint64_t drops[DROP_COUNT];
};

/* All zero is empty. */
struct outcomes {
	struct table places; /* port id -> index */
	struct outcomes_port *ports;
	size_t n_ports;
};

struct outcomes_event {
	const char *port;      /* where it happened */
	uint64_t in_ns, at_ns; /* CLOCK_MONOTONIC */
	uint32_t number;
	enum fate_kind kind;
	enum drop_reason reason; /* FATE_DROPPED */
};

typedef void (*outcomes_fn)(void *ctx, const struct outcomes_event *event);

/* Of memory that came from the dataplane; fd stays the caller's. 0 or -errno. */
int outcomes_source_open(struct outcomes_source *source, int fd);
void outcomes_source_close(struct outcomes_source *source); /* zeroed is legal */

/* Takes what there is, `max` at most, and tells fn (NULL: nobody). model: for names. Returns how
 * many, or -errno: -EBADMSG if the rings are damaged. */
int outcomes_take(struct outcomes *outcomes, struct outcomes_source *source,
		  const struct model *model, size_t max, outcomes_fn fn, void *ctx);

/* That found no room since the beginning. */
uint64_t outcomes_source_lost(const struct outcomes_source *source);

/* [{"port", "fate", "reason", "frames"}, ...]; "queued": those that still wait. */
json_t *outcomes_describe(const struct outcomes *outcomes);

const char *outcomes_kind_name(enum fate_kind kind);

void outcomes_fini(struct outcomes *outcomes);
