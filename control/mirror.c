/* SPDX-License-Identifier: BSD-3-Clause */
/* What the dataplane has, and transactions that change it. Runs on weftd's thread. */
#include "control/mirror.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/channels.h"
#include "control/devices.h"
#include "control/encode.h"
#include "control/kinds.h"
#include "dataplane/base/log.h"
#include "dataplane/base/loop.h"

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
	enum model_kind kind = encode_kind(message->type);

	if (kind == MODEL_KINDS || dump->error < 0)
		return;
	dump->error = table_put(dump->actual, (struct table_row){
						      .id = encode_id(message),
						      .digest = encode_digest(message),
						      .kind = (uint8_t)kind,
					      });
}

int mirror_read(struct mirror *mirror, char why[DP_TEXT_BYTES])
{
	struct dump dump = {.actual = &mirror->actual};

	mirror_clear(mirror);
	int error = dp_client_request(mirror->client, DP_DUMP, NULL, 0, TIMEOUT_MS, take_object,
				      &dump, why);
	return error == 0 && dump.error < 0 ? no_memory(why) : error;
}

static bool has(const struct mirror *mirror, const struct dp_header *message)
{
	return table_has(&mirror->actual, encode_id(message), encode_digest(message));
}

static bool has_object(const struct mirror *mirror, const struct model *model, enum model_kind kind,
		       const struct model_object *object)
{
	union encode_message message;

	return !encode_object(model, kind, object, 0, &message) || has(mirror, &message.header);
}

bool mirror_has_port(const struct mirror *mirror, const struct model *model,
		     const struct model_port *port)
{
	return has_object(mirror, model, MODEL_PORT, &port->object);
}

int mirror_list_wanted(const struct model *model, struct table *wanted)
{
	struct model_channel fallback;
	int error = 0;

	for (enum model_kind kind = 0; kind < MODEL_KINDS; kind++) {
		for (size_t i = 0; i < model->lists[kind].n && error == 0; i++) {
			if (encode_delete_type(kind) == 0)
				continue;
			error = table_put(
				wanted, (struct table_row){.id = model->lists[kind].items[i]->id});
		}
	}
	if (error == 0 && channels_default(model, &fallback))
		error = table_put(wanted, (struct table_row){.id = fallback.id});
	return error;
}

/* Nothing more than is wanted, and that without a difference. */
bool mirror_is_current(const struct mirror *mirror, const struct model *model)
{
	union encode_message message;
	size_t n_wanted = 0;

	for (enum model_kind kind = 0; kind < MODEL_KINDS; kind++) {
		const struct model_list *list = &model->lists[kind];

		n_wanted += encode_delete_type(kind) != 0 ? list->n : 0;
		for (size_t i = 0; i < list->n; i++) {
			if (!has_object(mirror, model, kind, list->items[i]))
				return false;
		}
	}
	if (encode_default(model, &message)) {
		n_wanted++;
		if (!has(mirror, &message.header))
			return false;
	}
	return mirror->actual.n_rows == n_wanted;
}

/* --- one transaction --- */

int mirror_begin(struct mirror *mirror, char why[DP_TEXT_BYTES])
{
	return request(mirror, DP_BEGIN, why);
}

static const struct device_fds no_fds;

/* Notes the change for the commit, then sends it. */
static int send_message(struct mirror *mirror, struct table_row row, enum dp_type type,
			void *message, size_t bytes, const struct device_fds *fds, char *why)
{
	if (table_put(&mirror->staged, row) < 0)
		return no_memory(why);
	int error =
		dp_client_stage(mirror->client, type, message, bytes, fds->fds, fds->n, TIMEOUT_MS);
	if (error < 0)
		snprintf(why, DP_TEXT_BYTES, "sending to the dataplane: %s", strerror(-error));
	return error;
}

static int send_put(struct mirror *mirror, enum model_kind kind, union encode_message *message,
		    const struct device_fds *fds, char *why)
{
	struct table_row row = {.id = encode_id(&message->header),
				.digest = encode_digest(&message->header),
				.kind = (uint8_t)kind};

	return send_message(mirror, row, message->header.type, message, message->header.bytes, fds,
			    why);
}

static int stage_default(struct mirror *mirror, const struct model *model, char *why)
{
	union encode_message message;

	if (!encode_default(model, &message) || has(mirror, &message.header))
		return 0;
	return send_put(mirror, MODEL_CHANNEL, &message, &no_fds, why);
}

int mirror_stage(struct mirror *mirror, const struct model *model, enum model_kind kind,
		 const struct model_object *object, char why[DP_TEXT_BYTES])
{
	union encode_message message;
	struct device_fds fds = no_fds;
	int error = 0;

	if (!encode_object(model, kind, object, loop_clock_ns(), &message))
		return 0;
	if (!has(mirror, &message.header)) {
		if (kind == MODEL_PORT)
			error = devices_prepare(mirror->devices, model,
						(const struct model_port *)object, &fds, why,
						DP_TEXT_BYTES);
		if (error == 0)
			error = send_put(mirror, kind, &message, &fds, why);
	}
	if (error == 0 && kind == MODEL_POOL && strcmp(object->name, CHANNELS_HOST_POOL) == 0)
		error = stage_default(mirror, model, why);
	return error;
}

int mirror_stage_rest(struct mirror *mirror, const struct model *model, char why[DP_TEXT_BYTES])
{
	int error = 0;

	for (size_t k = 0; k < MODEL_KINDS; k++) {
		enum model_kind kind = kinds_order[k];
		const struct model_list *list = &model->lists[kind];

		for (size_t i = 0; kind != MODEL_PORT && i < list->n && error == 0; i++)
			error = mirror_stage(mirror, model, kind, list->items[i], why);
	}
	return error;
}

int mirror_stage_delete(struct mirror *mirror, enum model_kind kind, uint64_t id,
			char why[DP_TEXT_BYTES])
{
	struct table_row row = {.id = id, .kind = (uint8_t)kind, .is_delete = true};
	struct dp_object message = {.id = id};

	if (encode_delete_type(kind) == 0)
		return 0;
	if (kind == MODEL_PORT)
		devices_doom(mirror->devices, id);
	return send_message(mirror, row, encode_delete_type(kind), &message, sizeof(message),
			    &no_fds, why);
}

int mirror_stage_deletes(struct mirror *mirror, const struct table *wanted, bool is_of_ports,
			 char why[DP_TEXT_BYTES])
{
	int error = 0;

	for (size_t i = 0; i < mirror->actual.n_rows && error == 0; i++) {
		const struct table_row *row = &mirror->actual.rows[i];

		if ((row->kind == MODEL_PORT) == is_of_ports && table_find(wanted, row->id) == NULL)
			error = mirror_stage_delete(mirror, row->kind, row->id, why);
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
		error = mirror_stage_delete(mirror, MODEL_PORT, port->id, why);
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
