/* SPDX-License-Identifier: BSD-3-Clause */
/* The model in the store: chunks and a root. Runs on weftd's thread. */
#include "control/config.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "control/batch.h"
#include "control/spec.h"
#include "dataplane/base/log.h"

#define PREFIX_BYTES 128
#define KEY_BYTES 192

struct config {
	struct store *store;
	char cluster[DP_NAME_BYTES];
	char root_key[KEY_BYTES];
	char chunk_prefix[PREFIX_BYTES];
	json_t *buckets; /* as in the root: arrays of chunk ids */
	store_rev root_rev;
};

static unsigned int bucket_of(enum plan_kind kind, const char *name)
{
	return (unsigned int)(model_hash((uint64_t)kind, name, strlen(name)) % CONFIG_BUCKETS);
}

/* An object's line in a chunk: what the user asked for, apart from what weft added. */
static json_t *pack_record(json_t *spec, uint64_t id, uint64_t generation, const char *lab)
{
	return json_pack("{s:I, s:I, s:s, s:o}", "id", (json_int_t)id, "generation",
			 (json_int_t)generation, "lab", lab, "spec", spec);
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

static int load_port(const struct config *config, struct model *model, const char *name,
		     json_t *record, struct problem *problem)
{
	struct model_port port;
	char lab[DP_NAME_BYTES] = "";
	json_t *spec;
	uint64_t id, generation;
	int error = read_record(record, &spec, &id, &generation, lab);

	if (error < 0)
		return problem_system(problem, error, "reading the store");
	error = spec_parse_port(config->cluster, name, spec, &port, problem);
	if (error < 0)
		return error;
	port.id = id;
	port.generation = generation;
	memcpy(port.lab, lab, sizeof(lab));
	return model_put_port(model, &port);
}

static int load_chunk(const struct config *config, const json_t *chunk, struct model *model,
		      struct problem *problem)
{
	const char *name;
	json_t *record;
	int error = 0;

	json_object_foreach(json_object_get(chunk, "segments"), name, record) {
		error = load_segment(model, name, record, problem);
		if (error < 0)
			return error;
	}
	json_object_foreach(json_object_get(chunk, "ports"), name, record) {
		error = load_port(config, model, name, record, problem);
		if (error < 0)
			return error;
	}
	return 0;
}

/* Everything below cfg/, as it was at one revision. */
struct snapshot {
	const struct config *config;
	json_t *root;
	store_rev root_rev;
	json_t *chunks; /* id -> content */
};

static int take_record(void *ctx, const struct store_kv *kv)
{
	struct snapshot *snapshot = ctx;
	const struct config *config = snapshot->config;
	size_t prefix_len = strlen(config->chunk_prefix);
	bool is_root = strcmp(kv->key, config->root_key) == 0;

	if (!is_root && strncmp(kv->key, config->chunk_prefix, prefix_len) != 0)
		return 0;
	json_t *value = json_loadb(kv->value, kv->value_bytes, JSON_REJECT_DUPLICATES, NULL);
	if (is_root) {
		snapshot->root = value;
		snapshot->root_rev = kv->mod_rev;
		return value != NULL ? 0 : -EBADMSG;
	}
	/* A chunk that cannot be read matters only if the root names it. */
	return json_object_set_new(snapshot->chunks, kv->key + prefix_len,
				   value != NULL ? value : json_null());
}

static int load_buckets(struct config *config, struct snapshot *snapshot, struct model *model,
			struct problem *problem)
{
	json_t *buckets = json_object_get(snapshot->root, "buckets");
	json_int_t next_id = json_integer_value(json_object_get(snapshot->root, "next_id"));
	size_t i, j;
	json_t *ids, *id;

	if (json_array_size(buckets) != CONFIG_BUCKETS || next_id <= 0)
		return problem_system(problem, -EBADMSG, "reading the store");
	model->next_id = (uint64_t)next_id;
	json_array_foreach(buckets, i, ids) {
		json_array_foreach(ids, j, id) {
			json_t *chunk = json_object_get(snapshot->chunks, json_string_value(id));

			if (!json_is_object(chunk))
				return problem_system(problem, -EBADMSG, "reading the store");
			int error = load_chunk(config, chunk, model, problem);
			if (error < 0)
				return error;
			json_object_del(snapshot->chunks, json_string_value(id));
		}
	}
	json_decref(config->buckets);
	config->buckets = json_incref(buckets);
	config->root_rev = snapshot->root_rev;
	return 0;
}

/* Deletes of the chunks whose ids are the keys of `garbage`. */
static int add_deletes(const struct config *config, json_t *garbage, struct batch *batch)
{
	const char *id;
	json_t *value;

	json_object_foreach(garbage, id, value) {
		char key[KEY_BYTES];

		snprintf(key, sizeof(key), "%s%s", config->chunk_prefix, id);
		int error = batch_delete(batch, key);
		if (error < 0)
			return error;
	}
	return 0;
}

/* A failure only leaves them for the next start. */
static void delete_chunks(struct config *config, json_t *garbage)
{
	struct batch batch;

	batch_init(&batch, config->store);
	int error = add_deletes(config, garbage, &batch);
	if (error == 0)
		error = batch_flush(&batch);
	batch_fini(&batch);
	if (error < 0)
		log_warn("config", "deleting old chunks: %s; tried again at the next start",
			 strerror(-error));
}

static json_t *empty_buckets(void)
{
	json_t *buckets = json_array();

	for (int i = 0; i < CONFIG_BUCKETS; i++)
		json_array_append_new(buckets, json_array());
	return buckets;
}

static int load(struct config *config, struct model *model, struct problem *problem)
{
	struct snapshot snapshot = {.config = config, .chunks = json_object()};
	char prefix[KEY_BYTES];

	snprintf(prefix, sizeof(prefix), "/weft/v1/%s/cfg/", config->cluster);
	int error = store_range(config->store, prefix, take_record, &snapshot, NULL);
	if (error < 0)
		problem_system(problem, error, "reading the store");
	else if (snapshot.root != NULL)
		error = load_buckets(config, &snapshot, model, problem);
	if (error == 0)
		delete_chunks(config, snapshot.chunks);
	json_decref(snapshot.root);
	json_decref(snapshot.chunks);
	return error;
}

int config_open(struct store *store, const char *cluster, struct config **out,
		struct model **model_out, struct problem *problem)
{
	struct config *config = calloc(1, sizeof(*config));
	struct model *model = NULL;

	if (config == NULL || model_create(&model) < 0) {
		free(config);
		return problem_system(problem, -ENOMEM, "reading the store");
	}
	config->store = store;
	config->buckets = empty_buckets();
	snprintf(config->cluster, sizeof(config->cluster), "%s", cluster);
	snprintf(config->root_key, KEY_BYTES, "/weft/v1/%s/cfg/root", cluster);
	snprintf(config->chunk_prefix, PREFIX_BYTES, "/weft/v1/%s/cfg/chunk/", cluster);
	int error = load(config, model, problem);
	if (error < 0) {
		model_destroy(model);
		config_close(config);
		return error;
	}
	*out = config;
	*model_out = model;
	return 0;
}

void config_close(struct config *config)
{
	if (config == NULL)
		return;
	json_decref(config->buckets);
	free(config);
}

store_rev config_revision(const struct config *config)
{
	return config->root_rev;
}

/* The chunks of one bucket on their way into the store. */
struct chunk_writer {
	struct config *config;
	struct batch *batch;
	json_t *chunk;
	size_t chunk_bytes; /* estimate */
	json_t *ids;	    /* of this bucket's chunks, borrowed */
	json_t *written;    /* id -> true, of all chunks written */
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
	snprintf(key, sizeof(key), "%s%s", writer->config->chunk_prefix, id);
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
	    json_object_set_new(writer->written, id, json_true()) < 0)
		return -ENOMEM;
	return 0;
}

static int add_record(struct chunk_writer *writer, const char *kind, const char *name,
		      json_t *record)
{
	size_t record_bytes = json_dumpb(record, NULL, 0, JSON_COMPACT) + strlen(name) + 8;
	int error = 0;

	if (writer->chunk != NULL && writer->chunk_bytes + record_bytes > CONFIG_CHUNK_BYTES)
		error = flush_chunk(writer);
	if (error == 0 && writer->chunk == NULL) {
		writer->chunk = json_pack("{s:{}, s:{}}", "segments", "ports");
		writer->chunk_bytes = 32;
	}
	if (error < 0) {
		json_decref(record);
		return error;
	}
	writer->chunk_bytes += record_bytes;
	return json_object_set_new(json_object_get(writer->chunk, kind), name, record) < 0 ? -ENOMEM
											   : 0;
}

static int write_bucket(struct chunk_writer *writer, const struct model *model, unsigned int bucket)
{
	int error = 0;

	for (size_t i = 0; i < model->n_segments && error == 0; i++) {
		const struct model_segment *segment = model->segments[i];

		if (bucket_of(PLAN_SEGMENT, segment->name) == bucket)
			error = add_record(writer, "segments", segment->name,
					   pack_record(spec_format_segment(segment, SPEC_SHORT),
						       segment->id, segment->generation,
						       segment->lab));
	}
	for (size_t i = 0; i < model->n_ports && error == 0; i++) {
		const struct model_port *port = model->ports[i];

		if (bucket_of(PLAN_PORT, port->name) == bucket)
			error = add_record(writer, "ports", port->name,
					   pack_record(spec_format_port(writer->config->cluster,
									port, SPEC_SHORT),
						       port->id, port->generation, port->lab));
	}
	return error == 0 ? flush_chunk(writer) : error;
}

static void mark_dirty(const struct plan *plan, bool dirty[CONFIG_BUCKETS])
{
	for (size_t i = 0; i < plan->n_steps; i++)
		dirty[bucket_of(plan->steps[i].kind, plan->steps[i].name)] = true;
}

/* Writes the chunks of the dirty buckets, the last of them still in the batch; *buckets is then
 * what the next root says. */
static int write_chunks(struct config *config, const struct model *model,
			const bool dirty[CONFIG_BUCKETS], json_t *buckets, json_t *written,
			struct batch *batch)
{
	struct chunk_writer writer = {.config = config, .batch = batch, .written = written};
	int error = 0;

	for (unsigned int i = 0; i < CONFIG_BUCKETS && error == 0; i++) {
		if (!dirty[i]) {
			error = json_array_append(buckets, json_array_get(config->buckets, i)) < 0
					? -ENOMEM
					: 0;
			continue;
		}
		writer.ids = json_array();
		if (json_array_append_new(buckets, writer.ids) < 0)
			error = -ENOMEM;
		else
			error = write_bucket(&writer, model, i);
	}
	json_decref(writer.chunk);
	return error;
}

/* Chunks that the old root names and the new one will not. */
static json_t *list_replaced(const struct config *config, const bool dirty[CONFIG_BUCKETS])
{
	json_t *garbage = json_object();
	size_t j;
	json_t *id;

	for (unsigned int i = 0; i < CONFIG_BUCKETS; i++) {
		if (!dirty[i])
			continue;
		json_array_foreach(json_array_get(config->buckets, i), j, id)
			json_object_set_new(garbage, json_string_value(id), json_true());
	}
	return garbage;
}

/* The one step that makes the new model true. What fits goes with it, so that a small change is one
 * transaction: the last chunks before it, the garbage after it (which is then cleared). */
static int flip(struct config *config, const struct model *model, json_t *buckets, json_t *garbage,
		struct batch *batch, bool *is_done)
{
	struct store_compare compare = {
		.what = STORE_COMPARE_MOD_REV,
		.key = config->root_key,
		.rev = config->root_rev,
	};
	json_t *root =
		json_pack("{s:I, s:O}", "next_id", (json_int_t)model->next_id, "buckets", buckets);
	char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
	int error = text != NULL ? batch_put(batch, config->root_key, text, strlen(text)) : -ENOMEM;

	json_decref(root);
	free(text);
	if (error == 0 && batch->n_ops + json_object_size(garbage) <= BATCH_OPS_MAX) {
		error = add_deletes(config, garbage, batch);
		json_object_clear(garbage);
	}
	if (error == 0) {
		store_rev rev = 0;

		error = batch_flush_if(batch, &compare, is_done, &rev);
		if (error == 0 && *is_done)
			config->root_rev = rev;
	}
	return error;
}

int config_write(struct config *config, const struct model *model, const struct plan *plan,
		 struct problem *problem)
{
	bool dirty[CONFIG_BUCKETS] = {false};
	json_t *buckets = json_array();
	json_t *written = json_object();
	struct batch batch;
	bool is_done = false;

	mark_dirty(plan, dirty);
	json_t *garbage = list_replaced(config, dirty);
	batch_init(&batch, config->store);
	int error = write_chunks(config, model, dirty, buckets, written, &batch);
	if (error == 0)
		error = flip(config, model, buckets, garbage, &batch, &is_done);
	batch_fini(&batch);
	if (error < 0) {
		/* Perhaps the flip did happen: the chunks stay until the next start knows. */
		problem_system(problem, error, "writing the store");
	} else if (!is_done) {
		delete_chunks(config, written);
		error = problem_set(problem, -EAGAIN, 409, "changed-meanwhile",
				    "another change came in between; nothing was done, try again");
	} else {
		delete_chunks(config, garbage);
		json_decref(config->buckets);
		config->buckets = json_incref(buckets);
	}
	json_decref(buckets);
	json_decref(garbage);
	json_decref(written);
	return error;
}
