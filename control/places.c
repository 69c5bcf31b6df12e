/* SPDX-License-Identifier: BSD-3-Clause */
/* From ids to objects. Runs on weftd's thread. */
#include "control/places.h"

int places_init(struct places *places, const struct model *model)
{
	int error = 0;

	*places = (struct places){.model = model};
	for (enum model_kind kind = 0; kind < MODEL_KINDS; kind++) {
		for (size_t i = 0; i < model->lists[kind].n && error == 0; i++)
			error = table_put(&places->table,
					  (struct table_row){.id = model->lists[kind].items[i]->id,
							     .digest = i,
							     .kind = (uint8_t)kind});
	}
	if (error < 0)
		places_fini(places);
	return error;
}

void places_fini(struct places *places)
{
	table_fini(&places->table);
}

const struct model_segment *places_segment(const struct places *places, uint32_t id)
{
	const struct table_row *row = table_find(&places->table, id);

	return row != NULL && row->kind == MODEL_SEGMENT ? places->model->segments[row->digest]
							 : NULL;
}

const struct model_port *places_port(const struct places *places, uint64_t id)
{
	const struct table_row *row = table_find(&places->table, id);

	return row != NULL && row->kind == MODEL_PORT ? places->model->ports[row->digest] : NULL;
}

const struct model_port *places_find_port(const struct model *model, uint64_t id)
{
	for (size_t i = 0; i < model->n_ports; i++) {
		if (model->ports[i]->id == id)
			return model->ports[i];
	}
	return NULL;
}
