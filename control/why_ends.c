/* SPDX-License-Identifier: BSD-3-Clause */
/* See why_ends.h. Runs on weftd's thread. */
#include "control/why_ends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/encode.h"
#include "control/fastpath.h"
#include "control/where.h"

/* One end while it is looked for. */
struct search {
	struct where where;
	char word[2 * DP_NAME_BYTES]; /* without "@PORT" */
	const struct model_port *at;  /* "@PORT"; NULL: not said */
	bool is_lost;		      /* "@PORT" of a port that does not exist */
	json_t *places;
};

/* --- looking --- */

static void take_batch(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	const struct dp_neigh *neigh = (const void *)message;
	const struct dp_fdb *fdb = (const void *)message;
	struct search *searches = ctx;

	for (int s = 0; s < 2; s++) {
		for (uint32_t i = 0; message->type == DP_NEIGH && i < neigh->n_entries; i++)
			where_add_neigh(&searches[s].where, &neigh->entries[i]);
		for (uint32_t i = 0; message->type == DP_FDB && i < fdb->n_entries; i++)
			where_add_fdb(&searches[s].where, &fdb->entries[i]);
	}
}

/* As far as the dataplane answers: without it, the configuration is what is known. */
static void hear(struct control *control, struct search searches[2])
{
	struct dp_fdb_walk walk = {.fn = take_batch, .ctx = searches};
	struct problem ignored;
	int error = fastpath_ask(control->fastpath, DP_NEIGH_DUMP, NULL, 0, take_batch, searches,
				 &ignored);

	while (error == 0) {
		error = fastpath_ask(control->fastpath, DP_FDB_DUMP, &walk.page, sizeof(walk.page),
				     dp_client_walk_fdb, &walk, &ignored);
		if (error == -ESTALE)
			error = 0, walk.page.from = 0;
		else if (walk.page.from == 0)
			break;
	}
}

static int search_init(struct search *search, const struct control *control, const char *asked)
{
	const char *at = strchr(asked, '@');

	*search = (struct search){.at = NULL};
	snprintf(search->word, sizeof(search->word), "%.*s",
		 at != NULL ? (int)(at - asked) : (int)strlen(asked), asked);
	if (at != NULL)
		search->at = model_port(control->model, at + 1);
	search->is_lost = at != NULL && search->at == NULL;
	return where_init(&search->where, search->word, control->host, control->model);
}

static void search_fini(struct search *search)
{
	json_decref(search->places);
	where_fini(&search->where);
}

/* --- choosing --- */

static const char *text_of(const json_t *place, const char *key)
{
	const char *text = json_string_value(json_object_get(place, key));

	return text != NULL ? text : "";
}

static bool has_source(const json_t *place, const char *source)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(place, "sources"), i, item) {
		if (strcmp(json_string_value(item), source) == 0)
			return true;
	}
	return false;
}

/* What was heard counts more than what should be. */
static int weight_of(const json_t *place)
{
	return 4 * has_source(place, "fdb") + 2 * has_source(place, "spec") +
	       has_source(place, "neighbour");
}

/* The pair with a segment in common, and of these the one that is best known. */
static void choose(const struct search searches[2], const json_t *chosen[2])
{
	const json_t *from, *to;
	int best = -1;
	size_t i, k;

	json_array_foreach(searches[0].places, i, from) {
		json_array_foreach(searches[1].places, k, to) {
			int weight = weight_of(from) + weight_of(to);

			if (strcmp(text_of(from, "segment"), text_of(to, "segment")) == 0)
				weight += 100;
			if (weight <= best)
				continue;
			best = weight;
			chosen[0] = from;
			chosen[1] = to;
		}
	}
	for (int s = 0; s < 2 && best < 0; s++)
		chosen[s] = json_array_get(searches[s].places, 0);
}

static bool read_ip(const char *text, struct why_end *end)
{
	end->ip_version = 0;
	memset(end->ip, 0, sizeof(end->ip));
	if (inet_pton(AF_INET, text, end->ip) == 1)
		end->ip_version = 4;
	else if (inet_pton(AF_INET6, text, end->ip) == 1)
		end->ip_version = 6;
	return end->ip_version != 0;
}

static void take_place(const struct control *control, const json_t *place, struct why_end *end)
{
	const json_t *ips = json_object_get(place, "ips"), *ip;
	size_t i;

	end->port = model_port(control->model, text_of(place, "port"));
	end->segment = model_segment(control->model, text_of(place, "segment"));
	end->is_heard = has_source(place, "fdb");
	sscanf(text_of(place, "mac"), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &end->mac[0],
	       &end->mac[1], &end->mac[2], &end->mac[3], &end->mac[4], &end->mac[5]);
	json_array_foreach(ips, i, ip) {
		if (end->ip_version != 4)
			read_ip(json_string_value(ip), end);
	}
}

/* The port itself, where no place says more: it is in no segment, or a peer that has them all. */
static void take_port(const struct model_port *port, struct why_end *end)
{
	const char *ip = model_option_text(port, "ip");
	char text[INET6_ADDRSTRLEN];

	end->port = port;
	memcpy(end->mac, port->mac, sizeof(end->mac));
	if (ip == NULL)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(ip, "/"), ip);
	read_ip(text, end);
}

static const struct model_segment *find_segment(const struct model *model, uint32_t id)
{
	for (size_t i = 0; i < model->n_segments; i++) {
		if (model->segments[i]->id == id)
			return model->segments[i];
	}
	return NULL;
}

/* Its segment: the one that the other end is in, else its first. A peer without a list has any. */
static void place_in(const struct control *control, struct why_end *end,
		     const struct model_segment *wanted)
{
	struct dp_port message;

	if (end->port == NULL)
		return;
	encode_port(control->model, end->port, &message);
	if (end->port->kind->place == PORT_PLACE_VNI && message.n_members == 0 &&
	    end->segment == NULL)
		end->segment = wanted;
	for (unsigned int m = 0; m < message.n_members; m++) {
		const struct model_segment *segment =
			find_segment(control->model, message.members[m].segment_id);

		if (end->segment == NULL || (segment == wanted && wanted != NULL))
			end->segment = segment;
		if (segment == end->segment)
			end->vlan = message.members[m].vlan;
	}
}

static void take_end(const struct control *control, const struct search *search,
		     const json_t *chosen, struct why_end *end)
{
	const struct model_port *named =
		search->at != NULL ? search->at : model_port(control->model, search->word);

	if (search->at != NULL)
		take_port(search->at, end);
	else if (chosen != NULL && !search->is_lost)
		take_place(control, chosen, end);
	else if (named != NULL && !search->is_lost)
		take_port(named, end);
	if (search->where.kind == WHERE_MAC)
		memcpy(end->mac, search->where.mac, sizeof(end->mac));
	if (search->where.kind == WHERE_IP) {
		memcpy(end->ip, search->where.ip, sizeof(end->ip));
		end->ip_version = search->where.version;
	}
}

int why_ends_find(struct control *control, const char *from, const char *to, struct why_end ends[2])
{
	const char *asked[2] = {from, to};
	const json_t *chosen[2] = {NULL, NULL};
	struct search searches[2];

	if (search_init(&searches[0], control, from) < 0)
		return -ENOMEM;
	if (search_init(&searches[1], control, to) < 0) {
		search_fini(&searches[0]);
		return -ENOMEM;
	}
	for (int s = 0; s < 2; s++)
		where_add_ports(&searches[s].where);
	hear(control, searches);
	for (int s = 0; s < 2; s++)
		searches[s].places = where_format(&searches[s].where);
	choose(searches, chosen);
	for (int s = 0; s < 2; s++) {
		ends[s] = (struct why_end){.asked = asked[s]};
		take_end(control, &searches[s], chosen[s], &ends[s]);
	}
	for (int s = 0; s < 2; s++)
		place_in(control, &ends[s],
			 ends[s].segment != NULL ? ends[s].segment : ends[1 - s].segment);
	/* Where one could have chosen, the other decides. */
	if (ends[0].segment != ends[1].segment)
		place_in(control, &ends[1], ends[0].segment);
	for (int s = 0; s < 2; s++)
		search_fini(&searches[s]);
	return 0;
}
