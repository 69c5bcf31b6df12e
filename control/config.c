/* SPDX-License-Identifier: BSD-3-Clause */
/* The model in the store: chunks and a root. Runs on weftd's thread. */
#include "control/config.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/batch.h"
#include "control/chunk.h"
#include "control/chunk_write.h"
#include "control/history.h"
#include "control/kinds.h"
#include "dataplane/base/log.h"

#define PREFIX_BYTES 128
#define KEY_BYTES 192
#define LOAD_TRIES 3
#define KEYS_BYTES (BATCH_OPS_MAX * KEY_BYTES)

struct config {
	struct store *store;
	char cluster[DP_NAME_BYTES];
	char root_key[KEY_BYTES];
	char prefix[PREFIX_BYTES]; /* of all that is below */
	char chunk_prefix[PREFIX_BYTES];
	json_t *root;	    /* the present one */
	store_rev root_rev; /* 0: not stored yet */
	json_t *left;	    /* chunks that go with the next change: see discard() */
	struct history history;
};

/* --- reading --- */

/* A walk over all keys at one revision. Chunks come first, then former roots, then the root. */
struct walk {
	const struct config *config;
	struct model *model;
	json_t *named;	 /* chunks of the wanted root that did not come yet */
	json_t *unnamed; /* chunks that no root has named yet: what an interrupted write left */
	json_t *expired; /* keys of roots beyond what is kept */
	bool is_moved;	 /* the root is another one by now */
	struct problem *problem;
};

static int take_chunk(struct walk *walk, const char *id, const struct store_kv *kv)
{
	if (json_object_get(walk->named, id) == NULL)
		return json_object_set_new(walk->unnamed, id, json_true());
	json_t *chunk = json_loadb(kv->value, kv->value_bytes, JSON_REJECT_DUPLICATES, NULL);
	int error = chunk_load(walk->config->cluster, chunk, walk->model, walk->problem);
	json_decref(chunk);
	json_object_del(walk->named, id);
	return error;
}

/* A former root that is damaged goes: nothing can be read by it. */
static int take_former(struct walk *walk, uint64_t revision, const struct store_kv *kv)
{
	const struct config *config = walk->config;
	json_t *names = json_object();
	const char *id;
	json_t *value;
	json_t *root = json_loadb(kv->value, kv->value_bytes, JSON_REJECT_DUPLICATES, NULL);
	int error = 0;

	if (history_is_expired(&config->history, revision, root_revision(config->root)) ||
	    !root_is_valid(root)) {
		error = json_object_set_new(walk->expired, kv->key, json_true());
	} else {
		error = root_list_chunks(root, names);
		json_object_foreach(names, id, value)
			json_object_del(walk->unnamed, id);
	}
	json_decref(root);
	json_decref(names);
	return error < 0 ? -ENOMEM : 0;
}

static int take_record(void *ctx, const struct store_kv *kv)
{
	struct walk *walk = ctx;
	const struct config *config = walk->config;
	size_t prefix_len = strlen(config->chunk_prefix);
	uint64_t revision;

	if (strncmp(kv->key, config->chunk_prefix, prefix_len) == 0)
		return take_chunk(walk, kv->key + prefix_len, kv);
	if (history_is_key(&config->history, kv->key, &revision))
		return take_former(walk, revision, kv);
	if (strcmp(kv->key, config->root_key) == 0)
		walk->is_moved = kv->mod_rev != config->root_rev;
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

/* Chunks, and keys of former roots. A failure only leaves them for the next start. 0 or -errno. */
static int clear_away(struct config *config, json_t *chunks, json_t *keys)
{
	struct batch batch;
	const char *key;
	json_t *value;
	int error = 0;

	batch_init(&batch, config->store);
	json_object_foreach(keys, key, value) {
		if (error == 0)
			error = batch_delete(&batch, key);
	}
	if (error == 0)
		error = add_deletes(config, chunks, &batch);
	if (error == 0)
		error = batch_flush(&batch);
	batch_fini(&batch);
	if (error < 0)
		log_warn("config",
			 "deleting what is no longer needed: %s; tried again at the "
			 "next start",
			 strerror(-error));
	return error;
}

/* Of chunks that no root names; those that cannot be deleted are tried again with the next change.
 */
static void discard(struct config *config, json_t *chunks)
{
	if (json_object_size(chunks) > 0 && clear_away(config, chunks, NULL) < 0)
		json_object_update(config->left, chunks);
}

/* The present root. A store that was never used has none, which is the empty one. */
static int read_root(struct config *config)
{
	size_t bytes;
	void *value;
	int error = store_get(config->store, config->root_key, &value, &bytes, &config->root_rev);

	json_decref(config->root);
	config->root = NULL;
	if (error == -ENOENT) {
		config->root_rev = 0;
		config->root = root_create();
		return config->root != NULL ? 0 : -ENOMEM;
	}
	if (error < 0)
		return error;
	config->root = json_loadb(value, bytes, JSON_REJECT_DUPLICATES, NULL);
	free(value);
	return root_is_valid(config->root) ? 0 : -EBADMSG;
}

/* Reads the objects of `root` into `model`. *walk is then what is to be cleared away. */
static int walk_keys(struct config *config, const json_t *root, struct model *model,
		     struct walk *walk, struct problem *problem)
{
	*walk = (struct walk){
		.config = config,
		.model = model,
		.named = json_object(),
		.unnamed = json_object(),
		.expired = json_object(),
		.problem = problem,
	};
	model->next_id = root_next_id(root);
	problem->detail[0] = '\0';
	int error = root_list_chunks(root, walk->named);
	if (error == 0)
		error = store_range(config->store, config->prefix, take_record, walk, NULL);
	if (error == 0 && !walk->is_moved && json_object_size(walk->named) > 0)
		error = -EBADMSG;
	/* A chunk that could not be read has said so itself. */
	if (error < 0 && problem->detail[0] == '\0')
		problem_system(problem, error, "reading the store");
	return error;
}

static void walk_fini(struct walk *walk)
{
	json_decref(walk->named);
	json_decref(walk->unnamed);
	json_decref(walk->expired);
}

/* -EAGAIN: someone else changed it while it was read. */
static int load_present(struct config *config, struct model **out, struct problem *problem)
{
	struct model *model;
	struct walk walk;
	int error = read_root(config);

	if (error < 0)
		return problem_system(problem, error, "reading the store");
	if (model_create(&model) < 0)
		return problem_system(problem, -ENOMEM, "reading the store");
	error = walk_keys(config, config->root, model, &walk, problem);
	if (error == 0 && walk.is_moved)
		error = problem_system(problem, -EAGAIN, "reading the store");
	else if (error == 0)
		error = chunk_load_kind(config->cluster, config->root, MODEL_LOAN, model, problem);
	if (error == 0)
		clear_away(config, walk.unnamed, walk.expired);
	walk_fini(&walk);
	if (error < 0)
		model_destroy(model);
	else
		*out = model;
	return error;
}

int config_open(struct store *store, const char *cluster, unsigned int keep, struct config **out,
		struct model **model, struct problem *problem)
{
	struct config *config = calloc(1, sizeof(*config));
	int error = -EAGAIN;

	if (config == NULL)
		return problem_system(problem, -ENOMEM, "reading the store");
	config->store = store;
	config->left = json_object();
	history_init(&config->history, store, cluster, keep);
	snprintf(config->cluster, sizeof(config->cluster), "%s", cluster);
	snprintf(config->prefix, PREFIX_BYTES, "/weft/v1/%s/cfg/", cluster);
	snprintf(config->root_key, KEY_BYTES, "%sroot", config->prefix);
	snprintf(config->chunk_prefix, PREFIX_BYTES, "/weft/v1/%s/cfg/chunk/", cluster);
	for (int i = 0; i < LOAD_TRIES && error == -EAGAIN; i++)
		error = load_present(config, model, problem);
	if (error < 0)
		config_close(config);
	else
		*out = config;
	return error;
}

void config_close(struct config *config)
{
	if (config == NULL)
		return;
	json_decref(config->root);
	json_decref(config->left);
	free(config);
}

uint64_t config_revision(const struct config *config)
{
	return root_revision(config->root);
}

bool config_trial(const struct config *config, struct root_trial *trial)
{
	return root_trial(config->root, trial);
}

/* --- history --- */

/* A root of the history, or the present one. New reference. */
static int find_root(const struct config *config, uint64_t revision, json_t **root,
		     struct problem *problem)
{
	int error = 0;

	if (revision == config_revision(config))
		*root = json_incref(config->root);
	else
		error = history_get(&config->history, revision, root);
	if (error == -ENOENT)
		return problem_set(problem, error, 404, "revision-unknown",
				   "there is no revision %" PRIu64
				   ", or it is no longer kept; weft history shows which are",
				   revision);
	return error < 0 ? problem_system(problem, error, "reading the store") : 0;
}

int config_read(struct config *config, uint64_t revision, struct model **out,
		struct problem *problem)
{
	struct model *model;
	struct walk walk;
	json_t *root;
	int error = find_root(config, revision, &root, problem);

	if (error < 0)
		return error;
	if (model_create(&model) < 0) {
		json_decref(root);
		return problem_system(problem, -ENOMEM, "reading the store");
	}
	error = walk_keys(config, root, model, &walk, problem);
	walk_fini(&walk);
	json_decref(root);
	if (error < 0)
		model_destroy(model);
	else
		*out = model;
	return error;
}

static json_t *describe(const json_t *root)
{
	json_t *info = json_object_get(root, "info");
	json_t *entry = info != NULL ? json_copy(info) : json_object();
	char revision[24];

	snprintf(revision, sizeof(revision), "%" PRIu64, root_revision(root));
	if (json_object_set_new(entry, "revision", json_string(revision)) == 0)
		return entry;
	json_decref(entry);
	return NULL;
}

int config_describe(struct config *config, uint64_t revision, json_t **entry,
		    struct problem *problem)
{
	json_t *root;
	int error = find_root(config, revision, &root, problem);

	if (error < 0)
		return error;
	*entry = describe(root);
	json_decref(root);
	return *entry != NULL ? 0 : problem_system(problem, -ENOMEM, "answering");
}

int config_list(struct config *config, json_t **list, struct problem *problem)
{
	json_t *roots = json_array();
	size_t i;
	json_t *root;
	int error = json_array_append(roots, config->root) < 0
			    ? -ENOMEM
			    : history_list(&config->history, roots);

	*list = json_array();
	json_array_foreach(roots, i, root) {
		if (error == 0 && json_array_append_new(*list, describe(root)) < 0)
			error = -ENOMEM;
	}
	json_decref(roots);
	if (error == 0)
		return 0;
	json_decref(*list);
	return problem_system(problem, error, "reading the store");
}

/* --- writing --- */

enum flipped {
	FLIPPED_NOT,	 /* it did not come to that */
	FLIPPED_PERHAPS, /* it was sent, and failed */
	FLIPPED_LATE,	 /* somebody else's came before */
	FLIPPED,
};

/* The one step that makes the new model true. What fits goes with it, so that a small change is one
 * transaction: the last chunks before it, the garbage after it (which is then cleared). */
static int flip(struct config *config, json_t *root, json_t *garbage, struct batch *batch,
		enum flipped *flipped)
{
	struct store_compare compare = {
		.what = STORE_COMPARE_MOD_REV,
		.key = config->root_key,
		.rev = config->root_rev,
	};
	char *text = json_dumps(root, JSON_COMPACT);
	store_rev rev = 0;
	bool is_done;
	int error = text != NULL ? batch_put(batch, config->root_key, text, strlen(text)) : -ENOMEM;

	free(text);
	if (error == 0 && batch->n_ops + json_object_size(garbage) <= BATCH_OPS_MAX) {
		error = add_deletes(config, garbage, batch);
		json_object_clear(garbage);
	}
	if (error < 0)
		return error;
	*flipped = FLIPPED_PERHAPS;
	error = batch_flush_if(batch, &compare, &is_done, &rev);
	if (error == 0)
		*flipped = is_done ? FLIPPED : FLIPPED_LATE;
	if (*flipped == FLIPPED) {
		config->root_rev = rev;
		json_decref(config->root);
		config->root = json_incref(root);
	}
	return error;
}

static int refuse_race(struct problem *problem)
{
	return problem_set(problem, -EAGAIN, 409, "changed-meanwhile",
			   "another change came in between; nothing was done, try again");
}

/* The old root and the new one must not be torn apart by a transaction that became full. */
static int make_room(struct config *config, const json_t *root, struct batch *batch)
{
	size_t bytes = json_dumpb(config->root, NULL, 0, JSON_COMPACT) +
		       json_dumpb(root, NULL, 0, JSON_COMPACT) + KEYS_BYTES;

	if (batch->n_ops + HISTORY_OPS_MAX + 1 <= BATCH_OPS_MAX &&
	    batch->bytes + bytes <= STORE_TXN_BYTES_MAX)
		return 0;
	return batch_flush(batch);
}

/* The loans of a model as a root keeps them; NULL in *list if there are none. */
static int pack_loans(const struct config *config, const struct model *model, json_t **list)
{
	int error = 0;

	*list = model->n_loans > 0 ? json_object() : NULL;
	for (size_t i = 0; i < model->n_loans; i++)
		error |= json_object_set_new(
			*list, model->loans[i]->name,
			chunk_pack(config->cluster, MODEL_LOAN, &model->loans[i]->object));
	return error < 0 ? -ENOMEM : 0;
}

/* What `root` becomes with the loans of the model; takes it. NULL: no memory. */
static json_t *add_loans(const struct config *config, json_t *root, const struct model *model)
{
	json_t *loans, *with = NULL;

	if (root != NULL && pack_loans(config, model, &loans) == 0) {
		with = root_with_loans(root, model->next_id, loans);
		json_decref(loans);
	}
	json_decref(root);
	return with;
}

/* Everything up to the flip, which is the last transaction. */
static int write_all(struct config *config, struct chunk_write *job, const struct plan *plan,
		     json_t *info, const struct root_trial *trial, json_t *garbage,
		     enum flipped *flipped)
{
	struct batch batch;
	json_t *root = NULL;

	batch_init(&batch, config->store);
	int error = chunk_write_changed(job, plan, &batch);
	if (error == 0) {
		root = root_next(config->root, job->model->next_id, job->buckets, info, trial);
		root = add_loans(config, root, job->model);
		error = root != NULL ? make_room(config, root, &batch) : -ENOMEM;
	}
	if (error == 0)
		error = history_push(&config->history, &batch, config->root, garbage);
	if (error == 0)
		error = flip(config, root, garbage, &batch, flipped);
	batch_fini(&batch);
	json_decref(root);
	return error;
}

/* After a change, whatever came of it: which chunks nothing names. */
static void settle(struct config *config, enum flipped flipped, json_t *written, json_t *garbage)
{
	switch (flipped) {
	case FLIPPED_NOT:
	case FLIPPED_LATE:
		discard(config, written);
		break;
	case FLIPPED_PERHAPS:
		/* The next flip tells, or the next start: if it is from the same root, this one did
		 * not happen. */
		json_object_update(config->left, written);
		break;
	case FLIPPED:
		json_object_update(garbage, config->left);
		json_object_clear(config->left);
		discard(config, garbage);
		break;
	}
}

int config_write(struct config *config, const struct model *model, const struct plan *plan,
		 json_t *info, uint32_t trial_s, struct problem *problem)
{
	struct chunk_write job = {
		.cluster = config->cluster,
		.prefix = config->chunk_prefix,
		.model = model,
		.present = root_buckets(config->root),
		.buckets = json_array(),
		.written = json_object(),
	};
	struct root_trial trial = {
		.back_to = config_revision(config),
		.deadline_s = (int64_t)time(NULL) + trial_s,
		.wait_s = trial_s,
	};
	json_t *garbage = json_object();
	enum flipped flipped = FLIPPED_NOT;
	int error =
		write_all(config, &job, plan, info, trial_s > 0 ? &trial : NULL, garbage, &flipped);

	if (error < 0)
		problem_system(problem, error, "writing the store");
	else if (flipped == FLIPPED_LATE)
		error = refuse_race(problem);
	settle(config, flipped, job.written, garbage);
	json_decref(garbage);
	json_decref(job.buckets);
	json_decref(job.written);
	return error;
}

/* The present root as it is but for what stands beside its revision. Takes `root`. */
static int replace_root(struct config *config, json_t *root, struct problem *problem)
{
	struct batch batch;
	enum flipped flipped = FLIPPED_NOT;
	json_t *garbage = json_object();
	int error = root != NULL && garbage != NULL ? 0 : -ENOMEM;

	batch_init(&batch, config->store);
	if (error == 0)
		error = flip(config, root, garbage, &batch, &flipped);
	batch_fini(&batch);
	json_decref(root);
	json_decref(garbage);
	if (error < 0)
		return problem_system(problem, error, "writing the store");
	return flipped == FLIPPED ? 0 : refuse_race(problem);
}

int config_write_loans(struct config *config, const struct model *model, struct problem *problem)
{
	return replace_root(config, add_loans(config, json_incref(config->root), model), problem);
}

int config_confirm(struct config *config, struct problem *problem)
{
	json_t *root = json_copy(config->root);

	json_object_del(root, "confirm");
	return replace_root(config, root, problem);
}
