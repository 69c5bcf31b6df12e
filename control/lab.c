/* SPDX-License-Identifier: BSD-3-Clause */
/* The lab: laid over a model, and made from one. Pure. */
#include "control/lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/json_body.h"
#include "control/plan.h"
#include "control/spec.h"

#define LAB_NAME_DEFAULT "default"

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

static int check_top(const json_t *tree, struct problem *problem)
{
	const char *key;
	json_t *value;
	char text[200];

	if (!json_is_object(tree))
		return refuse(problem, "", "lab-invalid",
			      "a lab is an object with the keys name, segments, ports, peers");
	json_object_foreach((json_t *)(uintptr_t)tree, key, value) {
		if (strcmp(key, "name") == 0) {
			if (json_is_string(value) && (json_string_length(value) == 0 ||
						      model_is_name(json_string_value(value))))
				continue;
			return refuse(problem, key, "name-invalid",
				      "name: use 1 to 63 of A-Z a-z 0-9 . _ -, "
				      "first a letter or digit; or \"\" for no lab");
		}
		if (strcmp(key, "segments") == 0 || strcmp(key, "ports") == 0 ||
		    strcmp(key, "peers") == 0) {
			if (json_is_object(value) || json_is_null(value))
				continue;
			snprintf(text, sizeof(text), "%s: needs names and objects, as NAME: {...}",
				 key);
			return refuse(problem, key, "lab-invalid", text);
		}
		snprintf(text, sizeof(text),
			 "unknown key '%.60s'; known: name, segments, ports, "
			 "peers",
			 key);
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
static int take_owner(const char *kinds, const char *name, json_t *object,
		      char owner[DP_NAME_BYTES], bool *is_given, struct problem *problem)
{
	const json_t *value = json_object_get(object, "lab");
	const char *word = json_string_value(value);
	char where[sizeof(problem->where)];

	*is_given = value != NULL;
	if (value == NULL)
		return 0;
	if (word == NULL || (word[0] != '\0' && !model_is_name(word))) {
		snprintf(where, sizeof(where), "%s.%.80s.lab", kinds, name);
		return refuse(problem, where, "name-invalid",
			      "lab: use 1 to 63 of A-Z a-z 0-9 . _ -, first a letter or digit; "
			      "or \"\" for what belongs to no lab");
	}
	snprintf(owner, DP_NAME_BYTES, "%s", word);
	return json_object_del(object, "lab");
}

/* For a segment that cannot be read: so that its ports are not blamed for its absence. */
static int stand_in(struct model *model, const char *name)
{
	struct model_segment segment = {.vni = 0};

	if (!model_is_name(name) || model_segment(model, name) != NULL)
		return 0;
	snprintf(segment.name, sizeof(segment.name), "%s", name);
	return model_put_segment(model, &segment);
}

/* What stays as it is keeps its owner, unless another one is given. */
static int merge_segments(const struct lab *lab, struct model *model, struct problem *problem)
{
	struct model_segment segment;
	char owner[DP_NAME_BYTES];
	const char *name;
	json_t *value;
	bool is_given;

	json_object_foreach(json_object_get(lab->tree, "segments"), name, value) {
		int error = take_owner("segments", name, value, owner, &is_given, problem);

		if (error == 0)
			error = spec_parse_segment(name, value, &segment, problem);
		if (error < 0 && problem_collect(problem, error) < 0)
			return error;
		if (error < 0) {
			error = stand_in(model, name);
			if (error < 0)
				return problem_system(problem, error, "reading the lab");
			continue;
		}
		const struct model_segment *old = model_segment(model, name);
		const char *heir = old != NULL && plan_is_same_segment(old, &segment)
					   ? old->lab
					   : lab_name(lab);
		snprintf(segment.lab, sizeof(segment.lab), "%s", is_given ? owner : heir);
		if (model_put_segment(model, &segment) < 0)
			return problem_system(problem, -ENOMEM, "reading the lab");
	}
	return 0;
}

static int merge_port(const struct lab *lab, const char *cluster, struct model *model,
		      const char *name, json_t *value, struct problem *problem)
{
	struct model_port port;
	char owner[DP_NAME_BYTES];
	bool is_given;
	int error = take_owner("ports", name, value, owner, &is_given, problem);

	if (error == 0)
		error = spec_parse_port(cluster, name, value, &port, problem);
	if (error < 0)
		return problem_collect(problem, error);
	const struct model_port *old = model_port(model, name);
	const char *heir = old != NULL && plan_is_same_port(old, &port) ? old->lab : lab_name(lab);
	snprintf(port.lab, sizeof(port.lab), "%s", is_given ? owner : heir);
	error = model_put_port(model, &port);
	model_port_fini(&port);
	return error < 0 ? problem_system(problem, error, "reading the lab") : 0;
}

static int merge_ports(const struct lab *lab, const char *cluster, struct model *model,
		       struct problem *problem)
{
	const char *name;
	json_t *value;
	int error = 0;

	json_object_foreach(json_object_get(lab->tree, "ports"), name, value) {
		if (error == 0)
			error = merge_port(lab, cluster, model, name, value, problem);
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
			error = merge_port(lab, cluster, model, name, value, problem);
	}
	return error;
}

static void prune_undeclared(const struct lab *lab, const struct model *current,
			     struct model *model)
{
	const json_t *segments = json_object_get(lab->tree, "segments");
	const json_t *ports = json_object_get(lab->tree, "ports");
	const json_t *peers = json_object_get(lab->tree, "peers");

	for (size_t i = 0; i < current->n_ports; i++) {
		const struct model_port *port = current->ports[i];

		if (strcmp(port->lab, lab_name(lab)) == 0 &&
		    json_object_get(ports, port->name) == NULL &&
		    json_object_get(peers, port->name) == NULL)
			model_del_port(model, port->name);
	}
	for (size_t i = 0; i < current->n_segments; i++) {
		const struct model_segment *segment = current->segments[i];

		if (strcmp(segment->lab, lab_name(lab)) == 0 &&
		    json_object_get(segments, segment->name) == NULL)
			model_del_segment(model, segment->name);
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
		error = merge_segments(lab, model, problem);
		if (error == 0)
			error = merge_ports(lab, cluster, model, problem);
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
	for (size_t i = 0; i < model->n_segments + model->n_ports; i++) {
		const char *lab = i < model->n_segments ? model->segments[i]->lab
							: model->ports[i - model->n_segments]->lab;
		json_int_t n = json_integer_value(json_object_get(counts, lab)) + 1;

		json_object_set_new(counts, lab, json_integer(n));
		if (n <= most)
			continue;
		most = n;
		memcpy(owner, lab, DP_NAME_BYTES);
	}
	json_decref(counts);
}

static json_t *own(json_t *object, const char *lab, const char *main_owner)
{
	if (object != NULL && strcmp(lab, main_owner) != 0)
		json_object_set_new(object, "lab", json_string(lab));
	return object;
}

/* A port under the heading where lab_merge() finds it. */
static int format_port(const char *cluster, const struct model_port *port, const char *owner,
		       json_t *ports, json_t *peers)
{
	json_t *object = own(spec_format_port(cluster, port, SPEC_SHORT), port->lab, owner);
	bool is_peer = port->kind->place == PORT_PLACE_VNI;

	if (is_peer && object != NULL)
		json_object_del(object, "type");
	return json_object_set_new(is_peer ? peers : ports, port->name, object);
}

json_t *lab_format(const char *cluster, const struct model *model)
{
	json_t *segments = json_object();
	json_t *ports = json_object();
	json_t *peers = json_object();
	json_t *lab = json_object();
	char owner[DP_NAME_BYTES];
	int error = 0;

	find_main_owner(model, owner);
	if (strcmp(owner, LAB_NAME_DEFAULT) != 0)
		error |= json_object_set_new(lab, "name", json_string(owner));
	for (size_t i = 0; i < model->n_segments; i++) {
		const struct model_segment *segment = model->segments[i];

		error |= json_object_set_new(
			segments, segment->name,
			own(spec_format_segment(segment, SPEC_SHORT), segment->lab, owner));
	}
	for (size_t i = 0; i < model->n_ports; i++)
		error |= format_port(cluster, model->ports[i], owner, ports, peers);
	error |= json_object_set_new(lab, "segments", segments);
	error |= json_object_set_new(lab, "ports", ports);
	if (json_object_size(peers) > 0)
		error |= json_object_set(lab, "peers", peers);
	json_decref(peers);
	if (error == 0)
		return lab;
	json_decref(lab);
	return NULL;
}
