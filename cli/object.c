/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Objects that the API keeps by name. Values go out as the words that the user typed: which of them
 * is a number weftd knows, from the table of the kind.
 */
#include "cli/object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/changes.h"

#define KEY_BYTES 64

/* Keys of a GET answer that are weftd's to write, not a user's to set. */
static const char *const read_only[] = {"name", "status", "lab"};

static bool is_read_only(const char *key)
{
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
		if (strcmp(key, read_only[i]) == 0)
			return true;
	}
	return false;
}

/* Whether the same key stands in two of the words: then one of them is a slip. */
static bool is_repeated(const struct call *call, int word, const char *key)
{
	size_t key_chars = strlen(key);

	for (int i = 1; i < word; i++) {
		if (strncmp(call->words[i], key, key_chars) == 0 &&
		    call->words[i][key_chars] == '=')
			return true;
	}
	return false;
}

/* Where a dotted key is kept: an object within the object, made if it is not there; *key becomes
 * what is behind the dot. NULL: no memory. */
static json_t *find_part(json_t *object, const char **key)
{
	const char *dot = strchr(*key, '.');
	char name[KEY_BYTES];
	json_t *part;

	if (!dot)
		return object;
	snprintf(name, sizeof(name), "%.*s", (int)(dot - *key), *key);
	part = json_object_get(object, name);
	if (!json_is_object(part) && json_object_set_new(object, name, json_object()) == 0)
		part = json_object_get(object, name);
	*key = dot + 1;
	return part;
}

/* Puts the words KEY=VALUE after the name into `object`; KEY= takes the key out. A key with a dot,
 * as tx.rate, is one of an object within it. */
static int take_words(const struct call *call, const struct object_kind *kind, json_t *object)
{
	for (int i = 1; i < call->n_words; i++) {
		char key[KEY_BYTES];
		const char *value, *rest = key;
		json_t *part;

		if (args_split(call->words[i], key, sizeof(key), &value))
			return call_usage(call, "'%s' is not KEY=VALUE", call->words[i]);
		if (is_read_only(key) || (kind->type && strcmp(key, "type") == 0))
			return call_usage(call, "%s cannot be set", key);
		if (is_repeated(call, i, key))
			return call_usage(call, "%s is given twice", key);
		part = find_part(object, &rest);
		if (*value == '\0')
			json_object_del(part, rest);
		else if (json_object_set_new(part, rest, json_string(value)))
			return call_usage(call, "%s: the value is not UTF-8 text", key);
	}
	return CALL_DONE;
}

/* The path of the object that the first word names, with ?dry_run=1 if asked for. */
static int change_path(const struct call *call, const struct object_kind *kind,
		       char path[CLIENT_PATH_BYTES])
{
	int code = call_name_path(call, path, kind->path, call->words[0]);

	if (code || !call->args->dry_run)
		return code;
	return call_add_query(call, path, "dry_run", "1");
}

int object_change(const struct call *call, const struct client_request *request)
{
	json_t *plan;
	int code = call_ask(call, request, &plan);

	if (code)
		return code;
	code = changes_print(call, plan, false);
	json_decref(plan);
	return code;
}

static int put(const struct call *call, const struct object_kind *kind, const json_t *object,
	       const char *etag)
{
	struct client_request request = {.method = "PUT", .if_match = etag};
	char path[CLIENT_PATH_BYTES], *body;
	int code = change_path(call, kind, path);

	if (code)
		return code;
	body = json_dumps(object, JSON_COMPACT);
	if (!body)
		return call_fail(call, CALL_REFUSED, "out of memory");
	request.path = path;
	request.body = body;
	request.body_bytes = strlen(body);
	code = object_change(call, &request);
	free(body);
	return code;
}

/* Whether an object that was found is of the type that the words of the command say. */
static bool is_of_type(const struct object_kind *kind, const json_t *object)
{
	const char *type = json_string_value(json_object_get(object, "type"));

	return !kind->type || (type && strcmp(type, kind->type) == 0);
}

static int check_type(const struct call *call, const struct object_kind *kind, const json_t *object)
{
	if (is_of_type(kind, object))
		return CALL_DONE;
	return call_fail(call, CALL_REFUSED, "%s is no %s; see: weft port show %s", call->words[0],
			 kind->noun, call->words[0]);
}

/* A PUT would change an object that exists; who says add means a new one. */
static int check_absent(const struct call *call, const struct object_kind *kind)
{
	struct client_answer answer;
	char path[CLIENT_PATH_BYTES];
	int code = call_name_path(call, path, kind->path, call->words[0]);

	if (code)
		return code;
	code = call_send(call, &(struct client_request){.method = "GET", .path = path}, &answer);
	if (code)
		return code;
	if (answer.status == 200)
		code = call_fail(call, CALL_REFUSED,
				 "%s %s exists; change it with: weft %s set %s KEY=VALUE",
				 kind->noun, call->words[0], kind->noun, call->words[0]);
	else if (answer.status != 404)
		code = call_check(call, &answer);
	client_release(&answer);
	return code;
}

int object_add(const struct call *call, const struct object_kind *kind)
{
	json_t *object = json_object();
	int code = take_words(call, kind, object);

	if (!code && kind->type)
		json_object_set_new(object, "type", json_string(kind->type));
	if (!code)
		code = check_absent(call, kind);
	if (!code)
		code = put(call, kind, object, NULL);
	json_decref(object);
	return code;
}

/* Takes those of other types out of the answer. */
static void keep_type(const struct object_kind *kind, json_t *answer)
{
	json_t *rows = json_object_get(answer, kind->list);

	for (size_t i = json_array_size(rows); i-- > 0;) {
		if (!is_of_type(kind, json_array_get(rows, i)))
			json_array_remove(rows, i);
	}
}

int object_list(const struct call *call, const struct object_kind *kind)
{
	json_t *answer;
	int code = call_get(call, kind->path, &answer);

	if (code)
		return code;
	keep_type(kind, answer);
	code = call_print_rows(call, answer, kind->list, kind->columns, kind->n_columns);
	json_decref(answer);
	return code;
}

int object_show(const struct call *call, const struct object_kind *kind)
{
	char path[CLIENT_PATH_BYTES];
	json_t *object;
	int code = call_name_path(call, path, kind->path, call->words[0]);

	if (!code)
		code = call_get(call, path, &object);
	if (code)
		return code;
	code = check_type(call, kind, object);
	if (!code)
		code = call_print_object(call, object);
	json_decref(object);
	return code;
}

/* The object as it is, without what is not a user's to set, and its ETag. may_be_new: where there
 * is none, an empty one. */
static int fetch(const struct call *call, const struct object_kind *kind, bool may_be_new,
		 json_t **object, char etag[CLIENT_ETAG_BYTES])
{
	struct client_answer answer;
	char path[CLIENT_PATH_BYTES];
	int code = call_name_path(call, path, kind->path, call->words[0]);

	if (!code)
		code = call_send(call, &(struct client_request){.method = "GET", .path = path},
				 &answer);
	if (code)
		return code;
	memcpy(etag, answer.etag, CLIENT_ETAG_BYTES);
	if (may_be_new && answer.status == 404)
		*object = json_object();
	else
		code = call_check(call, &answer);
	if (!code && answer.status != 404)
		code = call_parse(call, &answer, object);
	client_release(&answer);
	for (size_t i = 0; !code && i < sizeof(read_only) / sizeof(read_only[0]); i++)
		json_object_del(*object, read_only[i]);
	return code;
}

int object_wanted(const struct call *call, const struct object_kind *kind, json_t **object)
{
	char etag[CLIENT_ETAG_BYTES];
	int code = fetch(call, kind, true, object, etag);

	if (code)
		return code;
	code = take_words(call, kind, *object);
	if (code)
		json_decref(*object);
	return code;
}

int object_set(const struct call *call, const struct object_kind *kind)
{
	char etag[CLIENT_ETAG_BYTES];
	json_t *object;
	int code = fetch(call, kind, false, &object, etag);

	if (code)
		return code;
	code = check_type(call, kind, object);
	if (!code)
		code = take_words(call, kind, object);
	if (!code)
		code = put(call, kind, object, etag);
	json_decref(object);
	return code;
}

/* Of a command for one type: a name that is something else's deletes nothing. */
static int check_found(const struct call *call, const struct object_kind *kind)
{
	char path[CLIENT_PATH_BYTES];
	json_t *object;
	int code = call_name_path(call, path, kind->path, call->words[0]);

	if (!code)
		code = call_get(call, path, &object);
	if (code)
		return code;
	code = check_type(call, kind, object);
	json_decref(object);
	return code;
}

int object_del(const struct call *call, const struct object_kind *kind)
{
	char path[CLIENT_PATH_BYTES];
	int code = change_path(call, kind, path);

	if (!code && kind->type)
		code = check_found(call, kind);

	if (code)
		return code;
	return object_change(call, &(struct client_request){.method = "DELETE", .path = path});
}

void object_print_keys(FILE *out, const json_t *options)
{
	static const struct print_column columns[] = {
		{.key = "key", .heading = "KEY"},   {.key = "kind", .heading = "KIND"},
		{.key = "unit", .heading = "UNIT"}, {.key = "default", .heading = "DEFAULT"},
		{.key = "live", .heading = "LIVE"}, {.key = "help", .heading = "MEANING"},
	};

	print_rows(out, columns, sizeof(columns) / sizeof(columns[0]), options);
}
