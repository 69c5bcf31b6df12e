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

struct claims {
	struct store *store;
	char prefix[160];
	char host[DP_NAME_BYTES];
	json_t *stored; /* key -> value, as in the store; ours only */
};

static int take_claim(void *ctx, const struct store_kv *kv)
{
	struct claims *claims = ctx;
	json_t *value = json_loadb(kv->value, kv->value_bytes, 0, NULL);
	const char *host = json_string_value(json_object_get(value, "host"));
	int error = 0;

	/* One that cannot be read is nobody else's either: it is written anew. */
	if (host == NULL || strcmp(host, claims->host) == 0)
		error = json_object_set_new(claims->stored, kv->key,
					    json_stringn(kv->value, kv->value_bytes));
	json_decref(value);
	return error < 0 ? -ENOMEM : 0;
}

int claims_open(struct store *store, const char *cluster, const char *host, struct claims **out)
{
	struct claims *claims = calloc(1, sizeof(*claims));

	if (claims == NULL)
		return -ENOMEM;
	claims->store = store;
	claims->stored = json_object();
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
	json_decref(claims->stored);
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
	/* JSON by hand, since every change looks at every port: no value needs an escape. */
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

/* Writes what differs between stored and wanted. */
static int write_difference(struct claims *claims, json_t *wanted)
{
	struct batch batch;
	const char *key;
	json_t *value;
	int error = 0;

	batch_init(&batch, claims->store);
	json_object_foreach(claims->stored, key, value) {
		if (error == 0 && json_object_get(wanted, key) == NULL)
			error = batch_delete(&batch, key);
	}
	json_object_foreach(wanted, key, value) {
		if (error == 0 && !json_equal(value, json_object_get(claims->stored, key)))
			error = batch_put(&batch, key, json_string_value(value),
					  json_string_length(value));
	}
	if (error == 0)
		error = batch_flush(&batch);
	batch_fini(&batch);
	return error;
}

int claims_sync(struct claims *claims, const struct model *model,
		bool (*is_left_out)(void *ctx, const struct model_port *port), void *ctx)
{
	json_t *wanted = json_object();
	int error = wanted != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; i < model->n_ports && error == 0; i++) {
		if (!is_left_out(ctx, model->ports[i]))
			error = add_wanted(claims, model->ports[i], wanted);
	}
	if (error == 0)
		error = write_difference(claims, wanted);
	if (error < 0) {
		json_decref(wanted);
		return error;
	}
	json_decref(claims->stored);
	claims->stored = wanted;
	return 0;
}
