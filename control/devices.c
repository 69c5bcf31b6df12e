/* SPDX-License-Identifier: BSD-3-Clause */
/* Taps and uplinks behind one set of words. Runs on weftd's thread. */
#include "control/devices.h"

#include "control/taps.h"
#include "control/uplinks.h"

int devices_init(struct devices *devices)
{
	int error = taps_create(&devices->taps);

	if (error == 0)
		error = uplinks_create(&devices->uplinks);
	if (error < 0)
		devices_fini(devices);
	return error;
}

void devices_fini(struct devices *devices)
{
	taps_destroy(devices->taps);
	uplinks_destroy(devices->uplinks);
	*devices = (struct devices){0};
}

bool devices_is_needed(const struct model_port *port)
{
	return taps_is_needed(port) || uplinks_is_needed(port);
}

int devices_prepare(struct devices *devices, const struct model *model,
		    const struct model_port *port, struct device_fds *fds, char *why,
		    size_t why_bytes)
{
	*fds = (struct device_fds){0};
	if (!taps_is_needed(port))
		taps_doom(devices->taps, port->id);
	if (!uplinks_is_needed(port))
		uplinks_doom(devices->uplinks, port->id);
	if (taps_is_needed(port))
		return taps_prepare(devices->taps, model, port, fds, why, why_bytes);
	if (uplinks_is_needed(port))
		return uplinks_prepare(devices->uplinks, port, fds, why, why_bytes);
	return 0;
}

void devices_doom(struct devices *devices, uint64_t port_id)
{
	taps_doom(devices->taps, port_id);
	uplinks_doom(devices->uplinks, port_id);
}

void devices_commit(struct devices *devices)
{
	taps_commit(devices->taps);
	uplinks_commit(devices->uplinks);
}

void devices_abort(struct devices *devices)
{
	taps_abort(devices->taps);
	uplinks_abort(devices->uplinks);
}

int devices_adopt(struct devices *devices, const struct model *model, const struct model_port *port,
		  const struct device_fds *fds, char *why, size_t why_bytes)
{
	if (uplinks_is_needed(port))
		return uplinks_adopt(devices->uplinks, port, fds, why, why_bytes);
	return taps_adopt(devices->taps, model, port, fds, why, why_bytes);
}

bool devices_is_held(const struct devices *devices, uint64_t port_id)
{
	return taps_is_held(devices->taps, port_id) || uplinks_is_held(devices->uplinks, port_id);
}

void devices_find_lost(struct devices *devices, void (*fn)(void *ctx, uint64_t port_id), void *ctx)
{
	taps_find_lost(devices->taps, fn, ctx);
	uplinks_find_lost(devices->uplinks, fn, ctx);
}
