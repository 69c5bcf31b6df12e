/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets of this host's uplinks. Runs on weftd's thread. */
#include "control/uplinks.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/api/kinds.h"
#include "dataplane/base/log.h"
#include "tap/uplink_device.h"

/* What sockets are made from, with the text that its spec points to. */
struct settings {
	char ifname[IF_NAMESIZE];
	char vtep[64]; /* "" : a trunk */
	uint16_t vxlan_port;
	uint16_t n_queues;
	uint16_t driver; /* enum uplink_device_driver */
};

struct uplink {
	uint64_t port_id;
	struct device_fds fds;
	int program_fd; /* takes the place of the one on the link with the next commit; -1: none */
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
		.driver = model_option_is(port, "driver", "af_xdp") ? UPLINK_AF_XDP
			  : model_option_is(port, "driver", "dpdk") ? UPLINK_DPDK
								    : UPLINK_AF_PACKET,
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
		.driver = settings->driver,
		.holder_fd = -1,
		.held_fd = -1,
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

static void close_program(struct uplink *uplink)
{
	if (uplink->program_fd >= 0)
		close(uplink->program_fd);
	uplink->program_fd = -1;
}

static void take_out(struct uplinks *uplinks, size_t i)
{
	close_program(&uplinks->list[i]);
	device_fds_close(&uplinks->list[i].fds);
	uplinks->list[i] = uplinks->list[--uplinks->n];
}

void uplinks_destroy(struct uplinks *uplinks)
{
	if (uplinks == NULL)
		return;
	while (uplinks->n != 0)
		take_out(uplinks, uplinks->n - 1);
	free(uplinks->list);
	free(uplinks);
}

/* An uplink that goes with this change may hold the very UDP port: it is handed on, so that nobody
 * else gets it in between. */
static int find_holder(const struct uplinks *uplinks, const struct settings *settings)
{
	for (size_t i = 0; i < uplinks->n && settings->vtep[0] != '\0'; i++) {
		const struct uplink *uplink = &uplinks->list[i];
		struct uplink_device_spec spec = spec_of(&uplink->settings);

		if (strcmp(uplink->settings.vtep, settings->vtep) == 0 &&
		    uplink->settings.vxlan_port == settings->vxlan_port)
			return uplink->fds.fds[uplink_device_holder_at(&spec)];
	}
	return -1;
}

/* And so is what there can be only one of for an interface: its program's link, or its tap. */
static int find_held(const struct uplinks *uplinks, const struct settings *settings)
{
	for (size_t i = 0; i < uplinks->n && settings->driver != UPLINK_AF_PACKET; i++) {
		const struct uplink *uplink = &uplinks->list[i];
		struct uplink_device_spec spec = spec_of(&uplink->settings);

		if (uplink->settings.driver == settings->driver &&
		    strcmp(uplink->settings.ifname, settings->ifname) == 0)
			return uplink->fds.fds[uplink_device_held_at(&spec)];
	}
	return -1;
}

/* A program takes the place of the one on the link with the commit. */
static int open_uplink(struct uplink *uplink, const struct uplink_device_spec *spec, char *why,
		       size_t why_bytes)
{
	int error = uplink_device_create(spec, uplink->fds.fds, why, why_bytes);

	if (error < 0)
		return error;
	uplink->fds.n = uplink_device_count_fds(spec);
	if (spec->held_fd < 0 || spec->driver != UPLINK_AF_XDP)
		return 0;
	uplink->program_fd = uplink_device_load(spec, uplink->fds.fds, why, why_bytes);
	if (uplink->program_fd < 0)
		device_fds_close(&uplink->fds);
	return uplink->program_fd < 0 ? uplink->program_fd : 0;
}

static int make(struct uplinks *uplinks, uint64_t port_id, const struct settings *settings,
		struct device_fds *fds, char *why, size_t why_bytes)
{
	struct uplink uplink = {
		.port_id = port_id, .program_fd = -1, .is_new = true, .settings = *settings};
	struct uplink_device_spec spec = spec_of(settings);

	spec.holder_fd = find_holder(uplinks, settings);
	spec.held_fd = find_held(uplinks, settings);
	int error = open_uplink(&uplink, &spec, why, why_bytes);

	if (error < 0)
		return error;
	error = add(uplinks, &uplink);
	if (error < 0) {
		close_program(&uplink);
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
		struct uplink_device_spec spec = spec_of(&settings);

		*fds = uplink->fds;
		if (!uplink_device_is_used(&spec, fds->fds))
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

static void exchange_program(struct uplink *uplink)
{
	struct uplink_device_spec spec = spec_of(&uplink->settings);
	int error = uplink->program_fd < 0
			    ? 0
			    : uplink_device_switch(&spec, uplink->fds.fds, uplink->program_fd);

	if (error < 0)
		log_error("uplinks", "interface %s keeps its former XDP program: %s", spec.ifname,
			  strerror(-error));
	close_program(uplink);
}

void uplinks_commit(struct uplinks *uplinks)
{
	for (size_t i = uplinks->n; i-- > 0;) {
		uplinks->list[i].is_new = false;
		if (uplinks->list[i].is_doomed)
			take_out(uplinks, i);
		else
			exchange_program(&uplinks->list[i]);
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
	struct uplink uplink = {
		.port_id = port->id, .fds = *fds, .program_fd = -1, .settings = settings_of(port)};
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
