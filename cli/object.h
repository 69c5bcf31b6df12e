/* SPDX-License-Identifier: BSD-3-Clause */
/* Add, list, show, set, del: the same for every kind of object that the API keeps by name. */
#pragma once

#include <stddef.h>

#include "cli/call.h"

struct object_kind {
	const char *noun; /* "segment" */
	const char *path; /* "/v1/segments" */
	const char *list; /* key of the array in the list */
	const char *type; /* objects of this type only, all that are added are; NULL: any */
	const struct print_column *columns;
	size_t n_columns;
};

int object_add(const struct call *call, const struct object_kind *kind);
int object_list(const struct call *call, const struct object_kind *kind);
int object_show(const struct call *call, const struct object_kind *kind);
int object_set(const struct call *call, const struct object_kind *kind);
int object_del(const struct call *call, const struct object_kind *kind);

/* The object that the first word names, as the words behind it change it; a new one if there is
 * none. It is the caller's on CALL_DONE. */
int object_wanted(const struct call *call, const struct object_kind *kind, json_t **object);

/* Asks for a change and prints the plan that comes back. */
int object_change(const struct call *call, const struct client_request *request);

/* The rows of an option table, as the API gives them. */
void object_print_keys(FILE *out, const json_t *options);
