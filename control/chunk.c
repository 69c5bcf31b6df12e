/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects to and from their records in the store. Pure. */
#include "control/chunk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/spec.h"

static json_t *pack_record(json_t *spec, uint64_t id, uint64_t generation, const char *lab)
{
	return json_pack("{s:I, s:I, s:s, s:o}", "id", (json_int_t)id, "generation",
			 (json_int_t)generation, "lab", lab, "spec", spec);
}

json_t *chunk_pack_segment(const struct model_segment *segment)
{
	return pack_record(spec_format_segment(segment, SPEC_SHORT), segment->id,
			   segment->generation, segment->lab);
}

json_t *chunk_pack_port(const char *cluster, const struct model_port *port)
{
	return pack_record(spec_format_port(cluster, port, SPEC_SHORT), port->id, port->generation,
			   port->lab);
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

static int load_segment(struct model *model, const char *name, json_t *record,
			struct problem *problem)
{
	struct model_segment segment;
	char lab[DP_NAME_BYTES] = "";
	uint64_t id, generation;
	json_t *spec;
	int error = read_record(record, &spec, &id, &generation, lab);

	if (error < 0)
		return problem_system(problem, error, "reading the store");
	error = spec_parse_segment(name, spec, &segment, problem);
	if (error < 0)
		return error;
	segment.id = (uint32_t)id;
	segment.generation = generation;
	memcpy(segment.lab, lab, sizeof(lab));
	return model_put_segment(model, &segment);
}

static int load_port(const char *cluster, struct model *model, const char *name, json_t *record,
		     struct problem *problem)
{
	struct model_port port;
	char lab[DP_NAME_BYTES] = "";
	json_t *spec;
	uint64_t id, generation;
	int error = read_record(record, &spec, &id, &generation, lab);

	if (error < 0)
		return problem_system(problem, error, "reading the store");
	error = spec_parse_port(cluster, name, spec, &port, problem);
	if (error < 0)
		return error;
	port.id = id;
	port.generation = generation;
	memcpy(port.lab, lab, sizeof(lab));
	error = model_put_port(model, &port);
	model_port_fini(&port);
	return error;
}

int chunk_load(const char *cluster, const json_t *chunk, struct model *model,
	       struct problem *problem)
{
	const char *name;
	json_t *record;
	int error = 0;

	if (!json_is_object(chunk))
		return problem_system(problem, -EBADMSG, "reading the store");
	json_object_foreach(json_object_get(chunk, "segments"), name, record) {
		error = load_segment(model, name, record, problem);
		if (error < 0)
			return error;
	}
	json_object_foreach(json_object_get(chunk, "ports"), name, record) {
		error = load_port(cluster, model, name, record, problem);
		if (error < 0)
			return error;
	}
	return 0;
}
