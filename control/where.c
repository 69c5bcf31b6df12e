/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a machine is. Runs on weftd's thread. */
#include "control/where.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/encode.h"
#include "control/spec.h"

#define KEY_BYTES (2 * DP_NAME_BYTES + SPEC_MAC_BYTES + 2)

static bool read_mac(const char *text, uint8_t mac[6])
{
	int len = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5], &len) == 6 &&
	       text[len] == '\0' && strspn(text, "0123456789abcdefABCDEF:") == (size_t)len;
}

int where_init(struct where *where, const char *query, const char *host, const struct model *model)
{
	*where = (struct where){.name = query, .host = host};
	if (read_mac(query, where->mac))
		where->kind = WHERE_MAC;
	else if (inet_pton(AF_INET, query, where->ip) == 1)
		where->version = 4;
	else if (inet_pton(AF_INET6, query, where->ip) == 1)
		where->version = 6;
	if (where->version != 0)
		where->kind = WHERE_IP;
	int error = places_init(&where->places, model);
	if (error < 0)
		return error;
	where->rows = json_object();
	where->cards = json_object();
	return 0;
}

void where_fini(struct where *where)
{
	places_fini(&where->places);
	json_decref(where->rows);
	json_decref(where->cards);
}

static bool is_named(const struct where *where, const struct model_port *port)
{
	return where->kind == WHERE_NAME &&
	       (strcmp(port->name, where->name) == 0 || strcmp(port->vm, where->name) == 0);
}

static size_t ip_bytes(uint8_t version)
{
	return version == 4 ? 4 : 16;
}

static void key_of_card(uint32_t segment_id, const uint8_t mac[6], char key[KEY_BYTES])
{
	int len = snprintf(key, KEY_BYTES, "%u ", segment_id);

	spec_format_mac(mac, key + len);
}

/* The place, made if it is new. */
static json_t *place_of(struct where *where, const struct model_segment *segment,
			const struct model_port *port, const uint8_t mac[6])
{
	char text[SPEC_MAC_BYTES], key[KEY_BYTES];

	spec_format_mac(mac, text);
	snprintf(key, sizeof(key), "%s %s %s", segment->name, port->name, text);
	json_t *place = json_object_get(where->rows, key);
	if (place != NULL)
		return place;
	/* What is behind a peer is on that host. */
	const char *host = port->kind->place == PORT_PLACE_VNI ? port->name : where->host;

	place = json_pack("{s:s, s:s, s:s, s:s, s:s, s:[], s:n, s:[]}", "segment", segment->name,
			  "port", port->name, "vm", port->vm, "host", host, "mac", text, "ips",
			  "age_s", "sources");
	json_object_set_new(where->rows, key, place);
	return place;
}

static void add_word(json_t *list, const char *word)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item) {
		if (strcmp(json_string_value(item), word) == 0)
			return;
	}
	json_array_append_new(list, json_string(word));
}

/* The last that was heard counts. */
static void note(json_t *place, const char *source, const char *ip, int64_t age_s)
{
	const json_t *known = json_object_get(place, "age_s");

	add_word(json_object_get(place, "sources"), source);
	if (ip != NULL)
		add_word(json_object_get(place, "ips"), ip);
	if (age_s >= 0 && (json_is_null(known) || json_integer_value(known) > age_s))
		json_object_set_new(place, "age_s", json_integer(age_s));
}

/* --- the configuration --- */

/* The address without the length of its prefix. */
static const char *ip_of(const struct model_port *port, char ip[INET6_ADDRSTRLEN])
{
	const char *text = model_option_text(port, "ip");

	if (text == NULL)
		return NULL;
	snprintf(ip, INET6_ADDRSTRLEN, "%.*s", (int)strcspn(text, "/"), text);
	return ip;
}

static bool is_asked_for(const struct where *where, const struct model_port *port, const char *ip)
{
	uint8_t bytes[16];

	switch (where->kind) {
	case WHERE_MAC:
		return memcmp(port->mac, where->mac, sizeof(where->mac)) == 0;
	case WHERE_IP:
		return ip != NULL &&
		       inet_pton(where->version == 4 ? AF_INET : AF_INET6, ip, bytes) == 1 &&
		       memcmp(bytes, where->ip, ip_bytes(where->version)) == 0;
	default:
		return is_named(where, port);
	}
}

void where_add_ports(struct where *where)
{
	const struct model *model = where->places.model;

	for (size_t i = 0; i < model->n_ports; i++) {
		const struct model_port *port = model->ports[i];
		char ip_text[INET6_ADDRSTRLEN], key[KEY_BYTES];
		const char *ip = ip_of(port, ip_text);
		struct dp_port message;

		if (!is_asked_for(where, port, ip))
			continue;
		encode_port(model, port, &message);
		for (unsigned int m = 0; m < message.n_members; m++) {
			uint32_t id = message.members[m].segment_id;

			note(place_of(where, places_segment(&where->places, id), port, port->mac),
			     "spec", ip, -1);
			key_of_card(id, port->mac, key);
			json_object_set_new(where->cards, key, json_true());
		}
	}
}

/* --- what was heard --- */

void where_add_neigh(struct where *where, const struct dp_neigh_entry *entry)
{
	const struct model_segment *segment = places_segment(&where->places, entry->segment_id);
	const struct model_port *port = places_port(&where->places, entry->port_id);
	char ip[INET6_ADDRSTRLEN], key[KEY_BYTES];

	if (segment == NULL || port == NULL)
		return;
	bool is_it = where->kind == WHERE_MAC ? memcmp(entry->mac, where->mac, 6) == 0
		     : where->kind == WHERE_IP
			     ? entry->version == where->version &&
				       memcmp(entry->ip, where->ip, ip_bytes(where->version)) == 0
			     : is_named(where, port);
	if (!is_it ||
	    inet_ntop(entry->version == 4 ? AF_INET : AF_INET6, entry->ip, ip, sizeof(ip)) == NULL)
		return;
	note(place_of(where, segment, port, entry->mac), "neighbour", ip, entry->age_s);
	key_of_card(entry->segment_id, entry->mac, key);
	json_object_set_new(where->cards, key, json_true());
}

void where_add_fdb(struct where *where, const struct dp_fdb_entry *entry)
{
	const struct model_segment *segment = places_segment(&where->places, entry->segment_id);
	const struct model_port *port = places_port(&where->places, entry->port_id);
	char key[KEY_BYTES];

	if (segment == NULL || port == NULL)
		return;
	key_of_card(entry->segment_id, entry->mac, key);
	bool is_it = where->kind == WHERE_MAC  ? memcmp(entry->mac, where->mac, 6) == 0
		     : where->kind == WHERE_IP ? json_object_get(where->cards, key) != NULL
					       : is_named(where, port);
	if (is_it)
		note(place_of(where, segment, port, entry->mac), "fdb", NULL, entry->age_s);
}

json_t *where_format(const struct where *where)
{
	json_t *list = json_array();
	const char *key;
	json_t *place;

	json_object_foreach(where->rows, key, place)
		json_array_append(list, place);
	return list;
}
