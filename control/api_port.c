/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of ports. Runs on weftd's thread. */
#include <stdio.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/states.h"
#include "control/taps.h"
#include "control/underlay.h"

/* Bits of the virtio specification that weft can negotiate; others are shown as bit-N. */
static json_t *format_features(uint64_t features)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} known[] = {
		{0, "csum"},
		{1, "guest_csum"},
		{3, "mtu"},
		{5, "mac"},
		{7, "guest_tso4"},
		{8, "guest_tso6"},
		{9, "guest_ecn"},
		{11, "host_tso4"},
		{12, "host_tso6"},
		{13, "host_ecn"},
		{15, "mrg_rxbuf"},
		{16, "status"},
		{22, "mq"},
		{27, "any_layout"},
		{28, "indirect_desc"},
		{29, "event_idx"},
		{30, "protocol_features"},
		{32, "version_1"},
		{33, "access_platform"},
		{34, "ring_packed"},
		{35, "in_order"},
	};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if ((features >> known[i].bit & 1) != 0)
			json_array_append_new(list, json_string(known[i].name));
	}
	return list;
}

uint64_t api_port_lost(const struct control *control, const struct model_port *port,
		       const struct dp_port_state *state)
{
	return taps_is_needed(port) ? taps_count_lost(fastpath_taps(control->fastpath), port->id)
				    : state->lost;
}

/* A device is looked at when somebody asks for it: that costs as much as all else of a GET. */
static void describe_drift(const struct control *control, const struct model_port *port,
			   char reason[DP_TEXT_BYTES])
{
	char drift[DP_TEXT_BYTES];

	taps_compare(fastpath_taps(control->fastpath), port->id, drift, sizeof(drift));
	if (drift[0] != '\0')
		snprintf(reason, DP_TEXT_BYTES,
			 "somebody changed its device: %.150s; weft apply puts it right", drift);
}

json_t *api_describe_port(const struct api_view *view, const struct model_object *object)
{
	const struct control *control = view->control;
	const struct model_port *port = (const struct model_port *)object;
	struct dp_port_state state = fastpath_state(control->fastpath, port->id);
	const char *reason = underlay_reason(control->underlay, port->id);

	if (view->is_alone && state.reason[0] == '\0')
		describe_drift(control, port, state.reason);
	return json_pack("{s:s, s:s, s:o, s:i, s:I, s:I}", "link", states_link_name(state.link),
			 "reason", reason != NULL ? reason : state.reason, "features",
			 format_features(state.features), "queues", (int)state.n_queues, "attaches",
			 (json_int_t)state.attaches, "lost",
			 (json_int_t)api_port_lost(control, port, &state));
}
