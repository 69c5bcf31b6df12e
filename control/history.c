/* SPDX-License-Identifier: BSD-3-Clause */
/* Former roots in the store. Runs on weftd's thread. */
#include "control/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/root.h"

#define KEY_BYTES (sizeof(((struct history *)NULL)->prefix) + 24)

void history_init(struct history *history, struct store *store, const char *cluster,
		  unsigned int keep)
{
	history->store = store;
	history->keep = keep;
	snprintf(history->prefix, sizeof(history->prefix), "/weft/v1/%s/cfg/history/", cluster);
}

/* Keys are in the order of their revisions. */
static void format_key(const struct history *history, uint64_t revision, char key[KEY_BYTES])
{
	snprintf(key, KEY_BYTES, "%s%020" PRIu64, history->prefix, revision);
}

bool history_is_key(const struct history *history, const char *key, uint64_t *revision)
{
	size_t len = strlen(history->prefix);

	if (strncmp(key, history->prefix, len) != 0)
		return false;
	*revision = strtoull(key + len, NULL, 10);
	return true;
}

bool history_is_expired(const struct history *history, uint64_t revision, uint64_t present)
{
	return revision >= present || present - revision > history->keep;
}

static json_t *parse(const void *value, size_t bytes)
{
	json_t *root = json_loadb(value, bytes, JSON_REJECT_DUPLICATES, NULL);

	if (root_is_valid(root))
		return root;
	json_decref(root);
	return NULL;
}

int history_get(const struct history *history, uint64_t revision, json_t **root)
{
	char key[KEY_BYTES];
	size_t bytes;
	void *value;

	format_key(history, revision, key);
	int error = store_get(history->store, key, &value, &bytes, NULL);
	if (error < 0)
		return error;
	*root = parse(value, bytes);
	free(value);
	return *root != NULL ? 0 : -EBADMSG;
}

/* What is damaged is left out of the list: the others are still worth seeing. */
static int take_root(void *ctx, const struct store_kv *kv)
{
	json_t *root = parse(kv->value, kv->value_bytes);

	return root == NULL || json_array_insert_new(ctx, 0, root) == 0 ? 0 : -ENOMEM;
}

int history_list(const struct history *history, json_t *list)
{
	json_t *former = json_array();
	int error = former != NULL ? store_range(history->store, history->prefix, take_root, former,
						 NULL)
				   : -ENOMEM;

	if (error == 0 && json_array_extend(list, former) < 0)
		error = -ENOMEM;
	json_decref(former);
	return error;
}

/* Chunks that only the root of `oldest` names. A root that is not there, or is damaged, names none:
 * what it left is found at the next start. */
static int list_expiring(const struct history *history, uint64_t oldest, json_t *old,
			 json_t *garbage)
{
	json_t *expiring = NULL, *next = NULL, *named = json_object();
	const char *id;
	json_t *value;
	int error = named == NULL ? -ENOMEM : history_get(history, oldest, &expiring);

	if (error == 0 && oldest + 1 == root_revision(old))
		next = json_incref(old);
	else if (error == 0)
		error = history_get(history, oldest + 1, &next);
	if (error == 0)
		error = root_list_chunks(expiring, garbage);
	if (error == 0)
		error = root_list_chunks(next, named);
	if (error == 0) {
		json_object_foreach(named, id, value)
			json_object_del(garbage, id);
	}
	json_decref(expiring);
	json_decref(next);
	json_decref(named);
	return error == -ENOENT || error == -EBADMSG ? 0 : error;
}

int history_push(const struct history *history, struct batch *batch, json_t *old, json_t *garbage)
{
	uint64_t revision = root_revision(old);
	char key[KEY_BYTES];
	char *text = json_dumps(old, JSON_COMPACT);
	int error = -ENOMEM;

	format_key(history, revision, key);
	if (text != NULL)
		error = batch_put(batch, key, text, strlen(text));
	free(text);
	if (error < 0 || revision < history->keep)
		return error;
	uint64_t oldest = revision - history->keep;
	format_key(history, oldest, key);
	error = batch_delete(batch, key);
	return error == 0 ? list_expiring(history, oldest, old, garbage) : error;
}
