/* SPDX-License-Identifier: BSD-3-Clause */
/* What keeps a namespace from its tap port. Runs on weftd's thread. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/doctor.h"
#include "tap/link.h"

struct device {
	const char *name, *netns;	  /* netns NULL: weftd's own */
	char command[DP_NAME_BYTES + 16]; /* what `ip` is called with to be there */
	char where[DP_NAME_BYTES + 24];
};

/* 0, or -errno with its line said. */
static int find_device(json_t *list, const struct device *device, struct link_info *info)
{
	struct link_ctx *ctx = NULL;
	int netns = link_netns_open(device->netns);
	int error = netns < 0 ? netns : link_open(netns, &ctx);

	if (error < 0) {
		doctor_say(list, "namespace", DOCTOR_FAIL, "%s cannot be entered: %s",
			   device->where, strerror(-error));
		doctor_fix(list, "ip netns add %s; weft makes the device again by itself",
			   device->netns != NULL ? device->netns : "");
	} else {
		error = link_find(ctx, device->name, info);
		if (error < 0) {
			doctor_say(list, "device", DOCTOR_FAIL, "%s is not in %s: %s", device->name,
				   device->where, strerror(-error));
			doctor_fix(list, "weft makes it again within seconds; if not, weft port "
					 "show says why");
		}
	}
	link_close(ctx);
	if (netns >= 0)
		close(netns);
	return error;
}

static void examine_device(json_t *list, const struct patient *patient, const struct device *device,
			   const struct link_info *info)
{
	if (patient->state->link == DP_LINK_BROKEN) {
		doctor_say(list, "device", DOCTOR_FAIL, "%s", patient->state->reason);
		doctor_fix(list, "weft makes it again by itself once that is put right");
	} else if (!info->is_up) {
		doctor_say(list, "device", DOCTOR_FAIL, "%s in %s is down", device->name,
			   device->where);
		doctor_fix(list, "%s link set %s up", device->command, device->name);
	} else {
		doctor_say(list, "device", DOCTOR_OK, "%s in %s is up, %u queue%s polled",
			   device->name, device->where, patient->state->n_queues,
			   patient->state->n_queues == 1 ? "" : "s");
	}
}

static void examine_settings(json_t *list, const struct patient *patient,
			     const struct device *device, const struct link_info *info)
{
	const struct model_segment *segment =
		model_segment(patient->control->model, patient->port->segment);
	uint16_t mtu = segment != NULL ? model_segment_mtu(patient->control->model, segment) : 0;

	if (segment != NULL && info->mtu_bytes != mtu) {
		doctor_say(list, "mtu", DOCTOR_WARN, "%s has %u, segment %s %u", device->name,
			   info->mtu_bytes, segment->name, mtu);
		doctor_fix(list, "%s link set %s mtu %u", device->command, device->name,
			   mtu);
	} else if (segment != NULL) {
		doctor_say(list, "mtu", DOCTOR_OK, "%u, as in segment %s", info->mtu_bytes,
			   segment->name);
	}
	if (memcmp(info->mac, patient->port->mac, sizeof(info->mac)) != 0) {
		doctor_say(list, "mac", DOCTOR_WARN, "%s has another address than the port",
			   device->name);
		doctor_fix(list,
			   "set mac= of the port to what the device has, or the other way round");
	}
}

void doctor_tap(json_t *list, const struct patient *patient)
{
	struct device device = {
		.name = model_ifname(patient->port),
		.netns = model_option_text(patient->port, "netns"),
		.command = "ip",
		.where = "weftd's namespace",
	};
	struct link_info info;

	if (device.netns != NULL) {
		snprintf(device.command, sizeof(device.command), "ip -n %s", device.netns);
		snprintf(device.where, sizeof(device.where), "namespace %s", device.netns);
	}
	if (find_device(list, &device, &info) < 0)
		return;
	examine_device(list, patient, &device, &info);
	examine_settings(list, patient, &device, &info);
}
