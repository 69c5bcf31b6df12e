/* SPDX-License-Identifier: BSD-3-Clause */
/* Helpers of the store's tests. */
#include "tests/unit/control/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURN_MS 10
#define MAX_TURNS 500
#define QUIET_TURNS 3

int store_fixture_setup(void **state)
{
	struct store_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->factory = *state;
	fixture->now_ms = 1000;
	fixture->space = fixture->factory->create();
	assert_non_null(fixture->space);
	assert_int_equal(fixture->factory->open(fixture->space, fixture->now_ms, &fixture->store),
			 0);
	*state = fixture;
	return 0;
}

int store_fixture_teardown(void **state)
{
	struct store_fixture *fixture = *state;

	store_close(fixture->store);
	fixture->factory->destroy(fixture->space);
	free(fixture);
	return 0;
}

void store_fixture_reopen(struct store_fixture *fixture)
{
	store_close(fixture->store);
	fixture->store = NULL;
	assert_int_equal(fixture->factory->open(fixture->space, fixture->now_ms, &fixture->store),
			 0);
}

void store_fixture_pass(struct store_fixture *fixture, uint64_t ms)
{
	fixture->now_ms = fixture->factory->pass(fixture->space, fixture->now_ms, ms);
	assert_true(store_run(fixture->store, fixture->now_ms) >= 0);
}

store_rev store_fixture_commit(struct store_fixture *fixture, const struct store_op *ops,
			       size_t n_ops)
{
	const struct store_txn txn = {.ops = ops, .n_ops = n_ops};
	bool is_done = false;
	store_rev rev = 0;

	assert_int_equal(store_commit(fixture->store, &txn, &is_done, &rev), 0);
	assert_true(is_done);
	assert_int_not_equal(rev, 0);
	return rev;
}

store_rev store_fixture_put_leased(struct store_fixture *fixture, const char *key,
				   const char *value, store_lease lease)
{
	const struct store_op op = {STORE_PUT, key, value, strlen(value), lease};

	return store_fixture_commit(fixture, &op, 1);
}

store_rev store_fixture_put(struct store_fixture *fixture, const char *key, const char *value)
{
	return store_fixture_put_leased(fixture, key, value, 0);
}

store_rev store_fixture_delete(struct store_fixture *fixture, const char *key)
{
	const struct store_op op = {.what = STORE_DELETE, .key = key};

	return store_fixture_commit(fixture, &op, 1);
}

static int list_one(void *ctx, const struct store_kv *kv)
{
	struct store_fixture_text *text = ctx;
	size_t used = strlen(text->text);
	int n = snprintf(text->text + used, sizeof(text->text) - used, "%s=%.*s ",
			 kv->key + strlen(BASE), (int)kv->value_bytes, (const char *)kv->value);

	assert_in_range(n, 1, sizeof(text->text) - used - 1);
	return 0;
}

const char *store_fixture_list(struct store_fixture *fixture, const char *prefix,
			       struct store_fixture_text *text)
{
	text->text[0] = '\0';
	assert_int_equal(store_range(fixture->store, prefix, list_one, text, NULL), 0);
	return text->text;
}

static int list_nothing(void *ctx, const struct store_kv *kv)
{
	return 0;
}

store_rev store_fixture_rev(struct store_fixture *fixture)
{
	store_rev rev = 0;

	assert_int_equal(store_range(fixture->store, BASE, list_nothing, NULL, &rev), 0);
	assert_int_not_equal(rev, 0);
	return rev;
}

static void record_text(struct store_fixture_recorder *recorder, const char *format, ...)
{
	size_t used = strlen(recorder->text);
	va_list args;

	va_start(args, format);
	int n = vsnprintf(recorder->text + used, sizeof(recorder->text) - used, format, args);
	va_end(args);
	assert_in_range(n, 1, sizeof(recorder->text) - used - 1);
}

static void record(void *ctx, store_rev rev, const struct store_event *events, size_t n_events,
		   bool compacted)
{
	struct store_fixture_recorder *recorder = ctx;

	recorder->n_calls++;
	recorder->last_rev = rev;
	if (compacted) {
		assert_null(events);
		assert_int_equal(n_events, 0);
		recorder->watch = NULL;
		record_text(recorder, "[compacted]");
	} else {
		assert_int_not_equal(n_events, 0);
		record_text(recorder, "[");
		for (size_t i = 0; i < n_events; i++) {
			const struct store_kv *kv = &events[i].kv;
			assert_int_equal(kv->mod_rev, rev);
			assert_int_equal(kv->value == NULL, events[i].is_delete);
			record_text(recorder, events[i].is_delete ? "-%s " : "+%s=%.*s ",
				    kv->key + strlen(BASE), (int)kv->value_bytes,
				    (const char *)kv->value);
		}
		record_text(recorder, "]");
	}
	if (recorder->then != NULL)
		recorder->then(recorder);
}

void store_fixture_watch(struct store_fixture *fixture, struct store_fixture_recorder *recorder,
			 const char *prefix, store_rev from)
{
	recorder->fixture = fixture;
	assert_int_equal(
		store_watch_open(fixture->store, prefix, from, record, recorder, &recorder->watch),
		0);
}

void store_fixture_expect(struct store_fixture *fixture, struct store_fixture_recorder *recorder,
			  const char *wanted)
{
	for (int i = 0; i < MAX_TURNS && strlen(recorder->text) < strlen(wanted); i++)
		store_fixture_pass(fixture, TURN_MS);
	for (int i = 0; i < QUIET_TURNS; i++)
		store_fixture_pass(fixture, TURN_MS);
	assert_string_equal(recorder->text, wanted);
}
