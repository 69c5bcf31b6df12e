/* SPDX-License-Identifier: BSD-3-Clause */
/* The model: sorted lists of objects. No I/O; one thread. */
#include "control/model.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/kinds.h"

#define FIRST_ID 1
#define NS_PER_MS 1000000
#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

_Static_assert(sizeof(struct model_list) * MODEL_KINDS ==
		       sizeof(struct model) - offsetof(struct model, lists),
	       "a list for each kind");

size_t model_bytes(enum model_kind kind, const struct model_object *object)
{
	switch (kind) {
	case MODEL_SEGMENT:
		return offsetof(struct model_segment, options) +
		       ((const struct model_segment *)object)->n_options * sizeof(struct dp_option);
	case MODEL_PORT:
		return offsetof(struct model_port, options) +
		       ((const struct model_port *)object)->n_options * sizeof(struct dp_option);
	case MODEL_POOL:
		return sizeof(struct model_pool);
	case MODEL_CHANNEL:
		return sizeof(struct model_channel);
	case MODEL_VM:
		return sizeof(struct model_vm);
	case MODEL_LOAN:
		return sizeof(struct model_loan);
	case MODEL_KINDS:
		break;
	}
	return 0;
}

/* What an object refers to, once more. */
static void ref(enum model_kind kind, struct model_object *object)
{
	if (kind == MODEL_PORT)
		trunk_ref(((struct model_port *)object)->trunk);
}

void model_fini(enum model_kind kind, struct model_object *object)
{
	if (kind != MODEL_PORT)
		return;
	struct model_port *port = (struct model_port *)object;

	trunk_unref(port->trunk);
	port->trunk = NULL;
}

static void destroy(enum model_kind kind, struct model_object *object)
{
	model_fini(kind, object);
	free(object);
}

/* Place of the name, or where it would go. */
static size_t place_of(const struct model_list *list, const char *name, bool *is_there)
{
	size_t low = 0, high = list->n;

	*is_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(list->items[middle]->name, name);

		if (order == 0) {
			*is_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct model_object *model_find(const struct model *model, enum model_kind kind, const char *name)
{
	size_t place;

	return model_place(model, kind, name, &place) ? model->lists[kind].items[place] : NULL;
}

bool model_place(const struct model *model, enum model_kind kind, const char *name, size_t *place)
{
	bool is_there;

	*place = place_of(&model->lists[kind], name, &is_there);
	return is_there;
}

/* Room for one more. */
static int grow(struct model_list *list)
{
	if (list->n == list->max) {
		size_t max = list->max == 0 ? 16 : list->max * 2;
		struct model_object **items = realloc(list->items, max * sizeof(items[0]));

		if (items == NULL)
			return -ENOMEM;
		list->items = items;
		list->max = max;
	}
	return 0;
}

static struct model_object *duplicate(enum model_kind kind, const struct model_object *object)
{
	size_t bytes = model_bytes(kind, object);
	struct model_object *copy = malloc(bytes);

	if (copy == NULL)
		return NULL;
	memcpy(copy, object, bytes);
	ref(kind, copy);
	return copy;
}

int model_put(struct model *model, enum model_kind kind, const struct model_object *object)
{
	struct model_list *list = &model->lists[kind];
	bool is_there;
	size_t place = place_of(list, object->name, &is_there);
	struct model_object *copy = is_there || grow(list) == 0 ? duplicate(kind, object) : NULL;

	if (copy == NULL)
		return -ENOMEM;
	struct model_object **at = &list->items[place];
	if (is_there) {
		destroy(kind, *at);
	} else {
		memmove(at + 1, at, (list->n - place) * sizeof(*at));
		list->n++;
	}
	*at = copy;
	return 0;
}

void model_del(struct model *model, enum model_kind kind, const char *name)
{
	struct model_list *list = &model->lists[kind];
	bool is_there;
	size_t place = place_of(list, name, &is_there);

	if (!is_there)
		return;
	struct model_object **at = &list->items[place];
	destroy(kind, *at);
	list->n--;
	memmove(at, at + 1, (list->n - place) * sizeof(*at));
}

/* All objects of a list to the end of an empty one. */
static int copy_list(enum model_kind kind, const struct model_list *from, struct model_list *to)
{
	for (size_t i = 0; i < from->n; i++) {
		struct model_object *copy = grow(to) == 0 ? duplicate(kind, from->items[i]) : NULL;

		if (copy == NULL)
			return -ENOMEM;
		to->items[to->n++] = copy;
	}
	return 0;
}

int model_create(struct model **out)
{
	struct model *model = calloc(1, sizeof(*model));

	if (model == NULL)
		return -ENOMEM;
	model->next_id = FIRST_ID;
	*out = model;
	return 0;
}

void model_destroy(struct model *model)
{
	if (model == NULL)
		return;
	for (enum model_kind kind = 0; kind < MODEL_KINDS; kind++) {
		struct model_list *list = &model->lists[kind];

		for (size_t i = 0; i < list->n; i++)
			destroy(kind, list->items[i]);
		free(list->items);
	}
	free(model);
}

int model_copy(const struct model *model, struct model **out)
{
	struct model *copy;
	int error = model_create(&copy);

	if (error < 0)
		return error;
	copy->next_id = model->next_id;
	copy->tunnel_mtu = model->tunnel_mtu;
	for (enum model_kind kind = 0; kind < MODEL_KINDS && error == 0; kind++)
		error = copy_list(kind, &model->lists[kind], &copy->lists[kind]);
	if (error < 0) {
		model_destroy(copy);
		return error;
	}
	*out = copy;
	return 0;
}

bool model_port_is_in(const struct model_port *port, const char *segment)
{
	return strcmp(port->segment, segment) == 0 || trunk_has(port->trunk, segment);
}

uint16_t model_segment_mtu(const struct model *model, const struct model_segment *segment)
{
	if (segment->mtu != 0)
		return segment->mtu;
	/* More than what is usual is for who says so: every port of the segment must carry it. */
	return model->tunnel_mtu != 0 && model->tunnel_mtu < MODEL_MTU_DEFAULT ? model->tunnel_mtu
									       : MODEL_MTU_DEFAULT;
}

uint16_t model_largest_mtu(const struct model *model)
{
	uint16_t mtu = 0;

	for (size_t i = 0; i < model->n_segments; i++) {
		uint16_t own = model_segment_mtu(model, model->segments[i]);

		mtu = own > mtu ? own : mtu;
	}
	return mtu != 0 ? mtu : MODEL_MTU_DEFAULT;
}

uint16_t model_port_mtu(const struct model *model, const struct model_port *port)
{
	const struct model_segment *segment = model_segment(model, port->segment);
	uint16_t mtu = segment != NULL ? model_segment_mtu(model, segment) : 0;

	for (unsigned int i = 0; port->trunk != NULL && i < port->trunk->n_members; i++) {
		segment = model_segment(model, port->trunk->members[i].segment);
		if (segment != NULL && model_segment_mtu(model, segment) > mtu)
			mtu = model_segment_mtu(model, segment);
	}
	return mtu;
}

uint64_t model_loan_left_ms(const struct model_loan *loan, uint64_t now_ns)
{
	return loan->end_ns > now_ns ? (loan->end_ns - now_ns - 1) / NS_PER_MS + 1 : 0;
}

bool model_is_unused(const struct model *model)
{
	return model->next_id == FIRST_ID;
}

static const struct dp_option *find_option(const struct model_port *port, const char *key)
{
	/* Most have none, and every change looks at every port. */
	int index = port->n_options != 0 ? port_kinds_option(port->kind, key) : -1;

	return index < 0 ? NULL
			 : options_value(port->options, port->n_options, (unsigned int)index);
}

const char *model_option_text(const struct model_port *port, const char *key)
{
	const struct dp_option *value = find_option(port, key);

	return value != NULL ? value->text : NULL;
}

uint64_t model_option_number(const struct model_port *port, const char *key, uint64_t fallback)
{
	const struct dp_option *value = find_option(port, key);

	return value != NULL ? value->number : fallback;
}

bool model_option_is(const struct model_port *port, const char *key, const char *word)
{
	struct option_set set = port_kinds_options(port->kind);
	int index = options_find(&set, key);
	const struct dp_option *value;
	char text[DP_TEXT_BYTES];

	if (index < 0)
		return false;
	value = options_value(port->options, port->n_options, (unsigned int)index);
	if (value != NULL)
		return options_format(&set, value, text, sizeof(text)) >= 0 &&
		       strcmp(text, word) == 0;
	const char *fallback = options_row(&set, (unsigned int)index)->value;

	return fallback != NULL && strcmp(fallback, word) == 0;
}

const char *model_ifname(const struct model_port *port)
{
	const char *ifname = model_option_text(port, "ifname");

	return ifname != NULL ? ifname : port->name;
}

bool model_has_card(const struct model_port *port)
{
	return !port->kind->is_trusted;
}

bool model_is_underlay(const struct model_port *port)
{
	return port->kind == &kind_uplink && model_option_text(port, "vtep") != NULL;
}

uint64_t model_hash(uint64_t seed, const void *data, size_t bytes)
{
	const uint8_t *byte = data;
	uint64_t hash = FNV_OFFSET ^ seed;

	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ byte[i]) * FNV_PRIME;
	return hash;
}

void model_derive_mac(const char *cluster, const char *port, uint8_t mac[6])
{
	uint64_t hash = model_hash(model_hash(0, cluster, strlen(cluster) + 1), port, strlen(port));

	/* FNV leaves the low bits of the last characters side by side: mix before cutting. */
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	hash ^= hash >> 33;
	mac[0] = 0x02;
	for (int i = 1; i < 6; i++)
		mac[i] = (uint8_t)(hash >> (8 * i));
}

bool model_is_name(const char *name)
{
	size_t len =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return len > 0 && len < DP_NAME_BYTES && name[len] == '\0' &&
	       strchr("._-", name[0]) == NULL;
}
