/* SPDX-License-Identifier: BSD-3-Clause */
/* The lab: laid over a model, and made from one. Pure. */
#include "control/lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/json_body.h"
#include "control/kinds.h"
#include "control/plan.h"
#include "control/spec.h"

#define LAB_NAME_DEFAULT "default"
#define KEYS "name, segments, pools, channels, vms, ports, peers"

/* In this order they are read and written. */
static const enum model_kind lab_order[] = {
	MODEL_SEGMENT, MODEL_POOL, MODEL_CHANNEL, MODEL_VM, MODEL_PORT,
};

#define N_LISTS (sizeof(lab_order) / sizeof(lab_order[0]))

int lab_parse_json(const char *text, size_t bytes, struct lab *lab, struct problem *problem)
{
	json_error_t fault;

	if (bytes > LAB_BYTES_MAX)
		return problem_set(problem, -EINVAL, 413, "body-too-large",
				   "the lab has more than 8 MiB; split it");
	*lab = (struct lab){.places = json_object()};
	lab->tree = json_body_read(text, bytes, &fault);
	if (lab->tree != NULL && lab->places != NULL)
		return 0;
	lab_fini(lab);
	problem_set(problem, -EINVAL, 400, "json-invalid", "not JSON: %s", fault.text);
	if (fault.line > 0)
		problem_locate(problem, (size_t)fault.line, (size_t)fault.column);
	return -EINVAL;
}

void lab_fini(struct lab *lab)
{
	json_decref(lab->tree);
	json_decref(lab->places);
	*lab = (struct lab){0};
}

/* The nearest place that stands in the text: the key, else its object. What is said of a port may
 * stand under peers. */
static bool find_place(const struct lab *lab, const char *where, size_t *line, size_t *column)
{
	char path[sizeof(((struct problem *)NULL)->where)], name[DP_NAME_BYTES];
	bool is_peer = sscanf(where, "ports.%63[^.]", name) == 1 &&
		       json_object_get(json_object_get(lab->tree, "peers"), name) != NULL;

	snprintf(path, sizeof(path), "%s%s", is_peer ? "peers" : "",
		 is_peer ? where + strlen("ports") : where);
	while (path[0] != '\0') {
		json_int_t place = json_integer_value(json_object_get(lab->places, path));
		char *dot = strrchr(path, '.');

		*line = (size_t)(place >> LAB_COLUMN_BITS);
		*column = (size_t)(place & LAB_COLUMN_MAX);
		if (place > 0)
			return true;
		*(dot != NULL ? dot : path) = '\0';
	}
	return false;
}

void lab_locate(const struct lab *lab, struct problem *problem)
{
	size_t i, line, column;
	json_t *error;

	/* The last one may not be in the list yet; what has no place stays as it is. */
	if (problem->where[0] != '\0' && json_array_size(problem->errors) == 0)
		problem_collect(problem, -EINVAL);
	json_array_foreach(problem->errors, i, error) {
		if (!find_place(lab, json_string_value(json_object_get(error, "where")), &line,
				&column))
			continue;
		json_object_set_new(error, "line", json_integer((json_int_t)line));
		json_object_set_new(error, "column", json_integer((json_int_t)column));
	}
	problem_collected(problem);
	if (find_place(lab, problem->where, &line, &column))
		problem_prefix(problem, "line %zu: ", line);
}

static int refuse(struct problem *problem, const char *where, const char *code, const char *text)
{
	int error = problem_set(problem, -EINVAL, 422, code, "%s", text);

	problem_at(problem, "%s", where);
	return error;
}

/* How many objects there may be under this key; 0: no list stands there. */
static size_t list_max(const char *key)
{
	for (size_t i = 0; i < N_LISTS; i++) {
		if (strcmp(key, kinds[lab_order[i]].plural) == 0)
			return kinds[lab_order[i]].max;
	}
	return strcmp(key, "peers") == 0 ? kinds[MODEL_PORT].max : 0;
}

static int check_top(const json_t *tree, struct problem *problem)
{
	const char *key;
	json_t *value;
	char text[200];

	if (!json_is_object(tree))
		return refuse(problem, "", "lab-invalid", "a lab is an object with the keys " KEYS);
	json_object_foreach((json_t *)(uintptr_t)tree, key, value) {
		if (strcmp(key, "name") == 0) {
			if (json_is_string(value) && (json_string_length(value) == 0 ||
						      model_is_name(json_string_value(value))))
				continue;
			return refuse(problem, key, "name-invalid",
				      "name: use 1 to 63 of A-Z a-z 0-9 . _ -, "
				      "first a letter or digit; or \"\" for no lab");
		}
		size_t max = list_max(key);

		if (max > 0 && json_object_size(value) > max) {
			snprintf(text, sizeof(text), "%s: %zu are more than there may be, %zu", key,
				 json_object_size(value), max);
			return refuse(problem, key, "objects-many", text);
		}
		if (max > 0) {
			if (json_is_object(value) || json_is_null(value))
				continue;
			snprintf(text, sizeof(text), "%s: needs names and objects, as NAME: {...}",
				 key);
			return refuse(problem, key, "lab-invalid", text);
		}
		snprintf(text, sizeof(text), "unknown key '%.60s'; known: " KEYS, key);
		return refuse(problem, key, "key-unknown", text);
	}
	return 0;
}

const char *lab_name(const struct lab *lab)
{
	const char *name = json_string_value(json_object_get(lab->tree, "name"));

	return name != NULL ? name : LAB_NAME_DEFAULT;
}

/*
 * Whose an object is: what its own key `lab` says, which is taken out of it. *owner NULL: it says
 * nothing.
 */
static int take_owner(const char *plural, const char *name, json_t *object,
		      char owner[DP_NAME_BYTES], bool *is_given, struct problem *problem)
{
	const json_t *value = json_object_get(object, "lab");
	const char *word = json_string_value(value);
	char where[sizeof(problem->where)];

	*is_given = value != NULL;
	if (value == NULL)
		return 0;
	if (word == NULL || (word[0] != '\0' && !model_is_name(word))) {
		snprintf(where, sizeof(where), "%s.%.80s.lab", plural, name);
		return refuse(problem, where, "name-invalid",
			      "lab: use 1 to 63 of A-Z a-z 0-9 . _ -, first a letter or digit; "
			      "or \"\" for what belongs to no lab");
	}
	snprintf(owner, DP_NAME_BYTES, "%s", word);
	return json_object_del(object, "lab");
}

/* For an object that cannot be read: so that what refers to it is not blamed for its absence. A
 * port is referred to by nothing that would miss it. */
static int stand_in(struct model *model, enum model_kind kind, const char *name)
{
	union model_any object;

	if (kind == MODEL_PORT || !model_is_name(name) || model_find(model, kind, name) != NULL)
		return 0;
	memset(&object, 0, sizeof(object));
	snprintf(object.object.name, sizeof(object.object.name), "%s", name);
	return model_put(model, kind, &object.object);
}

/* What stays as it is keeps its owner, unless another one is given. */
static int merge_object(const struct lab *lab, const char *cluster, struct model *model,
			enum model_kind kind, const char *name, json_t *value,
			struct problem *problem)
{
	union model_any object;
	char owner[DP_NAME_BYTES];
	bool is_given;
	int error = take_owner(kinds[kind].plural, name, value, owner, &is_given, problem);

	if (error == 0)
		error = kinds[kind].parse(cluster, name, value, &object, problem);
	if (error < 0 && problem_collect(problem, error) < 0)
		return error;
	if (error < 0) {
		error = stand_in(model, kind, name);
		return error < 0 ? problem_system(problem, error, "reading the lab") : 0;
	}
	const struct model_object *old = model_find(model, kind, name);
	const char *heir =
		old != NULL && plan_is_same(kind, old, &object.object) ? old->lab : lab_name(lab);
	snprintf(object.object.lab, sizeof(object.object.lab), "%s", is_given ? owner : heir);
	error = model_put(model, kind, &object.object);
	model_fini(kind, &object.object);
	return error < 0 ? problem_system(problem, error, "reading the lab") : 0;
}

static int merge_list(const struct lab *lab, const char *cluster, struct model *model,
		      enum model_kind kind, struct problem *problem)
{
	const char *name;
	json_t *value;
	int error = 0;

	json_object_foreach(json_object_get(lab->tree, kinds[kind].plural), name, value) {
		if (error == 0)
			error = merge_object(lab, cluster, model, kind, name, value, problem);
	}
	return error;
}

/* Peers are ports of that kind, under a heading of their own. */
static int merge_peers(const struct lab *lab, const char *cluster, struct model *model,
		       struct problem *problem)
{
	const json_t *ports = json_object_get(lab->tree, "ports");
	char where[sizeof(problem->where)];
	const char *name;
	json_t *value;
	int error = 0;

	json_object_foreach(json_object_get(lab->tree, "peers"), name, value) {
		snprintf(where, sizeof(where), "peers.%.80s", name);
		if (error == 0 && json_object_get(ports, name) != NULL)
			error = problem_collect(problem,
						refuse(problem, where, "name-taken",
						       "a port has the same name; call one of them "
						       "something else"));
		else if (error == 0 && json_object_get(value, "type") != NULL)
			error = problem_collect(
				problem, refuse(problem, where, "lab-invalid",
						"leave type out: what stands here is a peer"));
		else if (error == 0 && json_is_object(value))
			json_object_set_new(value, "type", json_string("peer"));
		if (error == 0)
			error = merge_object(lab, cluster, model, MODEL_PORT, name, value, problem);
	}
	return error;
}

static void prune_undeclared(const struct lab *lab, const struct model *current,
			     struct model *model)
{
	const json_t *peers = json_object_get(lab->tree, "peers");

	for (size_t k = 0; k < N_LISTS; k++) {
		enum model_kind kind = lab_order[k];
		const struct model_list *list = &current->lists[kind];
		const json_t *declared = json_object_get(lab->tree, kinds[kind].plural);

		for (size_t i = 0; i < list->n; i++) {
			const struct model_object *object = list->items[i];
			bool is_peer =
				kind == MODEL_PORT && json_object_get(peers, object->name) != NULL;

			if (strcmp(object->lab, lab_name(lab)) == 0 && !is_peer &&
			    json_object_get(declared, object->name) == NULL)
				model_del(model, kind, object->name);
		}
	}
}

int lab_merge(const struct lab *lab, const char *cluster, const struct model *current, bool prune,
	      struct model **wanted, struct problem *problem)
{
	struct model *model;
	int error = check_top(lab->tree, problem);

	if (error == 0 && prune && lab_name(lab)[0] == '\0')
		error = refuse(problem, "name", "name-invalid",
			       "prune needs to know whose objects may go: give the lab a name");
	if (error == 0) {
		if (model_copy(current, &model) < 0)
			return problem_system(problem, -ENOMEM, "reading the lab");
		for (size_t i = 0; i < N_LISTS && error == 0; i++)
			error = merge_list(lab, cluster, model, lab_order[i], problem);
		if (error == 0)
			error = merge_peers(lab, cluster, model, problem);
		if (error == 0) {
			if (prune)
				prune_undeclared(lab, current, model);
			*wanted = model;
			return 0;
		}
		model_destroy(model);
	}
	return error;
}

/* The owner of most objects: the name of the whole, so that few need to say theirs. */
static void find_main_owner(const struct model *model, char owner[DP_NAME_BYTES])
{
	json_t *counts = json_object();
	json_int_t most = 0;

	snprintf(owner, DP_NAME_BYTES, LAB_NAME_DEFAULT);
	for (size_t k = 0; k < N_LISTS; k++) {
		const struct model_list *list = &model->lists[lab_order[k]];

		for (size_t i = 0; i < list->n; i++) {
			const char *lab = list->items[i]->lab;
			json_int_t n = json_integer_value(json_object_get(counts, lab)) + 1;

			json_object_set_new(counts, lab, json_integer(n));
			if (n <= most)
				continue;
			most = n;
			memcpy(owner, lab, DP_NAME_BYTES);
		}
	}
	json_decref(counts);
}

static json_t *format_object(const char *cluster, enum model_kind kind,
			     const struct model_object *object, const char *main_owner)
{
	json_t *json = kinds[kind].format(cluster, object, SPEC_SHORT);

	if (json != NULL && strcmp(object->lab, main_owner) != 0)
		json_object_set_new(json, "lab", json_string(object->lab));
	return json;
}

/* Each object under the heading where lab_merge() finds it. */
static int format_list(const char *cluster, const struct model *model, enum model_kind kind,
		       const char *owner, json_t *list, json_t *peers)
{
	int error = 0;

	for (size_t i = 0; i < model->lists[kind].n; i++) {
		const struct model_object *object = model->lists[kind].items[i];
		json_t *json = format_object(cluster, kind, object, owner);
		bool is_peer = kind == MODEL_PORT && model->ports[i]->kind->place == PORT_PLACE_VNI;

		if (is_peer && json != NULL)
			json_object_del(json, "type");
		error |= json_object_set_new(is_peer ? peers : list, object->name, json);
	}
	return error;
}

json_t *lab_format(const char *cluster, const struct model *model)
{
	json_t *peers = json_object();
	json_t *lab = json_object();
	char owner[DP_NAME_BYTES];
	int error = 0;

	find_main_owner(model, owner);
	if (strcmp(owner, LAB_NAME_DEFAULT) != 0)
		error |= json_object_set_new(lab, "name", json_string(owner));
	for (size_t i = 0; i < N_LISTS; i++) {
		enum model_kind kind = lab_order[i];
		json_t *list = json_object();

		error |= format_list(cluster, model, kind, owner, list, peers);
		/* Segments and ports are what a lab is of: they stand there even if empty. */
		if (json_object_size(list) > 0 || kind == MODEL_SEGMENT || kind == MODEL_PORT)
			error |= json_object_set(lab, kinds[kind].plural, list);
		json_decref(list);
	}
	if (json_object_size(peers) > 0)
		error |= json_object_set(lab, "peers", peers);
	json_decref(peers);
	if (error == 0)
		return lab;
	json_decref(lab);
	return NULL;
}
