/* SPDX-License-Identifier: BSD-3-Clause */
/* From model to model, as messages. */
#include "scenario/rig_stage.h"

#include <string.h>

#include "control/encode.h"
#include "dataplane/txn.h"
#include "dataplane/txn_channels.h"

/* Loans last for hours of the calendar; a scenario's clock begins at 0. */
#define NOW_MS 0

/* In which order they go; they come in the other. */
static const enum model_kind order[] = {MODEL_LOAN, MODEL_PORT, MODEL_SEGMENT, MODEL_CHANNEL,
					MODEL_POOL};
#define N_KINDS (sizeof(order) / sizeof(order[0]))

static int put(struct txn *txn, const union encode_message *message)
{
	switch (message->header.type) {
	case DP_SEGMENT_PUT:
		return txn_put_segment(txn, &message->segment);
	case DP_PORT_PUT:
		return txn_put_port(txn, &message->port, NULL, 0);
	case DP_POOL_PUT:
		return txn_channels_put_pool(txn, &message->pool);
	case DP_CHANNEL_PUT:
		return txn_channels_put_channel(txn, &message->channel);
	default:
		return txn_channels_put_loan(txn, &message->loan);
	}
}

static int del(struct txn *txn, enum model_kind kind, uint64_t id)
{
	switch (kind) {
	case MODEL_SEGMENT:
		return txn_del_segment(txn, (uint32_t)id);
	case MODEL_PORT:
		return txn_del_port(txn, id);
	case MODEL_POOL:
		return txn_channels_del_pool(txn, (uint32_t)id);
	case MODEL_CHANNEL:
		return txn_channels_del_channel(txn, (uint32_t)id);
	default:
		return txn_channels_del_loan(txn, (uint32_t)id);
	}
}

static int stage_deletes(struct txn *txn, enum model_kind kind, const struct model *from,
			 const struct model *to)
{
	const struct model_list *list = &from->lists[kind];
	int error = 0;

	for (size_t i = 0; error == 0 && i < list->n; i++) {
		const struct model_object *kept = model_find(to, kind, list->items[i]->name);

		if (kept == NULL || kept->id != list->items[i]->id)
			error = del(txn, kind, list->items[i]->id);
	}
	return error;
}

static int stage_puts(struct txn *txn, enum model_kind kind, const struct model *from,
		      const struct model *to)
{
	const struct model_list *list = &to->lists[kind];
	union encode_message message, old;
	int error = 0;

	for (size_t i = 0; error == 0 && i < list->n; i++) {
		const struct model_object *before = model_find(from, kind, list->items[i]->name);

		if (!encode_object(to, kind, list->items[i], NOW_MS, &message))
			continue;
		if (before != NULL && encode_object(from, kind, before, NOW_MS, &old) &&
		    encode_digest(&old.header) == encode_digest(&message.header))
			continue;
		error = put(txn, &message);
	}
	return error;
}

/* The channel that those have who have none (channels.h). */
static int stage_default(struct txn *txn, const struct model *from, const struct model *to)
{
	union encode_message message, old;
	bool was_there = encode_default(from, &old);

	if (!encode_default(to, &message))
		return was_there ? del(txn, MODEL_CHANNEL, encode_id(&old.header)) : 0;
	if (was_there && encode_digest(&old.header) == encode_digest(&message.header))
		return 0;
	return put(txn, &message);
}

int rig_stage(struct txn *txn, const struct model *from, const struct model *to)
{
	int error = stage_default(txn, from, to);

	for (size_t i = 0; error == 0 && i < N_KINDS; i++)
		error = stage_deletes(txn, order[i], from, to);
	for (size_t i = N_KINDS; error == 0 && i > 0; i--)
		error = stage_puts(txn, order[i - 1], from, to);
	return error;
}
