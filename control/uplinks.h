/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets of this host's uplinks, and weftd's copy of them. Like taps.h, whose words these are:
 * while weftd or the dataplane holds them nothing that comes for an uplink is answered by the
 * kernel, and neither's restart opens a hole. Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>

#include "control/device_fds.h"
#include "control/model.h"

struct uplinks;

int uplinks_create(struct uplinks **uplinks);
void uplinks_destroy(struct uplinks *uplinks); /* closes the sockets; NULL is legal */

bool uplinks_is_needed(const struct model_port *port);

/* Opens the port's sockets, if those that are held are not what it says. They stay ours. 0 or
 * -errno with one line in `why`. */
int uplinks_prepare(struct uplinks *uplinks, const struct model_port *port, struct device_fds *fds,
		    char *why, size_t why_bytes);

void uplinks_doom(struct uplinks *uplinks, uint64_t port_id);
void uplinks_commit(struct uplinks *uplinks);
void uplinks_abort(struct uplinks *uplinks);

/* Takes over sockets that the dataplane gave back; closes them on an error. */
int uplinks_adopt(struct uplinks *uplinks, const struct model_port *port,
		  const struct device_fds *fds, char *why, size_t why_bytes);

bool uplinks_is_held(const struct uplinks *uplinks, uint64_t port_id);

/* Calls fn for each uplink whose interface is gone, and forgets it. */
void uplinks_find_lost(struct uplinks *uplinks, void (*fn)(void *ctx, uint64_t port_id), void *ctx);
