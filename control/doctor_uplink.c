/* SPDX-License-Identifier: BSD-3-Clause */
/* What keeps frames from an uplink. Runs on weftd's thread. */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>

#include "control/doctor.h"
#include "tap/link.h"
#include "tap/uplink_device.h"

/* false: there is no interface to say more of. */
static bool find_interface(json_t *list, const char *ifname, struct link_info *info)
{
	struct link_ctx *ctx = NULL;
	int error = link_open(-1, &ctx);

	if (error == 0)
		error = link_find(ctx, ifname, info);
	link_close(ctx);
	if (error == 0)
		return true;
	doctor_say(list, "interface", DOCTOR_FAIL, "%s does not exist: %s", ifname,
		   strerror(-error));
	doctor_fix(list, "plug it in or make it; weft takes it within seconds");
	return false;
}

static void examine_interface(json_t *list, const struct patient *patient, const char *ifname,
			      const struct link_info *info)
{
	const struct dp_port_state *state = patient->state;

	if (!info->is_up) {
		doctor_say(list, "interface", DOCTOR_FAIL, "%s is down", ifname);
		doctor_fix(list, "ip link set %s up", ifname);
	} else if (state->link == DP_LINK_DOWN) {
		doctor_say(list, "carrier", DOCTOR_FAIL, "%s", state->reason);
		doctor_fix(list, "look at the cable, and at the port of the switch");
	} else if (state->link == DP_LINK_BROKEN) {
		doctor_say(list, "interface", DOCTOR_FAIL, "%s", state->reason);
		doctor_fix(list, "weft comes back by itself once that is put right");
	} else {
		doctor_say(list, "interface", DOCTOR_OK, "%s is up, %u queue%s polled", ifname,
			   state->n_queues, state->n_queues == 1 ? "" : "s");
	}
}

static void examine_mtu(json_t *list, const struct patient *patient, const char *ifname,
			const struct link_info *info)
{
	uint16_t needed = model_port_mtu(patient->control->model, patient->port);

	if (info->mtu_bytes < needed) {
		doctor_say(list, "mtu", DOCTOR_WARN,
			   "%s has %u, and a segment that it carries %u: frames are lost", ifname,
			   info->mtu_bytes, needed);
		doctor_fix(list, "ip link set %s mtu %u", ifname, needed);
	} else {
		doctor_say(list, "mtu", DOCTOR_OK, "%u", info->mtu_bytes);
	}
}

/* That the port is held follows from the port's being made: weftd opened the socket. */
static void examine_vtep(json_t *list, const struct patient *patient, const char *ifname)
{
	const char *vtep = model_option_text(patient->port, "vtep");
	unsigned int udp_port =
		(unsigned int)model_option_number(patient->port, "vxlan_port", 4789);

	if (vtep == NULL)
		return;
	if (uplink_device_has_address(ifname, vtep) == 1) {
		doctor_say(list, "vtep", DOCTOR_OK, "%s is on %s, its UDP port %u is held", vtep,
			   ifname, udp_port);
		return;
	}
	doctor_say(list, "vtep", DOCTOR_FAIL, "%s is not on %s", vtep, ifname);
	doctor_fix(list, "ip address add %s/%s dev %s", vtep,
		   strchr(vtep, ':') != NULL ? "64" : "24", ifname);
}

static void examine_losses(json_t *list, const struct patient *patient)
{
	uint64_t lost = patient->state->lost;

	if (lost == 0) {
		doctor_say(list, "losses", DOCTOR_OK, "every frame was taken in time");
		return;
	}
	doctor_say(list, "losses", DOCTOR_WARN,
		   "%" PRIu64 " frames found the kernel's ring full since the port was made", lost);
	doctor_fix(list, "more queues (queues=) and more workers take more; weft worker list");
}

void doctor_uplink(json_t *list, const struct patient *patient)
{
	const char *ifname = model_ifname(patient->port);
	struct link_info info;

	if (!find_interface(list, ifname, &info))
		return;
	examine_interface(list, patient, ifname, &info);
	examine_mtu(list, patient, ifname, &info);
	examine_vtep(list, patient, ifname);
	examine_losses(list, patient);
}
