/* SPDX-License-Identifier: BSD-3-Clause */
/* Segment objects and their flood lists. Main thread. */
#include "dataplane/segment.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/dataplane.h"

int segment_create(struct dataplane *dp, const struct dp_segment *spec, struct segment **out)
{
	struct segment *segment = calloc(1, sizeof(*segment));
	struct flood_list *list = calloc(1, sizeof(*list));

	if (segment == NULL || list == NULL) {
		free(segment);
		free(list);
		return -ENOMEM;
	}
	segment->spec = *spec;
	atomic_store(&segment->age_s, spec->age_s);
	atomic_store(&segment->flood, list);
	*out = segment;
	return 0;
}

void segment_destroy(struct segment *segment)
{
	if (segment == NULL)
		return;
	free(atomic_load(&segment->flood));
	free(segment);
}

struct segment *segment_find(const struct dataplane *dp, uint32_t id)
{
	for (unsigned int i = 1; i < dp->segments_end; i++) {
		struct segment *segment = atomic_load(&dp->segments[i]);

		if (segment != NULL && segment->spec.id == id)
			return segment;
	}
	return NULL;
}

struct flood_list *segment_flood_list(const struct dataplane *dp, const struct segment *segment)
{
	struct flood_list *list = malloc(sizeof(*list) + dp->ports_end * sizeof(list->ports[0]));

	if (list == NULL)
		return NULL;
	list->n = 0;
	for (unsigned int i = 1; i < dp->ports_end; i++) {
		struct port *port = atomic_load(&dp->ports[i]);

		if (port != NULL && atomic_load(&port->segment) == segment->index)
			list->ports[list->n++] = port->index;
	}
	return list;
}
