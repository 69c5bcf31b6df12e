/* SPDX-License-Identifier: BSD-3-Clause */
/* All devices of a network namespace at one look. One thread. */
#include "tap/tap_survey.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap/tap.h"

struct device {
	char ifname[IF_NAMESIZE];
	struct link_info info;
};

struct address {
	int index; /* of its device */
	struct link_prefix prefix;
	bool is_ours;
};

struct tap_survey {
	int netns_fd;
	struct device *devices; /* by name */
	size_t n_devices, max_devices;
	struct address *addresses; /* by index */
	size_t n_addresses, max_addresses;
};

/* Room for one more of `bytes` each. */
static int make_room(void **items, size_t n, size_t *max, size_t bytes)
{
	if (n < *max)
		return 0;
	size_t wanted = *max != 0 ? *max * 2 : 64;
	void *larger = realloc(*items, wanted * bytes);

	if (larger == NULL)
		return -ENOMEM;
	*items = larger;
	*max = wanted;
	return 0;
}

static int add_device(void *arg, const char *ifname, const struct link_info *info)
{
	struct tap_survey *survey = arg;
	void *items = survey->devices;
	int error = make_room(&items, survey->n_devices, &survey->max_devices,
			      sizeof(survey->devices[0]));

	survey->devices = items;
	if (error < 0)
		return error;
	struct device *device = &survey->devices[survey->n_devices++];

	*device = (struct device){.info = *info};
	memcpy(device->ifname, ifname, strnlen(ifname, IF_NAMESIZE - 1));
	return 0;
}

static int add_address(void *arg, int index, const struct link_prefix *prefix, bool is_ours)
{
	struct tap_survey *survey = arg;
	void *items = survey->addresses;
	int error = make_room(&items, survey->n_addresses, &survey->max_addresses,
			      sizeof(survey->addresses[0]));

	survey->addresses = items;
	if (error == 0)
		survey->addresses[survey->n_addresses++] =
			(struct address){index, *prefix, is_ours};
	return error;
}

static int compare_devices(const void *a, const void *b)
{
	return strcmp(((const struct device *)a)->ifname, ((const struct device *)b)->ifname);
}

static int compare_addresses(const void *a, const void *b)
{
	int x = ((const struct address *)a)->index, y = ((const struct address *)b)->index;

	return (x > y) - (x < y);
}

static int look(struct tap_survey *survey, bool is_own)
{
	struct link_ctx *ctx;
	/* Our own namespace needs no visit, and so no CAP_SYS_ADMIN. */
	int error = link_open(is_own ? -1 : survey->netns_fd, &ctx);

	if (error < 0)
		return error;
	error = link_list(ctx, add_device, survey);
	if (error == 0)
		error = link_list_addresses(ctx, add_address, survey);
	link_close(ctx);
	if (error < 0)
		return error;
	if (survey->n_devices != 0)
		qsort(survey->devices, survey->n_devices, sizeof(survey->devices[0]),
		      compare_devices);
	if (survey->n_addresses != 0)
		qsort(survey->addresses, survey->n_addresses, sizeof(survey->addresses[0]),
		      compare_addresses);
	return 0;
}

int tap_survey_create(const char *netns, struct tap_survey **out)
{
	struct tap_survey *survey = calloc(1, sizeof(*survey));

	if (survey == NULL)
		return -ENOMEM;
	survey->netns_fd = link_netns_open(netns);
	int error = survey->netns_fd < 0 ? survey->netns_fd : look(survey, netns == NULL);

	if (error < 0) {
		tap_survey_destroy(survey);
		return error;
	}
	*out = survey;
	return 0;
}

void tap_survey_destroy(struct tap_survey *survey)
{
	if (survey == NULL)
		return;
	if (survey->netns_fd >= 0)
		close(survey->netns_fd);
	free(survey->devices);
	free(survey->addresses);
	free(survey);
}

static bool is_here(const struct tap_survey *survey, int fd)
{
	int device_fd = tap_netns_open(fd);
	struct stat a, b;
	bool is_same = device_fd >= 0 && fstat(device_fd, &a) == 0 &&
		       fstat(survey->netns_fd, &b) == 0 && a.st_dev == b.st_dev &&
		       a.st_ino == b.st_ino;

	if (device_fd >= 0)
		close(device_fd);
	return is_same;
}

/* The wanted address, and none of ours beside it. */
static bool has_addresses(const struct tap_survey *survey, int index, const char *ip)
{
	const struct address key = {.index = index};
	struct link_prefix wanted;
	bool is_there = ip == NULL;

	if (ip != NULL && link_parse_prefix(ip, &wanted) < 0)
		return false;
	if (survey->n_addresses == 0)
		return is_there;
	const struct address *end = survey->addresses + survey->n_addresses;
	const struct address *at = bsearch(&key, survey->addresses, survey->n_addresses,
					   sizeof(key), compare_addresses);

	while (at != NULL && at > survey->addresses && at[-1].index == index)
		at--;
	for (; at != NULL && at < end && at->index == index; at++) {
		if (ip != NULL && link_is_same_prefix(&at->prefix, &wanted))
			is_there = true;
		else if (at->is_ours)
			return false;
	}
	return is_there;
}

static bool has_settings(const struct link_info *info, const struct tap_device_spec *spec)
{
	static const uint8_t none[LINK_MAC_BYTES];

	return info->is_up && (spec->mtu_bytes == 0 || spec->mtu_bytes == info->mtu_bytes) &&
	       (memcmp(spec->mac, none, sizeof(none)) == 0 ||
		memcmp(spec->mac, info->mac, sizeof(none)) == 0) &&
	       (spec->alias == NULL || strcmp(spec->alias, info->alias) == 0);
}

bool tap_survey_fits(const struct tap_survey *survey, const struct tap_device_spec *spec, int fd)
{
	struct device key = {.ifname = ""}, *device = NULL;
	char present[IF_NAMESIZE];

	if (tap_check(fd, present) < 0 || strcmp(present, spec->ifname) != 0 ||
	    !is_here(survey, fd))
		return false;
	memcpy(key.ifname, present, sizeof(present));
	if (survey->n_devices != 0)
		device = bsearch(&key, survey->devices, survey->n_devices, sizeof(key),
				 compare_devices);
	return device != NULL && has_settings(&device->info, spec) &&
	       has_addresses(survey, device->info.index, spec->ip);
}
