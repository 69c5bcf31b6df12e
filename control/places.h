/* SPDX-License-Identifier: BSD-3-Clause */
/* From the ids that the dataplane speaks of to the objects of a model. Runs on weftd's thread. */
#pragma once

#include "control/model.h"
#include "control/table.h"

struct places {
	const struct model *model; /* must not change meanwhile */
	struct table table;	   /* id -> index */
};

/* 0 or -ENOMEM; *places is then empty. */
int places_init(struct places *places, const struct model *model);
void places_fini(struct places *places);

/* NULL: deleted meanwhile. */
const struct model_segment *places_segment(const struct places *places, uint32_t id);
const struct model_port *places_port(const struct places *places, uint64_t id);

/* The same for one port, without places: looks at all of them. */
const struct model_port *places_find_port(const struct model *model, uint64_t id);
