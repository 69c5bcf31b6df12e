/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets of this host's uplinks. Runs on weftd's thread. */
#include "control/uplinks.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/kinds.h"
#include "tap/uplink_device.h"

/* What sockets are made from, with the text that its spec points to. */
struct settings {
	char ifname[IF_NAMESIZE];
	char vtep[64]; /* "" : a trunk */
	uint16_t vxlan_port;
	uint16_t n_queues;
};

struct uplink {
	uint64_t port_id;
	struct device_fds fds;
	bool is_new;	/* since the last commit */
	bool is_doomed; /* until the next commit */
	struct settings settings;
};

struct uplinks {
	struct uplink *list;
	size_t n, max;
};

int uplinks_create(struct uplinks **out)
{
	struct uplinks *uplinks = calloc(1, sizeof(*uplinks));

	if (uplinks == NULL)
		return -ENOMEM;
	*out = uplinks;
	return 0;
}

void uplinks_destroy(struct uplinks *uplinks)
{
	if (uplinks == NULL)
		return;
	for (size_t i = 0; i < uplinks->n; i++)
		device_fds_close(&uplinks->list[i].fds);
	free(uplinks->list);
	free(uplinks);
}

bool uplinks_is_needed(const struct model_port *port)
{
	return port->kind == &kind_uplink;
}

static struct settings settings_of(const struct model_port *port)
{
	const char *vtep = model_option_text(port, "vtep");
	struct settings settings = {
		.vxlan_port = (uint16_t)model_option_number(port, "vxlan_port", 4789),
		.n_queues = (uint16_t)model_option_number(port, "queues", 1),
	};

	snprintf(settings.ifname, sizeof(settings.ifname), "%s", model_ifname(port));
	snprintf(settings.vtep, sizeof(settings.vtep), "%s", vtep != NULL ? vtep : "");
	return settings;
}

static struct uplink_device_spec spec_of(const struct settings *settings)
{
	return (struct uplink_device_spec){
		.ifname = settings->ifname,
		.vtep = settings->vtep[0] != '\0' ? settings->vtep : NULL,
		.vxlan_port = settings->vxlan_port,
		.n_queues = settings->n_queues,
		.holder_fd = -1,
	};
}

static struct uplink *find(const struct uplinks *uplinks, uint64_t port_id)
{
	for (size_t i = 0; i < uplinks->n; i++) {
		if (uplinks->list[i].port_id == port_id && !uplinks->list[i].is_doomed)
			return &uplinks->list[i];
	}
	return NULL;
}

bool uplinks_is_held(const struct uplinks *uplinks, uint64_t port_id)
{
	return find(uplinks, port_id) != NULL;
}

static int add(struct uplinks *uplinks, const struct uplink *uplink)
{
	if (uplinks->n == uplinks->max) {
		size_t max = uplinks->max == 0 ? 4 : uplinks->max * 2;
		struct uplink *list = realloc(uplinks->list, max * sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		uplinks->list = list;
		uplinks->max = max;
	}
	uplinks->list[uplinks->n++] = *uplink;
	return 0;
}

static void take_out(struct uplinks *uplinks, size_t i)
{
	device_fds_close(&uplinks->list[i].fds);
	uplinks->list[i] = uplinks->list[--uplinks->n];
}

/* An uplink that goes with this change may hold the very UDP port: it is handed on, so that nobody
 * else gets it in between. */
static int find_holder(const struct uplinks *uplinks, const struct settings *settings)
{
	for (size_t i = 0; i < uplinks->n && settings->vtep[0] != '\0'; i++) {
		const struct uplink *uplink = &uplinks->list[i];

		if (strcmp(uplink->settings.vtep, settings->vtep) == 0 &&
		    uplink->settings.vxlan_port == settings->vxlan_port)
			return uplink->fds.fds[uplink->settings.n_queues];
	}
	return -1;
}

static int make(struct uplinks *uplinks, uint64_t port_id, const struct settings *settings,
		struct device_fds *fds, char *why, size_t why_bytes)
{
	struct uplink uplink = {.port_id = port_id, .is_new = true, .settings = *settings};
	struct uplink_device_spec spec = spec_of(settings);

	spec.holder_fd = find_holder(uplinks, settings);
	int error = uplink_device_create(&spec, uplink.fds.fds, why, why_bytes);

	if (error < 0)
		return error;
	uplink.fds.n = uplink_device_count_fds(&spec);
	error = add(uplinks, &uplink);
	if (error < 0) {
		device_fds_close(&uplink.fds);
		snprintf(why, why_bytes, "out of memory");
		return error;
	}
	*fds = uplink.fds;
	return 0;
}

int uplinks_prepare(struct uplinks *uplinks, const struct model_port *port, struct device_fds *fds,
		    char *why, size_t why_bytes)
{
	struct settings settings = settings_of(port);
	struct uplink *uplink = find(uplinks, port->id);

	if (uplink != NULL && memcmp(&uplink->settings, &settings, sizeof(settings)) == 0) {
		*fds = uplink->fds;
		return 0;
	}
	if (uplink != NULL)
		uplink->is_doomed = true;
	return make(uplinks, port->id, &settings, fds, why, why_bytes);
}

void uplinks_doom(struct uplinks *uplinks, uint64_t port_id)
{
	struct uplink *uplink = find(uplinks, port_id);

	if (uplink != NULL)
		uplink->is_doomed = true;
}

void uplinks_commit(struct uplinks *uplinks)
{
	for (size_t i = uplinks->n; i-- > 0;) {
		uplinks->list[i].is_new = false;
		if (uplinks->list[i].is_doomed)
			take_out(uplinks, i);
	}
}

void uplinks_abort(struct uplinks *uplinks)
{
	for (size_t i = uplinks->n; i-- > 0;) {
		uplinks->list[i].is_doomed = false;
		if (uplinks->list[i].is_new)
			take_out(uplinks, i);
	}
}

int uplinks_adopt(struct uplinks *uplinks, const struct model_port *port,
		  const struct device_fds *fds, char *why, size_t why_bytes)
{
	struct uplink uplink = {.port_id = port->id, .fds = *fds, .settings = settings_of(port)};
	struct uplink_device_spec spec = spec_of(&uplink.settings);
	int error = 0;

	if (fds->n != uplink_device_count_fds(&spec) || uplink_device_is_lost(&spec, fds->fds)) {
		error = -ESTALE;
		snprintf(why, why_bytes, "its sockets are not those of interface %s", spec.ifname);
	}
	if (error == 0)
		error = add(uplinks, &uplink);
	if (error < 0)
		device_fds_close(fds);
	return error;
}

void uplinks_find_lost(struct uplinks *uplinks, void (*fn)(void *ctx, uint64_t port_id), void *ctx)
{
	for (size_t i = uplinks->n; i-- > 0;) {
		uint64_t port_id = uplinks->list[i].port_id;
		struct uplink_device_spec spec = spec_of(&uplinks->list[i].settings);

		if (!uplink_device_is_lost(&spec, uplinks->list[i].fds.fds))
			continue;
		take_out(uplinks, i);
		fn(ctx, port_id);
	}
}
