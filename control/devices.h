/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What weftd opens on the host for ports and hands to the dataplane: taps and the sockets of
 * uplinks, behind one set of words (taps.h says what they mean). Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>

#include "control/device_fds.h"
#include "control/model.h"

struct devices {
	struct taps *taps;
	struct uplinks *uplinks;
};

int devices_init(struct devices *devices);
void devices_fini(struct devices *devices); /* also of one that is all zero */

bool devices_is_needed(const struct model_port *port);

/* The descriptors of a port of any kind, none where it needs none; what it had as another kind goes
 * with the commit. */
int devices_prepare(struct devices *devices, const struct model *model,
		    const struct model_port *port, struct device_fds *fds, char *why,
		    size_t why_bytes);

void devices_doom(struct devices *devices, uint64_t port_id);
void devices_commit(struct devices *devices);
void devices_abort(struct devices *devices);
int devices_adopt(struct devices *devices, const struct model *model, const struct model_port *port,
		  const struct device_fds *fds, char *why, size_t why_bytes);
bool devices_is_held(const struct devices *devices, uint64_t port_id);
void devices_find_lost(struct devices *devices, void (*fn)(void *ctx, uint64_t port_id), void *ctx);
