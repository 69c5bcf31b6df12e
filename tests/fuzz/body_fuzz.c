/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: the body of a request, an object of some kind or a lab as JSON. What is refused has
 * a reason that an answer can carry. What is taken is shown as something that can be sent again and
 * means the same.
 *
 *	input: which u8 | name up to a newline | JSON
 */
#include <stdlib.h>
#include <string.h>

#include "control/json_body.h"
#include "control/kinds.h"
#include "control/lab.h"
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

/* Trunks are shared by pointer: two of the same content are the same. Frees that of `again`. */
static void check_same(enum model_kind kind, const union model_any *object, union model_any *again)
{
	if (kind == MODEL_PORT) {
		check(trunk_is_same(object->port.trunk, again->port.trunk));
		model_fini(kind, &again->object);
		again->port.trunk = object->port.trunk;
	}
	check(memcmp(object, again, model_bytes(kind, &object->object)) == 0);
}

static void try_object(enum model_kind kind, const char *name, const json_t *body)
{
	union model_any object, again;
	struct problem problem = {0};

	if (kinds[kind].parse(CLUSTER, name, body, &object, &problem) < 0) {
		check_problem(&problem);
		return;
	}
	for (enum spec_form form = SPEC_SHORT; form <= SPEC_FULL; form++) {
		json_t *shown = kinds[kind].format(CLUSTER, &object.object, form);

		check(shown != NULL);
		check(kinds[kind].parse(CLUSTER, name, shown, &again, &problem) == 0);
		check_same(kind, &object, &again);
		json_decref(shown);
	}
	model_fini(kind, &object.object);
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
	/* s: segment, c: channel, ... by the letters; anything else is a port. */
	static const char letters[MODEL_KINDS + 1] = "s_ocvn";
	const char *letter = bytes[0] != '_' ? memchr(letters, bytes[0], MODEL_KINDS) : NULL;

	if (body != NULL)
		try_object(letter != NULL ? (enum model_kind)(letter - letters) : MODEL_PORT, name,
			   body);
	json_decref(body);
	return 0;
}
