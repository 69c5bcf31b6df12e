/* SPDX-License-Identifier: BSD-3-Clause */
/* See why.h. Runs on weftd's thread. */
#include "control/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/doctor.h"
#include "control/fastpath.h"
#include "control/spec.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* --- both ends --- */

static bool know(struct why *why, const struct why_end *end)
{
	const char *at = strchr(end->asked, '@');

	if (end->port != NULL)
		return true;
	if (at == NULL && !why_counts_look_at_tunnels(why))
		return false;
	doctor_say(why->checks, "unknown", DOCTOR_FAIL, "nobody knows %.80s%s",
		   at != NULL ? at + 1 : end->asked,
		   at != NULL ? ": there is no such port"
			      : ": no port, no VM, and no MAC or IP address that was heard");
	doctor_fix(why->checks,
		   at != NULL ? "weft port list shows the ports"
			      : "is it running, and does it send? weft fdb list and weft port "
				"list show who is known; MAC@PORT or IP@PORT asks for it there");
	return false;
}

static void describe(struct why *why, const struct why_end *end, const char *check)
{
	char mac[SPEC_MAC_BYTES];

	spec_format_mac(end->mac, mac);
	doctor_say(why->checks, check, DOCTOR_OK, "%.80s is at port %s, %s, %s", end->asked,
		   end->port->name, mac,
		   end->is_heard ? "and has been heard there" : "not heard there lately");
}

/* What is said of a port by its examination: what keeps frames from it, and what is worth knowing
 * on the way. */
static bool take_checks(struct why *why, const struct why_end *end, const json_t *checks)
{
	const json_t *check;
	size_t i;

	json_array_foreach(checks, i, check) {
		const char *name = text_of(check, "check"), *result = text_of(check, "result");
		bool fails = strcmp(result, "fail") == 0;

		/* Its state is looked at here, and so is what it has dropped. */
		if (strcmp(name, "state") == 0 || strcmp(name, "drops") == 0 ||
		    (!fails && strcmp(result, "warn") != 0))
			continue;
		doctor_say(why->checks, name, fails ? DOCTOR_FAIL : DOCTOR_WARN, "%s: %s",
			   end->port->name, text_of(check, "detail"));
		doctor_fix(why->checks, "%s", text_of(check, "fix"));
		if (fails)
			return false;
	}
	return true;
}

static bool look_at_state(struct why *why, const struct why_end *end)
{
	static const char *const blocking[] = {"blocked", "standby"};

	for (size_t i = 0; i < sizeof(blocking) / sizeof(blocking[0]); i++) {
		if (!model_option_is(end->port, "state", blocking[i]))
			continue;
		doctor_say(why->checks, "state", DOCTOR_FAIL,
			   "%s: its state is %s: no frame passes", end->port->name, blocking[i]);
		doctor_fix(why->checks, "weft port set %s state=active", end->port->name);
		return false;
	}
	if (model_option_is(end->port, "state", "draining")) {
		doctor_say(why->checks, "state", DOCTOR_WARN,
			   "%s: its state is draining: no floods go there", end->port->name);
		doctor_fix(why->checks, "weft port set %s state=active", end->port->name);
	}
	return true;
}

static bool look_at_port(struct why *why, const struct why_end *end)
{
	struct dp_port_state state = fastpath_state(why->control->fastpath, end->port->id);
	struct patient patient = {.control = why->control, .port = end->port, .state = &state};
	char socket[DP_TEXT_BYTES];

	if (!look_at_state(why, end))
		return false;
	if (api_guest_socket(why->control, end->port, socket, sizeof(socket)))
		patient.socket = socket;
	json_t *checks = doctor_examine(&patient);
	bool is_well = take_checks(why, end, checks);

	if (is_well)
		doctor_say(why->checks, "port", DOCTOR_OK, "%s: %s, %zu checks passed",
			   end->port->name, end->port->kind->name, json_array_size(checks));
	json_decref(checks);
	return is_well;
}

/* --- between them --- */

static bool look_at_segments(struct why *why)
{
	const struct why_end *ends = why->ends;

	for (int s = 0; s < 2; s++) {
		if (ends[s].segment != NULL)
			continue;
		doctor_say(why->checks, "segment", DOCTOR_FAIL, "%s is in no segment",
			   ends[s].port->name);
		doctor_fix(why->checks, "weft port set %s segment=%s", ends[s].port->name,
			   ends[1 - s].segment != NULL ? ends[1 - s].segment->name : "SEGMENT");
		return false;
	}
	if (ends[0].segment != ends[1].segment) {
		doctor_say(why->checks, "segment", DOCTOR_FAIL,
			   "%s is in segment %s, %s in %s: two segments never exchange a frame",
			   ends[0].port->name, ends[0].segment->name, ends[1].port->name,
			   ends[1].segment->name);
		doctor_fix(why->checks, "put both into one segment, or let a machine with a port "
					"in each route between them");
		return false;
	}
	doctor_say(why->checks, "segment", DOCTOR_OK, "both are in segment %s, MTU %u",
		   ends[0].segment->name, model_segment_mtu(why->control->model, ends[0].segment));
	return true;
}

static bool look_at_places(struct why *why)
{
	const struct model_port *from = why->ends[0].port, *to = why->ends[1].port;

	if (from == to) {
		doctor_say(why->checks, "same-port", DOCTOR_FAIL,
			   "both are behind port %s: weft is not on their way", from->name);
		doctor_fix(why->checks, "look at the bridge behind that port");
		return false;
	}
	if (from->kind->place != PORT_PLACE_VNI || to->kind->place != PORT_PLACE_VNI)
		return true;
	doctor_say(why->checks, "tunnel-loop", DOCTOR_FAIL,
		   "both are behind peers, %s and %s: their hosts reach each other without this "
		   "one, or not at all",
		   from->name, to->name);
	doctor_fix(why->checks, "ask on one of the two hosts");
	return false;
}

static void walk(struct why *why)
{
	static const char *const names[2] = {"from", "to"};

	for (int s = 0; s < 2; s++) {
		if (!know(why, &why->ends[s]))
			return;
		describe(why, &why->ends[s], names[s]);
	}
	if (!look_at_places(why))
		return;
	for (int s = 0; s < 2; s++) {
		if (!look_at_port(why, &why->ends[s]))
			return;
	}
	if (look_at_segments(why) && why_traces_look(why))
		why_counts_look(why);
}

/* --- the answer --- */

static json_t *format_end(const struct why_end *end)
{
	char mac[SPEC_MAC_BYTES];

	spec_format_mac(end->mac, mac);
	return json_pack("{s:s, s:s, s:s, s:s}", "asked", end->asked, "port",
			 end->port != NULL ? end->port->name : "", "segment",
			 end->segment != NULL ? end->segment->name : "", "mac", mac);
}

/* The first that fails, or NULL. */
static const json_t *find_cause(const json_t *checks)
{
	const json_t *check;
	size_t i;

	json_array_foreach(checks, i, check) {
		if (strcmp(text_of(check, "result"), "fail") == 0)
			return check;
	}
	return NULL;
}

static json_t *format(struct why *why)
{
	const json_t *cause = find_cause(why->checks);
	char verdict[1200];

	if (cause != NULL)
		snprintf(verdict, sizeof(verdict), "%s; %s", text_of(cause, "detail"),
			 text_of(cause, "fix"));
	else
		snprintf(verdict, sizeof(verdict),
			 "nothing blocks: %u of %u traced frames would arrive now", why->n_passed,
			 why->n_frames);
	return json_pack("{s:o, s:o, s:b, s:s, s:s, s:O, s:O}", "from", format_end(&why->ends[0]),
			 "to", format_end(&why->ends[1]), "blocked", cause != NULL, "cause",
			 cause != NULL ? text_of(cause, "check") : "", "verdict", verdict, "checks",
			 why->checks, "traces", why->traces);
}

json_t *why_ask(struct control *control, const char *from, const char *to, unsigned int ip_bytes)
{
	struct why *why = calloc(1, sizeof(*why));
	json_t *answer = NULL;

	if (why == NULL)
		return NULL;
	why->control = control;
	why->ip_bytes = ip_bytes;
	why->checks = json_array();
	why->traces = json_array();
	fastpath_look(control->fastpath);
	if (why_ends_find(control, from, to, why->ends) == 0) {
		walk(why);
		answer = format(why);
	}
	json_decref(why->checks);
	json_decref(why->traces);
	free(why);
	return answer;
}
