/* SPDX-License-Identifier: BSD-3-Clause */
/* The tap devices of this host's ports. Runs on weftd's thread. */
#include "control/taps.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/kinds.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"
#include "tap/tap.h"
#include "tap/tap_device.h"
#include "tap/tap_survey.h"

/* What a device is made from, with the text that its spec points to. */
struct settings {
	char ifname[IF_NAMESIZE];
	char netns[DP_NAME_BYTES]; /* "" : weftd's own */
	char ip[64];		   /* "" : none */
	char alias[DP_NAME_BYTES + 16];
	uint8_t mac[6];
	uint16_t mtu_bytes;
	uint16_t n_queues;
	bool is_persistent;
	bool is_foreign; /* made by somebody else */
};

struct device {
	uint64_t port_id;
	struct device_fds fds;
	bool is_new;	/* since the last commit */
	bool was_there; /* attached to, not made: not ours to remove by an abort */
	bool is_doomed; /* until the next commit */
	struct settings settings;
	struct settings before; /* for an abort */
};

struct taps {
	struct device *devices;
	size_t n_devices, max_devices;
	uint64_t busy_ns; /* spent on devices since the start */
};

int taps_create(struct taps **out)
{
	struct taps *taps = calloc(1, sizeof(*taps));

	if (taps == NULL)
		return -ENOMEM;
	*out = taps;
	return 0;
}

void taps_destroy(struct taps *taps)
{
	if (taps == NULL)
		return;
	for (size_t i = 0; i < taps->n_devices; i++)
		device_fds_close(&taps->devices[i].fds);
	free(taps->devices);
	free(taps);
}

bool taps_is_needed(const struct model_port *port)
{
	return port->kind == &kind_tap;
}

static void copy_text(char *to, size_t to_bytes, const char *from)
{
	snprintf(to, to_bytes, "%s", from != NULL ? from : "");
}

static struct settings settings_of(const struct model *model, const struct model_port *port)
{
	uint16_t carried_mtu = model_port_mtu(model, port);
	struct settings settings = {
		.mtu_bytes = (uint16_t)model_option_number(port, "mtu", carried_mtu),
		.is_persistent = model_option_is(port, "persist", "on"),
		.is_foreign = model_option_is(port, "attach", "on"),
	};

	copy_text(settings.ifname, sizeof(settings.ifname), model_ifname(port));
	copy_text(settings.netns, sizeof(settings.netns), model_option_text(port, "netns"));
	copy_text(settings.ip, sizeof(settings.ip), model_option_text(port, "ip"));
	if (!settings.is_foreign)
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
		.alias = settings->alias[0] != '\0' ? settings->alias : NULL,
		.mtu_bytes = settings->mtu_bytes,
		.n_queues = settings->n_queues,
		.is_persistent = settings->is_persistent,
		.is_foreign = settings->is_foreign,
	};

	memcpy(spec.mac, settings->mac, sizeof(spec.mac));
	return spec;
}

static bool is_same_place(const struct settings *a, const struct settings *b)
{
	return strcmp(a->ifname, b->ifname) == 0 && strcmp(a->netns, b->netns) == 0;
}

/* Can the one be made of the other, or must it be another device? */
static bool is_same_device(const struct settings *a, const struct settings *b)
{
	return strcmp(a->netns, b->netns) == 0 && a->n_queues == b->n_queues &&
	       a->is_foreign == b->is_foreign;
}

/* Brings the device to the settings. Even a failure may have changed something: an abort puts it
 * back. */
static int set_device(struct taps *taps, struct device *device, const struct settings *settings,
		      char *why, size_t why_bytes)
{
	struct tap_device_spec spec = spec_of(settings);
	uint64_t start_ns = loop_clock_ns();
	int error = tap_device_update(&spec, device->fds.fds[0], why, why_bytes);

	taps->busy_ns += loop_clock_ns() - start_ns;
	device->settings = *settings;
	return error;
}

/* A device of ours that has the name where `wanted` is to be (it goes, or gets another name, in
 * this very change) makes way. */
static void make_way(struct taps *taps, const struct device *self, const struct settings *wanted)
{
	char why[DP_TEXT_BYTES];

	for (size_t i = 0; i < taps->n_devices; i++) {
		struct device *device = &taps->devices[i];
		struct settings aside = device->settings;

		if (device == self || device->settings.is_foreign ||
		    !is_same_place(&device->settings, wanted))
			continue;
		snprintf(aside.ifname, sizeof(aside.ifname), "weft-o%08x",
			 (unsigned int)device->port_id);
		if (set_device(taps, device, &aside, why, sizeof(why)) < 0)
			log_warn("taps", "device %s: %s", wanted->ifname, why);
	}
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
	const struct device *device = &taps->devices[i];
	struct tap_device_spec spec = spec_of(&device->settings);
	uint64_t start_ns = loop_clock_ns();

	if (!device->is_new || !device->was_there)
		tap_device_release(&spec, device->fds.fds[0]);
	device_fds_close(&taps->devices[i].fds);
	taps->busy_ns += loop_clock_ns() - start_ns;
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
		       struct device_fds *fds, char *why, size_t why_bytes)
{
	struct device device = {
		.port_id = port_id, .is_new = true, .settings = *settings, .before = *settings};
	struct tap_device_spec spec = spec_of(settings);
	uint64_t start_ns = loop_clock_ns();
	int error = tap_device_create(&spec, device.fds.fds, why, why_bytes);

	taps->busy_ns += loop_clock_ns() - start_ns;
	if (error < 0)
		return error;
	device.was_there = error > 0;
	device.fds.n = settings->n_queues;
	error = add_device(taps, &device);
	if (error < 0) {
		device_fds_close(&device.fds);
		snprintf(why, why_bytes, "out of memory");
		return error;
	}
	*fds = device.fds;
	return 0;
}

int taps_prepare(struct taps *taps, const struct model *model, const struct model_port *port,
		 struct device_fds *fds, char *why, size_t why_bytes)
{
	struct settings settings = settings_of(model, port);
	struct device *device = find_device(taps, port->id);

	if (device != NULL && !is_same_device(&device->settings, &settings)) {
		device->is_doomed = true;
		device = NULL;
	}
	if (device == NULL || !is_same_place(&device->settings, &settings))
		make_way(taps, device, &settings);
	if (device == NULL)
		return make_device(taps, port->id, &settings, fds, why, why_bytes);
	*fds = device->fds;
	if (memcmp(&device->settings, &settings, sizeof(settings)) == 0)
		return 0;
	return set_device(taps, device, &settings, why, why_bytes);
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
		taps->devices[i].is_doomed = false;
		if (taps->devices[i].is_new)
			remove_device(taps, i);
	}
	for (size_t i = 0; i < taps->n_devices; i++) {
		struct device *device = &taps->devices[i];
		struct settings before = device->before;

		if (memcmp(&device->settings, &before, sizeof(before)) == 0)
			continue;
		make_way(taps, device, &before);
		if (set_device(taps, device, &before, why, sizeof(why)) < 0)
			log_warn("taps", "putting back device %s: %s", before.ifname, why);
	}
}

int taps_adopt(struct taps *taps, const struct model *model, const struct model_port *port,
	       const struct device_fds *fds, char *why, size_t why_bytes)
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
		device_fds_close(fds);
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

static int compare_netns(const void *a, const void *b)
{
	return strcmp(((const struct device *)a)->settings.netns,
		      ((const struct device *)b)->settings.netns);
}

/* The devices [from, to), all in one namespace. */
static void repair(struct taps *taps, size_t from, size_t to)
{
	struct tap_device_spec spec = spec_of(&taps->devices[from].settings);
	struct tap_survey *survey = NULL;
	char why[DP_TEXT_BYTES];

	/* Where it cannot be looked at as a whole, each device says what is wrong. */
	int error = tap_survey_create(spec.netns, &survey);

	for (size_t i = from; i < to; i++) {
		struct device *device = &taps->devices[i];
		struct settings settings = device->settings;

		spec = spec_of(&settings);
		if (error == 0 && tap_survey_fits(survey, &spec, device->fds.fds[0]) &&
		    tap_device_keep(&spec, device->fds.fds[0]) == 0)
			continue;
		if (set_device(taps, device, &settings, why, sizeof(why)) < 0)
			log_warn("taps", "putting right device %s: %s", settings.ifname, why);
	}
	tap_survey_destroy(survey);
}

void taps_repair(struct taps *taps)
{
	uint64_t start_ns = loop_clock_ns(), busy_ns = taps->busy_ns;
	size_t to;

	if (taps->n_devices != 0)
		qsort(taps->devices, taps->n_devices, sizeof(taps->devices[0]), compare_netns);
	for (size_t from = 0; from < taps->n_devices; from = to) {
		for (to = from + 1; to < taps->n_devices; to++) {
			if (compare_netns(&taps->devices[from], &taps->devices[to]) != 0)
				break;
		}
		repair(taps, from, to);
	}
	/* What set_device() has counted lies within. */
	taps->busy_ns = busy_ns + loop_clock_ns() - start_ns;
}

void taps_compare(const struct taps *taps, uint64_t port_id, char *drift, size_t drift_bytes)
{
	const struct device *device = find_device(taps, port_id);

	drift[0] = '\0';
	if (device == NULL)
		return;
	struct tap_device_spec spec = spec_of(&device->settings);

	/* Where it cannot be compared the reason is as good an answer. */
	if (tap_device_compare(&spec, device->fds.fds[0], drift, drift_bytes) < 0)
		return;
}

uint64_t taps_count_lost(const struct taps *taps, uint64_t port_id)
{
	const struct device *device = find_device(taps, port_id);
	uint64_t frames;

	if (device == NULL ||
	    tap_count_lost(device->fds.fds[0], device->settings.netns[0] == '\0', &frames) < 0)
		return 0;
	return frames;
}

uint64_t taps_busy_ns(const struct taps *taps)
{
	return taps->busy_ns;
}
