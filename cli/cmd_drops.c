/* SPDX-License-Identifier: BSD-3-Clause */
/* weft drops: how many frames were dropped, or the last of them themselves. */
#include "cli/cmds.h"

#include <errno.h>
#include <string.h>

#include "capture/capture_writer.h"
#include "cli/call.h"

#define HEAD_BYTES_MAX 128

static const struct print_column columns[] = {
	{.key = "time", .heading = "TIME"},
	{.key = "reason", .heading = "REASON"},
	{.key = "segment", .heading = "SEGMENT", .rare = true},
	{.key = "bytes", .heading = "BYTES", .right = true},
	{.key = "from", .heading = "FROM"},
	{.key = "to", .heading = "TO"},
	{.key = "ethertype", .heading = "TYPE"},
};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The first bytes of a frame, as far as they are there. */
static size_t read_head(const json_t *frame, uint8_t head[HEAD_BYTES_MAX])
{
	const char *text = json_string_value(json_object_get(frame, "head"));
	size_t n = 0;

	while (text && n < HEAD_BYTES_MAX && digit(text[0]) >= 0 && digit(text[1]) >= 0) {
		head[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
	return n;
}

static void set_mac(json_t *frame, const char *key, const uint8_t *mac)
{
	json_object_set_new(frame, key,
			    json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
					 mac[3], mac[4], mac[5]));
}

/* What people look for first, from the head. */
static void explain(json_t *frame)
{
	uint8_t head[HEAD_BYTES_MAX];

	if (read_head(frame, head) < 14)
		return;
	set_mac(frame, "to", head);
	set_mac(frame, "from", head + 6);
	json_object_set_new(frame, "ethertype", json_sprintf("%02x%02x", head[12], head[13]));
}

static int print_frames(const struct call *call, json_t *answer)
{
	json_t *frame;
	size_t i;

	if (!call_is_raw(call)) {
		json_array_foreach(json_object_get(answer, "frames"), i, frame)
			explain(frame);
	}
	return call_print_rows(call, answer, "frames", columns,
			       sizeof(columns) / sizeof(columns[0]));
}

static int put_bytes(void *ctx, const void *bytes, size_t n)
{
	return n && fwrite(bytes, n, 1, ctx) != 1 ? -EIO : 0;
}

static int put_frame(struct capture_writer *writer, const json_t *frame)
{
	uint8_t head[HEAD_BYTES_MAX];
	json_int_t bytes = json_integer_value(json_object_get(frame, "bytes"));
	struct capture_packet packet = {
		.time_ns = (uint64_t)json_integer_value(json_object_get(frame, "time_ns")),
		.len = (uint32_t)read_head(frame, head),
		.bytes = head,
		.comment = json_string_value(json_object_get(frame, "reason")),
	};

	packet.wire_len = bytes > packet.len ? (uint32_t)bytes : packet.len;
	return capture_writer_put(writer, &packet);
}

static int put_all(FILE *file, const char *port, const json_t *frames)
{
	struct capture_interface interface = {.link = CAPTURE_LINK_ETHERNET,
					      .snaplen = HEAD_BYTES_MAX};
	struct capture_writer writer;
	const json_t *frame;
	size_t i;
	int err = capture_writer_begin(&writer, CAPTURE_PCAPNG, put_bytes, file);

	snprintf(interface.name, sizeof(interface.name), "%s", port);
	if (!err)
		err = capture_writer_add_interface(&writer, &interface);
	json_array_foreach(frames, i, frame) {
		if (!err)
			err = put_frame(&writer, frame);
	}
	return err;
}

static int write_frames(const struct call *call, const json_t *frames)
{
	const char *path = call->args->write;
	bool is_standard = strcmp(path, "-") == 0;
	FILE *file = is_standard ? call->out : fopen(path, "we");
	int err;

	if (!file)
		return call_fail(call, CALL_REFUSED, "%s: %s", path, strerror(errno));
	err = put_all(file, call->words[0], frames);
	if ((is_standard ? fflush(file) : fclose(file)) && !err)
		err = -errno;
	if (err)
		return call_fail(call, CALL_REFUSED, "%s: %s", path, strerror(-err));
	return CALL_DONE;
}

int cmd_drops_run(const struct call *call)
{
	char path[CLIENT_PATH_BYTES];
	json_t *answer;
	int code;

	if (!call->args->frames && !call->args->write)
		return cmd_stats_drops(call);
	if (call->n_words == 0)
		return call_usage(call, "say of which port");
	code = call_name_path(call, path, "/v1/ports", call->words[0]);
	if (!code && client_path_add(path, "/drops"))
		code = call_usage(call, "the name is too long");
	if (!code)
		code = call_get(call, path, &answer);
	if (code)
		return code;
	if (call->args->write)
		code = write_frames(call, json_object_get(answer, "frames"));
	else
		code = print_frames(call, answer);
	json_decref(answer);
	return code;
}
