/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports as a user writes them, into the model. Pure. */
#include "control/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/spec_option.h"
#include "control/spec_word.h"

/* Besides the options of the tables. */
static const char *const port_keys[] = {"type", "segment", "trunk", "native", "segments",
					"vm",	"mac",	   "host",  "channel"};

static int parse_mac(const struct spec_place *place, const char *key, const char *word,
		     uint8_t mac[6])
{
	char text[320];
	const char *why = "write six pairs of hexadecimal digits, as 02:00:00:00:00:01";
	bool is_mac = strlen(word) == SPEC_MAC_BYTES - 1;

	for (int i = 0; i < SPEC_MAC_BYTES - 1 && is_mac; i++)
		is_mac = i % 3 == 2 ? word[i] == ':' : isxdigit((unsigned char)word[i]) != 0;
	for (int i = 0; i < 6 && is_mac; i++)
		mac[i] = (uint8_t)strtoul(word + 3 * i, NULL, 16);
	if (is_mac && (mac[0] & 1) != 0) {
		why = "the first byte is odd, which means a group; a card needs an even one";
		is_mac = false;
	} else if (is_mac && memcmp(mac, (uint8_t[6]){0}, 6) == 0) {
		why = "all zero is no address";
		is_mac = false;
	}
	if (is_mac)
		return 0;
	snprintf(text, sizeof(text), "%s: %.40s: %s", key, word, why);
	return spec_word_refuse(place, key, "mac-invalid", text);
}

static int check_option(const struct spec_place *place, const char *key, const char *text)
{
	char why[240];

	spec_option_check(key, text, why, sizeof(why));
	return why[0] == '\0' ? 0 : spec_word_refuse(place, key, "value-invalid", why);
}

/* Does another kind of port have this option? Then it was left over when the type changed. */
static bool is_left_over(const struct port_kind *kind, const char *key)
{
	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		if (port_kinds[i] != kind && port_kinds_option(port_kinds[i], key) >= 0)
			return port_kinds_option(kind, key) < 0;
	}
	return false;
}

/* All of them at once: who changes a type has several to take out. */
static int refuse_left_over(const struct spec_place *place, const json_t *json, const char *first,
			    const struct port_kind *kind)
{
	char text[320];
	const char *key, *comma = " ";
	json_t *value;
	int len = snprintf(text, sizeof(text), "type %s has no", kind->name);

	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		if (!is_left_over(kind, key) || (size_t)len >= sizeof(text))
			continue;
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", comma, key);
		comma = ", ";
	}
	return spec_word_refuse(place, first, "key-unknown", text);
}

static int parse_option(const struct spec_place *place, const json_t *json, const char *key,
			const char *word, struct model_port *port)
{
	struct option_set set = port_kinds_options(port->kind);
	int index = options_find(&set, key);
	struct dp_option value;

	if (index < 0 && is_left_over(port->kind, key))
		return refuse_left_over(place, json, key, port->kind);
	if (index < 0)
		return spec_word_refuse_key(place, key, port_keys,
					    sizeof(port_keys) / sizeof(port_keys[0]), &set);
	int error = spec_word_option(place, &set, (unsigned int)index, word, &value);

	if (error == 0 && value.kind == OPTION_TEXT)
		error = check_option(place, key, value.text);
	/* A device is called as its port unless it is said otherwise. */
	if (error == 0 && (strcmp(key, "ifname") != 0 || strcmp(value.text, port->name) != 0))
		spec_word_keep_option(&set, &value, port->options, &port->n_options);
	return error;
}

static int parse_kind(const struct spec_place *place, const json_t *json, struct model_port *port)
{
	char word[SPEC_WORD_BYTES];
	char text[400];
	const json_t *type = json_object_get(json, "type");

	if (type == NULL)
		return spec_word_missing(
			place, "type",
			"vhost-user (KVM guest), tap (namespace, container), uplink "
			"(interface to other hosts) or peer (another host)");
	int error = spec_word_read(place, "type", type, word);
	if (error < 0)
		return error;
	port->kind = port_kinds_find(word);
	if (port->kind != NULL)
		return 0;
	int len = snprintf(text, sizeof(text), "type: %.40s is not known; known:", word);
	for (size_t i = 0; port_kinds[i] != NULL && (size_t)len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s %s", i > 0 ? "," : "",
				port_kinds[i]->name);
	return spec_word_refuse(place, "type", "type-unknown", text);
}

static bool is_place(const char *key)
{
	return strcmp(key, "segment") == 0 || strcmp(key, "trunk") == 0 ||
	       strcmp(key, "native") == 0 || strcmp(key, "segments") == 0;
}

/* Which segments reach a peer; without a word, all. */
static int parse_segments(const struct spec_place *place, const json_t *json,
			  struct model_port *port)
{
	static const char *const others[] = {"segment", "trunk", "native"};
	const json_t *names = json_object_get(json, "segments");
	char why[DP_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (json_object_get(json, others[i]) != NULL)
			return spec_word_refuse(
				place, others[i], "trunk-invalid",
				"what reaches a peer is its segments, as [ALPHA, BETA]; "
				"without them, every segment");
	}
	if (names == NULL || trunk_parse_names(names, &port->trunk, why, sizeof(why)) == 0)
		return 0;
	return spec_word_refuse(place, "segments", "trunk-invalid", why);
}

/* An underlay carries segments to peers: they say which. */
static int refuse_place(const struct spec_place *place, const json_t *json)
{
	static const char *const keys[] = {"segment", "trunk", "native"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (json_object_get(json, keys[i]) != NULL)
			return spec_word_refuse(
				place, keys[i], "trunk-invalid",
				"an uplink with a vtep carries what peers have, and no "
				"segment of its own; leave out this or vtep");
	}
	return 0;
}

/* Where the port is: an access port in one segment, or a trunk. */
static int parse_place(const struct spec_place *place, const json_t *json, struct model_port *port)
{
	const json_t *trunk = json_object_get(json, "trunk");
	const char *key = trunk != NULL ? "native" : "segment";
	const char *other = trunk != NULL ? "segment" : "native";
	const json_t *name = json_object_get(json, key);
	char word[SPEC_WORD_BYTES];
	char why[DP_TEXT_BYTES];
	int error = 0;

	if (port->kind->place == PORT_PLACE_VNI)
		return parse_segments(place, json, port);
	if (model_is_underlay(port))
		return refuse_place(place, json);
	if (json_object_get(json, other) != NULL)
		return spec_word_refuse(
			place, other, "trunk-invalid",
			trunk != NULL ? "segment is for access ports; the untagged segment "
					"of a trunk is its native"
				      : "native is for trunks; an access port has a segment");
	if (trunk == NULL && name == NULL)
		return spec_word_missing(place, "segment",
					 "the name of a segment, as ALPHA; or a trunk");
	if (name != NULL)
		error = spec_word_read(place, key, name, word);
	if (error == 0 && name != NULL)
		error = spec_word_name(place, key, word, port->segment);
	if (error == 0 && trunk != NULL && trunk_parse(trunk, &port->trunk, why, sizeof(why)) < 0)
		error = spec_word_refuse(place, "trunk", "trunk-invalid", why);
	return error;
}

static int take_port_key(const struct spec_place *place, const json_t *json, const char *key,
			 const json_t *value, struct model_port *port)
{
	char word[SPEC_WORD_BYTES];
	int error = is_place(key) ? 0 : spec_word_read(place, key, value, word);

	if (error < 0 || is_place(key))
		return error;
	if (strcmp(key, "vm") == 0)
		return spec_word_name(place, key, word, port->vm);
	if (strcmp(key, "channel") == 0)
		return spec_word_name(place, key, word, port->channel);
	if (strcmp(key, "host") == 0)
		return spec_word_name(place, key, word, port->host);
	if (strcmp(key, "mac") == 0 && !model_has_card(port))
		return spec_word_refuse(
			place, key, "key-unknown",
			"mac is of the card of a machine, and there is none; leave it out");
	if (strcmp(key, "mac") == 0)
		return parse_mac(place, key, word, port->mac);
	if (strcmp(key, "name") == 0)
		return spec_word_check_name(place, word);
	return strcmp(key, "type") != 0 ? parse_option(place, json, key, word, port) : 0;
}

int spec_parse_port(const char *cluster, const char *name, const json_t *json,
		    struct model_port *port, struct problem *problem)
{
	struct spec_place place = {.problem = problem};
	int error = spec_word_check_self("port", name, json, &place);
	const json_t *value;
	const char *key;
	bool is_bad = false;

	if (error < 0)
		return error;
	memset(port, 0, sizeof(*port));
	snprintf(port->name, sizeof(port->name), "%s", name);
	error = parse_kind(&place, json, port);
	if (error < 0)
		return error;
	if (model_has_card(port))
		model_derive_mac(cluster, name, port->mac);
	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		error = take_port_key(&place, json, key, value, port);
		is_bad = is_bad || error < 0;
		if (error < 0 && problem_collect(problem, error) < 0)
			return error;
	}
	return is_bad ? -EINVAL : parse_place(&place, json, port);
}
