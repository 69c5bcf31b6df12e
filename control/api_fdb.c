/* SPDX-License-Identifier: BSD-3-Clause */
/* Handler for the forwarding table, asked of the dataplane now. Runs on weftd's thread. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "control/fastpath.h"
#include "control/places.h"
#include "control/spec.h"

/* An answer has this many and a page of the dataplane's at most: some megabytes here. */
#define ENOUGH_ENTRIES 4096

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

/* ?after=POSITION */
static int read_position(const struct http_request *request, uint64_t *position,
			 struct problem *problem)
{
	const char *word = http_query(request, "after");
	char *end;

	*position = 0;
	if (word == NULL)
		return 0;
	errno = 0;
	*position = strtoull(word, &end, 10);
	if (errno == 0 && word[0] >= '0' && word[0] <= '9' && *end == '\0')
		return 0;
	return problem_set(problem, -EINVAL, 422, "value-invalid",
			   "after: %.40s is not what an answer gave as next", word);
}

/* Pages of the dataplane's until there is enough for an answer. */
static int read_entries(struct control *control, struct dp_fdb_walk *walk, struct problem *problem)
{
	const struct listing *listing = walk->ctx;
	int error;

	do {
		error = fastpath_ask(control->fastpath, DP_FDB_DUMP, &walk->page,
				     sizeof(walk->page), dp_client_walk_fdb, walk, problem);
	} while (error == 0 && walk->page.from != 0 &&
		 json_array_size(listing->entries) < ENOUGH_ENTRIES);
	if (error == -ESTALE)
		problem_set(problem, error, 410, "position-gone",
			    "the table has grown since the page before; begin again without after");
	return error;
}

int api_get_fdb(void *ctx, const struct http_request *request, struct http_reply *reply,
		struct problem *problem)
{
	struct control *control = ctx;
	struct listing listing = {
		.segment = http_query(request, "segment"),
		.port = http_query(request, "port"),
	};
	struct dp_fdb_walk walk = {.fn = take_batch, .ctx = &listing};
	char next[24];

	if (listing.segment != NULL &&
	    api_find(control, MODEL_SEGMENT, listing.segment, problem) == NULL)
		return -ENOENT;
	if (listing.port != NULL && api_find_port(control, listing.port, problem) == NULL)
		return -ENOENT;
	int error = read_position(request, &walk.page.from, problem);
	if (error < 0)
		return error;
	if (places_init(&listing.places, control->model) < 0)
		return problem_system(problem, -ENOMEM, "answering");
	listing.entries = json_array();
	error = read_entries(control, &walk, problem);
	places_fini(&listing.places);
	if (error < 0) {
		json_decref(listing.entries);
		return error;
	}
	snprintf(next, sizeof(next), "%" PRIu64, walk.page.from);
	return api_reply(control,
			 json_pack("{s:o, s:s*}", "entries", listing.entries, "next",
				   walk.page.from != 0 ? next : NULL),
			 reply, problem);
}
