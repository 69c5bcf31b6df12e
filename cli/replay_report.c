/* SPDX-License-Identifier: BSD-3-Clause */
/* What became of a replay: how exact it was, who got frames, what was dropped and why. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/format.h"
#include "cli/replay.h"

#define NS_PER_US 1000.0
#define NS_PER_S 1e9

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* --- counters --- */

static json_t *port_of(json_t *counters, const char *name)
{
	json_t *port = json_object_get(counters, name);

	if (!port) {
		port = json_pack("{s:i, s:i, s:{}}", "rx_frames", 0, "tx_frames", 0, "drops");
		json_object_set_new(counters, name, port);
	}
	return port;
}

int replay_read_counters(const struct call *call, json_t **counters)
{
	json_t *stats, *drops, *row;
	size_t i;
	int code = call_get(call, "/v1/stats", &stats);

	if (code)
		return code;
	code = call_get(call, "/v1/drops", &drops);
	if (code) {
		json_decref(stats);
		return code;
	}
	*counters = json_object();
	json_array_foreach(json_object_get(stats, "ports"), i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));
		json_t *port = port_of(*counters, name ? name : "");

		json_object_set(port, "rx_frames", json_object_get(row, "rx_frames"));
		json_object_set(port, "tx_frames", json_object_get(row, "tx_frames"));
	}
	json_array_foreach(json_object_get(drops, "drops"), i, row) {
		const char *name = json_string_value(json_object_get(row, "port"));
		const char *reason = json_string_value(json_object_get(row, "reason"));
		json_t *port = port_of(*counters, name ? name : "");

		json_object_set(json_object_get(port, "drops"), reason ? reason : "",
				json_object_get(row, "frames"));
	}
	json_decref(stats);
	json_decref(drops);
	return CALL_DONE;
}

/* What a port counted meanwhile; NULL: nothing. */
static json_t *difference(const char *name, const json_t *before, json_t *after)
{
	json_int_t rx = number(after, "rx_frames") - number(before, "rx_frames");
	json_int_t tx = number(after, "tx_frames") - number(before, "tx_frames");
	json_t *drops = json_object(), *value;
	const char *reason;

	json_object_foreach(json_object_get(after, "drops"), reason, value) {
		json_int_t n = json_integer_value(value) -
			       number(json_object_get(before, "drops"), reason);

		if (n > 0)
			json_object_set_new(drops, reason, json_integer(n));
	}
	if (rx == 0 && tx == 0 && json_object_size(drops) == 0) {
		json_decref(drops);
		return NULL;
	}
	return json_pack("{s:s, s:I, s:I, s:o}", "port", name, "rx_frames", rx, "tx_frames", tx,
			 "drops", drops);
}

static json_t *differences(const struct replay *replay)
{
	json_t *list = json_array(), *after;
	const char *name;

	json_object_foreach(replay->after, name, after) {
		json_t *row = difference(name, json_object_get(replay->before, name), after);

		if (row)
			json_array_append_new(list, row);
	}
	return list;
}

/* --- pacing --- */

static json_t *describe_input(const struct replay *replay, const struct replay_input *input,
			      const json_t *port)
{
	const json_t *errors = json_object_get(port, "gap_error_ns");
	json_int_t frames = number(port, "frames");
	bool is_paced = replay->feed.pace != REPLAY_PACE_MAX;
	/* From when it was to begin: a late beginning that was caught up is no other rate. */
	json_int_t took_ns =
		number(port, "last_ns") - number(port, is_paced ? "first_due_ns" : "first_ns");
	json_int_t due_ns = number(port, "last_due_ns") - number(port, "first_due_ns");
	json_t *row = json_pack(
		"{s:s, s:s, s:I, s:I, s:I, s:f, s:f}", "file", input->path, "port", input->port,
		"packets", (json_int_t)(input->packets * replay->feed.loops), "frames", frames,
		"bytes", number(port, "bytes"), "seconds", (double)took_ns / NS_PER_S, "pps",
		took_ns > 0 ? (double)(frames - 1) * NS_PER_S / (double)took_ns : 0);

	/* Without times there is nothing to be late for. */
	if (!is_paced || due_ns <= 0)
		return row;
	json_object_set_new(row, "gap_error_us",
			    json_pack("{s:f, s:f, s:f}", "p50",
				      (double)number(errors, "p50") / NS_PER_US, "p99",
				      (double)number(errors, "p99") / NS_PER_US, "max",
				      (double)number(errors, "max") / NS_PER_US));
	json_object_set_new(row, "late_max_us",
			    json_real((double)number(port, "late_max_ns") / NS_PER_US));
	json_object_set_new(row, "drift_percent",
			    json_real(100.0 * (double)(took_ns - due_ns) / (double)due_ns));
	return row;
}

/* Frames that were taken, of how many of them it is known what became of them, and what. */
static json_t *describe_fates(const struct replay *replay)
{
	json_int_t frames = 0, known = 0;
	const json_t *port;
	size_t i;

	json_array_foreach(json_object_get(replay->state, "ports"), i, port) {
		frames += number(port, "frames");
		known += number(port, "fated");
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:O}", "frames", frames, "known", known, "unknown",
			 frames - known, "lost_events", number(replay->state, "fates_lost"), "rows",
			 json_object_get(replay->state, "fates"));
}

static json_t *describe(const struct replay *replay)
{
	const json_t *ports = json_object_get(replay->state, "ports");
	json_t *inputs = json_array();
	bool is_whole = replay->taken == replay->feed.packets;

	for (size_t i = 0; i < replay->feed.n_inputs; i++)
		json_array_append_new(inputs, describe_input(replay, &replay->feed.inputs[i],
							     json_array_get(ports, i)));
	return json_pack("{s:s, s:o, s:o, s:o}", "result",
			 replay->is_interrupted && !is_whole ? "interrupted" : "done", "inputs",
			 inputs, "fates", describe_fates(replay), "ports", differences(replay));
}

/* --- printing --- */

static double real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void print_input(FILE *out, const json_t *row)
{
	const json_t *errors = json_object_get(row, "gap_error_us");
	char file[256], port[64];

	snprintf(file, sizeof(file), "%s", json_string_value(json_object_get(row, "file")));
	snprintf(port, sizeof(port), "%s", json_string_value(json_object_get(row, "port")));
	format_clean(file);
	format_clean(port);
	fprintf(out, "%s into %s: %lld of %lld frames in %.3f s, %.0f frames/s\n", file, port,
		(long long)number(row, "frames"), (long long)number(row, "packets"),
		real(row, "seconds"), real(row, "pps"));
	if (errors)
		fprintf(out,
			"  gaps: error p50 %.1f us, p99 %.1f us, max %.1f us; latest %.1f us; "
			"drift %.4f %%\n",
			real(errors, "p50"), real(errors, "p99"), real(errors, "max"),
			real(row, "late_max_us"), real(row, "drift_percent"));
}

static void print_ports(FILE *out, const json_t *ports)
{
	const json_t *row;
	json_t *value;
	const char *reason;
	size_t i;

	json_array_foreach(ports, i, row) {
		char port[64];

		snprintf(port, sizeof(port), "%s", json_string_value(json_object_get(row, "port")));
		format_clean(port);
		fprintf(out, "  port %s: sent %lld, got %lld", port,
			(long long)number(row, "rx_frames"), (long long)number(row, "tx_frames"));
		json_object_foreach(json_object_get(row, "drops"), reason, value)
			fprintf(out, ", dropped %lld (%s)", (long long)json_integer_value(value),
				reason);
		fputc('\n', out);
	}
}

static void print_fates(FILE *out, const json_t *fates)
{
	const json_t *row;
	size_t i;

	fprintf(out, "what became of %lld frames:\n", (long long)number(fates, "frames"));
	json_array_foreach(json_object_get(fates, "rows"), i, row) {
		const char *reason = json_string_value(json_object_get(row, "reason"));
		char port[64];

		snprintf(port, sizeof(port), "%s", json_string_value(json_object_get(row, "port")));
		format_clean(port);
		fprintf(out, "  port %s: %lld %s", port, (long long)number(row, "frames"),
			json_string_value(json_object_get(row, "fate")));
		if (reason && *reason)
			fprintf(out, " (%s)", reason);
		fputc('\n', out);
	}
	if (number(fates, "unknown") != 0)
		fprintf(out, "  not kept: %lld\n", (long long)number(fates, "unknown"));
}

static void print_text(FILE *out, const json_t *report)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(report, "inputs"), i, row)
		print_input(out, row);
	print_fates(out, json_object_get(report, "fates"));
	fprintf(out, "meanwhile, in all:\n");
	print_ports(out, json_object_get(report, "ports"));
}

static int write_report(const struct replay *replay, const json_t *report)
{
	if (!replay->report ||
	    json_dump_file(report, replay->report, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0)
		return CALL_DONE;
	return call_fail(replay->call, CALL_REFUSED, "%s: cannot be written: %s", replay->report,
			 strerror(errno));
}

int replay_report(struct replay *replay)
{
	const struct call *call = replay->call;
	json_t *report = describe(replay);
	bool is_whole = strcmp(json_string_value(json_object_get(report, "result")), "done") == 0;
	int code = write_report(replay, report);

	if (!code && call_is_raw(call))
		code = call_print_raw(call, report);
	else if (!code)
		print_text(call->out, report);
	json_decref(report);
	if (code)
		return code;
	return is_whole ? CALL_DONE
			: call_fail(call, CALL_FALSE, "interrupted: not all frames were sent");
}
