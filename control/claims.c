/* SPDX-License-Identifier: BSD-3-Clause */
/* Claims: what this host says it carries. Runs on weftd's thread. */
#include "control/claims.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/batch.h"
#include "control/spec.h"

#define KEY_BYTES 320
#define TEXT_BYTES 256

/* A port, and what is claimed for it. */
struct claimed {
	uint64_t id, generation;
	bool is_left_out;
	json_t *records; /* key -> value, as in the store; empty if it is left out */
	const struct model_port *port; /* only while it is worked on */
};

struct claims {
	struct store *store;
	char prefix[160];
	char host[DP_NAME_BYTES];
	json_t *found; /* at the start, the same way; ours only. Empty after the first sync */
	struct claimed *ports; /* in the order of ids */
	size_t n_ports;
};

static int take_claim(void *ctx, const struct store_kv *kv)
{
	struct claims *claims = ctx;
	json_t *value = json_loadb(kv->value, kv->value_bytes, 0, NULL);
	const char *host = json_string_value(json_object_get(value, "host"));
	int error = 0;

	/* One that cannot be read is nobody else's either: it is written anew. */
	if (host == NULL || strcmp(host, claims->host) == 0)
		error = json_object_set_new(claims->found, kv->key,
					    json_stringn(kv->value, kv->value_bytes));
	json_decref(value);
	return error < 0 ? -ENOMEM : 0;
}

static void free_ports(struct claimed *ports, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_decref(ports[i].records);
	free(ports);
}

int claims_open(struct store *store, const char *cluster, const char *host, struct claims **out)
{
	struct claims *claims = calloc(1, sizeof(*claims));

	if (claims == NULL)
		return -ENOMEM;
	claims->store = store;
	claims->found = json_object();
	snprintf(claims->prefix, sizeof(claims->prefix), "/weft/v1/%s/seg/", cluster);
	snprintf(claims->host, sizeof(claims->host), "%s", host);
	int error = store_range(store, claims->prefix, take_claim, claims, NULL);
	if (error < 0) {
		claims_close(claims);
		return error;
	}
	*out = claims;
	return 0;
}

void claims_close(struct claims *claims)
{
	if (claims == NULL)
		return;
	json_decref(claims->found);
	free_ports(claims->ports, claims->n_ports);
	free(claims);
}

static int add_claim(const struct claims *claims, const struct model_port *port,
		     const char *segment, json_t *claim, json_t *wanted)
{
	char key[KEY_BYTES];

	snprintf(key, sizeof(key), "%s%s/port/%s", claims->prefix, segment, port->name);
	return json_object_set(wanted, key, claim);
}

/* A claim in each segment that the port is in. */
static int add_wanted(const struct claims *claims, const struct model_port *port, json_t *wanted)
{
	const char *ip = model_option_text(port, "ip");
	const struct trunk *trunk = port->trunk;
	char text[TEXT_BYTES];
	char mac[SPEC_MAC_BYTES];
	int error = 0;

	spec_format_mac(port->mac, mac);
	/* JSON by hand, since a lab has thousands of ports: no value needs an escape. */
	snprintf(text, sizeof(text), "{\"host\":\"%s\",\"mac\":\"%s\"%s%s%s}", claims->host, mac,
		 ip != NULL ? ",\"ip\":\"" : "", ip != NULL ? ip : "", ip != NULL ? "\"" : "");
	json_t *value = json_string(text);
	if (port->segment[0] != '\0')
		error |= add_claim(claims, port, port->segment, value, wanted);
	for (unsigned int i = 0; trunk != NULL && i < trunk->n_members; i++)
		error |= add_claim(claims, port, trunk->members[i].segment, value, wanted);
	json_decref(value);
	return error < 0 ? -ENOMEM : 0;
}

/* Writes what differs between what is there, and may go, and what is wanted. */
static int write_difference(struct claims *claims, json_t *there, json_t *wanted)
{
	struct batch batch;
	const char *key;
	json_t *value;
	int error = 0;

	batch_init(&batch, claims->store);
	json_object_foreach(there, key, value) {
		if (error == 0 && json_object_get(wanted, key) == NULL)
			error = batch_delete(&batch, key);
	}
	json_object_foreach(wanted, key, value) {
		if (error == 0 && !json_equal(value, json_object_get(there, key)))
			error = batch_put(&batch, key, json_string_value(value),
					  json_string_length(value));
	}
	if (error == 0)
		error = batch_flush(&batch);
	batch_fini(&batch);
	return error;
}

static int compare_ids(const void *a, const void *b)
{
	const struct claimed *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The ports of the model in the order of ids, without records. NULL: no memory. */
static struct claimed *list_ports(const struct model *model,
				  bool (*is_left_out)(void *ctx, const struct model_port *port),
				  void *ctx)
{
	struct claimed *ports = calloc(model->n_ports + 1, sizeof(ports[0]));

	for (size_t i = 0; ports != NULL && i < model->n_ports; i++) {
		const struct model_port *port = model->ports[i];

		ports[i] = (struct claimed){.id = port->id,
					    .generation = port->generation,
					    .is_left_out = is_left_out(ctx, port),
					    .port = port};
	}
	if (ports != NULL)
		qsort(ports, model->n_ports, sizeof(ports[0]), compare_ids);
	return ports;
}

static bool is_unchanged(const struct claimed *before, const struct claimed *now)
{
	return before->id == now->id && before->generation == now->generation &&
	       before->is_left_out == now->is_left_out;
}

static int add_records(const struct claims *claims, struct claimed *now, json_t *wanted)
{
	now->records = json_object();
	if (now->records == NULL)
		return -ENOMEM;
	int error = now->is_left_out ? 0 : add_wanted(claims, now->port, now->records);

	return error == 0 && json_object_update(wanted, now->records) < 0 ? -ENOMEM : error;
}

/* Gives `now` its records, the same where nothing changed. Collects those of ports that changed or
 * went in `there`, and those of ports that changed or came in `wanted`. */
static int compare(const struct claims *claims, struct claimed *now, size_t n, json_t *there,
		   json_t *wanted)
{
	size_t old = 0;
	int error = 0;

	for (size_t i = 0; i < n && error == 0; i++) {
		for (; old < claims->n_ports && claims->ports[old].id < now[i].id; old++)
			error |= json_object_update(there, claims->ports[old].records);
		bool is_old = old < claims->n_ports && claims->ports[old].id == now[i].id;

		if (is_old && is_unchanged(&claims->ports[old], &now[i])) {
			now[i].records = json_incref(claims->ports[old++].records);
			continue;
		}
		if (is_old)
			error |= json_object_update(there, claims->ports[old++].records);
		if (error == 0)
			error = add_records(claims, &now[i], wanted);
	}
	for (; old < claims->n_ports && error == 0; old++)
		error = json_object_update(there, claims->ports[old].records);
	return error < 0 ? -ENOMEM : 0;
}

int claims_sync(struct claims *claims, const struct model *model,
		bool (*is_left_out)(void *ctx, const struct model_port *port), void *ctx)
{
	struct claimed *now = list_ports(model, is_left_out, ctx);
	json_t *there = json_copy(claims->found), *wanted = json_object();
	int error = now != NULL && there != NULL && wanted != NULL ? 0 : -ENOMEM;

	if (error == 0)
		error = compare(claims, now, model->n_ports, there, wanted);
	if (error == 0)
		error = write_difference(claims, there, wanted);
	json_decref(there);
	json_decref(wanted);
	if (error < 0) {
		if (now != NULL)
			free_ports(now, model->n_ports);
		return error;
	}
	free_ports(claims->ports, claims->n_ports);
	claims->ports = now;
	claims->n_ports = model->n_ports;
	json_object_clear(claims->found);
	return 0;
}
