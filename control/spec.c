/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments and ports as a user writes them, into the model. Pure. */
#include "control/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/spec_option.h"
#include "dataplane/api/port_options.h"
#include "dataplane/api/segment_options.h"
#include "dataplane/base/nearest.h"
#include "vxlan/vxlan.h"

#define WORD_BYTES 256
#define KEYS_MAX (DP_OPTIONS_MAX + 8) /* of one object */

/* Besides the options of the tables. */
static const char *const segment_keys[] = {"vni", "vlan", "mtu", "age"};
static const char *const port_keys[] = {"type",	    "segment", "trunk", "native",
					"segments", "vm",      "mac",	"host"};

/* What a parser of one key needs to know for its message: "port web0", "ports.web0". */
struct place {
	const char *kind;
	const char *name;
	struct problem *problem;
};

static int refuse(const struct place *place, const char *key, const char *code, const char *text)
{
	int error = problem_set(place->problem, -EINVAL, 422, code, "%s %.80s: %s", place->kind,
				place->name, text);

	problem_at(place->problem, "%ss.%s%s%s", place->kind, place->name, key != NULL ? "." : "",
		   key != NULL ? key : "");
	return error;
}

/* A scalar as the word that a user would type. */
static int word_of(const struct place *place, const char *key, const json_t *value,
		   char word[WORD_BYTES])
{
	char text[320];

	if (json_is_string(value) && json_string_length(value) < WORD_BYTES &&
	    strlen(json_string_value(value)) == json_string_length(value)) {
		memcpy(word, json_string_value(value), json_string_length(value) + 1);
		return 0;
	}
	if (json_is_integer(value)) {
		snprintf(word, WORD_BYTES, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return 0;
	}
	if (json_is_boolean(value)) {
		snprintf(word, WORD_BYTES, "%s", json_is_true(value) ? "true" : "false");
		return 0;
	}
	snprintf(text, sizeof(text), "%.60s: use one word or number%s", key,
		 json_is_null(value)	 ? "; nothing is written here"
		 : json_is_string(value) ? "; this is too long"
					 : "");
	return refuse(place, key, "value-invalid", text);
}

static int parse_number(const struct place *place, const char *key, const char *word, uint64_t min,
			uint64_t max, uint64_t *number)
{
	char text[320];
	char *end;

	errno = 0;
	*number = strtoull(word, &end, 10);
	if (errno == 0 && isdigit((unsigned char)word[0]) && *end == '\0' && *number >= min &&
	    *number <= max)
		return 0;
	snprintf(text, sizeof(text), "%s: %.40s is not a number from %llu to %llu", key, word,
		 (unsigned long long)min, (unsigned long long)max);
	return refuse(place, key, "value-invalid", text);
}

int spec_parse_duration(const char *word, uint64_t max_s, uint32_t *duration_s)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;

	errno = 0;
	uint64_t count = strtoull(word, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (errno != 0 || !isdigit((unsigned char)word[0]) || end[0] != units[i].unit ||
		    end[1] != '\0' || count == 0 || count > max_s / units[i].seconds)
			continue;
		*duration_s = (uint32_t)count * units[i].seconds;
		return 0;
	}
	return -EINVAL;
}

static int parse_duration_s(const struct place *place, const char *key, const char *word,
			    uint64_t max_s, uint32_t *duration_s)
{
	char text[320];

	if (spec_parse_duration(word, max_s, duration_s) == 0)
		return 0;
	snprintf(text, sizeof(text),
		 "%s: %.40s is not a time from 1s to %llus; write it as 300s, 5m, "
		 "2h or 1d",
		 key, word, (unsigned long long)max_s);
	return refuse(place, key, "value-invalid", text);
}

static int parse_name(const struct place *place, const char *key, const char *word,
		      char name[DP_NAME_BYTES])
{
	char text[320];

	if (model_is_name(word)) {
		snprintf(name, DP_NAME_BYTES, "%.*s", DP_NAME_BYTES - 1, word);
		return 0;
	}
	snprintf(text, sizeof(text),
		 "%s: '%.70s' is not a name: use 1 to 63 of A-Z a-z 0-9 . _ -, "
		 "first a letter or digit",
		 key, word);
	return refuse(place, key, "name-invalid", text);
}

static int parse_mac(const struct place *place, const char *key, const char *word, uint8_t mac[6])
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
	return refuse(place, key, "mac-invalid", text);
}

static int check_self(const char *kind, const char *name, const json_t *json, struct place *place)
{
	*place = (struct place){.kind = kind, .name = name, .problem = place->problem};
	if (!model_is_name(name))
		return refuse(place, NULL, "name-invalid",
			      "not a name: use 1 to 63 of A-Z a-z 0-9 . _ -, "
			      "first a letter or digit");
	if (!json_is_object(json))
		return refuse(place, NULL, "value-invalid",
			      "needs keys and values, as "
			      "{key: value, ...}");
	return 0;
}

/* The body of a PUT may repeat the name. */
static int check_same_name(const struct place *place, const char *word)
{
	if (strcmp(word, place->name) == 0)
		return 0;
	return refuse(place, "name", "name-mismatch",
		      "leave name out: the key is the name (in a PUT, the path)");
}

static int missing(const struct place *place, const char *key, const char *example)
{
	char text[160];

	snprintf(text, sizeof(text), "%s is missing; give it %s", key, example);
	return refuse(place, NULL, "key-missing", text);
}

static int parse_row(const struct place *place, const struct option_set *set, unsigned int index,
		     const char *word, struct dp_option *value)
{
	char why[DP_TEXT_BYTES];

	if (options_parse(set, index, word, value, why, sizeof(why)) == 0)
		return 0;
	return refuse(place, options_row(set, index)->key, "value-invalid", why);
}

/* Options go into the order of the table, whatever order they were written in; defaults stay out.
 * DP_OPTIONS_MAX is more than any table has rows. */
static void keep_option(const struct option_set *set, const struct dp_option *value,
			struct dp_option *options, uint16_t *n_options)
{
	struct dp_option fallback;
	unsigned int i;

	if (options_default(set, value->index, &fallback) &&
	    memcmp(&fallback, value, sizeof(fallback)) == 0)
		return;
	for (i = (*n_options)++; i > 0 && options[i - 1].index > value->index; i--)
		options[i] = options[i - 1];
	options[i] = *value;
}

/* "unknown key 'x'; did you mean a?", or if nothing is near, all that is known: `own` keys, and the
 * rows of the set. */
static int refuse_key(const struct place *place, const char *key, const char *const *own,
		      size_t n_own, const struct option_set *set)
{
	const char *known[KEYS_MAX];
	char text[600];
	size_t n = 0;

	for (; n < n_own; n++)
		known[n] = own[n];
	for (int i = options_next(set, -1); i >= 0 && n < KEYS_MAX; i = options_next(set, i))
		known[n++] = options_row(set, (unsigned int)i)->key;
	const char *nearest = nearest_word(key, known, n);
	int len = snprintf(text, sizeof(text), "unknown key '%.60s'; %s%s%s", key,
			   nearest != NULL ? "did you mean " : "known: ",
			   nearest != NULL ? nearest : "", nearest != NULL ? "?" : "");
	for (size_t i = 0; i < n && nearest == NULL && (size_t)len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", i > 0 ? ", " : "",
				known[i]);
	return refuse(place, key, "key-unknown", text);
}

static int parse_segment_option(const struct place *place, const char *key, const char *word,
				struct model_segment *segment)
{
	int index = options_find(&segment_options, key);
	struct dp_option value;

	if (index < 0)
		return refuse_key(place, key, segment_keys,
				  sizeof(segment_keys) / sizeof(segment_keys[0]), &segment_options);
	int error = parse_row(place, &segment_options, (unsigned int)index, word, &value);

	if (error == 0)
		keep_option(&segment_options, &value, segment->options, &segment->n_options);
	return error;
}

static int take_segment_key(const struct place *place, const char *key, const json_t *value,
			    struct model_segment *segment)
{
	char word[WORD_BYTES];
	uint64_t number = 0;
	int error = word_of(place, key, value, word);

	if (error < 0)
		return error;
	if (strcmp(key, "vni") == 0) {
		error = parse_number(place, key, word, 1, VXLAN_VNI_MAX, &number);
		segment->vni = (uint32_t)number;
	} else if (strcmp(key, "vlan") == 0) {
		error = parse_number(place, key, word, 1, MODEL_VLAN_MAX, &number);
		segment->vlan = (uint16_t)number;
	} else if (strcmp(key, "mtu") == 0) {
		error = parse_number(place, key, word, MODEL_MTU_MIN, MODEL_MTU_MAX, &number);
		segment->mtu = (uint16_t)number;
	} else if (strcmp(key, "age") == 0) {
		error = parse_duration_s(place, key, word, MODEL_AGE_S_MAX, &segment->age_s);
	} else if (strcmp(key, "name") == 0) {
		error = check_same_name(place, word);
	} else {
		error = parse_segment_option(place, key, word, segment);
	}
	return error;
}

int spec_parse_segment(const char *name, const json_t *json, struct model_segment *segment,
		       struct problem *problem)
{
	struct place place = {.problem = problem};
	int error = check_self("segment", name, json, &place);
	const json_t *value;
	const char *key;
	bool is_bad = false;

	if (error < 0)
		return error;
	*segment = (struct model_segment){.age_s = MODEL_AGE_S_DEFAULT};
	snprintf(segment->name, sizeof(segment->name), "%s", name);
	/* cast: jansson's iteration macro takes no const object, but does not write to it */
	json_object_foreach((json_t *)(uintptr_t)json, key, value) {
		error = take_segment_key(&place, key, value, segment);
		is_bad = is_bad || error < 0;
		if (error < 0 && problem_collect(problem, error) < 0)
			return error;
	}
	if (is_bad)
		return -EINVAL;
	if (!vxlan_vni_is_valid(segment->vni))
		return missing(&place, "vni", "a number from 1 to 16777215");
	return 0;
}

static int check_option(const struct place *place, const char *key, const char *text)
{
	char why[240];

	spec_option_check(key, text, why, sizeof(why));
	return why[0] == '\0' ? 0 : refuse(place, key, "value-invalid", why);
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
static int refuse_left_over(const struct place *place, const json_t *json, const char *first,
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
	return refuse(place, first, "key-unknown", text);
}

static int parse_option(const struct place *place, const json_t *json, const char *key,
			const char *word, struct model_port *port)
{
	struct option_set set = port_kinds_options(port->kind);
	int index = options_find(&set, key);
	struct dp_option value;

	if (index < 0 && is_left_over(port->kind, key))
		return refuse_left_over(place, json, key, port->kind);
	if (index < 0)
		return refuse_key(place, key, port_keys, sizeof(port_keys) / sizeof(port_keys[0]),
				  &set);
	int error = parse_row(place, &set, (unsigned int)index, word, &value);

	if (error == 0 && value.kind == OPTION_TEXT)
		error = check_option(place, key, value.text);
	/* A device is called as its port unless it is said otherwise. */
	if (error == 0 && (strcmp(key, "ifname") != 0 || strcmp(value.text, port->name) != 0))
		keep_option(&set, &value, port->options, &port->n_options);
	return error;
}

static int parse_kind(const struct place *place, const json_t *json, struct model_port *port)
{
	char word[WORD_BYTES];
	char text[400];
	const json_t *type = json_object_get(json, "type");

	if (type == NULL)
		return missing(place, "type",
			       "vhost-user (KVM guest), tap (namespace, container), uplink "
			       "(interface to other hosts) or peer (another host)");
	int error = word_of(place, "type", type, word);
	if (error < 0)
		return error;
	port->kind = port_kinds_find(word);
	if (port->kind != NULL)
		return 0;
	int len = snprintf(text, sizeof(text), "type: %.40s is not known; known:", word);
	for (size_t i = 0; port_kinds[i] != NULL && (size_t)len < sizeof(text); i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s %s", i > 0 ? "," : "",
				port_kinds[i]->name);
	return refuse(place, "type", "type-unknown", text);
}

static bool is_place(const char *key)
{
	return strcmp(key, "segment") == 0 || strcmp(key, "trunk") == 0 ||
	       strcmp(key, "native") == 0 || strcmp(key, "segments") == 0;
}

/* Which segments reach a peer; without a word, all. */
static int parse_segments(const struct place *place, const json_t *json, struct model_port *port)
{
	static const char *const others[] = {"segment", "trunk", "native"};
	const json_t *names = json_object_get(json, "segments");
	char why[DP_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (json_object_get(json, others[i]) != NULL)
			return refuse(place, others[i], "trunk-invalid",
				      "what reaches a peer is its segments, as [ALPHA, BETA]; "
				      "without them, every segment");
	}
	if (names == NULL || trunk_parse_names(names, &port->trunk, why, sizeof(why)) == 0)
		return 0;
	return refuse(place, "segments", "trunk-invalid", why);
}

/* An underlay carries segments to peers: they say which. */
static int refuse_place(const struct place *place, const json_t *json)
{
	static const char *const keys[] = {"segment", "trunk", "native"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (json_object_get(json, keys[i]) != NULL)
			return refuse(place, keys[i], "trunk-invalid",
				      "an uplink with a vtep carries what peers have, and no "
				      "segment of its own; leave out this or vtep");
	}
	return 0;
}

/* Where the port is: an access port in one segment, or a trunk. */
static int parse_place(const struct place *place, const json_t *json, struct model_port *port)
{
	const json_t *trunk = json_object_get(json, "trunk");
	const char *key = trunk != NULL ? "native" : "segment";
	const char *other = trunk != NULL ? "segment" : "native";
	const json_t *name = json_object_get(json, key);
	char word[WORD_BYTES];
	char why[DP_TEXT_BYTES];
	int error = 0;

	if (port->kind->place == PORT_PLACE_VNI)
		return parse_segments(place, json, port);
	if (model_is_underlay(port))
		return refuse_place(place, json);
	if (json_object_get(json, other) != NULL)
		return refuse(place, other, "trunk-invalid",
			      trunk != NULL ? "segment is for access ports; the untagged segment "
					      "of a trunk is its native"
					    : "native is for trunks; an access port has a segment");
	if (trunk == NULL && name == NULL)
		return missing(place, "segment", "the name of a segment, as ALPHA; or a trunk");
	if (name != NULL)
		error = word_of(place, key, name, word);
	if (error == 0 && name != NULL)
		error = parse_name(place, key, word, port->segment);
	if (error == 0 && trunk != NULL && trunk_parse(trunk, &port->trunk, why, sizeof(why)) < 0)
		error = refuse(place, "trunk", "trunk-invalid", why);
	return error;
}

static int take_port_key(const struct place *place, const json_t *json, const char *key,
			 const json_t *value, struct model_port *port)
{
	char word[WORD_BYTES];
	int error = is_place(key) ? 0 : word_of(place, key, value, word);

	if (error < 0 || is_place(key))
		return error;
	if (strcmp(key, "vm") == 0)
		return parse_name(place, key, word, port->vm);
	if (strcmp(key, "host") == 0)
		return parse_name(place, key, word, port->host);
	if (strcmp(key, "mac") == 0 && !model_has_card(port))
		return refuse(place, key, "key-unknown",
			      "mac is of the card of a machine, and there is none; leave it out");
	if (strcmp(key, "mac") == 0)
		return parse_mac(place, key, word, port->mac);
	if (strcmp(key, "name") == 0)
		return check_same_name(place, word);
	return strcmp(key, "type") != 0 ? parse_option(place, json, key, word, port) : 0;
}

int spec_parse_port(const char *cluster, const char *name, const json_t *json,
		    struct model_port *port, struct problem *problem)
{
	struct place place = {.problem = problem};
	int error = check_self("port", name, json, &place);
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
