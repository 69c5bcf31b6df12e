/* SPDX-License-Identifier: BSD-3-Clause */
/* The segments of a trunk port: parse, format, compare, share. Pure. */
#include "control/trunk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model.h"

#define OWN "own"

struct trunk *trunk_ref(struct trunk *trunk)
{
	if (trunk != NULL)
		trunk->refs++;
	return trunk;
}

void trunk_unref(struct trunk *trunk)
{
	if (trunk != NULL && --trunk->refs == 0)
		free(trunk);
}

bool trunk_is_same(const struct trunk *a, const struct trunk *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->n_members == b->n_members &&
	       memcmp(a->members, b->members, a->n_members * sizeof(a->members[0])) == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct trunk_member *)a)->segment,
		      ((const struct trunk_member *)b)->segment);
}

bool trunk_has(const struct trunk *trunk, const char *segment)
{
	struct trunk_member key = {.vlan = 0};

	snprintf(key.segment, sizeof(key.segment), "%s", segment);
	return trunk != NULL && bsearch(&key, trunk->members, trunk->n_members,
					sizeof(trunk->members[0]), compare_names) != NULL;
}

/* --- reading --- */

struct reader {
	struct trunk *trunk;
	unsigned int max; /* room for members */
	const char *key;  /* that is read: trunk, or segments of a peer */
	char *why;
	size_t why_bytes;
};

static int refuse(const struct reader *reader, const char *what, const char *why)
{
	snprintf(reader->why, reader->why_bytes, "%s: %.70s: %s", reader->key, what, why);
	return -EINVAL;
}

/* word NULL, "" or "own": the segment's own tag. */
static int add_member(struct reader *reader, const char *name, const char *word)
{
	struct trunk_member member = {.vlan = 0};
	char *end;

	if (!model_is_name(name))
		return refuse(reader, name, "not the name of a segment");
	if (reader->trunk->n_members == reader->max)
		return refuse(reader, name, "more segments than a trunk can have");
	snprintf(member.segment, sizeof(member.segment), "%s", name);
	if (word != NULL && strcmp(word, OWN) != 0) {
		unsigned long vlan = strtoul(word, &end, 10);

		if (word[0] < '0' || word[0] > '9' || *end != '\0' || vlan < 1 ||
		    vlan > MODEL_VLAN_MAX)
			return refuse(reader, name, "its tag is a number from 1 to 4094, or own");
		member.vlan = (uint16_t)vlan;
	}
	reader->trunk->members[reader->trunk->n_members++] = member;
	return 0;
}

/* "ALPHA:10", "ALPHA" */
static int add_word(struct reader *reader, const char *word, size_t len)
{
	char text[DP_NAME_BYTES + 8];

	if (len >= sizeof(text))
		return refuse(reader, word, "write SEGMENT:TAG or SEGMENT");
	memcpy(text, word, len);
	text[len] = '\0';
	char *colon = strchr(text, ':');

	if (colon != NULL)
		*colon++ = '\0';
	return add_member(reader, text, colon);
}

static int read_words(struct reader *reader, const char *words)
{
	int error = 0;

	for (bool more = true; more && error == 0;) {
		size_t len = strcspn(words, ",");

		error = add_word(reader, words, len);
		more = words[len] == ',';
		words += len + 1;
	}
	return error;
}

static int read_object(struct reader *reader, const json_t *json)
{
	const char *name;
	json_t *value;
	int error = 0;

	json_object_foreach((json_t *)(uintptr_t)json, name, value) {
		char number[24];

		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value));
		if (json_is_integer(value))
			error = add_member(reader, name, number);
		else if (json_is_string(value))
			error = add_member(reader, name, json_string_value(value));
		else
			error = refuse(reader, name, "its tag is a number from 1 to 4094, or own");
		if (error < 0)
			return error;
	}
	return 0;
}

static int check_twice(const struct reader *reader)
{
	struct trunk *trunk = reader->trunk;
	bool seen[MODEL_VLAN_MAX + 1] = {false};

	if (trunk->n_members == 0)
		return refuse(reader, "empty", "name at least one segment");
	qsort(trunk->members, trunk->n_members, sizeof(trunk->members[0]), compare_names);
	for (unsigned int i = 0; i < trunk->n_members; i++) {
		const struct trunk_member *member = &trunk->members[i];

		if (i > 0 && compare_names(member, member - 1) == 0)
			return refuse(reader, member->segment, "it stands twice");
		if (member->vlan != 0 && seen[member->vlan])
			return refuse(reader, member->segment, "its tag is taken by another one");
		seen[member->vlan] = true;
	}
	return 0;
}

/* Members that a text can have. */
static size_t count_words(const char *words)
{
	size_t n = 1;

	for (; *words != '\0'; words++)
		n += *words == ',';
	return n;
}

/* Members that are written, whichever way. */
static size_t count_members(const json_t *json)
{
	if (json_is_string(json))
		return count_words(json_string_value(json));
	return json_is_array(json) ? json_array_size(json) : json_object_size(json);
}

/* read: one of the readers above. */
static int parse(const char *key, const json_t *json,
		 int (*read)(struct reader *reader, const json_t *json), struct trunk **out,
		 char *why, size_t why_bytes)
{
	struct reader reader = {.key = key, .why = why, .why_bytes = why_bytes};
	size_t max = count_members(json);

	reader.max = (unsigned int)(max < TRUNK_MEMBERS_MAX ? max : TRUNK_MEMBERS_MAX);
	reader.trunk = calloc(1, sizeof(*reader.trunk) + reader.max * sizeof(struct trunk_member));
	if (reader.trunk == NULL) {
		snprintf(why, why_bytes, "out of memory");
		return -ENOMEM;
	}
	reader.trunk->refs = 1;
	int error = read(&reader, json);

	if (error == 0)
		error = check_twice(&reader);
	if (error < 0) {
		trunk_unref(reader.trunk);
		return error;
	}
	*out = reader.trunk;
	return 0;
}

static int read_tagged(struct reader *reader, const json_t *json)
{
	if (json_is_string(json))
		return read_words(reader, json_string_value(json));
	if (json_is_object(json))
		return read_object(reader, json);
	return refuse(reader, "neither object nor text",
		      "write {ALPHA: 10, BETA: 20}, or ALPHA:10,BETA:20");
}

int trunk_parse(const json_t *json, struct trunk **trunk, char *why, size_t why_bytes)
{
	return parse("trunk", json, read_tagged, trunk, why, why_bytes);
}

static int read_names(struct reader *reader, const json_t *json)
{
	size_t i;
	json_t *name;
	int error = 0;

	if (json_is_string(json) && strchr(json_string_value(json), ':') == NULL)
		return read_words(reader, json_string_value(json));
	if (!json_is_array(json))
		return refuse(reader, "not a list of names", "write [ALPHA, BETA], or ALPHA,BETA");
	json_array_foreach(json, i, name) {
		if (!json_is_string(name))
			error = refuse(reader, "an entry", "not the name of a segment");
		if (error == 0)
			error = add_member(reader, json_string_value(name), NULL);
	}
	return error;
}

int trunk_parse_names(const json_t *json, struct trunk **trunk, char *why, size_t why_bytes)
{
	return parse("segments", json, read_names, trunk, why, why_bytes);
}

json_t *trunk_format_names(const struct trunk *trunk)
{
	json_t *list = json_array();
	int error = 0;

	for (unsigned int i = 0; i < trunk->n_members; i++)
		error |= json_array_append_new(list, json_string(trunk->members[i].segment));
	if (error == 0)
		return list;
	json_decref(list);
	return NULL;
}

json_t *trunk_format(const struct trunk *trunk)
{
	json_t *object = json_object();
	int error = 0;

	for (unsigned int i = 0; i < trunk->n_members; i++) {
		const struct trunk_member *member = &trunk->members[i];

		error |= json_object_set_new(object, member->segment,
					     member->vlan != 0 ? json_integer(member->vlan)
							       : json_string(OWN));
	}
	if (error == 0)
		return object;
	json_decref(object);
	return NULL;
}
