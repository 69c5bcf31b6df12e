/* SPDX-License-Identifier: BSD-3-Clause */
/* The record that says what the stored model is. Pure. */
#include "control/root.h"

#include <errno.h>

static json_t *empty_buckets(void)
{
	json_t *buckets = json_array();

	for (int i = 0; i < ROOT_BUCKETS; i++)
		json_array_append_new(buckets, json_array());
	return buckets;
}

json_t *root_create(void)
{
	return json_pack("{s:i, s:i, s:o}", "revision", 0, "next_id", 1, "buckets",
			 empty_buckets());
}

json_t *root_next(const json_t *old, uint64_t next_id, json_t *buckets, json_t *info,
		  const struct root_trial *trial)
{
	json_t *root =
		json_pack("{s:I, s:I, s:O, s:O*}", "revision", (json_int_t)root_revision(old) + 1,
			  "next_id", (json_int_t)next_id, "buckets", buckets, "info", info);

	if (root == NULL || trial == NULL)
		return root;
	json_t *confirm =
		json_pack("{s:I, s:I, s:I}", "back_to", (json_int_t)trial->back_to, "deadline_s",
			  (json_int_t)trial->deadline_s, "wait_s", (json_int_t)trial->wait_s);
	if (json_object_set_new(root, "confirm", confirm) == 0)
		return root;
	json_decref(root);
	return NULL;
}

json_t *root_with_loans(json_t *root, uint64_t next_id, json_t *loans)
{
	json_t *copy = json_copy(root);
	int error = json_object_set_new(copy, "next_id", json_integer((json_int_t)next_id));

	if (loans != NULL)
		error |= json_object_set(copy, "loans", loans);
	else
		json_object_del(copy, "loans");
	if (error == 0)
		return copy;
	json_decref(copy);
	return NULL;
}

bool root_is_valid(const json_t *root)
{
	json_t *buckets = root_buckets(root);
	size_t i, j;
	json_t *ids, *id;

	if (json_array_size(buckets) != ROOT_BUCKETS || root_next_id(root) == 0)
		return false;
	json_array_foreach(buckets, i, ids) {
		if (!json_is_array(ids))
			return false;
		json_array_foreach(ids, j, id) {
			if (!json_is_string(id))
				return false;
		}
	}
	return true;
}

static uint64_t number_of(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number > 0 ? (uint64_t)number : 0;
}

uint64_t root_revision(const json_t *root)
{
	return number_of(root, "revision");
}

uint64_t root_next_id(const json_t *root)
{
	return number_of(root, "next_id");
}

json_t *root_buckets(const json_t *root)
{
	return json_object_get(root, "buckets");
}

bool root_trial(const json_t *root, struct root_trial *trial)
{
	const json_t *confirm = json_object_get(root, "confirm");

	*trial = (struct root_trial){
		.back_to = number_of(confirm, "back_to"),
		.deadline_s = (int64_t)number_of(confirm, "deadline_s"),
		.wait_s = (uint32_t)number_of(confirm, "wait_s"),
	};
	return confirm != NULL;
}

int root_list_chunks(const json_t *root, json_t *set)
{
	size_t i, j;
	json_t *ids, *id;

	json_array_foreach(root_buckets(root), i, ids) {
		json_array_foreach(ids, j, id) {
			if (json_object_set_new(set, json_string_value(id), json_true()) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}
