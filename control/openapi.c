/* SPDX-License-Identifier: BSD-3-Clause */
/* The OpenAPI file, from the tables of weftd. Pure. */
#include "control/openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <control/openapi_schemas.h> /* made by the build */

#include "dataplane/api/port_kinds.h"
#include "dataplane/api/segment_options.h"

#define REF_BYTES 128

static json_t *refer(const char *section, const char *name)
{
	char ref[REF_BYTES];

	snprintf(ref, sizeof(ref), "#/components/%s/%s", section, name);
	return json_pack("{s:s}", "$ref", ref);
}

static json_t *content(const char *type, json_t *schema)
{
	return json_pack("{s:{s:o}}", type, "schema", schema);
}

/* --- paths --- */

static json_t *make_parameter(const char *name, const char *in, json_t *schema)
{
	return json_pack("{s:s, s:s, s:b, s:o}", "name", name, "in", in, "required",
			 strcmp(in, "path") == 0, "schema", schema);
}

/* What stands in braces in the path, the words of the query list, and If-Match of a change. */
static json_t *make_parameters(const struct http_route *route)
{
	json_t *list = json_array();
	const char *word = route->query;

	if (strstr(route->path, "{name}") != NULL)
		json_array_append_new(
			list, make_parameter("name", "path", json_pack("{s:s}", "type", "string")));
	while (*word != '\0') {
		char name[64];
		size_t len = strcspn(word, ",");

		snprintf(name, sizeof(name), "%.*s", (int)len, word);
		json_array_append_new(
			list, make_parameter(name, "query", json_pack("{s:s}", "type", "string")));
		word += len;
		word += strspn(word, ", ");
	}
	if (strcmp(route->method, "GET") != 0)
		json_array_append_new(list, make_parameter("If-Match", "header",
							   json_pack("{s:s}", "type", "string")));
	return list;
}

/* "get_v1_ports_name" */
static json_t *make_operation_id(const struct http_route *route)
{
	char id[REF_BYTES];
	size_t len = 0;

	for (const char *c = route->method; *c != '\0'; c++)
		id[len++] = (char)tolower((unsigned char)*c);
	for (const char *c = route->path; *c != '\0' && len + 2 < sizeof(id); c++) {
		if (isalnum((unsigned char)*c))
			id[len++] = *c;
		else if (id[len - 1] != '_')
			id[len++] = '_';
	}
	while (id[len - 1] == '_')
		len--;
	return json_stringn(id, len);
}

static json_t *make_operation(const struct http_route *route)
{
	json_t *answer = route->answer != NULL
				 ? content("application/json", refer("schemas", route->answer))
				 : content(route->type, json_pack("{s:s}", "type", "string"));
	json_t *operation = json_pack(
		"{s:s, s:o, s:s, s:o, s:{s:{s:s, s:o}, s:o}}", "summary", route->help,
		"operationId", make_operation_id(route), "x-weft-role", roles_name(route->role),
		"parameters", make_parameters(route), "responses", "200", "description", "done",
		"content", answer, "default", refer("responses", "Problem"));

	if (operation != NULL && route->body != NULL)
		json_object_set_new(
			operation, "requestBody",
			json_pack("{s:b, s:o}", "required", 1, "content",
				  content("application/json", refer("schemas", route->body))));
	return operation;
}

static json_t *make_paths(const struct http_route *routes, size_t n_routes)
{
	json_t *paths = json_object();

	for (size_t i = 0; i < n_routes; i++) {
		json_t *path = json_object_get(paths, routes[i].path);
		char method[16];
		size_t len = 0;

		for (const char *c = routes[i].method; *c != '\0'; c++)
			method[len++] = (char)tolower((unsigned char)*c);
		method[len] = '\0';
		if (path == NULL) {
			path = json_object();
			json_object_set_new(paths, routes[i].path, path);
		}
		json_object_set_new(path, method, make_operation(&routes[i]));
	}
	return paths;
}

/* --- segments, and ports: one schema for each kind --- */

static json_t *make_choices(const char *choices)
{
	json_t *list = json_array();

	while (*choices != '\0') {
		size_t len = strcspn(choices, "|");

		json_array_append_new(list, json_stringn(choices, len));
		choices += len;
		choices += strspn(choices, "|");
	}
	return list;
}

/* A word is taken for every kind of option, as in a lab file; GET shows the kind's own type. */
static json_t *make_option(const struct option_def *def)
{
	static const char *const types[] = {
		[OPTION_BOOL] = "boolean",
		[OPTION_NUMBER] = "integer",
		[OPTION_TEXT] = "string",
		[OPTION_CHOICE] = "string",
	};
	json_t *schema = json_pack("{s:s, s:s, s:b}", "type", types[def->kind], "description",
				   def->help, "x-weft-live", def->live);

	if (def->unit != NULL && def->unit[0] != '\0')
		json_object_set_new(schema, "x-weft-unit", json_string(def->unit));
	if (def->kind == OPTION_CHOICE)
		json_object_set_new(schema, "enum", make_choices(def->choices));
	if (def->kind == OPTION_NUMBER) {
		json_object_set_new(schema, "minimum", json_integer((json_int_t)def->min));
		json_object_set_new(schema, "maximum", json_integer((json_int_t)def->max));
	}
	if (def->value != NULL && def->value[0] != '\0' && def->kind != OPTION_NUMBER &&
	    def->kind != OPTION_BOOL)
		json_object_set_new(schema, "default", json_string(def->value));
	return schema;
}

static void add_options(json_t *properties, const struct option_set *set)
{
	for (int i = options_next(set, -1); i >= 0; i = options_next(set, i)) {
		const struct option_def *def = options_row(set, (unsigned int)i);

		json_object_set_new(properties, def->key, make_option(def));
	}
}

static json_t *make_port(const struct port_kind *kind)
{
	static const char *const common[] = {"name", "vm", "mac", "host", "channel", "lab"};
	struct option_set set = port_kinds_options(kind);
	json_t *properties = json_pack("{s:{s:s, s:[s]}, s:o}", "type", "type", "string", "enum",
				       kind->name, "status", refer("schemas", "PortStatus"));

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		json_object_set_new(properties, common[i], json_pack("{s:s}", "type", "string"));
	if (kind->place == PORT_PLACE_VNI) {
		json_object_set_new(properties, "segments", refer("schemas", "SegmentNames"));
	} else {
		json_object_set_new(properties, "segment", json_pack("{s:s}", "type", "string"));
		json_object_set_new(properties, "native", json_pack("{s:s}", "type", "string"));
		json_object_set_new(properties, "trunk", refer("schemas", "Trunk"));
	}
	add_options(properties, &set);
	return json_pack("{s:s, s:s, s:b, s:[s], s:o}", "type", "object", "description", kind->help,
			 "additionalProperties", 0, "required", "type", "properties", properties);
}

static void add_ports(json_t *schemas)
{
	json_t *kinds = json_array();
	json_t *mapping = json_object();

	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		char name[64];

		snprintf(name, sizeof(name), "Port-%s", port_kinds[i]->name);
		json_t *reference = refer("schemas", name);
		json_object_set(mapping, port_kinds[i]->name, json_object_get(reference, "$ref"));
		json_array_append_new(kinds, reference);
		json_object_set_new(schemas, name, make_port(port_kinds[i]));
	}
	json_object_set_new(schemas, "Port",
			    json_pack("{s:o, s:{s:s, s:o}, s:{s:s, s:s}}", "oneOf", kinds,
				      "discriminator", "propertyName", "type", "mapping", mapping,
				      "example", "type", "vhost-user", "segment", "ALPHA"));
}

/* --- problems --- */

static void add_codes(json_t *schemas)
{
	json_t *code = json_object_get(
		json_object_get(json_object_get(schemas, "Problem"), "properties"), "code");
	json_t *codes = json_array(), *meanings = json_object();

	for (size_t i = 0; problem_codes[i].code != NULL; i++) {
		json_array_append_new(codes, json_string(problem_codes[i].code));
		json_object_set_new(meanings, problem_codes[i].code,
				    json_string(problem_codes[i].help));
	}
	json_object_set_new(code, "enum", codes);
	json_object_set_new(code, "x-weft-meanings", meanings);
}

json_t *openapi_make(const struct http_route *routes, size_t n_routes)
{
	json_t *schemas = json_loads(openapi_schemas, 0, NULL);

	if (schemas == NULL)
		return NULL;
	add_options(json_object_get(json_object_get(schemas, "Segment"), "properties"),
		    &segment_options);
	add_ports(schemas);
	add_codes(schemas);
	return json_pack(
		"{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:o, s:{s:o, s:{s:{s:s, s:o}}}}", "openapi",
		"3.0.3", "info", "title", "weft", "version", WEFT_VERSION, "description",
		"The API of weftd, on its Unix socket and, with --listen, by TLS; docs/api.md",
		"servers", "url", "http://weft/", "paths", make_paths(routes, n_routes),
		"components", "schemas", schemas, "responses", "Problem", "description",
		"refused; code says which of the reasons", "content",
		content("application/problem+json", refer("schemas", "Problem")));
}
