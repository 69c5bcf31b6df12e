/* SPDX-License-Identifier: BSD-3-Clause */
/* See recording.h. */
#include "control/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture_writer.h"
#include "control/api.h"
#include "control/fastpath.h"
#include "control/http.h"
#include "control/places.h"
#include "control/problem.h"
#include "control/table.h"
#include "dataplane/api/drop_reasons.h"
#include "dataplane/api/record.h"
#include "dataplane/base/loop.h"

#define NS_PER_S 1000000000ULL
#define COUNTS_NS (NS_PER_S / 2)
#define TURN_MS 5		    /* how long frames wait in the rings, at most */
#define OUT_BYTES (256u << 10)	    /* made at once; */
#define BLOCK_BYTES_MAX (68u << 10) /* a frame and what stands around it */

struct recording {
	struct control *control;
	struct recording *next;
	struct recording_spec spec;
	uint64_t dp_id;
	int fd;
	struct record_map map;
	struct record_reader readers[RECORD_RINGS_MAX];
	struct capture_writer writer;
	struct table interfaces; /* port id -> interface */
	uint64_t epoch;		 /* of the dataplane */
	uint64_t wall_ns;	 /* what is added to the dataplane's time */
	uint64_t begun_ns, counts_ns;
	uint64_t written;
	bool is_closed; /* in the dataplane */
	bool is_cut;	/* by the dataplane's end */
	bool is_last;	/* the last block is in `out` */
	int fault;	/* -errno: it cannot go on */
	size_t out_at, out_end;
	uint8_t out[OUT_BYTES];
};

static uint64_t wall_offset_ns(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (uint64_t)wall.tv_sec * NS_PER_S + (uint64_t)wall.tv_nsec - loop_clock_ns();
}

/* --- making blocks --- */

/* The sink of the writer. There is room: fill() looks before. */
static int take_bytes(void *ctx, const void *bytes, size_t n)
{
	struct recording *recording = ctx;

	if (n > sizeof(recording->out) - recording->out_end)
		return -ENOBUFS;
	if (n != 0)
		memcpy(recording->out + recording->out_end, bytes, n);
	recording->out_end += n;
	return 0;
}

static int add_interface(struct recording *recording, const char *name, uint64_t port_id)
{
	struct capture_interface interface = {.link = CAPTURE_LINK_ETHERNET,
					      .snaplen = recording->spec.open.snaplen};
	uint32_t index = recording->writer.n_interfaces;

	snprintf(interface.name, sizeof(interface.name), "%s", name);
	int error = capture_writer_add_interface(&recording->writer, &interface);

	if (error == 0 && port_id != 0)
		error = table_put(&recording->interfaces,
				  (struct table_row){.id = port_id, .digest = index});
	return error < 0 ? error : (int)index;
}

static const char *port_name(const struct control *control, uint64_t id)
{
	const struct model_port *port = places_find_port(control->model, id);

	return port != NULL ? port->name : "(gone)";
}

/* Of a port. -errno. */
static int interface_of(struct recording *recording, uint64_t port_id)
{
	const struct table_row *row = table_find(&recording->interfaces, port_id);

	if (row != NULL)
		return (int)row->digest;
	return add_interface(recording, port_name(recording->control, port_id), port_id);
}

/* "mac-spoof" and the segment, where it is known. */
static void describe_drop(const struct recording *recording, const struct record *record,
			  char *text, size_t text_bytes)
{
	const struct model *model = recording->control->model;
	const char *reason =
		record->reason < DROP_COUNT ? drop_reason_name(record->reason) : "unknown";

	snprintf(text, text_bytes, "%s", reason);
	for (size_t i = 0; i < model->n_segments && record->segment_id != 0; i++) {
		if (model->segments[i]->id == record->segment_id)
			snprintf(text, text_bytes, "%s (segment %s)", reason,
				 model->segments[i]->name);
	}
}

static int put_record(struct recording *recording, const struct record *record,
		      const uint8_t *bytes)
{
	char comment[CAPTURE_COMMENT_BYTES] = "";
	int interface = interface_of(recording, record->port_id);
	struct capture_packet packet = {
		.time_ns = record->time_ns + recording->wall_ns,
		.len = record->len,
		.wire_len = record->wire_len > record->len ? record->wire_len : record->len,
		.interface = (uint32_t)interface,
		.direction = record->way == RECORD_RX	? CAPTURE_DIRECTION_IN
			     : record->way == RECORD_TX ? CAPTURE_DIRECTION_OUT
							: CAPTURE_DIRECTION_UNKNOWN,
		.bytes = bytes,
	};

	if (interface < 0)
		return interface;
	if (record->way == RECORD_DROP) {
		describe_drop(recording, record, comment, sizeof(comment));
		packet.comment = comment;
	}
	recording->written++;
	return capture_writer_put(&recording->writer, &packet);
}

static uint64_t count_lost(const struct recording *recording)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i < recording->map.n_rings; i++)
		lost += record_reader_lost(&recording->readers[i]);
	return lost;
}

static int put_counts(struct recording *recording, uint64_t now_ns)
{
	uint64_t lost = count_lost(recording);

	recording->counts_ns = now_ns;
	return capture_writer_put_counts(&recording->writer, 0, now_ns + recording->wall_ns,
					 recording->written + lost, lost);
}

/* The oldest record of all rings. 1, 0: there is none, -errno. */
static int put_oldest(struct recording *recording)
{
	struct record record, oldest = {.time_ns = UINT64_MAX};
	const uint8_t *bytes, *oldest_bytes = NULL;
	struct record_reader *from = NULL;

	for (uint32_t i = 0; i < recording->map.n_rings; i++) {
		int n = record_reader_next(&recording->readers[i], &record, &bytes);

		if (n < 0)
			return n;
		if (n == 0 || (from != NULL && record.time_ns >= oldest.time_ns))
			continue;
		from = &recording->readers[i];
		oldest = record;
		oldest_bytes = bytes;
	}
	if (from == NULL)
		return 0;
	if (oldest.len > CAPTURE_PACKET_BYTES_MAX)
		return -EBADMSG;
	int error = put_record(recording, &oldest, oldest_bytes);

	record_reader_take(from, &oldest);
	return error < 0 ? error : 1;
}

/* --- its life --- */

static void close_in_dataplane(struct recording *recording)
{
	struct dp_object object = {.id = recording->dp_id};
	struct problem problem = {0};

	if (recording->is_closed)
		return;
	recording->is_closed = true;
	if (record_is_ended(&recording->map))
		return;
	/* Without an answer the dataplane has gone, and the capture with it. */
	if (fastpath_ask(recording->control->fastpath, DP_CAPTURE_CLOSE, &object, sizeof(object),
			 NULL, NULL, &problem) < 0)
		problem_fini(&problem);
}

/* Is there no dataplane any more that could write? */
static bool is_left_alone(const struct recording *recording)
{
	const struct dp_welcome *welcome = fastpath_welcome(recording->control->fastpath);

	return record_is_ended(&recording->map) || welcome == NULL ||
	       welcome->epoch != recording->epoch;
}

static bool has_enough(const struct recording *recording)
{
	return recording->spec.max_frames != 0 && recording->written >= recording->spec.max_frames;
}

static bool is_due(const struct recording *recording, uint64_t now_ns)
{
	return has_enough(recording) || (recording->spec.max_ns != 0 &&
					 now_ns - recording->begun_ns >= recording->spec.max_ns);
}

/* Makes as many blocks as there is something for. */
static int fill(struct recording *recording)
{
	uint64_t now_ns = loop_clock_ns();
	int n = 1, error = 0;

	recording->out_at = recording->out_end = 0;
	if (!recording->is_closed) {
		bool is_at_its_end = is_due(recording, now_ns);

		recording->is_cut = !is_at_its_end && is_left_alone(recording);
		if (is_at_its_end || recording->is_cut)
			close_in_dataplane(recording);
	}
	while (n > 0 && !has_enough(recording) &&
	       recording->out_end + 2 * BLOCK_BYTES_MAX < sizeof(recording->out))
		n = put_oldest(recording);
	if (n < 0)
		return n;
	/* Closed, and nothing is left: the last word. */
	recording->is_last = recording->is_closed && (n == 0 || has_enough(recording));
	if (recording->is_last || now_ns - recording->counts_ns >= COUNTS_NS)
		error = put_counts(recording, now_ns);
	return error;
}

static int read_recording(void *ctx, char *buffer, size_t buffer_bytes)
{
	struct recording *recording = ctx;

	if (recording->out_at == recording->out_end && !recording->is_last)
		recording->fault = fill(recording);
	size_t n = recording->out_end - recording->out_at;

	if (recording->fault < 0)
		return recording->fault;
	/* What was in the rings when the dataplane ended may have been all that was asked for. */
	if (n == 0 && recording->is_last)
		return recording->is_cut && !has_enough(recording) ? -EPIPE : -ENODATA;
	n = n < buffer_bytes ? n : buffer_bytes;
	memcpy(buffer, recording->out + recording->out_at, n);
	recording->out_at += n;
	return (int)n;
}

static void free_recording(struct recording *recording)
{
	record_close(&recording->map);
	if (recording->fd >= 0)
		close(recording->fd);
	table_fini(&recording->interfaces);
	free(recording);
}

static void close_recording(void *ctx)
{
	struct recording *recording = ctx;
	struct recording **link = &recording->control->recordings;

	while (*link != recording)
		link = &(*link)->next;
	*link = recording->next;
	close_in_dataplane(recording);
	free_recording(recording);
}

static void take_memory(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct recording *recording = ctx;

	if (message->type != DP_CAPTURE || n_fds != 1 || recording->fd >= 0)
		return;
	recording->dp_id = ((const struct dp_object *)message)->id;
	recording->fd = fds[0];
	fds[0] = -1;
}

static int begin(struct recording *recording)
{
	int error = recording->fd >= 0 ? record_open(recording->fd, &recording->map) : -EBADMSG;

	if (error == 0)
		error = record_protect(&recording->map);
	for (uint32_t i = 0; error == 0 && i < recording->map.n_rings; i++)
		record_reader_begin(&recording->readers[i], &recording->map, i);
	if (error == 0)
		error = capture_writer_begin(&recording->writer, CAPTURE_PCAPNG, take_bytes,
					     recording);
	if (error == 0)
		error = add_interface(recording, recording->spec.interface,
				      recording->spec.interface_port_id);
	return error < 0 ? error : 0;
}

static int open_in_dataplane(struct recording *recording, struct problem *problem)
{
	struct dp_capture_open *open = &recording->spec.open;
	struct fastpath *fastpath = recording->control->fastpath;
	int error = fastpath_ask(fastpath, DP_CAPTURE_OPEN, open, sizeof(*open), take_memory,
				 recording, problem);

	if (error == -EBUSY)
		return problem_set(problem, error, 503, "captures-many",
				   "%d captures run already; weft capture list shows them",
				   DP_CAPTURES_MAX);
	if (error < 0)
		return error;
	recording->epoch = fastpath_welcome(fastpath)->epoch;
	error = begin(recording);
	if (error < 0) {
		if (recording->map.header != NULL)
			close_in_dataplane(recording);
		return problem_system(problem, error, "reading the dataplane's captures");
	}
	return 0;
}

int recording_open(struct control *control, const struct recording_spec *spec,
		   struct http_stream *stream, struct problem *problem)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (recording == NULL)
		return problem_system(problem, -ENOMEM, "answering");
	recording->control = control;
	recording->fd = -1;
	recording->spec = *spec;
	recording->wall_ns = wall_offset_ns();
	recording->begun_ns = recording->counts_ns = loop_clock_ns();
	int error = open_in_dataplane(recording, problem);

	if (error < 0) {
		free_recording(recording);
		return error;
	}
	recording->next = control->recordings;
	control->recordings = recording;
	*stream = (struct http_stream){.type = API_CAPTURE_TYPE,
				       .ctx = recording,
				       .read = read_recording,
				       .close = close_recording};
	return 0;
}

struct recording *recording_next(const struct control *control, const struct recording *recording)
{
	return recording != NULL ? recording->next : control->recordings;
}

struct recording *recording_find(const struct control *control, const char *name)
{
	struct recording *recording = control->recordings;

	while (recording != NULL && strcmp(recording->spec.name, name) != 0)
		recording = recording->next;
	return recording;
}

void recording_describe(const struct recording *recording, struct recording_report *report)
{
	*report = (struct recording_report){
		.name = recording->spec.name,
		.what = recording->spec.what,
		.who = recording->spec.who,
		.written = recording->written,
		.lost = count_lost(recording),
		.age_ns = loop_clock_ns() - recording->begun_ns,
	};
}

void recording_end(struct recording *recording)
{
	close_in_dataplane(recording);
}

int recording_turn(struct control *control)
{
	if (control->recordings == NULL)
		return -1;
	control_wake(control);
	return TURN_MS;
}
