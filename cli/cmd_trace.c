/* SPDX-License-Identifier: BSD-3-Clause */
/* weft trace: frames through the tables of the dataplane, stage by stage. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture_file.h"
#include "cli/call.h"
#include "cli/cmds.h"

#define PACKETS_MAX 1000
#define PACKET_BYTES_MAX 9600 /* what weftd takes */

struct traces {
	const struct call *call;
	json_t *answers;
	unsigned int n, n_lost;
	unsigned int n_cut; /* longer than weftd takes */
};

void cmd_trace_print(FILE *out, const json_t *steps)
{
	static const char *const keys[] = {"verdict", "stage", "port", "reason", "detail"};
	const json_t *step;
	size_t i;

	json_array_foreach(steps, i, step) {
		char cells[5][PRINT_CELL_BYTES];
		bool has_reason = json_string_length(json_object_get(step, "reason")) != 0;

		for (size_t k = 0; k < 5; k++)
			print_cell_plain(json_object_get(step, keys[k]), cells[k],
					 sizeof(cells[k]));
		fprintf(out, "%-4s  %-10s  %-12s  %s%s%s\n", cells[0], cells[1], cells[2],
			has_reason ? cells[3] : "", has_reason ? ": " : "", cells[4]);
	}
}

static int ask(const struct traces *traces, const char *hex, json_t **answer)
{
	char path[CLIENT_PATH_BYTES];
	json_t *body = json_pack("{s:s}", "frame", hex);
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	int code = call_name_path(traces->call, path, "/v1/ports", traces->call->words[0]);

	json_decref(body);
	if (!code && client_path_add(path, "/trace"))
		code = call_usage(traces->call, "the name is too long");
	if (!code && !text)
		code = call_usage(traces->call, "--frame: say pairs of hex digits");
	if (!code)
		code = call_ask_patiently(traces->call,
					  &(struct client_request){.method = "POST",
								   .path = path,
								   .body = text,
								   .body_bytes = strlen(text)},
					  answer);
	free(text);
	return code;
}

static int trace(struct traces *traces, const char *hex)
{
	const struct call *call = traces->call;
	json_t *answer;
	int code = ask(traces, hex, &answer);

	if (code)
		return code;
	traces->n++;
	traces->n_lost += json_integer_value(json_object_get(answer, "receivers")) == 0;
	if (!call_is_raw(call) && call->args->pcap)
		fprintf(call->out, "packet %u, %lld bytes\n", traces->n,
			json_integer_value(json_object_get(answer, "bytes")));
	if (!call_is_raw(call))
		cmd_trace_print(call->out, json_object_get(answer, "steps"));
	json_array_append_new(traces->answers, answer);
	return CALL_DONE;
}

static int trace_packet(struct traces *traces, const struct capture_packet *packet)
{
	char hex[2 * PACKET_BYTES_MAX + 1] = "";
	uint32_t n = packet->len < PACKET_BYTES_MAX ? packet->len : PACKET_BYTES_MAX;

	traces->n_cut += packet->len > n;
	for (uint32_t i = 0; i < n; i++)
		snprintf(hex + 2 * (size_t)i, 3, "%02x", packet->bytes[i]);
	return trace(traces, hex);
}

static int trace_packets(struct traces *traces, struct capture_file *file)
{
	const struct call *call = traces->call;
	struct capture_packet packet;
	int got, code = CALL_DONE;

	while (!code && traces->n < PACKETS_MAX && (got = capture_file_next(file, &packet)) != 0) {
		const struct capture_interface *interface =
			got > 0 ? capture_file_interface(file, packet.interface) : NULL;

		if (got < 0)
			return call_fail(call, CALL_REFUSED, "%.80s: %s", call->args->pcap,
					 capture_file_why(file));
		if (interface && interface->link != CAPTURE_LINK_ETHERNET)
			return call_fail(call, CALL_REFUSED,
					 "%.80s: its packets are %s; only Ethernet can be traced",
					 call->args->pcap, capture_link_name(interface->link));
		code = trace_packet(traces, &packet);
	}
	return code;
}

/* A capture may be longer than a person reads: what was left out is said, and is no failure. */
static void report_left_out(const struct traces *traces, struct capture_file *file)
{
	const struct call *call = traces->call;
	struct capture_packet packet;

	if (traces->n_cut)
		fprintf(call->err, "%u packets were traced by their first %u bytes only\n",
			traces->n_cut, PACKET_BYTES_MAX);
	if (traces->n == PACKETS_MAX && capture_file_next(file, &packet) != 0)
		fprintf(call->err, "only the first %u packets were traced; there are more\n",
			PACKETS_MAX);
}

static int trace_file(struct traces *traces)
{
	const struct call *call = traces->call;
	struct capture_file *file;
	int error = capture_file_open(call->args->pcap, &file);

	if (error < 0)
		return call_fail(call, CALL_REFUSED, "%.80s: %s", call->args->pcap,
				 strerror(-error));
	int code = trace_packets(traces, file);

	if (!code)
		report_left_out(traces, file);
	capture_file_close(file);
	return code;
}

int cmd_trace_run(const struct call *call)
{
	if (call->args->next)
		return cmd_trace_next(call);
	struct traces traces = {.call = call, .answers = json_array()};
	int code = call->args->frame ? trace(&traces, call->args->frame) : trace_file(&traces);

	if (!code && call_is_raw(call))
		code = call_print_raw(call, call->args->frame ? json_array_get(traces.answers, 0)
							      : traces.answers);
	json_decref(traces.answers);
	return code ? code : traces.n_lost != 0 ? CALL_FALSE : CALL_DONE;
}
