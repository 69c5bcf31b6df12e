/* SPDX-License-Identifier: BSD-3-Clause */
/* Handler for the forwarding table, asked of the dataplane now. Runs on weftd's thread. */
#include <errno.h>
#include <string.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/spec.h"
#include "control/table.h"

struct listing {
	const struct control *control;
	struct table places;	    /* id -> index in the model's segments or ports */
	const char *segment, *port; /* only these; NULL: all */
	json_t *entries;
};

static int list_places(const struct model *model, struct table *places)
{
	int error = 0;

	for (size_t i = 0; i < model->n_segments && error == 0; i++)
		error = table_put(places, (struct table_row){.id = model->segments[i]->id,
							     .digest = i,
							     .is_segment = true});
	for (size_t i = 0; i < model->n_ports && error == 0; i++)
		error = table_put(places,
				  (struct table_row){.id = model->ports[i]->id, .digest = i});
	return error;
}

static void add_entry(struct listing *listing, const struct dp_fdb_entry *entry)
{
	const struct model *model = listing->control->model;
	const struct table_row *segment_row = table_find(&listing->places, entry->segment_id);
	const struct table_row *port_row = table_find(&listing->places, entry->port_id);
	char mac[SPEC_MAC_BYTES];

	/* Something deleted meanwhile. */
	if (segment_row == NULL || port_row == NULL || !segment_row->is_segment ||
	    port_row->is_segment)
		return;
	const struct model_segment *segment = model->segments[segment_row->digest];
	const struct model_port *port = model->ports[port_row->digest];
	if (listing->segment != NULL && strcmp(listing->segment, segment->name) != 0)
		return;
	if (listing->port != NULL && strcmp(listing->port, port->name) != 0)
		return;
	spec_format_mac(entry->mac, mac);
	json_array_append_new(listing->entries,
			      json_pack("{s:s, s:s, s:s, s:s, s:I}", "segment", segment->name,
					"mac", mac, "port", port->name, "vm", port->vm, "age_s",
					(json_int_t)entry->age_s));
}

static void take_batch(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	const struct dp_fdb *fdb = (const void *)message;

	if (message->type != DP_FDB)
		return;
	for (uint32_t i = 0; i < fdb->n_entries; i++)
		add_entry(ctx, &fdb->entries[i]);
}

int api_get_fdb(void *ctx, const struct http_request *request, struct http_reply *reply,
		struct problem *problem)
{
	struct control *control = ctx;
	struct listing listing = {
		.control = control,
		.segment = http_query(request, "segment"),
		.port = http_query(request, "port"),
	};
	int error = 0;

	if (listing.segment != NULL && api_find_segment(control, listing.segment, problem) == NULL)
		return -ENOENT;
	if (listing.port != NULL && api_find_port(control, listing.port, problem) == NULL)
		return -ENOENT;
	listing.entries = json_array();
	if (list_places(control->model, &listing.places) < 0)
		error = problem_system(problem, -ENOMEM, "answering");
	if (error == 0)
		error = fastpath_ask(control->fastpath, DP_FDB_DUMP, NULL, 0, take_batch, &listing,
				     problem);
	table_fini(&listing.places);
	if (error < 0) {
		json_decref(listing.entries);
		return error;
	}
	return api_reply(control, json_pack("{s:o}", "entries", listing.entries), reply, problem);
}
