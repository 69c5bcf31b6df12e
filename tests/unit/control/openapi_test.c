/* SPDX-License-Identifier: BSD-3-Clause */
/* The OpenAPI file that weftd serves, held against what weftd does. */
#include "tests/unit/control/rig.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/api.h"
#include "dataplane/api/segment_options.h"
#include "tests/unit/control/schema.h"

static json_t *member(const json_t *object, const char *keys)
{
	json_t *found = (json_t *)(uintptr_t)object;

	while (*keys != '\0' && found != NULL) {
		char key[64];
		size_t len = strcspn(keys, " ");

		snprintf(key, sizeof(key), "%.*s", (int)len, keys);
		found = json_object_get(found, key);
		keys += len + (keys[len] == ' ');
	}
	return found;
}

/* The operation of a route, NULL if the document has none. */
static json_t *operation_of(const json_t *document, const struct http_route *route)
{
	char method[16] = "";

	for (size_t i = 0; route->method[i] != '\0'; i++)
		method[i] = (char)tolower((unsigned char)route->method[i]);
	return member(json_object_get(json_object_get(document, "paths"), route->path), method);
}

static void every_route_is_in_it_and_nothing_else(void **state)
{
	json_t *document = rig_call(*state, "GET", "/v1/openapi.json", "", 200);
	size_t n_routes, n_operations = 0;
	const struct http_route *routes = api_routes(&n_routes);
	const char *path, *method;
	json_t *methods, *operation;

	for (size_t i = 0; i < n_routes; i++) {
		operation = operation_of(document, &routes[i]);
		if (operation == NULL)
			fail_msg("%s %s is not in it", routes[i].method, routes[i].path);
		assert_string_equal(json_string_value(member(operation, "summary")),
				    routes[i].help);
		assert_in_range(routes[i].role, ROLES_READ, ROLES_ADMIN);
		assert_string_equal(json_string_value(member(operation, "x-weft-role")),
				    roles_name(routes[i].role));
	}
	json_object_foreach(json_object_get(document, "paths"), path, methods) {
		json_object_foreach(methods, method, operation)
			n_operations++;
	}
	assert_int_equal(n_operations, n_routes);
	json_decref(document);
}

/* One of each, with all that it can have. */
static const char channels_lab[] =
	"{\"pools\": {\"host\": {\"capacity\": {\"tx\": \"1G\", \"rx\": \"500M\"}, "
	"\"overcommit\": true}}, \"channels\": {\"gold\": {\"pool\": \"host\", \"tx\": {\"rate\": "
	"\"100M\", \"ceil\": \"200M\", \"burst\": \"64k\", \"weight\": 4, \"latency\": \"5ms\", "
	"\"pps\": \"100k\"}, \"account\": \"wire\"}, \"bronze\": {\"pool\": \"host\"}}, "
	"\"vms\": {\"vm\": {\"channel\": \"gold\"}}}";
static const char loan[] = "{\"from\": \"gold\", \"to\": \"bronze\", \"rate\": \"50M\", "
			   "\"for\": \"10m\"}";

/* "/v1/ports/{name}" to "/v1/ports/web0". */
static void fill_path(const char *pattern, char *path, size_t path_bytes)
{
	const char *hole = strstr(pattern, "{name}");
	static const struct {
		const char *in, *name;
	} names[] = {{"/segments/", "A"}, {"/history/", "1"},	  {"/pools/", "host"},
		     {"/vms/", "vm"},	  {"/channels/", "gold"}, {"/loans/", "loan1"}};
	const char *name = "web0";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		name = strstr(pattern, names[i].in) != NULL ? names[i].name : name;

	if (hole == NULL)
		snprintf(path, path_bytes, "%s", pattern);
	else
		snprintf(path, path_bytes, "%.*s%s%s", (int)(hole - pattern), pattern, name,
			 hole + strlen("{name}"));
}

/* What only some ports have, and all the counters, must be right too. */
static void every_answer_fits_its_schema(void **state)
{
	struct rig *rig = *state;
	json_t *document = rig_call(rig, "GET", "/v1/openapi.json", "", 200);
	size_t n_routes, n_checked = 0;
	const struct http_route *routes = api_routes(&n_routes);
	char path[256], replay_path[256], why[256];

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	rig_call_only(rig, "POST", "/v1/apply", channels_lab, 200);
	rig_call_only(rig, "POST", "/v1/loans", loan, 200);
	json_t *replay = rig_call(rig, "POST", "/v1/replays", "{\"ports\": [\"c1\"]}", 200);

	snprintf(replay_path, sizeof(replay_path), "/v1/replays/%s",
		 json_string_value(json_object_get(replay, "name")));
	json_decref(replay);
	for (size_t i = 0; i < n_routes; i++) {
		if (strcmp(routes[i].method, "GET") != 0 || routes[i].answer == NULL)
			continue;
		fill_path(routes[i].path, path, sizeof(path));
		if (strcmp(path, "/v1/where") == 0)
			snprintf(path, sizeof(path), "/v1/where?q=web0");
		if (strcmp(path, "/v1/why") == 0)
			snprintf(path, sizeof(path), "/v1/why?from=c1&to=c2");
		if (strcmp(routes[i].path, "/v1/replays/{name}") == 0)
			snprintf(path, sizeof(path), "%s", replay_path);
		json_t *answer = rig_call(rig, "GET", path, "", 200);
		json_t *schema = member(operation_of(document, &routes[i]),
					"responses 200 content application/json schema");
		if (!schema_fits(document, schema, answer, why, sizeof(why)))
			fail_msg("GET %s: %s", path, why);
		json_decref(answer);
		n_checked++;
	}
	assert_true(n_checked > 10);
	json_decref(document);
}

static void a_traced_frame_fits_and_nonsense_is_refused(void **state)
{
	static const char frame[] = "{\"frame\": \"ff:ff:ff:ff:ff:ff 020000000001 88b5\"}";
	struct rig *rig = *state;
	json_t *document = rig_call(rig, "GET", "/v1/openapi.json", "", 200);
	char why[256];

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	json_t *answer = rig_call(rig, "POST", "/v1/ports/c1/trace", frame, 200);

	if (!schema_fits(document, member(document, "components schemas Trace"), answer, why,
			 sizeof(why)))
		fail_msg("trace: %s", why);
	assert_true(json_array_size(json_object_get(answer, "steps")) > 3);
	json_decref(answer);
	json_decref(document);
	rig_assert_problem(rig, "POST", "/v1/ports/nobody/trace", frame, 404, "port-unknown",
			   "nobody");
	rig_assert_problem(rig, "POST", "/v1/ports/c1/trace", "{}", 422, "key-missing", "frame");
	rig_assert_problem(rig, "POST", "/v1/ports/c1/trace", "{\"frame\": 7}", 422, "key-missing",
			   "frame");
	rig_assert_problem(rig, "POST", "/v1/ports/c1/trace", "{\"frame\": \"00\", \"x\": 1}", 422,
			   "key-unknown", "nothing else");
	rig_assert_problem(rig, "POST", "/v1/ports/c1/trace", "{\"frame\": \"0\"}", 422,
			   "value-invalid", "hex");
	rig_assert_problem(rig, "POST", "/v1/ports/c1/trace", "{\"frame\": \"0g\"}", 422,
			   "value-invalid", "hex");
	rig_assert_problem(rig, "POST", "/v1/traces", "{}", 422, "key-missing", "next");
	rig_assert_problem(rig, "POST", "/v1/traces", "{\"next\": 0}", 422, "value-invalid",
			   "1 to 1000");
	rig_assert_problem(rig, "POST", "/v1/traces", "{\"next\": 1, \"ports\": [\"nobody\"]}", 404,
			   "port-unknown", "nobody");
	rig_assert_problem(rig, "POST", "/v1/traces", "{\"next\": 1, \"filter\": [[5, 0, 0]]}", 422,
			   "value-invalid", "filter");
	rig_assert_problem(rig, "POST", "/v1/traces", "{\"next\": 1, \"x\": 1}", 422, "key-unknown",
			   "known");
	rig_assert_problem(rig, "GET", "/v1/why", "", 422, "value-invalid", "from");
	rig_assert_problem(rig, "GET", "/v1/why?from=c1", "", 422, "value-invalid", "to");
	rig_assert_problem(rig, "GET", "/v1/why?from=c1&to=c2&size=x", "", 422, "value-invalid",
			   "size");
	rig_assert_problem(rig, "GET", "/v1/why?from=c1&to=c2&size=67", "", 422, "value-invalid",
			   "68");
}

static void the_answers_to_changes_fit_too(void **state)
{
	struct rig *rig = *state;
	json_t *document = rig_call(rig, "GET", "/v1/openapi.json", "", 200);
	const json_t *changes = member(document, "components schemas Changes");
	char why[256];
	json_t *answers[] = {
		rig_call(rig, "POST", "/v1/apply", rig_lab, 200),
		rig_call(rig, "POST", "/v1/diff", "{}", 200),
		rig_call(rig, "PUT", "/v1/segments/A", "{\"vni\": 100, \"mtu\": 1400}", 200),
		rig_call(rig, "DELETE", "/v1/ports/c1?dry_run=1", "", 200),
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (!schema_fits(document, changes, answers[i], why, sizeof(why)))
			fail_msg("answer %zu: %s", i, why);
		json_decref(answers[i]);
	}
	json_decref(document);
}

static void its_examples_are_taken(void **state)
{
	struct rig *rig = *state;
	json_t *document = rig_call(rig, "GET", "/v1/openapi.json", "", 200);
	const json_t *schemas = member(document, "components schemas");
	static const struct {
		const char *schema, *method, *path;
	} examples[] = {
		{"Segment", "PUT", "/v1/segments/ALPHA"},
		{"Port", "PUT", "/v1/ports/web0"},
		{"Lab", "POST", "/v1/apply"},
		{"Pool", "PUT", "/v1/pools/host"},
		{"Channel", "PUT", "/v1/channels/gold"},
		{"Channel", "PUT", "/v1/channels/bronze"},
		{"Vm", "PUT", "/v1/vms/db"},
		{"Loan", "POST", "/v1/loans"},
	};
	char why[256];

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const json_t *schema = json_object_get(schemas, examples[i].schema);
		const json_t *example = json_object_get(schema, "example");
		char *text = json_dumps(example, 0);

		assert_non_null(text);
		if (!schema_fits(document, schema, example, why, sizeof(why)))
			fail_msg("%s: %s", examples[i].schema, why);
		rig_call_only(rig, examples[i].method, examples[i].path, text, 200);
		free(text);
	}
	json_decref(document);
}

static void every_query_parameter_of_it_is_taken_and_no_other(void **state)
{
	struct rig *rig = *state;
	json_t *document = rig_call(rig, "GET", "/v1/openapi.json", "", 200);
	size_t n_routes, i;
	const struct http_route *routes = api_routes(&n_routes);
	json_t *parameter;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	for (size_t k = 0; k < n_routes; k++) {
		char path[256], asked[320];

		fill_path(routes[k].path, path, sizeof(path));
		snprintf(asked, sizeof(asked), "%s?nonsense=1", path);
		rig_assert_problem(rig, routes[k].method, asked, "", 400, "query-unknown",
				   "nonsense");
		json_array_foreach(member(operation_of(document, &routes[k]), "parameters"), i,
				   parameter) {
			const char *name = json_string_value(json_object_get(parameter, "name"));
			int status;

			if (strcmp(json_string_value(json_object_get(parameter, "in")), "query"))
				continue;
			/* A value that no such object has, and a body that does nothing. */
			snprintf(asked, sizeof(asked), "%s?dry_run=1&%s=0", path, name);
			if (strstr(routes[k].query, "dry_run") == NULL)
				snprintf(asked, sizeof(asked), "%s?%s=0", path, name);
			/* It would answer without an end. */
			if (strcmp(path, "/v1/watch") == 0)
				snprintf(asked, sizeof(asked), "%s?%s=x", path, name);
			json_t *answer =
				rig_call_as(rig, routes[k].method, asked, "", "{}", &status);
			if (status == 400)
				fail_msg("%s %s is refused", routes[k].method, asked);
			json_decref(answer);
		}
	}
	json_decref(document);
}

static void every_change_refuses_a_stale_if_match(void **state)
{
	struct rig *rig = *state;
	size_t n_routes;
	const struct http_route *routes = api_routes(&n_routes);
	char path[256];
	int status;

	rig_call_only(rig, "POST", "/v1/apply", rig_lab, 200);
	json_t *before = rig_call(rig, "GET", "/v1/export", "", 200);
	for (size_t i = 0; i < n_routes; i++) {
		if (strcmp(routes[i].method, "GET") == 0)
			continue;
		fill_path(routes[i].path, path, sizeof(path));
		json_t *answer = rig_call_as(rig, routes[i].method, path, "If-Match: \"stale\"\r\n",
					     "{}", &status);
		const char *code = json_string_value(json_object_get(answer, "code"));

		if (status != 412 || strcmp(code, "changed-meanwhile") != 0)
			fail_msg("%s %s: %d %s", routes[i].method, path, status, code);
		json_decref(answer);
	}
	json_t *after = rig_call(rig, "GET", "/v1/export", "", 200);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
}

static void problems_fit_their_schema_and_every_code_is_listed(void **state)
{
	struct rig *rig = *state;
	json_t *document = rig_call(rig, "GET", "/v1/openapi.json", "", 200);
	const json_t *schema = member(document, "components schemas Problem");
	const json_t *codes = member(schema, "properties code enum");
	size_t n_codes = 0;
	char why[256];

	while (problem_codes[n_codes].code != NULL) {
		assert_string_equal(json_string_value(json_array_get(codes, n_codes)),
				    problem_codes[n_codes].code);
		n_codes++;
	}
	assert_int_equal(json_array_size(codes), n_codes);
	json_t *problem = rig_call(rig, "GET", "/v1/ports/none", "", 404);
	assert_true(schema_fits(document, schema, problem, why, sizeof(why)));
	json_object_set_new(problem, "code", json_string("no-such-code"));
	assert_false(schema_fits(document, schema, problem, why, sizeof(why)));
	json_decref(problem);
	json_decref(document);
}

static void assert_options(const json_t *document, const char *schema, const struct option_set *set)
{
	char keys[160];

	for (int i = options_next(set, -1); i >= 0; i = options_next(set, i)) {
		snprintf(keys, sizeof(keys), "components schemas %s properties %s", schema,
			 options_row(set, (unsigned int)i)->key);
		if (member(document, keys) == NULL)
			fail_msg("no %s", keys);
	}
}

static void every_option_of_segments_and_ports_is_in_it(void **state)
{
	json_t *document = rig_call(*state, "GET", "/v1/openapi.json", "", 200);

	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		struct option_set set = port_kinds_options(port_kinds[i]);
		char schema[64];

		snprintf(schema, sizeof(schema), "Port-%s", port_kinds[i]->name);
		assert_options(document, schema, &set);
	}
	assert_options(document, "Segment", &segment_options);
	json_decref(document);
}

int main(int argc, char **argv)
{
	struct rig rig = {0};
	const struct CMUnitTest tests[] = {
		RIG_TEST(every_route_is_in_it_and_nothing_else, &rig),
		RIG_TEST(every_answer_fits_its_schema, &rig),
		RIG_TEST(a_traced_frame_fits_and_nonsense_is_refused, &rig),
		RIG_TEST(the_answers_to_changes_fit_too, &rig),
		RIG_TEST(its_examples_are_taken, &rig),
		RIG_TEST(every_query_parameter_of_it_is_taken_and_no_other, &rig),
		RIG_TEST(every_change_refuses_a_stale_if_match, &rig),
		RIG_TEST(problems_fit_their_schema_and_every_code_is_listed, &rig),
		RIG_TEST(every_option_of_segments_and_ports_is_in_it, &rig),
	};

	return rig_run(&rig, argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
