/* SPDX-License-Identifier: BSD-3-Clause */
/* The tap devices of this host's ports. Runs on weftd's thread. */
#include "control/taps.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/base/log.h"
#include "tap/tap_device.h"

/* What a device is made from, with the text that its spec points to. */
struct settings {
	char ifname[IF_NAMESIZE];
	char netns[DP_NAME_BYTES]; /* "" : weftd's own */
	char ip[64];		   /* "" : none */
	char alias[DP_NAME_BYTES + 16];
	uint8_t mac[6];
	uint16_t mtu_bytes;
	uint16_t n_queues;
};

struct device {
	uint64_t port_id;
	struct tap_fds fds;
	bool is_new;	/* since the last commit */
	bool is_doomed; /* until the next commit */
	struct settings settings;
	struct settings before; /* for an abort */
};

struct taps {
	struct device *devices;
	size_t n_devices, max_devices;
};

int taps_create(struct taps **out)
{
	struct taps *taps = calloc(1, sizeof(*taps));

	if (taps == NULL)
		return -ENOMEM;
	*out = taps;
	return 0;
}

void taps_close(const struct tap_fds *fds)
{
	for (unsigned int i = 0; i < fds->n; i++)
		close(fds->fds[i]);
}

void taps_destroy(struct taps *taps)
{
	if (taps == NULL)
		return;
	for (size_t i = 0; i < taps->n_devices; i++)
		taps_close(&taps->devices[i].fds);
	free(taps->devices);
	free(taps);
}

bool taps_is_needed(const struct model_port *port)
{
	return port_kinds_option(port->kind, "ifname") >= 0;
}

static void copy_text(char *to, size_t to_bytes, const char *from)
{
	snprintf(to, to_bytes, "%s", from != NULL ? from : "");
}

static struct settings settings_of(const struct model *model, const struct model_port *port)
{
	struct settings settings = {.mtu_bytes = model_port_mtu(model, port)};

	copy_text(settings.ifname, sizeof(settings.ifname), model_ifname(port));
	copy_text(settings.netns, sizeof(settings.netns), model_option_text(port, "netns"));
	copy_text(settings.ip, sizeof(settings.ip), model_option_text(port, "ip"));
	snprintf(settings.alias, sizeof(settings.alias), "weft port %s", port->name);
	memcpy(settings.mac, port->mac, sizeof(settings.mac));
	settings.n_queues = (uint16_t)model_option_number(port, "queues", 1);
	return settings;
}

static struct tap_device_spec spec_of(const struct settings *settings)
{
	struct tap_device_spec spec = {
		.ifname = settings->ifname,
		.netns = settings->netns[0] != '\0' ? settings->netns : NULL,
		.ip = settings->ip[0] != '\0' ? settings->ip : NULL,
		.alias = settings->alias,
		.mtu_bytes = settings->mtu_bytes,
		.n_queues = settings->n_queues,
	};

	memcpy(spec.mac, settings->mac, sizeof(spec.mac));
	return spec;
}

static bool is_same_place(const struct settings *a, const struct settings *b)
{
	return strcmp(a->ifname, b->ifname) == 0 && strcmp(a->netns, b->netns) == 0;
}

static int add_device(struct taps *taps, const struct device *device)
{
	if (taps->n_devices == taps->max_devices) {
		size_t max = taps->max_devices == 0 ? 16 : taps->max_devices * 2;
		struct device *devices = realloc(taps->devices, max * sizeof(*devices));

		if (devices == NULL)
			return -ENOMEM;
		taps->devices = devices;
		taps->max_devices = max;
	}
	taps->devices[taps->n_devices++] = *device;
	return 0;
}

static void remove_device(struct taps *taps, size_t i)
{
	taps_close(&taps->devices[i].fds);
	taps->devices[i] = taps->devices[--taps->n_devices];
}

static struct device *find_device(const struct taps *taps, uint64_t port_id)
{
	for (size_t i = 0; i < taps->n_devices; i++) {
		if (taps->devices[i].port_id == port_id && !taps->devices[i].is_doomed)
			return &taps->devices[i];
	}
	return NULL;
}

bool taps_is_held(const struct taps *taps, uint64_t port_id)
{
	return find_device(taps, port_id) != NULL;
}

static int make_device(struct taps *taps, uint64_t port_id, const struct settings *settings,
		       struct tap_fds *fds, char *why, size_t why_bytes)
{
	struct device device = {
		.port_id = port_id, .is_new = true, .settings = *settings, .before = *settings};
	struct tap_device_spec spec = spec_of(settings);
	int error = tap_device_create(&spec, device.fds.fds, why, why_bytes);

	if (error < 0)
		return error;
	device.fds.n = settings->n_queues;
	error = add_device(taps, &device);
	if (error < 0) {
		taps_close(&device.fds);
		snprintf(why, why_bytes, "out of memory");
		return error;
	}
	*fds = device.fds;
	return 0;
}

/* A device has as many queues as it was made for, and one of the same name cannot be made beside
 * it. */
static int check_queues(const struct device *device, const struct settings *settings, char *why,
			size_t why_bytes)
{
	if (device->settings.n_queues == settings->n_queues)
		return 0;
	snprintf(why, why_bytes,
		 "device %s was made with queues=%u, which cannot change: delete the port and add "
		 "it again",
		 settings->ifname, device->settings.n_queues);
	return -EBUSY;
}

int taps_prepare(struct taps *taps, const struct model *model, const struct model_port *port,
		 struct tap_fds *fds, char *why, size_t why_bytes)
{
	struct settings settings = settings_of(model, port);
	struct device *device = find_device(taps, port->id);
	int error;

	if (device != NULL && !is_same_place(&device->settings, &settings)) {
		device->is_doomed = true;
		device = NULL;
	}
	if (device == NULL)
		return make_device(taps, port->id, &settings, fds, why, why_bytes);
	error = check_queues(device, &settings, why, why_bytes);
	if (error < 0)
		return error;
	*fds = device->fds;
	if (memcmp(&device->settings, &settings, sizeof(settings)) == 0)
		return 0;
	struct tap_device_spec spec = spec_of(&settings);
	error = tap_device_update(&spec, device->fds.fds[0], why, why_bytes);
	/* Even a failure may have changed something: then the abort puts it back. */
	device->settings = settings;
	return error;
}

void taps_doom(struct taps *taps, uint64_t port_id)
{
	struct device *device = find_device(taps, port_id);

	if (device != NULL)
		device->is_doomed = true;
}

void taps_commit(struct taps *taps)
{
	for (size_t i = taps->n_devices; i-- > 0;) {
		struct device *device = &taps->devices[i];

		device->is_new = false;
		device->before = device->settings;
		if (device->is_doomed)
			remove_device(taps, i);
	}
}

void taps_abort(struct taps *taps)
{
	char why[DP_TEXT_BYTES];

	for (size_t i = taps->n_devices; i-- > 0;) {
		struct device *device = &taps->devices[i];

		device->is_doomed = false;
		if (device->is_new) {
			remove_device(taps, i);
			continue;
		}
		if (memcmp(&device->settings, &device->before, sizeof(device->before)) == 0)
			continue;
		struct tap_device_spec spec = spec_of(&device->before);
		if (tap_device_update(&spec, device->fds.fds[0], why, sizeof(why)) < 0)
			log_warn("taps", "putting back device %s: %s", device->before.ifname, why);
		device->settings = device->before;
	}
}

int taps_adopt(struct taps *taps, const struct model *model, const struct model_port *port,
	       const struct tap_fds *fds, char *why, size_t why_bytes)
{
	struct device device = {
		.port_id = port->id, .fds = *fds, .settings = settings_of(model, port)};
	struct tap_device_spec spec = spec_of(&device.settings);
	int error = -ESTALE;

	if (fds->n == spec.n_queues)
		error = tap_device_update(&spec, fds->fds[0], why, why_bytes);
	else
		snprintf(why, why_bytes, "it was made with queues=%u", fds->n);
	device.before = device.settings;
	if (error == 0)
		error = add_device(taps, &device);
	if (error < 0)
		taps_close(fds);
	return error;
}

void taps_find_lost(struct taps *taps, void (*fn)(void *ctx, uint64_t port_id), void *ctx)
{
	for (size_t i = taps->n_devices; i-- > 0;) {
		uint64_t port_id = taps->devices[i].port_id;
		struct tap_device_spec spec = spec_of(&taps->devices[i].settings);

		if (!tap_device_is_lost(&spec, taps->devices[i].fds.fds[0]))
			continue;
		remove_device(taps, i);
		fn(ctx, port_id);
	}
}
