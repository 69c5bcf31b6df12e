/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/control/config_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/lab.h"

static struct config_rig_store *flaky_of(struct store *store)
{
	return (struct config_rig_store *)store;
}

static int flaky_range(struct store *store, const char *prefix, store_kv_fn fn, void *ctx,
		       store_rev *rev)
{
	return store_range(flaky_of(store)->below, prefix, fn, ctx, rev);
}

static int flaky_get(struct store *store, const char *key, void **value, size_t *value_bytes,
		     store_rev *mod_rev)
{
	return store_get(flaky_of(store)->below, key, value, value_bytes, mod_rev);
}

static int flaky_commit(struct store *store, const struct store_txn *txn, bool *done,
			store_rev *rev)
{
	struct config_rig_store *flaky = flaky_of(store);
	size_t bytes = 0;

	if (flaky->commits_left == 0) {
		flaky->commits_left = flaky->is_brief ? -1 : 0;
		return -EIO;
	}
	if (flaky->commits_left > 0)
		flaky->commits_left--;
	flaky->n_commits++;
	for (size_t i = 0; i < txn->n_ops; i++)
		bytes += strlen(txn->ops[i].key) + txn->ops[i].value_bytes;
	if (txn->n_ops + txn->n_compares > flaky->max_ops)
		flaky->max_ops = txn->n_ops + txn->n_compares;
	if (bytes > flaky->max_bytes)
		flaky->max_bytes = bytes;
	return store_commit(flaky->below, txn, done, rev);
}

const struct store_backend config_rig_backend = {
	.get = flaky_get,
	.range = flaky_range,
	.commit = flaky_commit,
};

void config_rig_open(struct config_rig *fixture)
{
	struct problem problem = {0};

	fixture->flaky =
		(struct config_rig_store){.store.backend = &config_rig_backend,
					  .commits_left = -1,
					  .below = store_sqlite_space_open(fixture->space)};
	if (config_open(&fixture->flaky.store, "test", fixture->keep, &fixture->config,
			&fixture->model, &problem) < 0)
		fail_msg("%s", problem.detail);
}

void config_rig_close(struct config_rig *fixture)
{
	config_close(fixture->config);
	model_destroy(fixture->model);
	store_close(fixture->flaky.below);
}

void config_rig_reopen(struct config_rig *fixture)
{
	config_rig_close(fixture);
	config_rig_open(fixture);
}

int config_rig_set_up(void **state)
{
	struct config_rig *fixture = calloc(1, sizeof(*fixture));

	fixture->space = store_sqlite_space_create();
	fixture->keep = 1;
	config_rig_open(fixture);
	*state = fixture;
	return 0;
}

int config_rig_tear_down(void **state)
{
	struct config_rig *fixture = *state;

	config_rig_close(fixture);
	store_sqlite_space_destroy(fixture->space);
	free(fixture);
	return 0;
}

void config_rig_add_segment(struct model *model, const char *name, uint32_t vni)
{
	struct model_segment segment = {.vni = vni, .mtu = 1500, .age_s = 300};

	snprintf(segment.name, sizeof(segment.name), "%s", name);
	snprintf(segment.lab, sizeof(segment.lab), "demo");
	assert_int_equal(model_put(model, MODEL_SEGMENT, &segment.object), 0);
}

void config_rig_add_port(struct model *model, const char *name, const char *vm)
{
	struct model_port port = {.kind = port_kinds_find("vhost-user")};

	snprintf(port.name, sizeof(port.name), "%s", name);
	snprintf(port.segment, sizeof(port.segment), "A");
	snprintf(port.vm, sizeof(port.vm), "%s", vm);
	model_derive_mac("test", name, port.mac);
	assert_int_equal(model_put(model, MODEL_PORT, &port.object), 0);
}

/* Writes the fixture's model with n_ports ports more (or changed). */
int config_rig_write_ports(struct config_rig *fixture, unsigned int n_ports, const char *vm)
{
	struct problem problem = {0};
	struct model *wanted;
	struct plan plan;
	char name[24];

	assert_int_equal(model_copy(fixture->model, &wanted), 0);
	config_rig_add_segment(wanted, "A", 1);
	for (unsigned int i = 0; i < n_ports; i++) {
		snprintf(name, sizeof(name), "port-%u", i);
		config_rig_add_port(wanted, name, vm);
	}
	assert_int_equal(plan_make(fixture->model, wanted, &plan), 0);
	int error = config_write(fixture->config, wanted, &plan, NULL, 0, &problem);
	plan_fini(&plan);
	if (error == 0) {
		model_destroy(fixture->model);
		fixture->model = wanted;
	} else {
		model_destroy(wanted);
	}
	return error;
}

void config_rig_assert_same(const struct model *a, const struct model *b)
{
	assert_int_equal(a->next_id, b->next_id);
	assert_int_equal(a->n_segments, b->n_segments);
	assert_int_equal(a->n_ports, b->n_ports);
	for (size_t i = 0; i < a->n_segments; i++)
		assert_memory_equal(a->segments[i], b->segments[i],
				    model_bytes(MODEL_SEGMENT, &a->segments[i]->object));
	for (size_t i = 0; i < a->n_ports; i++)
		assert_memory_equal(a->ports[i], b->ports[i],
				    model_bytes(MODEL_PORT, &a->ports[i]->object));
}

static int count_key(void *ctx, const struct store_kv *kv)
{
	++*(size_t *)ctx;
	return 0;
}

size_t config_rig_count_keys(struct config_rig *fixture, const char *prefix)
{
	size_t n = 0;

	assert_int_equal(store_range(fixture->flaky.below, prefix, count_key, &n, NULL), 0);
	return n;
}
