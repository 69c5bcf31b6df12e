/* SPDX-License-Identifier: BSD-3-Clause */
/* Handler for the forwarding table, asked of the dataplane now. Runs on weftd's thread. */
#include <errno.h>
#include <string.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/places.h"
#include "control/spec.h"

struct listing {
	struct places places;
	const char *segment, *port; /* only these; NULL: all */
	json_t *entries;
};

static void add_entry(struct listing *listing, const struct dp_fdb_entry *entry)
{
	const struct model_segment *segment = places_segment(&listing->places, entry->segment_id);
	const struct model_port *port = places_port(&listing->places, entry->port_id);
	char mac[SPEC_MAC_BYTES];

	if (segment == NULL || port == NULL)
		return;
	if (listing->segment != NULL && strcmp(listing->segment, segment->name) != 0)
		return;
	if (listing->port != NULL && strcmp(listing->port, port->name) != 0)
		return;
	spec_format_mac(entry->mac, mac);
	json_array_append_new(listing->entries,
			      json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "segment", segment->name,
					"mac", mac, "port", port->name, "vm", port->vm, "age_s",
					(json_int_t)entry->age_s, "static", entry->is_static != 0));
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
		.segment = http_query(request, "segment"),
		.port = http_query(request, "port"),
	};

	if (listing.segment != NULL && api_find_segment(control, listing.segment, problem) == NULL)
		return -ENOENT;
	if (listing.port != NULL && api_find_port(control, listing.port, problem) == NULL)
		return -ENOENT;
	if (places_init(&listing.places, control->model) < 0)
		return problem_system(problem, -ENOMEM, "answering");
	listing.entries = json_array();
	int error = fastpath_ask(control->fastpath, DP_FDB_DUMP, NULL, 0, take_batch, &listing,
				 problem);
	places_fini(&listing.places);
	if (error < 0) {
		json_decref(listing.entries);
		return error;
	}
	return api_reply(control, json_pack("{s:o}", "entries", listing.entries), reply, problem);
}
