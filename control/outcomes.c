/* SPDX-License-Identifier: BSD-3-Clause */
/* See outcomes.h. */
#include "control/outcomes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/model.h"
#include "control/places.h"

int outcomes_source_open(struct outcomes_source *source, int fd)
{
	int error = record_open(fd, &source->map);

	for (uint32_t i = 0; error == 0 && i < source->map.n_rings; i++)
		record_reader_begin(&source->readers[i], &source->map, i);
	return error;
}

void outcomes_source_close(struct outcomes_source *source)
{
	record_close(&source->map);
}

uint64_t outcomes_source_lost(const struct outcomes_source *source)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i < source->map.n_rings; i++)
		lost += record_reader_lost(&source->readers[i]);
	return lost;
}

/* --- sums --- */

static struct outcomes_port *add_port(struct outcomes *outcomes, uint64_t id,
				      const struct model *model)
{
	struct outcomes_port *ports =
		reallocarray(outcomes->ports, outcomes->n_ports + 1, sizeof(*ports));

	if (ports == NULL)
		return NULL;
	outcomes->ports = ports;
	struct outcomes_port *port = &ports[outcomes->n_ports];

	const struct model_port *of = places_find_port(model, id);

	*port = (struct outcomes_port){0};
	snprintf(port->name, sizeof(port->name), "%s", of != NULL ? of->name : "(gone)");
	if (table_put(&outcomes->places,
		      (struct table_row){.id = id, .digest = outcomes->n_ports}) < 0)
		return NULL;
	outcomes->n_ports++;
	return port;
}

/* NULL: there is no memory. */
static struct outcomes_port *port_of(struct outcomes *outcomes, uint64_t id,
				     const struct model *model)
{
	const struct table_row *row = table_find(&outcomes->places, id);

	return row != NULL ? &outcomes->ports[row->digest] : add_port(outcomes, id, model);
}

static void count(struct outcomes_port *port, enum fate_kind kind, uint8_t reason)
{
	switch (kind) {
	case FATE_DELIVERED:
		port->delivered++;
		break;
	case FATE_QUEUED:
		port->queued++;
		break;
	case FATE_LEFT:
		port->left++;
		break;
	default:
		port->drops[reason]++;
		break;
	}
}

/* --- reading --- */

static bool is_sound(const struct record *record, const struct fate *fate)
{
	return fate->kind >= FATE_DELIVERED && fate->kind <= FATE_LEFT &&
	       (fate->kind != FATE_DROPPED ||
		(record->reason != DROP_NONE && record->reason < DROP_COUNT));
}

/* The next one of a ring. 1, 0: there is none, or -errno. */
static int take_one(struct outcomes *outcomes, struct record_reader *reader,
		    const struct model *model, outcomes_fn fn, void *ctx)
{
	const uint8_t *bytes;
	struct record record;
	struct fate fate;
	int n = record_reader_next(reader, &record, &bytes);

	if (n != 1)
		return n;
	if (record.len != sizeof(fate))
		return -EBADMSG;
	memcpy(&fate, bytes, sizeof(fate));
	record_reader_take(reader, &record);
	if (!is_sound(&record, &fate))
		return -EBADMSG;
	struct outcomes_port *port = port_of(outcomes, record.port_id, model);

	if (port == NULL)
		return -ENOMEM;
	count(port, (enum fate_kind)fate.kind, record.reason);
	if (fn != NULL)
		fn(ctx, &(struct outcomes_event){.port = port->name,
						 .in_ns = fate.in_ns,
						 .at_ns = record.time_ns,
						 .number = fate.number,
						 .kind = (enum fate_kind)fate.kind,
						 .reason = (enum drop_reason)record.reason});
	return 1;
}

int outcomes_take(struct outcomes *outcomes, struct outcomes_source *source,
		  const struct model *model, size_t max, outcomes_fn fn, void *ctx)
{
	size_t taken = 0;

	for (uint32_t i = 0; i < source->map.n_rings; i++) {
		int n = 1;

		while (taken < max && n == 1) {
			n = take_one(outcomes, &source->readers[i], model, fn, ctx);
			taken += n == 1;
		}
		if (n < 0)
			return n;
	}
	return (int)taken;
}

/* --- what is told --- */

const char *outcomes_kind_name(enum fate_kind kind)
{
	static const char *const names[] = {[FATE_DELIVERED] = "delivered",
					    [FATE_DROPPED] = "dropped",
					    [FATE_QUEUED] = "queued",
					    [FATE_LEFT] = "left"};

	return names[kind];
}

static void add_row(json_t *rows, const struct outcomes_port *port, enum fate_kind kind,
		    const char *reason, uint64_t frames)
{
	if (frames != 0)
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:I}", "port", port->name,
						      "fate", outcomes_kind_name(kind), "reason",
						      reason, "frames", (json_int_t)frames));
}

json_t *outcomes_describe(const struct outcomes *outcomes)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < outcomes->n_ports; i++) {
		const struct outcomes_port *port = &outcomes->ports[i];

		add_row(rows, port, FATE_DELIVERED, "", port->delivered);
		for (unsigned int reason = DROP_NONE + 1; reason < DROP_COUNT; reason++)
			add_row(rows, port, FATE_DROPPED, drop_reason_name(reason),
				port->drops[reason]);
		/* Where something was lost, it may be the other way round. */
		add_row(rows, port, FATE_QUEUED, "",
			port->queued > port->left ? port->queued - port->left : 0);
	}
	return rows;
}

void outcomes_fini(struct outcomes *outcomes)
{
	table_fini(&outcomes->places);
	free(outcomes->ports);
	*outcomes = (struct outcomes){0};
}
