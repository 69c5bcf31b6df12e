/* SPDX-License-Identifier: BSD-3-Clause */
/* What keeps frames from another host. Runs on weftd's thread. */
#include <inttypes.h>

#include "control/doctor.h"
#include "control/fastpath.h"
#include "control/underlay.h"

static void examine_way(json_t *list, const struct patient *patient)
{
	const char *reason = underlay_reason(patient->control->underlay, patient->port->id);
	const char *vtep = model_option_text(patient->port, "vtep");

	if (reason == NULL && patient->state->link == DP_LINK_UP) {
		doctor_say(list, "way", DOCTOR_OK, "%s is reached, its next hop is known", vtep);
		return;
	}
	doctor_say(list, "way", DOCTOR_FAIL, "%s",
		   reason != NULL ? reason : patient->state->reason);
	doctor_fix(list, "ip route get %s shows the way; weft takes it once there is one", vtep);
}

/* Frames within a segment's MTU that the path cannot carry are lost, and nobody is told. */
static void examine_mtu(json_t *list, const struct patient *patient)
{
	const struct model *model = patient->control->model;
	uint16_t path = underlay_path_mtu(patient->control->underlay, patient->port->id);
	uint16_t room = underlay_inner_mtu(patient->control->underlay, patient->port->id);
	unsigned int n_larger = 0;

	if (path == 0)
		return;
	for (size_t i = 0; i < model->n_segments; i++) {
		const struct model_segment *segment = model->segments[i];
		uint16_t mtu = model_segment_mtu(model, segment);
		bool is_there = patient->port->trunk == NULL ||
				trunk_has(patient->port->trunk, segment->name);

		if (!is_there || mtu <= room)
			continue;
		n_larger++;
		doctor_say(list, "mtu", DOCTOR_WARN,
			   "segment %s has %u, the way carries %u (%u with outer headers): larger "
			   "frames are lost",
			   segment->name, mtu, room, path);
		doctor_fix(list, "weft segment set %s mtu=%u", segment->name, room);
	}
	if (n_larger == 0)
		doctor_say(list, "mtu", DOCTOR_OK, "the way carries %u (%u with outer headers)",
			   room, path);
}

static void examine_talk(json_t *list, const struct patient *patient)
{
	const struct meter *meter = fastpath_meter(patient->control->fastpath);

	if (meter == NULL)
		return;
	struct counters_block sum = meter_sum(meter, patient->state->counters_slot);

	if (sum.rx_frames == 0 && sum.tx_frames != 0) {
		doctor_say(list, "heard", DOCTOR_WARN,
			   "%" PRIu64 " frames went there, none came back", sum.tx_frames);
		doctor_fix(list,
			   "there: is this host a peer, with the same VNIs and UDP port? does "
			   "a firewall drop UDP? weft drops there says what it refuses");
		return;
	}
	doctor_say(list, "heard", DOCTOR_OK, "%" PRIu64 " frames went there, %" PRIu64 " came",
		   sum.tx_frames, sum.rx_frames);
}

void doctor_peer(json_t *list, const struct patient *patient)
{
	examine_way(list, patient);
	examine_mtu(list, patient);
	examine_talk(list, patient);
}
