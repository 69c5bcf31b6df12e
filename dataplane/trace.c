/* SPDX-License-Identifier: BSD-3-Clause */
/* See trace.h: the recorder. What it says of a frame before and behind the stages, trace_ends.c
 * says. Main thread. */
#include "dataplane/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/carry.h"
#include "dataplane/guard.h"
#include "dataplane/overlay.h"
#include "dataplane/trace_ends.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"
#include "vxlan/vxlan_decap.h"

/* --- steps --- */

struct dp_trace_step *trace_say(struct trace *trace, enum dp_trace_stage stage,
				enum dp_trace_verdict verdict, const char *format, ...)
{
	struct dp_trace_step *step = &trace->step;
	va_list args;

	trace_flush(trace);
	*step = (struct dp_trace_step){
		.port_id = trace->port != NULL ? trace->port->spec.id : 0,
		.segment_id = trace->segment != NULL ? trace->segment->spec.id : 0,
		.stage = (uint16_t)stage,
		.verdict = (uint8_t)verdict,
	};
	va_start(args, format);
	vsnprintf(step->text, sizeof(step->text), format, args);
	va_end(args);
	return step;
}

void trace_flush(struct trace *trace)
{
	if (trace->step.stage != 0)
		trace->fn(trace->ctx, &trace->step);
	trace->step.stage = 0;
}

void trace_drop(struct trace *trace, enum dp_trace_stage stage, unsigned int reason)
{
	trace_say(trace, stage, DP_TRACE_DROP, "%s", drop_reason_help(reason))->reason =
		(uint8_t)reason;
}

/* --- stages --- */

static void note_decap(struct trace *trace, const struct frame *frame)
{
	if (frame->drop != DROP_NONE)
		trace_drop(trace, DP_TRACE_DECAP, frame->drop);
	else
		trace_say(trace, DP_TRACE_DECAP, DP_TRACE_PASS,
			  "VXLAN of a known peer; the frame inside goes on");
	trace->has_left_tunnel = frame->drop == DROP_NONE;
}

/* From a tunnel, it comes from the peer from here on. */
static void note_classify(struct trace *trace, const struct frame *frame, uint32_t stripped_bytes)
{
	const struct dataplane *dp = trace->copy.dp;

	if (trace->has_left_tunnel && trace->peer != NULL)
		trace->port = trace->peer;
	if (frame->segment != 0)
		trace->segment = atomic_load(&dp->segments[frame->segment]);
	if (frame->drop != DROP_NONE) {
		struct dp_trace_step *step;

		trace_drop(trace, DP_TRACE_CLASSIFY, frame->drop);
		step = &trace->step;
		if (frame->drop == DROP_TOO_BIG && trace->segment != NULL) {
			step->value = frame->len;
			step->limit = atomic_load(&trace->segment->max_frame_bytes);
			snprintf(step->text, sizeof(step->text),
				 "an IP packet of %u bytes; segment %s has an MTU of %u",
				 frame->len - (uint32_t)ETH_HLEN, trace->segment->spec.name,
				 trace->segment->spec.mtu);
		}
		return;
	}
	trace_say(trace, DP_TRACE_CLASSIFY, DP_TRACE_PASS, "segment %s%s%s",
		  trace->segment != NULL ? trace->segment->spec.name : "none",
		  stripped_bytes != 0 ? ", tag taken off" : "",
		  frame->has_tag ? ", a tag stays as payload" : "");
}

static void list_guards(uint16_t guards, char *text, size_t bytes)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {{DP_GUARD_MAC, "mac"},
		     {DP_GUARD_IP, "ip"},
		     {DP_GUARD_ARP, "arp"},
		     {DP_GUARD_DHCP, "dhcp"},
		     {DP_GUARD_RA, "ra"}};
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((guards & names[i].bit) != 0 && len < bytes)
			len += (size_t)snprintf(text + len, bytes - len, "%s%s",
						len != 0 ? ", " : "", names[i].name);
	}
}

static void note_guard(struct trace *trace, const struct frame *frame)
{
	const struct guard *guard = atomic_load(&trace->port->guard);
	uint16_t guards = trace->segment != NULL ? atomic_load(&trace->segment->guards) : 0;
	char names[48];

	if (frame->drop != DROP_NONE) {
		trace_drop(trace, DP_TRACE_GUARD, frame->drop);
		return;
	}
	list_guards((uint16_t)((guards & ~guard->off) | guard->on), names, sizeof(names));
	trace_say(trace, DP_TRACE_GUARD, DP_TRACE_PASS, "%s%s",
		  names[0] != '\0' ? "nothing against it; on are: " : "none is on", names);
}

/* Before the stage itself: a source that is known here would have its age refreshed, in the real
 * table. So the copy of the port does not teach then. */
static void note_learn(struct trace *trace, const struct frame *frame)
{
	struct port *port = trace->port;
	struct fdb *fdb = trace->copy.dp->fdb;
	uint16_t owner = fdb_owner(fdb, frame->src_key);
	const struct port *other = atomic_load(&trace->copy.dp->ports[owner]);
	uint32_t limit = port->max_macs, count = fdb_count_port(fdb, port->index);

	if (!atomic_load(&port->is_teaching) || atomic_load(&port->state) != PORT_STATE_ACTIVE) {
		trace_say(trace, DP_TRACE_LEARN, DP_TRACE_PASS, "nothing is learned of this port");
		return;
	}
	if (owner == port->index) {
		atomic_store(&port->is_teaching, false);
		trace_say(trace, DP_TRACE_LEARN, DP_TRACE_PASS, "its sender is known here");
	} else if (owner != FDB_NO_PORT && other != NULL) {
		/* Of an entry of another port this reads only. */
		bool is_static = fdb_refresh(fdb, frame->src_key, port->index, trace->now_s);

		trace_say(trace, DP_TRACE_LEARN, DP_TRACE_NOTE,
			  is_static ? "its sender's address is static at port %s, and stays there: "
				      "answers go there"
				    : "its sender was last seen at port %s, and would move here",
			  other->spec.name);
	} else if (count >= limit) {
		struct dp_trace_step *step = trace_say(
			trace, DP_TRACE_LEARN, DP_TRACE_NOTE,
			"a new address, and the port has %u of %u: its oldest goes", count, limit);

		step->value = count;
		step->limit = limit;
	} else {
		trace_say(trace, DP_TRACE_LEARN, DP_TRACE_PASS,
			  "its sender is new here, and would be learned");
	}
}

static void note_answer(struct trace *trace, const struct frame *frame)
{
	if (frame->drop == DROP_ANSWERED)
		trace_drop(trace, DP_TRACE_ANSWER, frame->drop);
	else if (frame->drop == DROP_TOO_BIG)
		trace_say(trace, DP_TRACE_ANSWER, DP_TRACE_NOTE,
			  "its sender is told by ICMP, if it is IP");
}

static void note_lookup(struct trace *trace, const struct frame *frame)
{
	if (frame->drop != DROP_NONE) {
		trace_drop(trace, DP_TRACE_LOOKUP, frame->drop);
		return;
	}
	const struct port *out = frame->out != FRAME_OUT_FLOOD
					 ? atomic_load(&trace->copy.dp->ports[frame->out])
					 : NULL;

	if (out != NULL)
		trace_say(trace, DP_TRACE_LOOKUP, DP_TRACE_PASS, "the address is at port %s",
			  out->spec.name);
	else
		trace_say(trace, DP_TRACE_LOOKUP,
			  (frame->head[0] & 1) != 0 ? DP_TRACE_PASS : DP_TRACE_NOTE,
			  (frame->head[0] & 1) != 0 ? "to a group: to be flooded"
						    : "nobody has the address: to be flooded");
}

static void note_storm(struct trace *trace, const struct frame *frame)
{
	if (frame->drop != DROP_NONE)
		trace_drop(trace, DP_TRACE_STORM, frame->drop);
	else if (frame->out == FRAME_OUT_FLOOD)
		trace_say(trace, DP_TRACE_STORM, DP_TRACE_PASS, "floods are within their rates");
}

/* The receivers get copies; those for which there is no room are taken off. */
static void note_spread(struct trace *trace, const struct frame *frame)
{
	struct forward_lists *lists = &trace->copy.worker->lists;
	unsigned int n = lists->n_touched;

	if (frame->drop != DROP_NONE)
		trace_drop(trace, DP_TRACE_SPREAD, frame->drop);
	else if (frame->out == FRAME_OUT_FLOOD)
		trace_say(trace, DP_TRACE_SPREAD, DP_TRACE_PASS, "to %u port%s of the segment", n,
			  n == 1 ? "" : "s")
			->value = n;
	for (unsigned int i = 0; i < n; i++) {
		uint16_t index = lists->touched[i];

		if (trace->n_receivers < TRACE_RECEIVERS_MAX &&
		    trace_copy_port(&trace->copy, index) != NULL) {
			trace->receivers[trace->n_receivers++] = index;
		} else {
			lists->egress[index].n = 0;
			trace->n_rest++;
		}
	}
	lists->n_touched = trace->n_receivers;
	trace->frame = *frame;
}

/* A stage after the one that has dropped it has nothing to say. */
void trace_note(struct trace *trace, enum dp_trace_stage stage, struct burst *burst)
{
	const struct frame *frame = &burst->frames[0];

	if (burst->n == 0 || trace->is_over)
		return;
	switch (stage) {
	case DP_TRACE_DECAP:
		note_decap(trace, frame);
		break;
	case DP_TRACE_CLASSIFY:
		note_classify(trace, frame, burst->stripped_bytes);
		if (frame->drop == DROP_NONE && !trace_copy_segment(&trace->copy, frame->segment))
			trace->error = -ENOMEM;
		/* Its sender may be told of it yet: is_over waits for that. */
		if (frame->drop == DROP_TOO_BIG)
			return;
		break;
	case DP_TRACE_GUARD:
		if (frame->drop == DROP_TOO_BIG)
			return;
		note_guard(trace, frame);
		if (frame->drop == DROP_NONE)
			note_learn(trace, frame);
		break;
	case DP_TRACE_ANSWER:
		note_answer(trace, frame);
		break;
	case DP_TRACE_LOOKUP:
		note_lookup(trace, frame);
		break;
	case DP_TRACE_STORM:
		note_storm(trace, frame);
		break;
	default:
		note_spread(trace, frame);
		break;
	}
	trace->is_over = frame->drop != DROP_NONE;
}

/* --- the run --- */

/* As a port would have taken it: the first bytes in the head, the rest behind it. */
static void fill_burst(struct trace *trace, const struct dp_trace *request, struct burst *burst)
{
	struct frame *frame = &burst->frames[0];

	memset(frame, 0, sizeof(*frame));
	frame->len = request->n_bytes;
	frame->head_len = (uint16_t)(frame->len < FRAME_HEAD_BYTES ? frame->len : FRAME_HEAD_BYTES);
	memcpy(frame->head, request->bytes, frame->head_len);
	frame->vnet.num_buffers = htole16(1);
	if (frame->len > FRAME_HEAD_BYTES) {
		burst->pieces[0] = (struct iovec){
			.iov_base = (void *)(uintptr_t)(request->bytes + FRAME_HEAD_BYTES),
			.iov_len = frame->len - FRAME_HEAD_BYTES,
		};
		frame->iov = burst->pieces;
		frame->n_iov = 1;
	}
	burst->n = 1;
	burst->n_pieces = frame->n_iov;
	burst->now_s = trace->now_s;
	burst->now_ns = trace->now_ns;
	burst->attention = false;
}

/* Who comes out of a tunnel is its peer, and it is the one whose copies change. */
static int find_sender(struct trace *trace, const struct frame *frame)
{
	const struct dataplane *dp = trace->copy.dp;
	const struct overlay *overlay = atomic_load(&dp->overlay);
	const struct overlay_underlay *underlay =
		overlay != NULL && trace->port->type->send != NULL
			? overlay_underlay(overlay, trace->port->index)
			: NULL;
	struct vxlan_outer outer;

	if (underlay == NULL || vxlan_decap(frame->head, frame->head_len, frame->len,
					    &underlay->rules, &outer) != VXLAN_DECAP_OK)
		return 0;
	uint16_t index = overlay_peer(overlay, outer.ip_version, outer.src_ip);

	if (index == 0 || atomic_load(&dp->ports[index]) == NULL)
		return 0;
	trace->peer = trace_copy_port(&trace->copy, index);
	return trace->peer != NULL ? 0 : -ENOMEM;
}

static int carry(struct trace *trace, const struct dp_trace *request, uint16_t index)
{
	struct burst *burst = trace->copy.worker->burst;

	trace->port = trace_copy_port(&trace->copy, index);
	if (trace->port == NULL)
		return -ENOMEM;
	fill_burst(trace, request, burst);
	int error = find_sender(trace, &burst->frames[0]);

	if (error < 0)
		return error;
	trace_ends_sender(trace, &burst->frames[0]);
	carry_traced(trace->copy.worker, trace->port, burst, trace);
	for (unsigned int i = 0; i < trace->n_receivers; i++)
		trace_ends_receiver(trace, trace->receivers[i]);
	if (trace->n_rest != 0)
		trace_say(trace, DP_TRACE_REST, DP_TRACE_NOTE,
			  "and %u more ports, which are not followed", trace->n_rest)
			->value = trace->n_rest;
	trace_flush(trace);
	return trace->error;
}

int trace_run(struct dataplane *dp, const struct dp_trace *request, uint64_t now_ns,
	      trace_step_fn fn, void *ctx, char why[DP_TEXT_BYTES])
{
	const struct port *port = port_find(dp, request->port_id);
	struct trace trace = {.real = dp,
			      .now_ns = now_ns,
			      .now_s = (uint32_t)(now_ns / 1000000000ULL),
			      .fn = fn,
			      .ctx = ctx};
	int error = -ENOENT;

	snprintf(why, DP_TEXT_BYTES, "there is no such port");
	if (port == NULL)
		return error;
	snprintf(why, DP_TEXT_BYTES, "a frame has 1 to %u bytes", DP_TRACE_BYTES);
	if (request->n_bytes == 0 || request->n_bytes > DP_TRACE_BYTES)
		return -EINVAL;
	snprintf(why, DP_TEXT_BYTES, "a peer sends nothing by itself: trace what its uplink gets");
	if (port->is_peer)
		return -EINVAL;
	error = trace_copy_init(&trace.copy, dp);
	snprintf(why, DP_TEXT_BYTES, "out of memory");
	if (error < 0)
		return error;
	error = carry(&trace, request, port->index);
	trace_copy_fini(&trace.copy);
	if (error == 0)
		why[0] = '\0';
	return error;
}
