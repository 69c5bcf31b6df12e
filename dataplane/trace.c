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
#include "dataplane/overlay.h"
#include "dataplane/trace_ends.h"
#include "dataplane/trace_text.h"
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

/* As the stages see it, and what only main knows. */
static void take_fact(void *ctx, const struct trace_fact *fact)
{
	struct trace *trace = ctx;
	struct port *port = trace->port;
	struct trace_fact full = *fact;

	if (fact->stage == DP_TRACE_LEARN && fact->word == TRACE_WORD_NEW &&
	    fdb_count_port(trace->copy.dp->fdb, port->index) >= port->max_macs) {
		full.verdict = DP_TRACE_NOTE;
		full.word = TRACE_WORD_LIMIT;
		full.value = fdb_count_port(trace->copy.dp->fdb, port->index);
		full.limit = port->max_macs;
	}
	/* Its age would be refreshed, in the real table. */
	if (fact->stage == DP_TRACE_LEARN && fact->word == TRACE_WORD_KNOWN)
		atomic_store(&port->is_teaching, false);
	trace_flush(trace);
	trace_text(trace->real, &full, &trace->step);
}

/* The receivers get copies; those for which there is no room are taken off. */
static void copy_receivers(struct trace *trace)
{
	struct forward_lists *lists = &trace->copy.worker->lists;
	unsigned int n = lists->n_touched;

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
}

static void note(struct carry_observer *observer, enum dp_trace_stage stage, struct port *port,
		 struct burst *burst)
{
	struct trace *trace = (struct trace *)observer;
	const struct frame *frame = &burst->frames[0];
	const struct dataplane *dp = trace->copy.dp;

	trace->port = port;
	trace_view_note(&trace->view, stage, port, burst);
	if (stage == DP_TRACE_CLASSIFY) {
		trace->segment = atomic_load(&dp->segments[frame->segment]);
		if (frame->drop == DROP_NONE && !trace_copy_segment(&trace->copy, frame->segment))
			trace->error = -ENOMEM;
	}
	if (stage != DP_TRACE_SPREAD)
		return;
	if (frame->drop == DROP_NONE)
		trace_view_spread(&trace->view, frame, trace->copy.worker->lists.n_touched);
	copy_receivers(trace);
	trace->frame = *frame;
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

/* Who comes out of a tunnel is its peer, of which there must be a copy. */
static int copy_sender(struct trace *trace, const struct frame *frame)
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
	return trace_copy_port(&trace->copy, index) != NULL ? 0 : -ENOMEM;
}

static int carry(struct trace *trace, const struct dp_trace *request, uint16_t index)
{
	struct burst *burst = trace->copy.worker->burst;

	trace->port = trace_copy_port(&trace->copy, index);
	if (trace->port == NULL)
		return -ENOMEM;
	fill_burst(trace, request, burst);
	int error = copy_sender(trace, &burst->frames[0]);

	if (error < 0)
		return error;
	trace_ends_sender(trace, &burst->frames[0]);
	trace->view = (struct trace_view){.dp = trace->copy.dp,
					  .fn = take_fact,
					  .ctx = trace,
					  .port = trace->port,
					  .now_s = trace->now_s};
	carry_observed(trace->copy.worker, trace->port, burst, false, &trace->observer);
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
	struct trace trace = {.observer = {.note = note},
			      .real = dp,
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
