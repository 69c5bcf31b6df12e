/* SPDX-License-Identifier: BSD-3-Clause */
/* The chunks of a change on their way into the store. Runs on weftd's thread. */
#include "control/chunk_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "control/chunk.h"
#include "control/kinds.h"
#include "control/root.h"

#define KEY_BYTES 192
#define CHUNK_BYTES (48u * 1024)

static unsigned int bucket_of(enum model_kind kind, const char *name)
{
	return (unsigned int)(model_hash((uint64_t)kind, name, strlen(name)) % ROOT_BUCKETS);
}

/* The chunks of one bucket on their way into the store. */
struct chunk_writer {
	struct chunk_write *job;
	struct batch *batch;
	json_t *chunk;
	size_t chunk_bytes; /* estimate */
	json_t *ids;	    /* of this bucket's chunks, borrowed */
};

static int flush_chunk(struct chunk_writer *writer)
{
	char key[KEY_BYTES];
	char id[24];
	uint64_t random;

	if (writer->chunk == NULL)
		return 0;
	/* Random, because another host may write at the same time and immutable means: never put
	 * over. */
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(id, sizeof(id), "%016" PRIx64, random);
	snprintf(key, sizeof(key), "%s%s", writer->job->prefix, id);
	char *text = json_dumps(writer->chunk, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(writer->chunk);
	writer->chunk = NULL;
	writer->chunk_bytes = 0;
	if (text == NULL)
		return -ENOMEM;
	int error = batch_put(writer->batch, key, text, strlen(text));
	free(text);
	if (error < 0)
		return error;
	if (json_array_append_new(writer->ids, json_string(id)) < 0 ||
	    json_object_set_new(writer->job->written, id, json_true()) < 0)
		return -ENOMEM;
	return 0;
}

/* The list of the chunk that holds objects of the kind; NULL: no memory. */
static json_t *list_of(json_t *chunk, enum model_kind kind)
{
	const char *key = kinds[kind].plural;
	json_t *list = json_object_get(chunk, key);

	if (list == NULL && json_object_set_new(chunk, key, json_object()) == 0)
		list = json_object_get(chunk, key);
	return list;
}

static int add_record(struct chunk_writer *writer, enum model_kind kind, const char *name,
		      json_t *record)
{
	size_t record_bytes = json_dumpb(record, NULL, 0, JSON_COMPACT) + strlen(name) + 8;
	int error = 0;

	if (writer->chunk != NULL && writer->chunk_bytes + record_bytes > CHUNK_BYTES)
		error = flush_chunk(writer);
	if (error == 0 && writer->chunk == NULL) {
		writer->chunk = json_object();
		writer->chunk_bytes = 32;
	}
	if (error < 0) {
		json_decref(record);
		return error;
	}
	writer->chunk_bytes += record_bytes;
	return json_object_set_new(list_of(writer->chunk, kind), name, record) < 0 ? -ENOMEM : 0;
}

static int write_bucket(struct chunk_writer *writer, unsigned int bucket)
{
	const struct chunk_write *job = writer->job;
	int error = 0;

	for (enum model_kind kind = 0; kind < MODEL_KINDS; kind++) {
		const struct model_list *list = &job->model->lists[kind];

		for (size_t i = 0; kinds[kind].is_configuration && i < list->n && error == 0; i++) {
			const struct model_object *object = list->items[i];

			if (bucket_of(kind, object->name) == bucket)
				error = add_record(writer, kind, object->name,
						   chunk_pack(job->cluster, kind, object));
		}
	}
	return error == 0 ? flush_chunk(writer) : error;
}

static void mark_dirty(const struct plan *plan, bool dirty[ROOT_BUCKETS])
{
	for (size_t i = 0; i < plan->n_steps; i++)
		dirty[bucket_of(plan->steps[i].kind, plan->steps[i].name)] = true;
}

int chunk_write_changed(struct chunk_write *job, const struct plan *plan, struct batch *batch)
{
	struct chunk_writer writer = {.job = job, .batch = batch};
	bool dirty[ROOT_BUCKETS] = {false};
	int error = 0;

	mark_dirty(plan, dirty);
	for (unsigned int i = 0; i < ROOT_BUCKETS && error == 0; i++) {
		if (!dirty[i]) {
			json_t *same = json_array_get(job->present, i);

			error = json_array_append(job->buckets, same) < 0 ? -ENOMEM : 0;
			continue;
		}
		writer.ids = json_array();
		if (json_array_append_new(job->buckets, writer.ids) < 0)
			error = -ENOMEM;
		else
			error = write_bucket(&writer, i);
	}
	json_decref(writer.chunk);
	return error;
}
