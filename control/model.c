/* SPDX-License-Identifier: BSD-3-Clause */
/* The model: sorted lists of segments and ports. No I/O; one thread. */
#include "control/model.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/kinds.h"

#define FIRST_ID 1
#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

/* A sorted array of pointers to objects that begin with their name. */
struct list {
	void ***items;
	size_t *n, *max;
	size_t (*bytes_of)(const void *object);
};

size_t model_segment_bytes(const struct model_segment *segment)
{
	return offsetof(struct model_segment, options) +
	       segment->n_options * sizeof(segment->options[0]);
}

size_t model_port_bytes(const struct model_port *port)
{
	return offsetof(struct model_port, options) + port->n_options * sizeof(port->options[0]);
}

static size_t segment_bytes(const void *object)
{
	return model_segment_bytes(object);
}

static size_t port_bytes(const void *object)
{
	return model_port_bytes(object);
}

static struct list segments_of(struct model *model)
{
	return (struct list){(void ***)&model->segments, &model->n_segments, &model->max_segments,
			     segment_bytes};
}

static struct list ports_of(struct model *model)
{
	return (struct list){(void ***)&model->ports, &model->n_ports, &model->max_ports,
			     port_bytes};
}

/* Place of the name, or where it would go. */
static size_t place_of(void *const *items, size_t n, const char *name, bool *is_there)
{
	size_t low = 0, high = n;

	*is_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(items[middle], name);

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

static void *find(void *const *items, size_t n, const char *name)
{
	bool is_there;
	size_t place = place_of(items, n, name, &is_there);

	return is_there ? items[place] : NULL;
}

/* Room for one more. */
static int grow(struct list list)
{
	if (*list.n == *list.max) {
		size_t max = *list.max == 0 ? 16 : *list.max * 2;
		void **items = realloc(*list.items, max * sizeof(*items));

		if (items == NULL)
			return -ENOMEM;
		*list.items = items;
		*list.max = max;
	}
	return 0;
}

static void *duplicate(struct list list, const void *object)
{
	size_t bytes = list.bytes_of(object);
	void *copy = malloc(bytes);

	return copy != NULL ? memcpy(copy, object, bytes) : NULL;
}

static int put(struct list list, const void *object)
{
	bool is_there;
	size_t place = place_of(*list.items, *list.n, object, &is_there);
	void *copy = is_there || grow(list) == 0 ? duplicate(list, object) : NULL;

	if (copy == NULL)
		return -ENOMEM;
	if (is_there) {
		free((*list.items)[place]);
		(*list.items)[place] = copy;
		return 0;
	}
	void **at = *list.items + place;
	memmove(at + 1, at, (*list.n - place) * sizeof(*at));
	*at = copy;
	++*list.n;
	return 0;
}

static void del(struct list list, const char *name)
{
	bool is_there;
	size_t place = place_of(*list.items, *list.n, name, &is_there);

	if (!is_there)
		return;
	void **at = *list.items + place;
	free(*at);
	--*list.n;
	memmove(at, at + 1, (*list.n - place) * sizeof(*at));
}

/* All objects of a list to the end of an empty one. */
static int copy_list(struct list from, struct list to)
{
	for (size_t i = 0; i < *from.n; i++) {
		void *copy = grow(to) == 0 ? duplicate(from, (*from.items)[i]) : NULL;

		if (copy == NULL)
			return -ENOMEM;
		(*to.items)[(*to.n)++] = copy;
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
	for (size_t i = 0; i < model->n_segments; i++)
		free(model->segments[i]);
	for (size_t i = 0; i < model->n_ports; i++) {
		model_port_fini(model->ports[i]);
		free(model->ports[i]);
	}
	free(model->segments);
	free(model->ports);
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
	/* cast: a list may be written to, but this one is only read */
	struct model *original = (struct model *)(uintptr_t)model;

	error = copy_list(segments_of(original), segments_of(copy));
	if (error == 0)
		error = copy_list(ports_of(original), ports_of(copy));
	for (size_t i = 0; i < copy->n_ports; i++)
		trunk_ref(copy->ports[i]->trunk);
	if (error < 0) {
		model_destroy(copy);
		return error;
	}
	*out = copy;
	return 0;
}

struct model_segment *model_segment(const struct model *model, const char *name)
{
	return find((void *const *)model->segments, model->n_segments, name);
}

struct model_port *model_port(const struct model *model, const char *name)
{
	return find((void *const *)model->ports, model->n_ports, name);
}

int model_put_segment(struct model *model, const struct model_segment *segment)
{
	return put(segments_of(model), segment);
}

int model_put_port(struct model *model, const struct model_port *port)
{
	const struct model_port *old = model_port(model, port->name);
	struct trunk *before = old != NULL ? old->trunk : NULL;
	struct trunk *after = trunk_ref(port->trunk);
	int error = put(ports_of(model), port);

	trunk_unref(error == 0 ? before : after);
	return error;
}

void model_port_fini(struct model_port *port)
{
	trunk_unref(port->trunk);
	port->trunk = NULL;
}

void model_del_segment(struct model *model, const char *name)
{
	del(segments_of(model), name);
}

void model_del_port(struct model *model, const char *name)
{
	struct model_port *port = model_port(model, name);

	if (port != NULL)
		model_port_fini(port);
	del(ports_of(model), name);
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
