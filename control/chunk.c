/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects to and from their records in the store. Pure. */
#include "control/chunk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/kinds.h"

#define LOAN_MS_MAX (INT64_C(1000) * MODEL_LOAN_S_MAX)

json_t *chunk_pack(const char *cluster, enum model_kind kind, const struct model_object *object)
{
	const struct model_loan *loan = (const struct model_loan *)object;

	return json_pack("{s:I, s:I, s:s, s:o, s:o*}", "id", (json_int_t)object->id, "generation",
			 (json_int_t)object->generation, "lab", object->lab, "spec",
			 kinds[kind].format(cluster, object, SPEC_SHORT), "span_ms",
			 kind == MODEL_LOAN ? json_integer((json_int_t)loan->span_ms) : NULL);
}

/* Records of former versions have none: then it is the longest that there is. */
static uint64_t read_span_ms(const json_t *record)
{
	json_int_t span_ms = json_integer_value(json_object_get(record, "span_ms"));

	return span_ms > 0 && span_ms < LOAN_MS_MAX ? (uint64_t)span_ms : LOAN_MS_MAX;
}

static int read_record(json_t *record, json_t **spec, uint64_t *id, uint64_t *generation,
		       char lab[DP_NAME_BYTES])
{
	json_int_t raw_id, raw_generation;
	const char *raw_lab;

	if (json_unpack(record, "{s:I, s:I, s:s, s:o}", "id", &raw_id, "generation",
			&raw_generation, "lab", &raw_lab, "spec", spec) < 0 ||
	    raw_id <= 0)
		return -EBADMSG;
	*id = (uint64_t)raw_id;
	*generation = (uint64_t)raw_generation;
	snprintf(lab, DP_NAME_BYTES, "%s", raw_lab);
	return 0;
}

static int load_object(const char *cluster, enum model_kind kind, struct model *model,
		       const char *name, json_t *record, struct problem *problem)
{
	union model_any object;
	char lab[DP_NAME_BYTES] = "";
	json_t *spec;
	uint64_t id, generation;
	int error = read_record(record, &spec, &id, &generation, lab);

	if (error < 0)
		return problem_system(problem, error, "reading the store");
	error = kinds[kind].parse(cluster, name, spec, &object, problem);
	if (error < 0)
		return error;
	object.object.id = id;
	object.object.generation = generation;
	memcpy(object.object.lab, lab, sizeof(lab));
	if (kind == MODEL_LOAN)
		object.loan.span_ms = read_span_ms(record);
	error = model_put(model, kind, &object.object);
	model_fini(kind, &object.object);
	return error;
}

int chunk_load_kind(const char *cluster, const json_t *chunk, enum model_kind kind,
		    struct model *model, struct problem *problem)
{
	const char *name;
	json_t *record;
	int error = 0;

	json_object_foreach(json_object_get(chunk, kinds[kind].plural), name, record) {
		if (error == 0)
			error = load_object(cluster, kind, model, name, record, problem);
	}
	return error;
}

int chunk_load(const char *cluster, const json_t *chunk, struct model *model,
	       struct problem *problem)
{
	int error = 0;

	if (!json_is_object(chunk))
		return problem_system(problem, -EBADMSG, "reading the store");
	for (enum model_kind kind = 0; kind < MODEL_KINDS && error == 0; kind++)
		error = chunk_load_kind(cluster, chunk, kind, model, problem);
	return error;
}
