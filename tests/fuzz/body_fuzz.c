/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: the body of a request, a segment, a port or a lab as JSON. What is refused has a
 * reason that an answer can carry. What is taken is shown as something that can be sent again and
 * means the same.
 *
 *	input: which u8 | name up to a newline | JSON
 */
#include <stdlib.h>
#include <string.h>

#include "control/json_body.h"
#include "control/lab.h"
#include "control/spec.h"
#include "control/trunk.h"

#define CLUSTER "default"

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_problem(const struct problem *problem)
{
	json_t *answer = json_pack("{s:s, s:s, s:s}", "code", problem->code, "where",
				   problem->where, "detail", problem->detail);

	check(answer != NULL && problem->detail[0] != '\0');
	check(strchr(problem->detail, '\n') == NULL);
	json_decref(answer);
}

/* What is taken is not deep, whatever stands in its strings. */
static void check_depth(json_t *json, unsigned int left)
{
	const char *key;
	json_t *value;
	size_t i;

	check(left != 0 || !(json_is_object(json) || json_is_array(json)));
	json_object_foreach(json, key, value) {
		check_depth(value, left - 1);
	}
	json_array_foreach(json, i, value) {
		check_depth(value, left - 1);
	}
}

static void try_segment(const char *name, const json_t *body)
{
	struct model_segment segment, again;
	struct problem problem = {0};

	if (spec_parse_segment(name, body, &segment, &problem) < 0) {
		check_problem(&problem);
		return;
	}
	for (enum spec_form form = SPEC_SHORT; form <= SPEC_FULL; form++) {
		json_t *shown = spec_format_segment(&segment, form);

		check(shown != NULL);
		check(spec_parse_segment(name, shown, &again, &problem) == 0);
		check(memcmp(&segment, &again, sizeof(segment)) == 0);
		json_decref(shown);
	}
}

/* Trunks are shared by pointer: two of the same content are the same. Frees that of `again`. */
static void check_same(const struct model_port *port, struct model_port *again)
{
	check(trunk_is_same(port->trunk, again->trunk));
	model_fini(MODEL_PORT, &again->object);
	again->trunk = port->trunk;
	check(memcmp(port, again, sizeof(*port)) == 0);
}

static void try_port(const char *name, const json_t *body)
{
	struct model_port port, again;
	struct problem problem = {0};

	if (spec_parse_port(CLUSTER, name, body, &port, &problem) < 0) {
		check_problem(&problem);
		return;
	}
	for (enum spec_form form = SPEC_SHORT; form <= SPEC_FULL; form++) {
		json_t *shown = spec_format_port(CLUSTER, &port, form);

		check(shown != NULL);
		check(spec_parse_port(CLUSTER, name, shown, &again, &problem) == 0);
		check_same(&port, &again);
		json_decref(shown);
	}
	model_fini(MODEL_PORT, &port.object);
}

static void try_lab(const char *text, size_t bytes)
{
	struct problem problem = {0};
	struct model *empty, *wanted = NULL;
	struct lab lab;

	if (lab_parse_json(text, bytes, &lab, &problem) < 0) {
		check_problem(&problem);
		return;
	}
	check(model_create(&empty) == 0);
	if (lab_merge(&lab, CLUSTER, empty, false, &wanted, &problem) < 0)
		check_problem(&problem);
	model_destroy(wanted);
	model_destroy(empty);
	lab_fini(&lab);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t n_bytes);
int LLVMFuzzerTestOneInput(const char *bytes, size_t n_bytes)
{
	const char *end = n_bytes > 0 ? memchr(bytes, '\n', n_bytes) : NULL;
	char name[256] = "";

	if (end == NULL || (size_t)(end - bytes) > sizeof(name))
		return 0;
	memcpy(name, bytes + 1, (size_t)(end - bytes) - (end > bytes));
	const char *text = end + 1;
	size_t text_bytes = n_bytes - (size_t)(text - bytes);
	if (bytes[0] == 'l') {
		try_lab(text, text_bytes);
		return 0;
	}
	json_error_t fault;
	json_t *body = json_body_read(text, text_bytes, &fault);
	if (body != NULL)
		check_depth(body, JSON_BODY_DEPTH_MAX);
	if (body != NULL && bytes[0] == 's')
		try_segment(name, body);
	else if (body != NULL)
		try_port(name, body);
	json_decref(body);
	return 0;
}
