/* SPDX-License-Identifier: BSD-3-Clause */
/* What every back end of the store must do: watches and compaction. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/store_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void watch_from_now_sees_what_follows(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};

	store_fixture_put(f, K("a"), "1");
	store_fixture_watch(f, &recorder, BASE, 0);
	store_fixture_put(f, K("a"), "2");
	store_rev rev = store_fixture_delete(f, K("a"));
	store_fixture_expect(f, &recorder, "[+a=2 ][-a ]");
	assert_int_equal(recorder.last_rev, rev);
}

static void watch_from_a_revision_sees_what_came_after_it(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};

	store_fixture_put(f, K("a"), "1");
	store_rev rev = store_fixture_put(f, K("a"), "2");
	store_fixture_delete(f, K("a"));
	store_fixture_put(f, K("b"), "");
	store_fixture_watch(f, &recorder, BASE, rev);
	store_fixture_put(f, K("c"), "4");
	store_fixture_expect(f, &recorder, "[-a ][+b= ][+c=4 ]");
}

static void revision_of_an_empty_store_can_be_watched_from(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};
	store_rev rev = store_fixture_rev(f);

	store_fixture_put(f, K("a"), "1");
	store_fixture_watch(f, &recorder, BASE, rev);
	store_fixture_expect(f, &recorder, "[+a=1 ]");
}

static void events_of_a_revision_come_together_in_order(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};
	const struct store_op first[] = {
		{STORE_PUT, K("d/2"), "1", 1, 0},
		{STORE_PUT, K("d/1"), "1", 1, 0},
		{STORE_PUT, K("c"), "1", 1, 0},
	};
	const struct store_op second[] = {
		{STORE_PUT, K("z"), "2", 1, 0},
		{.what = STORE_DELETE_PREFIX, .key = K("d/")},
		{.what = STORE_DELETE, .key = K("absent")},
		{STORE_PUT, K("a"), "2", 1, 0},
		{.what = STORE_DELETE, .key = K("c")},
	};

	store_fixture_watch(f, &recorder, BASE, 0);
	store_fixture_commit(f, first, LENGTH(first));
	store_fixture_commit(f, second, LENGTH(second));
	store_fixture_expect(f, &recorder, "[+d/2=1 +d/1=1 +c=1 ][+z=2 -d/1 -d/2 +a=2 -c ]");
}

static void watch_sees_only_its_prefix(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};
	const struct store_op ops[] = {
		{STORE_PUT, K("a/1"), "1", 1, 0}, {STORE_PUT, K("a"), "1", 1, 0},
		{STORE_PUT, K("b"), "1", 1, 0},	  {STORE_PUT, K("a0"), "1", 1, 0},
		{STORE_PUT, K("a/~"), "1", 1, 0},
	};

	store_fixture_watch(f, &recorder, K("a/"), 0);
	store_fixture_put(f, K("b"), "0");
	store_fixture_commit(f, ops, LENGTH(ops));
	store_fixture_delete(f, K("b"));
	store_fixture_expect(f, &recorder, "[+a/1=1 +a/~=1 ]");
}

static void two_watches_see_the_same(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder one = {0}, two = {0};

	store_fixture_watch(f, &one, BASE, 0);
	store_rev rev = store_fixture_put(f, K("a"), "1");
	store_fixture_put(f, K("b"), "2");
	store_fixture_watch(f, &two, BASE, rev);
	store_fixture_expect(f, &one, "[+a=1 ][+b=2 ]");
	store_fixture_expect(f, &two, "[+b=2 ]");
}

static void nothing_is_delivered_but_from_run(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};

	store_fixture_watch(f, &recorder, BASE, store_fixture_put(f, K("a"), "1"));
	store_fixture_put(f, K("a"), "2");
	assert_store_has(f, "a=2 ");
	assert_string_equal(recorder.text, "");
	store_fixture_expect(f, &recorder, "[+a=2 ]");
}

static void watch_goes_on_after_reopen_without_a_gap(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder before = {0}, after = {0};

	store_fixture_watch(f, &before, BASE, 0);
	store_fixture_put(f, K("a"), "1");
	store_fixture_expect(f, &before, "[+a=1 ]");
	store_fixture_put(f, K("a"), "2");
	store_fixture_reopen(f);
	store_fixture_put(f, K("a"), "3");
	store_fixture_watch(f, &after, BASE, before.last_rev);
	store_fixture_expect(f, &after, "[+a=2 ][+a=3 ]");
}

static void watch_from_before_compaction_is_told_once_and_is_gone(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder old = {0}, from_there = {0};
	store_rev first = store_fixture_put(f, K("a"), "1");

	store_fixture_put(f, K("a"), "2");
	store_rev third = store_fixture_put(f, K("a"), "3");
	assert_int_equal(store_compact(f->store, third), 0);
	store_fixture_watch(f, &old, BASE, first);
	store_fixture_watch(f, &from_there, BASE, third);
	store_fixture_put(f, K("a"), "4");
	store_fixture_expect(f, &old, "[compacted]");
	store_fixture_expect(f, &from_there, "[+a=4 ]");
	assert_store_has(f, "a=4 ");

	memset(&old, 0, sizeof(old));
	store_fixture_reopen(f);
	store_fixture_watch(f, &old, BASE, first);
	store_fixture_expect(f, &old, "[compacted]");
}

static void compaction_does_not_harm_who_has_seen_it_all(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};

	store_fixture_watch(f, &recorder, BASE, 0);
	store_rev rev = store_fixture_put(f, K("a"), "1");
	store_fixture_expect(f, &recorder, "[+a=1 ]");
	assert_int_equal(store_compact(f->store, rev), 0);
	store_fixture_put(f, K("a"), "2");
	store_fixture_expect(f, &recorder, "[+a=1 ][+a=2 ]");
}

static void compaction_of_what_is_not_there_is_harmless_or_refused(void **state)
{
	struct store_fixture *f = *state;
	store_rev first = store_fixture_put(f, K("a"), "1");
	store_rev second = store_fixture_put(f, K("a"), "2");

	assert_int_equal(store_compact(f->store, second + 1000000), -EINVAL);
	assert_int_equal(store_compact(f->store, 0), -EINVAL);
	assert_int_equal(store_compact(f->store, second), 0);
	assert_int_equal(store_compact(f->store, second), 0);
	assert_int_equal(store_compact(f->store, first), 0);
	assert_int_equal(store_fixture_rev(f), second);
	assert_store_has(f, "a=2 ");
}

static void close_itself(struct store_fixture_recorder *recorder)
{
	store_watch_close(recorder->watch);
	recorder->watch = NULL;
}

static void close_other(struct store_fixture_recorder *recorder)
{
	if (recorder->other->watch != NULL)
		close_itself(recorder->other);
}

static void watch_may_close_itself_in_its_callback(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {.then = close_itself}, other = {0};

	store_fixture_watch(f, &recorder, BASE, 0);
	store_fixture_watch(f, &other, BASE, 0);
	store_fixture_put(f, K("a"), "1");
	store_fixture_put(f, K("a"), "2");
	store_fixture_expect(f, &other, "[+a=1 ][+a=2 ]");
	assert_string_equal(recorder.text, "[+a=1 ]");
}

static void watch_may_close_itself_when_told_compacted(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {.then = close_itself};
	store_rev rev = store_fixture_put(f, K("a"), "1");

	store_fixture_put(f, K("a"), "2");
	assert_int_equal(store_compact(f->store, store_fixture_put(f, K("a"), "3")), 0);
	store_fixture_watch(f, &recorder, BASE, rev);
	store_fixture_expect(f, &recorder, "[compacted]");
}

static void watch_may_close_another_in_its_callback(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder one = {.then = close_other}, two = {.then = close_other};

	one.other = &two;
	two.other = &one;
	store_fixture_watch(f, &one, BASE, 0);
	store_fixture_watch(f, &two, BASE, 0);
	store_fixture_put(f, K("a"), "1");
	store_fixture_put(f, K("a"), "2");
	/* Whoever comes first silences the other. */
	for (int i = 0; i < 500 && one.n_calls + two.n_calls < 2; i++)
		store_fixture_pass(f, 10);
	store_fixture_expect(f, &one, one.n_calls > 0 ? "[+a=1 ][+a=2 ]" : "");
	store_fixture_expect(f, &two, one.n_calls > 0 ? "" : "[+a=1 ][+a=2 ]");
}

static void put_b_once(struct store_fixture_recorder *recorder)
{
	struct store_fixture_text text;

	if (recorder->n_calls > 1)
		return;
	store_fixture_put(recorder->fixture, K("b"), "2");
	assert_string_equal(store_fixture_list(recorder->fixture, BASE, &text), "a=1 b=2 ");
	store_fixture_watch(recorder->fixture, recorder->other, BASE, recorder->last_rev);
}

static void callback_may_write_read_and_watch(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder inner = {0};
	struct store_fixture_recorder recorder = {.then = put_b_once, .other = &inner};

	store_fixture_watch(f, &recorder, BASE, 0);
	store_fixture_put(f, K("a"), "1");
	store_fixture_expect(f, &recorder, "[+a=1 ][+b=2 ]");
	store_fixture_expect(f, &inner, "[+b=2 ]");
}

static void put_again(struct store_fixture_recorder *recorder)
{
	recorder->text[0] = '\0';
	if (recorder->n_calls < 1000)
		store_fixture_put(recorder->fixture, K("a"), "again");
}

static void callback_that_always_writes_does_not_keep_run(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {.then = put_again};

	store_fixture_watch(f, &recorder, BASE, 0);
	store_fixture_put(f, K("a"), "1");
	store_fixture_pass(f, 10);
	assert_in_range(recorder.n_calls, 0, 900);
}

static void closed_watch_is_silent(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};

	store_fixture_watch(f, &recorder, BASE, 0);
	store_fixture_put(f, K("a"), "1");
	store_watch_close(recorder.watch);
	store_watch_close(NULL);
	store_fixture_expect(f, &recorder, "");
}

/*
 * A copy that only a watch feeds must become what the store holds, and both what a plain array says
 * they are, over random transactions and reopenings.
 */
#define MODEL_KEYS 12

struct model {
	long values[MODEL_KEYS]; /* 0: absent */
};

static size_t model_index(const char *key)
{
	return strtoul(key + strlen(K("m/")), NULL, 10);
}

static void model_event(void *ctx, store_rev rev, const struct store_event *events, size_t n_events,
			bool compacted)
{
	struct model *copy = ctx;

	assert_false(compacted);
	for (size_t i = 0; i < n_events; i++)
		copy->values[model_index(events[i].kv.key)] =
			events[i].is_delete ? 0 : strtol(events[i].kv.value, NULL, 10);
}

static int model_row(void *ctx, const struct store_kv *kv)
{
	struct model *copy = ctx;

	copy->values[model_index(kv->key)] = strtol(kv->value, NULL, 10);
	return 0;
}

static void model_transaction(struct store_fixture *f, struct model *model, unsigned *seed)
{
	char keys[MODEL_KEYS][32], values[MODEL_KEYS][16];
	struct store_op ops[MODEL_KEYS];
	size_t n_ops = 0;

	for (size_t i = 0; i < MODEL_KEYS; i++) {
		int dice = rand_r(seed) % 6;
		if (dice > 1)
			continue;
		model->values[i] = dice == 0 ? 0 : 1 + rand_r(seed) % 1000;
		snprintf(keys[i], sizeof(keys[i]), K("m/%02zu"), i);
		int n = snprintf(values[i], sizeof(values[i]), "%ld", model->values[i]);
		ops[n_ops++] = dice == 0 ? (struct store_op){STORE_DELETE, keys[i]}
					 : (struct store_op){STORE_PUT, keys[i], values[i],
							     (size_t)n + 1, 0};
	}
	store_fixture_commit(f, ops, n_ops);
}

static void random_history_gives_watch_range_and_model_the_same(void **state)
{
	struct store_fixture *f = *state;
	struct model model = {0}, watched = {0};
	struct store_watch *watch;
	unsigned seed = 1;

	assert_int_equal(store_watch_open(f->store, K("m/"), store_fixture_rev(f), model_event,
					  &watched, &watch),
			 0);
	for (int round = 0; round < 300; round++) {
		struct model ranged = {0};
		model_transaction(f, &model, &seed);
		if (rand_r(&seed) % 4 != 0)
			continue;
		assert_int_equal(store_range(f->store, K("m/"), model_row, &ranged, NULL), 0);
		assert_memory_equal(&ranged, &model, sizeof(model));
		for (int i = 0; i < 500 && memcmp(&watched, &model, sizeof(model)) != 0; i++)
			store_fixture_pass(f, 10);
		assert_memory_equal(&watched, &model, sizeof(model));
		if (rand_r(&seed) % 4 != 0)
			continue;
		store_rev rev = store_fixture_rev(f);
		model_transaction(f, &model, &seed);
		store_fixture_reopen(f);
		assert_int_equal(
			store_watch_open(f->store, K("m/"), rev, model_event, &watched, &watch), 0);
	}
}

const struct CMUnitTest *store_conformance_watch_tests(size_t *n_tests)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(watch_from_now_sees_what_follows),
		cmocka_unit_test(watch_from_a_revision_sees_what_came_after_it),
		cmocka_unit_test(revision_of_an_empty_store_can_be_watched_from),
		cmocka_unit_test(events_of_a_revision_come_together_in_order),
		cmocka_unit_test(watch_sees_only_its_prefix),
		cmocka_unit_test(two_watches_see_the_same),
		cmocka_unit_test(nothing_is_delivered_but_from_run),
		cmocka_unit_test(watch_goes_on_after_reopen_without_a_gap),
		cmocka_unit_test(watch_from_before_compaction_is_told_once_and_is_gone),
		cmocka_unit_test(compaction_does_not_harm_who_has_seen_it_all),
		cmocka_unit_test(compaction_of_what_is_not_there_is_harmless_or_refused),
		cmocka_unit_test(watch_may_close_itself_in_its_callback),
		cmocka_unit_test(watch_may_close_itself_when_told_compacted),
		cmocka_unit_test(watch_may_close_another_in_its_callback),
		cmocka_unit_test(callback_may_write_read_and_watch),
		cmocka_unit_test(callback_that_always_writes_does_not_keep_run),
		cmocka_unit_test(closed_watch_is_silent),
		cmocka_unit_test(random_history_gives_watch_range_and_model_the_same),
	};

	*n_tests = LENGTH(tests);
	return tests;
}
