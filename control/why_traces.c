/* SPDX-License-Identifier: BSD-3-Clause */
/* Part of why.h: frames of both ends, traced. Runs on weftd's thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/doctor.h"
#include "control/places.h"
#include "control/spec.h"
#include "control/why.h"
#include "control/why_frames.h"
#include "dataplane/api/drop_reasons.h"

/* A frame on its way, and what was found out. */
struct passage {
	struct why *why;
	const struct why_end *from, *to;
	const char *what;
	bool is_broadcast;
};

static const char *port_name(const struct why *why, uint64_t id)
{
	const struct model_port *port = places_find_port(why->control->model, id);

	return port != NULL ? port->name : "?";
}

/* The steps, before another trace takes their place. Returns what is to be told of its end. */
static json_t *keep(const struct passage *passage)
{
	struct why *why = passage->why;
	json_t *trace =
		json_pack("{s:s, s:s, s:s, s:b, s:o}", "frame", passage->what, "from",
			  passage->from->port->name, "to", passage->to->port->name, "arrives",
			  false, "steps", tracing_format(why->control, &why->tracing));

	json_array_append_new(why->traces, trace);
	return trace;
}

/* --- what blocks --- */

/* Why nobody has its address: another one has taken its place, since the port may have so few. The
 * last trace is void afterwards. */
static bool say_limit(const struct passage *passage)
{
	struct why *why = passage->why;
	const struct model_port *port = passage->to->port;
	const struct dp_trace_step *learn;
	uint8_t bytes[WHY_FRAME_BYTES];
	struct problem ignored;
	size_t n = why_frames_question(passage->to, passage->from, bytes);

	if (port->kind->place == PORT_PLACE_VNI ||
	    tracing_run(why->control, port, bytes, n, &why->tracing, &ignored) < 0)
		return false;
	learn = tracing_find(&why->tracing, DP_TRACE_LEARN, port->id);
	if (learn == NULL || learn->limit == 0)
		return false;
	doctor_say(why->checks, "mac-limit", DOCTOR_FAIL,
		   "%s has %" PRIu64 " of %" PRIu64 " MAC addresses, and that of %.80s is not one "
		   "of them: unknown, and the segment drops such",
		   port->name, learn->value, learn->limit, passage->to->asked);
	doctor_fix(why->checks, "weft port set %s max_macs=N, or unknown=flood of the segment",
		   port->name);
	return true;
}

static void say_drop(const struct passage *passage, const struct dp_trace_step *last)
{
	const struct dp_trace_step copy = *last, *step = &copy;
	json_t *checks = passage->why->checks;
	const char *port = port_name(passage->why, step->port_id);

	if (step->reason == DROP_UNKNOWN && say_limit(passage))
		return;
	doctor_say(checks, drop_reason_name(step->reason), DOCTOR_FAIL,
		   "%s from %s to %s is dropped at %s: %s", passage->what,
		   passage->from->port->name, passage->to->port->name, port, step->text);
	why_fixes_say(checks, step->reason, port, passage->from->segment->name);
}

/* Rates as tables print them are the client's; here in Mbit/s. */
static void say_wait(const struct passage *passage, const struct dp_trace_step *step)
{
	json_t *checks = passage->why->checks;
	const char *port = port_name(passage->why, step->port_id);
	bool is_ceiling = step->limit != 0 && step->value >= step->limit / 100 * 99;

	doctor_say(checks, is_ceiling ? "channel-ceiling" : "pool-full", DOCTOR_FAIL,
		   "%s from %s to %s has to wait at %s: %s%s", passage->what,
		   passage->from->port->name, passage->to->port->name, port, step->text,
		   is_ceiling ? ", its ceiling" : "; its pool gives it no more now");
	doctor_fix(checks, is_ceiling
				   ? "send less, or raise the channel's ceiling: weft channel "
				     "set CHANNEL tx.ceil= rx.ceil="
				   : "weft channel plan shows who has what: assure it of more, or "
				     "lend it some: weft channel lend");
}

static bool has_mac(const struct model_port *port, const char *mac)
{
	const char *macs = model_option_text(port, "macs");

	return macs != NULL && strcasestr(macs, mac) != NULL;
}

/* It goes somewhere, but not there. */
static void say_astray(const struct passage *passage)
{
	struct why *why = passage->why;
	const struct dp_trace_step *gate = tracing_find(&why->tracing, DP_TRACE_GATE, 0);
	const struct model_port *other =
		gate != NULL ? model_port(why->control->model, port_name(why, gate->port_id))
			     : NULL;
	const char *to = passage->to->port->name;
	char mac[SPEC_MAC_BYTES];

	spec_format_mac(passage->to->mac, mac);
	if (model_option_is(passage->from->port, "isolated", "on") &&
	    model_option_is(passage->to->port, "isolated", "on")) {
		doctor_say(why->checks, "isolated", DOCTOR_FAIL,
			   "%s and %s are both isolated: they exchange no frame",
			   passage->from->port->name, to);
		why_fixes_say(why->checks, DROP_ISOLATED, to, "");
	} else if (model_option_is(passage->to->port, "state", "draining")) {
		doctor_say(why->checks, "state", DOCTOR_FAIL,
			   "%s from %s does not go to %s: its state is draining, which takes no "
			   "floods",
			   passage->what, passage->from->port->name, to);
		why_fixes_say(why->checks, DROP_BLOCKED, to, "");
	} else if (passage->is_broadcast || other == NULL) {
		doctor_say(why->checks, "not-reached", DOCTOR_FAIL, "%s from %s is not sent to %s",
			   passage->what, passage->from->port->name, to);
		doctor_fix(why->checks,
			   "weft port show %s: a state other than active takes no "
			   "floods",
			   to);
	} else {
		bool is_static = has_mac(other, mac);

		doctor_say(why->checks, is_static ? "mac-static" : "mac-elsewhere", DOCTOR_FAIL,
			   "%s, the address of %s, %s port %s: frames for it go there", mac, to,
			   is_static ? "is static at" : "was last heard at", other->name);
		if (is_static)
			doctor_fix(why->checks,
				   "take it out of macs= of port %s, or give %s "
				   "another mac=",
				   other->name, to);
		else
			doctor_fix(why->checks,
				   "two machines have one address, or it has moved: "
				   "weft where %s shows where",
				   mac);
	}
}

/* --- one frame --- */

static bool is_answered(const struct dp_trace_step *step)
{
	return step->reason == DROP_ANSWERED;
}

static bool judge(const struct passage *passage)
{
	struct why *why = passage->why;
	const struct tracing *tracing = &why->tracing;
	uint64_t from = passage->from->port->id, to = passage->to->port->id;
	const struct dp_trace_step *drop = tracing_first(tracing, DP_TRACE_DROP, from, to);
	const struct dp_trace_step *wait = tracing_first(tracing, DP_TRACE_WAIT, from, to);
	bool is_astray = tracing_find(tracing, DP_TRACE_LINK, to) == NULL &&
			 tracing_find(tracing, DP_TRACE_REST, 0) == NULL;

	why->n_frames++;
	if (drop != NULL && !is_answered(drop))
		say_drop(passage, drop);
	else if (drop == NULL && is_astray)
		say_astray(passage);
	else if (wait != NULL)
		say_wait(passage, wait);
	else
		why->n_passed++;
	return why->n_passed == why->n_frames;
}

static bool trace(const struct passage *passage, const uint8_t *bytes, size_t n_bytes)
{
	struct why *why = passage->why;
	struct problem problem;
	int error = tracing_run(why->control, passage->from->port, bytes, n_bytes, &why->tracing,
				&problem);

	if (error < 0) {
		doctor_say(why->checks, "dataplane", DOCTOR_FAIL, "%s", problem.detail);
		doctor_fix(why->checks, "weft status shows more");
		return false;
	}
	json_t *kept = keep(passage);
	bool has_passed = judge(passage);

	json_object_set_new(kept, "arrives", json_boolean(has_passed));
	if (has_passed)
		doctor_say(why->checks, "trace", DOCTOR_OK, "%s from %s to %s would arrive",
			   passage->what, passage->from->port->name, passage->to->port->name);
	return has_passed;
}

/* From a peer nothing is traced: what it sends, its own host knows. */
static bool look_one_way(struct why *why, const struct why_end *from, const struct why_end *to)
{
	unsigned int ip_bytes = why->ip_bytes != 0
					? why->ip_bytes
					: model_segment_mtu(why->control->model, from->segment);
	bool is_arp = from->ip_version == 4 && to->ip_version == 4;
	struct passage passage = {.why = why, .from = from, .to = to, .is_broadcast = true};
	uint8_t bytes[WHY_FRAME_BYTES];
	char what[48];

	if (from->port->kind->place == PORT_PLACE_VNI)
		return true;
	passage.what = is_arp ? "an ARP request" : "a broadcast";
	if (!trace(&passage, bytes, why_frames_question(from, to, bytes)))
		return false;
	if ((to->mac[0] & 1) != 0 || memcmp(to->mac, (uint8_t[6]){0}, 6) == 0)
		return true;
	snprintf(what, sizeof(what), "a packet of %u bytes", ip_bytes);
	passage.what = what;
	passage.is_broadcast = false;
	return trace(&passage, bytes, why_frames_packet(from, to, ip_bytes, bytes));
}

bool why_traces_look(struct why *why)
{
	return look_one_way(why, &why->ends[0], &why->ends[1]) &&
	       look_one_way(why, &why->ends[1], &why->ends[0]);
}
