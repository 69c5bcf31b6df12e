/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the dataplane has, as weftd knows it, and the transactions that change it: begin, stage what
 * differs, prepare, then commit or abort. Devices go along: made with the stage, kept with the
 * commit. After any error the transaction must be aborted. One thread.
 */
#pragma once

#include <stdbool.h>

#include "control/model.h"
#include "control/table.h"
#include "dataplane/api/dp_client.h"

struct devices;

/* How many objects transactions have changed. */
struct mirror_tally {
	size_t n_added, n_changed, n_removed;
};

struct mirror {
	struct dp_client *client;  /* not ours; set while connected */
	struct devices *devices;   /* not ours */
	struct table actual;	   /* what the dataplane has */
	struct table staged;	   /* what the open transaction changes of it */
	struct mirror_tally tally; /* since the owner last cleared it */
};

void mirror_fini(struct mirror *mirror);

/* Forgets everything known, for a new connection. */
void mirror_clear(struct mirror *mirror);

/* Reads what the dataplane has. Here and below: 0 or -errno, with one line in `why`. */
int mirror_read(struct mirror *mirror, char why[DP_TEXT_BYTES]);

/* Does the dataplane have the model, or this port of it, exactly? */
bool mirror_is_current(const struct mirror *mirror, const struct model *model);
bool mirror_has_port(const struct mirror *mirror, const struct model *model,
		     const struct model_port *port);

int mirror_begin(struct mirror *mirror, char why[DP_TEXT_BYTES]);

/* Stages an object as far as it differs, and what is derived from it; or all objects of all kinds
 * but ports. */
int mirror_stage(struct mirror *mirror, const struct model *model, enum model_kind kind,
		 const struct model_object *object, char why[DP_TEXT_BYTES]);
int mirror_stage_rest(struct mirror *mirror, const struct model *model, char why[DP_TEXT_BYTES]);

/* The ids of all that the dataplane must have of the model. 0 or -ENOMEM; then *wanted must be
 * freed all the same. */
int mirror_list_wanted(const struct model *model, struct table *wanted);

/* Stages the delete of one; or of whatever is not in `wanted`: ports, or all but ports. */
int mirror_stage_delete(struct mirror *mirror, enum model_kind kind, uint64_t id,
			char why[DP_TEXT_BYTES]);
int mirror_stage_deletes(struct mirror *mirror, const struct table *wanted, bool is_of_ports,
			 char why[DP_TEXT_BYTES]);

int mirror_prepare(struct mirror *mirror, char why[DP_TEXT_BYTES]);
int mirror_commit(struct mirror *mirror, char why[DP_TEXT_BYTES]);

/* An error means that the connection is of no use any more. */
int mirror_abort(struct mirror *mirror);

/* After weftd's restart: takes over the devices that the dataplane has. A port whose device is
 * gone, or not the port's any more, is deleted there, to be made anew. */
int mirror_adopt(struct mirror *mirror, const struct model *model, char why[DP_TEXT_BYTES]);
