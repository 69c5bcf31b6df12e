/* SPDX-License-Identifier: BSD-3-Clause */
/* YAML to a JSON tree and back, for labs. Reads libyaml's events, without recursion. Pure. */
#include "control/lab_yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

struct level {
	json_t *node;	 /* borrowed: the tree owns it */
	char *key;	 /* of a map: the key whose value comes next */
	size_t path_len; /* of the path of `node` */
};

struct reader {
	struct lab *lab;
	struct problem *problem;
	struct level levels[LAB_DEPTH_MAX];
	unsigned int depth;
	unsigned int n_documents;
	char path[160]; /* "ports.web0": cut where too long, errors then name the object */
};

static int refuse(struct reader *reader, const yaml_mark_t *mark, const char *code,
		  const char *text)
{
	problem_set(reader->problem, -EINVAL, strcmp(code, "yaml-invalid") == 0 ? 400 : 422, code,
		    "%s", text);
	problem_locate(reader->problem, mark->line + 1, mark->column + 1);
	return -EINVAL;
}

static bool is_integer(const char *text, size_t bytes)
{
	size_t i = text[0] == '-';

	if (bytes - i < 1 || bytes > 18 || (text[i] == '0' && bytes > 1))
		return false;
	return strspn(text + i, "0123456789") == bytes - i;
}

static json_t *scalar_value(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t bytes = event->data.scalar.length;

	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		if (bytes == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0)
			return json_null();
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			return json_boolean(text[0] == 't');
		if (is_integer(text, bytes))
			return json_integer(strtoll(text, NULL, 10));
	}
	return json_stringn(text, bytes);
}

static void extend_path(struct reader *reader, size_t len, const char *key)
{
	if (len < sizeof(reader->path))
		snprintf(reader->path + len, sizeof(reader->path) - len, "%s%s", len > 0 ? "." : "",
			 key);
}

/* Hangs a value into the tree, below the map or list that is open. */
static int attach(struct reader *reader, json_t *value, const yaml_mark_t *mark)
{
	struct level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;
	int error;

	if (value == NULL)
		return problem_system(reader->problem, -ENOMEM, "reading the lab");
	if (level == NULL) {
		reader->lab->tree = value;
		return 0;
	}
	if (json_is_array(level->node)) {
		error = json_array_append_new(level->node, value);
	} else if (level->key == NULL) {
		json_decref(value);
		return refuse(reader, mark, "yaml-invalid", "a key must be a word");
	} else {
		extend_path(reader, level->path_len, level->key);
		error = json_object_set_new(level->node, level->key, value);
		free(level->key);
		level->key = NULL;
	}
	return error < 0 ? problem_system(reader->problem, -ENOMEM, "reading the lab") : 0;
}

static json_int_t place_of(const yaml_mark_t *mark)
{
	json_int_t column = mark->column < LAB_COLUMN_MAX ? (json_int_t)mark->column + 1
							  : LAB_COLUMN_MAX;

	return (((json_int_t)mark->line + 1) << LAB_COLUMN_BITS) + column;
}

static int take_key(struct reader *reader, struct level *level, const yaml_event_t *event)
{
	const char *key = (const char *)event->data.scalar.value;
	const yaml_mark_t *mark = &event->start_mark;
	char text[160];

	if (strlen(key) != event->data.scalar.length)
		return refuse(reader, mark, "yaml-invalid", "a key contains a NUL");
	if (json_object_get(level->node, key) != NULL) {
		snprintf(text, sizeof(text), "key '%.80s' stands twice in the same object", key);
		return refuse(reader, mark, "key-duplicate", text);
	}
	level->key = strdup(key);
	extend_path(reader, level->path_len, key);
	if (level->key == NULL || json_object_set_new(reader->lab->places, reader->path,
						      json_integer(place_of(mark))) < 0)
		return problem_system(reader->problem, -ENOMEM, "reading the lab");
	return 0;
}

static int take_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct level *level = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;

	if (level != NULL && json_is_object(level->node) && level->key == NULL)
		return take_key(reader, level, event);
	return attach(reader, scalar_value(event), &event->start_mark);
}

static int open_level(struct reader *reader, json_t *node, const yaml_event_t *event)
{
	struct level *parent = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;
	size_t path_len = parent != NULL ? parent->path_len : 0;

	if (reader->depth == LAB_DEPTH_MAX) {
		json_decref(node);
		return refuse(reader, &event->start_mark, "yaml-invalid",
			      "nested deeper than 32 levels");
	}
	bool is_named = parent != NULL && json_is_object(parent->node);
	int error = attach(reader, node, &event->start_mark);
	if (error < 0)
		return error;
	reader->levels[reader->depth++] = (struct level){
		.node = node,
		.path_len = is_named ? strlen(reader->path) : path_len,
	};
	return 0;
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor != NULL ||
		       event->data.mapping_start.tag != NULL;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor != NULL ||
		       event->data.sequence_start.tag != NULL;
	default:
		return false;
	}
}

static int take_event(struct reader *reader, const yaml_event_t *event)
{
	if (event->type == YAML_ALIAS_EVENT || has_anchor_or_tag(event))
		return refuse(reader, &event->start_mark, "yaml-unsupported",
			      "anchors, aliases and tags are not taken; write the value out");
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (++reader->n_documents > 1)
			return refuse(reader, &event->start_mark, "yaml-unsupported",
				      "a second document begins; put everything into one");
		return 0;
	case YAML_SCALAR_EVENT:
		return take_scalar(reader, event);
	case YAML_MAPPING_START_EVENT:
		return open_level(reader, json_object(), event);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(reader, json_array(), event);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		reader->depth--;
		return 0;
	default:
		return 0;
	}
}

static int read_events(struct reader *reader, yaml_parser_t *parser)
{
	yaml_event_t event;

	for (;;) {
		if (!yaml_parser_parse(parser, &event)) {
			yaml_mark_t mark = parser->problem_mark;

			return refuse(reader, &mark, "yaml-invalid",
				      parser->problem != NULL ? parser->problem : "not YAML");
		}
		bool is_end = event.type == YAML_STREAM_END_EVENT;
		int error = take_event(reader, &event);
		yaml_event_delete(&event);
		if (error < 0 || is_end)
			return error;
	}
}

int lab_yaml_parse(const char *text, size_t bytes, struct lab *lab, struct problem *problem)
{
	struct reader reader = {.lab = lab, .problem = problem};
	yaml_parser_t parser;

	if (bytes > LAB_BYTES_MAX)
		return problem_set(problem, -EINVAL, 413, "body-too-large",
				   "the lab has more than 8 MiB; split it");
	*lab = (struct lab){.places = json_object()};
	if (lab->places == NULL || !yaml_parser_initialize(&parser)) {
		lab_fini(lab);
		return problem_system(problem, -ENOMEM, "reading the lab");
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
	int error = read_events(&reader, &parser);
	yaml_parser_delete(&parser);
	for (unsigned int i = 0; i < LAB_DEPTH_MAX; i++)
		free(reader.levels[i].key);
	if (error == 0 && lab->tree == NULL)
		error = problem_set(problem, -EINVAL, 400, "yaml-invalid", "the lab is empty");
	if (error < 0)
		lab_fini(lab);
	return error;
}

/* --- writing --- */

/* Does it read back as the same text when written plain? */
static bool is_plain(const char *text)
{
	static const char *const words[] = {"true", "false", "null", "~", "yes", "no", "on", "off"};
	size_t len = strlen(text);

	if (len == 0 || text[strspn(text, "0123456789.-")] == '\0')
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return false;
	}
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			    "._-/+") == len &&
	       strchr("-.", text[0]) == NULL;
}

static int emit_event(yaml_emitter_t *emitter, yaml_event_t *event, int is_made)
{
	return is_made && yaml_emitter_emit(emitter, event) ? 0 : -ENOMEM;
}

static int emit_text(yaml_emitter_t *emitter, const char *text, bool must_be_plain)
{
	yaml_event_t event;
	yaml_scalar_style_t style = must_be_plain || is_plain(text)
					    ? YAML_PLAIN_SCALAR_STYLE
					    : YAML_DOUBLE_QUOTED_SCALAR_STYLE;

	/* cast: libyaml copies the text, but its prototype has no const in every version */
	return emit_event(emitter, &event,
			  yaml_scalar_event_initialize(&event, NULL, NULL,
						       (yaml_char_t *)(uintptr_t)text,
						       (int)strlen(text), 1, 1, style));
}

static int emit_value(yaml_emitter_t *emitter, const json_t *value, unsigned int depth);

/* Names each on a line of their own, what belongs to one name in braces: as a lab is written. */
static int emit_object(yaml_emitter_t *emitter, const json_t *object, unsigned int depth)
{
	yaml_mapping_style_t style = depth < 2 && json_object_size(object) > 0
					     ? YAML_BLOCK_MAPPING_STYLE
					     : YAML_FLOW_MAPPING_STYLE;
	yaml_event_t event;
	const char *key;
	json_t *value;
	int error = emit_event(emitter, &event,
			       yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style));

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		if (error == 0)
			error = emit_text(emitter, key, false);
		if (error == 0)
			error = emit_value(emitter, value, depth + 1);
	}
	if (error < 0)
		return error;
	return emit_event(emitter, &event, yaml_mapping_end_event_initialize(&event));
}

static int emit_list(yaml_emitter_t *emitter, const json_t *list, unsigned int depth)
{
	yaml_event_t event;
	size_t i;
	json_t *value;
	int error = emit_event(emitter, &event,
			       yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
								    YAML_FLOW_SEQUENCE_STYLE));

	json_array_foreach(list, i, value) {
		if (error == 0)
			error = emit_value(emitter, value, depth + 1);
	}
	if (error < 0)
		return error;
	return emit_event(emitter, &event, yaml_sequence_end_event_initialize(&event));
}

static int emit_value(yaml_emitter_t *emitter, const json_t *value, unsigned int depth)
{
	char number[24];

	if (json_is_object(value))
		return emit_object(emitter, value, depth);
	if (json_is_array(value))
		return emit_list(emitter, value, depth);
	if (json_is_string(value))
		return emit_text(emitter, json_string_value(value), false);
	if (json_is_boolean(value))
		return emit_text(emitter, json_is_true(value) ? "true" : "false", true);
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return emit_text(emitter, number, true);
}

struct text {
	char *bytes;
	size_t n_bytes;
};

static int append(void *ctx, unsigned char *bytes, size_t n_bytes)
{
	struct text *text = ctx;
	char *grown = realloc(text->bytes, text->n_bytes + n_bytes + 1);

	if (grown == NULL)
		return 0;
	memcpy(grown + text->n_bytes, bytes, n_bytes);
	text->bytes = grown;
	text->n_bytes += n_bytes;
	text->bytes[text->n_bytes] = '\0';
	return 1;
}

char *lab_yaml_format(const json_t *tree)
{
	struct text text = {0};
	yaml_emitter_t emitter;
	yaml_event_t event;

	if (!yaml_emitter_initialize(&emitter))
		return NULL;
	yaml_emitter_set_output(&emitter, append, &text);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	int error = emit_event(&emitter, &event,
			       yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	if (error == 0)
		error = emit_event(
			&emitter, &event,
			yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	if (error == 0)
		error = emit_value(&emitter, tree, 0);
	if (error == 0)
		error = emit_event(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
	if (error == 0)
		error = emit_event(&emitter, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&emitter);
	if (error == 0)
		return text.bytes;
	free(text.bytes);
	return NULL;
}
