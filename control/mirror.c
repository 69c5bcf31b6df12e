/* SPDX-License-Identifier: BSD-3-Clause */
/* What the dataplane has, and transactions that change it. Runs on weftd's thread. */
#include "control/mirror.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/devices.h"
#include "control/encode.h"
#include "dataplane/base/log.h"

#define TIMEOUT_MS 5000 /* of a prepare with thousands of ports; the rest takes microseconds */

void mirror_fini(struct mirror *mirror)
{
	table_fini(&mirror->actual);
	table_fini(&mirror->staged);
}

void mirror_clear(struct mirror *mirror)
{
	table_clear(&mirror->actual);
	table_clear(&mirror->staged);
}

static int no_memory(char *why)
{
	snprintf(why, DP_TEXT_BYTES, "out of memory");
	return -ENOMEM;
}

static int request(struct mirror *mirror, enum dp_type type, char *why)
{
	return dp_client_request(mirror->client, type, NULL, 0, TIMEOUT_MS, NULL, NULL, why);
}

/* --- reading --- */

struct dump {
	struct table *actual;
	int error;
};

static void take_object(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct dump *dump = ctx;
	struct table_row row = {0};

	if (message->type == DP_SEGMENT_PUT) {
		row.id = ((const struct dp_segment *)message)->id;
		row.is_segment = true;
	} else if (message->type == DP_PORT_PUT) {
		row.id = ((const struct dp_port *)message)->id;
	} else {
		return;
	}
	row.digest = encode_digest(message);
	if (dump->error == 0)
		dump->error = table_put(dump->actual, row);
}

int mirror_read(struct mirror *mirror, char why[DP_TEXT_BYTES])
{
	struct dump dump = {.actual = &mirror->actual};

	mirror_clear(mirror);
	int error = dp_client_request(mirror->client, DP_DUMP, NULL, 0, TIMEOUT_MS, take_object,
				      &dump, why);
	return error == 0 && dump.error < 0 ? no_memory(why) : error;
}

static bool has_segment(const struct mirror *mirror, const struct model *model,
			const struct model_segment *segment)
{
	struct dp_segment message;

	encode_segment(model, segment, &message);
	return table_has(&mirror->actual, segment->id, encode_digest(&message.header));
}

bool mirror_has_port(const struct mirror *mirror, const struct model *model,
		     const struct model_port *port)
{
	struct dp_port message;

	encode_port(model, port, &message);
	return table_has(&mirror->actual, port->id, encode_digest(&message.header));
}

bool mirror_is_current(const struct mirror *mirror, const struct model *model)
{
	if (mirror->actual.n_rows != model->n_segments + model->n_ports)
		return false;
	for (size_t i = 0; i < model->n_segments; i++) {
		if (!has_segment(mirror, model, model->segments[i]))
			return false;
	}
	for (size_t i = 0; i < model->n_ports; i++) {
		if (!mirror_has_port(mirror, model, model->ports[i]))
			return false;
	}
	return true;
}

/* --- one transaction --- */

int mirror_begin(struct mirror *mirror, char why[DP_TEXT_BYTES])
{
	return request(mirror, DP_BEGIN, why);
}

static const struct device_fds no_fds;

/* Notes the change for the commit, then sends it. */
static int stage(struct mirror *mirror, struct table_row row, enum dp_type type, void *message,
		 size_t bytes, const struct device_fds *fds, char *why)
{
	if (table_put(&mirror->staged, row) < 0)
		return no_memory(why);
	int error =
		dp_client_stage(mirror->client, type, message, bytes, fds->fds, fds->n, TIMEOUT_MS);
	if (error < 0)
		snprintf(why, DP_TEXT_BYTES, "sending to the dataplane: %s", strerror(-error));
	return error;
}

int mirror_stage_segment(struct mirror *mirror, const struct model *model,
			 const struct model_segment *segment, char why[DP_TEXT_BYTES])
{
	struct table_row row = {.id = segment->id, .is_segment = true};
	struct dp_segment message;

	encode_segment(model, segment, &message);
	row.digest = encode_digest(&message.header);
	if (table_has(&mirror->actual, row.id, row.digest))
		return 0;
	return stage(mirror, row, DP_SEGMENT_PUT, &message, sizeof(message), &no_fds, why);
}

int mirror_stage_segments(struct mirror *mirror, const struct model *model, char why[DP_TEXT_BYTES])
{
	int error = 0;

	for (size_t i = 0; i < model->n_segments && error == 0; i++)
		error = mirror_stage_segment(mirror, model, model->segments[i], why);
	return error;
}

int mirror_stage_port(struct mirror *mirror, const struct model *model,
		      const struct model_port *port, char why[DP_TEXT_BYTES])
{
	struct table_row row = {.id = port->id};
	struct dp_port message;
	struct device_fds fds;

	encode_port(model, port, &message);
	row.digest = encode_digest(&message.header);
	if (table_has(&mirror->actual, row.id, row.digest))
		return 0;
	int error = devices_prepare(mirror->devices, model, port, &fds, why, DP_TEXT_BYTES);
	if (error < 0)
		return error;
	return stage(mirror, row, DP_PORT_PUT, &message, sizeof(message), &fds, why);
}

int mirror_stage_delete(struct mirror *mirror, uint64_t id, bool is_segment,
			char why[DP_TEXT_BYTES])
{
	struct table_row row = {.id = id, .is_segment = is_segment, .is_delete = true};
	struct dp_object message = {.id = id};

	if (!is_segment)
		devices_doom(mirror->devices, id);
	return stage(mirror, row, is_segment ? DP_SEGMENT_DEL : DP_PORT_DEL, &message,
		     sizeof(message), &no_fds, why);
}

int mirror_stage_deletes(struct mirror *mirror, const struct table *wanted, bool is_segment,
			 char why[DP_TEXT_BYTES])
{
	int error = 0;

	for (size_t i = 0; i < mirror->actual.n_rows && error == 0; i++) {
		const struct table_row *row = &mirror->actual.rows[i];

		if (row->is_segment == is_segment && table_find(wanted, row->id) == NULL)
			error = mirror_stage_delete(mirror, row->id, is_segment, why);
	}
	return error;
}

int mirror_prepare(struct mirror *mirror, char why[DP_TEXT_BYTES])
{
	return request(mirror, DP_PREPARE, why);
}

static void count_staged(struct mirror *mirror)
{
	for (size_t i = 0; i < mirror->staged.n_rows; i++) {
		const struct table_row *row = &mirror->staged.rows[i];

		if (row->is_delete)
			mirror->tally.n_removed++;
		else if (table_find(&mirror->actual, row->id) != NULL)
			mirror->tally.n_changed++;
		else
			mirror->tally.n_added++;
	}
}

int mirror_commit(struct mirror *mirror, char why[DP_TEXT_BYTES])
{
	int error = request(mirror, DP_COMMIT, why);

	if (error == 0)
		count_staged(mirror);
	/* What is wanted keeps its devices, whether or not the dataplane heard of it. */
	devices_commit(mirror->devices);
	if (error == 0 && table_apply(&mirror->actual, &mirror->staged) < 0)
		error = no_memory(why);
	table_clear(&mirror->staged);
	return error;
}

int mirror_abort(struct mirror *mirror)
{
	char why[DP_TEXT_BYTES];

	devices_abort(mirror->devices);
	table_clear(&mirror->staged);
	return dp_client_is_broken(mirror->client) ? -EPIPE : request(mirror, DP_ABORT, why);
}

/* --- devices after weftd's restart --- */

static void take_fd(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct device_fds *taken = ctx;

	if (message->type != DP_PORT_FDS || n_fds != 1 || taken->n == DP_FDS_MAX)
		return;
	taken->fds[taken->n++] = fds[0];
	fds[0] = -1;
}

static int adopt_port(struct mirror *mirror, const struct model *model,
		      const struct model_port *port, char *why)
{
	struct dp_object message = {.id = port->id};
	struct device_fds fds = {0};
	int error = dp_client_request(mirror->client, DP_PORT_FDS, &message, sizeof(message),
				      TIMEOUT_MS, take_fd, &fds, why);

	if (dp_client_is_broken(mirror->client)) {
		device_fds_close(&fds);
		return error;
	}
	if (fds.n != 0 &&
	    devices_adopt(mirror->devices, model, port, &fds, why, DP_TEXT_BYTES) == 0)
		return 0;
	log_warn("mirror", "port %s: its device is made anew: %s", port->name, why);
	error = mirror_begin(mirror, why);
	if (error == 0)
		error = mirror_stage_delete(mirror, port->id, false, why);
	if (error == 0)
		error = mirror_prepare(mirror, why);
	return error == 0 ? mirror_commit(mirror, why) : error;
}

int mirror_adopt(struct mirror *mirror, const struct model *model, char why[DP_TEXT_BYTES])
{
	int error = 0;

	for (size_t i = 0; i < model->n_ports && error == 0; i++) {
		const struct model_port *port = model->ports[i];

		if (devices_is_needed(port) && !devices_is_held(mirror->devices, port->id) &&
		    table_find(&mirror->actual, port->id) != NULL)
			error = adopt_port(mirror, model, port, why);
	}
	return error;
}
