/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of objects, as one table. Pure. */
#include "control/kinds.h"

#include <stdio.h>
#include <string.h>

#include "control/plan_compare.h"

#define USERS_NAMED 3

/* Parsers and writers that need no cluster, in the shape of the table. */
#define SPEC(kind)                                                                                 \
	static int parse_##kind(const char *cluster, const char *name, const json_t *json,         \
				union model_any *object, struct problem *problem)                  \
	{                                                                                          \
		return spec_parse_##kind(name, json, &object->kind, problem);                      \
	}                                                                                          \
	static json_t *format_##kind(const char *cluster, const struct model_object *object,       \
				     enum spec_form form)                                          \
	{                                                                                          \
		return spec_format_##kind((const struct model_##kind *)object, form);              \
	}
SPEC(segment)
SPEC(pool)
SPEC(channel)
SPEC(vm)
SPEC(loan)

static int parse_port(const char *cluster, const char *name, const json_t *json,
		      union model_any *object, struct problem *problem)
{
	return spec_parse_port(cluster, name, json, &object->port, problem);
}

static json_t *format_port(const char *cluster, const struct model_object *object,
			   enum spec_form form)
{
	return spec_format_port(cluster, (const struct model_port *)object, form);
}

static bool is_segment_used(const char *name, enum model_kind by_kind,
			    const struct model_object *by)
{
	return by_kind == MODEL_PORT && model_port_is_in((const struct model_port *)by, name);
}

static bool is_pool_used(const char *name, enum model_kind by_kind, const struct model_object *by)
{
	return by_kind == MODEL_CHANNEL &&
	       strcmp(((const struct model_channel *)by)->pool, name) == 0;
}

static bool is_channel_used(const char *name, enum model_kind by_kind,
			    const struct model_object *by)
{
	const struct model_loan *loan = (const struct model_loan *)by;

	switch (by_kind) {
	case MODEL_SEGMENT:
		return strcmp(((const struct model_segment *)by)->channel, name) == 0;
	case MODEL_PORT:
		return strcmp(((const struct model_port *)by)->channel, name) == 0;
	case MODEL_VM:
		return strcmp(((const struct model_vm *)by)->channel, name) == 0;
	case MODEL_LOAN:
		return strcmp(loan->from, name) == 0 || strcmp(loan->to, name) == 0;
	default:
		return false;
	}
}

static bool is_port_used(const char *name, enum model_kind by_kind, const struct model_object *by)
{
	return by_kind == MODEL_POOL && strcmp(((const struct model_pool *)by)->uplink, name) == 0;
}

static bool is_never_used(const char *name, enum model_kind by_kind, const struct model_object *by)
{
	return false;
}

const struct kind kinds[MODEL_KINDS] = {
	[MODEL_SEGMENT] =
		{
			.noun = "segment",
			.plural = "segments",
			.unknown_code = "segment-unknown",
			.in_use_code = "segment-in-use",
			.in_use_hint = "delete or move them first",
			.is_configuration = true,
			.max = MODEL_OBJECTS_MAX,
			.parse = parse_segment,
			.format = format_segment,
			.compare = plan_compare_segments,
			.is_used = is_segment_used,
		},
	[MODEL_PORT] =
		{
			.noun = "port",
			.plural = "ports",
			.unknown_code = "port-unknown",
			.in_use_code = "port-in-use",
			.in_use_hint = "take uplink out of the pool first",
			.is_configuration = true,
			.max = MODEL_OBJECTS_MAX,
			.parse = parse_port,
			.format = format_port,
			.compare = plan_compare_ports,
			.is_used = is_port_used,
		},
	[MODEL_POOL] =
		{
			.noun = "pool",
			.plural = "pools",
			.unknown_code = "pool-unknown",
			.in_use_code = "pool-in-use",
			.in_use_hint = "delete them or give them another pool first",
			.is_configuration = true,
			.max = MODEL_POOLS_MAX,
			.parse = parse_pool,
			.format = format_pool,
			.compare = plan_compare_pools,
			.is_used = is_pool_used,
		},
	[MODEL_CHANNEL] =
		{
			.noun = "channel",
			.plural = "channels",
			.unknown_code = "channel-unknown",
			.in_use_code = "channel-in-use",
			.in_use_hint =
				"unassign it or assign another one, and recall its loans, first",
			.is_configuration = true,
			.max = MODEL_OBJECTS_MAX,
			.parse = parse_channel,
			.format = format_channel,
			.compare = plan_compare_channels,
			.is_used = is_channel_used,
		},
	[MODEL_VM] =
		{
			.noun = "vm",
			.plural = "vms",
			.unknown_code = "vm-unknown",
			.is_configuration = true,
			.max = MODEL_OBJECTS_MAX,
			.parse = parse_vm,
			.format = format_vm,
			.compare = plan_compare_vms,
			.is_used = is_never_used,
		},
	[MODEL_LOAN] =
		{
			.noun = "loan",
			.plural = "loans",
			.unknown_code = "loan-unknown",
			.parse = parse_loan,
			.format = format_loan,
			.compare = plan_compare_loans,
			.is_used = is_never_used,
		},
};

const enum model_kind kinds_order[MODEL_KINDS] = {
	MODEL_POOL, MODEL_CHANNEL, MODEL_VM, MODEL_SEGMENT, MODEL_PORT, MODEL_LOAN,
};

size_t kinds_users(const struct model *model, enum model_kind kind, const char *name, char *text,
		   size_t text_bytes)
{
	size_t n = 0, len = 0;

	text[0] = '\0';
	for (enum model_kind by = 0; by < MODEL_KINDS; by++) {
		for (size_t i = 0; i < model->lists[by].n; i++) {
			const struct model_object *object = model->lists[by].items[i];

			if (!kinds[kind].is_used(name, by, object))
				continue;
			if (n++ < USERS_NAMED && len < text_bytes)
				len += (size_t)snprintf(text + len, text_bytes - len, "%s%s %s",
							n > 1 ? ", " : "", kinds[by].noun,
							object->name);
		}
	}
	if (n > USERS_NAMED && len < text_bytes)
		snprintf(text + len, text_bytes - len, " and %zu more", n - USERS_NAMED);
	return n;
}
