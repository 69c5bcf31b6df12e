/* SPDX-License-Identifier: BSD-3-Clause */
/* What every back end of the store must do: keys, compares, transactions, revisions, limits. */
#include "tests/unit/control/store_conformance.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/store_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void absent_key_is_not_found(void **state)
{
	struct store_fixture *f = *state;
	void *value = NULL;

	assert_int_equal(store_get(f->store, K("a"), &value, NULL, NULL), -ENOENT);
	assert_null(value);
	assert_store_has(f, "");
}

static void value_keeps_every_byte(void **state)
{
	struct store_fixture *f = *state;
	char bytes[256];
	const struct store_op op = {STORE_PUT, K("a"), bytes, sizeof(bytes), 0};
	store_rev got_rev;
	size_t n_bytes;
	char *value;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	store_rev rev = store_fixture_commit(f, &op, 1);
	assert_int_equal(store_get(f->store, K("a"), (void **)&value, &n_bytes, &got_rev), 0);
	assert_int_equal(n_bytes, sizeof(bytes));
	assert_memory_equal(value, bytes, sizeof(bytes));
	assert_int_equal(value[n_bytes], '\0');
	assert_int_equal(got_rev, rev);
	free(value);
}

static void empty_value_is_not_absence(void **state)
{
	struct store_fixture *f = *state;
	size_t n_bytes = 1;
	void *value = NULL;

	store_fixture_put(f, K("a"), "");
	assert_int_equal(store_get(f->store, K("a"), &value, &n_bytes, NULL), 0);
	assert_int_equal(n_bytes, 0);
	assert_non_null(value);
	free(value);
	assert_store_has(f, "a= ");
}

static void range_is_in_key_order_and_within_the_prefix(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_text text;

	store_fixture_put(f, K("b/2"), "4");
	store_fixture_put(f, K("b0"), "5");
	store_fixture_put(f, K("b/10"), "3");
	store_fixture_put(f, K("b"), "1");
	store_fixture_put(f, K("c"), "6");
	store_fixture_put(f, K("b-"), "2");
	assert_store_has(f, "b=1 b-=2 b/10=3 b/2=4 b0=5 c=6 ");
	assert_string_equal(store_fixture_list(f, K("b/"), &text), "b/10=3 b/2=4 ");
	assert_string_equal(store_fixture_list(f, K("b"), &text), "b=1 b-=2 b/10=3 b/2=4 b0=5 ");
	assert_string_equal(store_fixture_list(f, K("d"), &text), "");
}

static int stop_at_second(void *ctx, const struct store_kv *kv)
{
	int *n_seen = ctx;

	return ++*n_seen == 2 ? 77 : 0;
}

static void range_stops_when_the_callee_says_so(void **state)
{
	struct store_fixture *f = *state;
	int n_seen = 0;

	store_fixture_put(f, K("a"), "1");
	store_fixture_put(f, K("b"), "1");
	store_fixture_put(f, K("c"), "1");
	assert_int_equal(store_range(f->store, BASE, stop_at_second, &n_seen, NULL), 77);
	assert_int_equal(n_seen, 2);
}

static int read_and_write(void *ctx, const struct store_kv *kv)
{
	struct store_fixture *f = ctx;
	const struct store_op op = {STORE_PUT, K("z"), "1", 1, 0};
	const struct store_txn txn = {.ops = &op, .n_ops = 1};
	struct store_fixture_text text;
	store_lease lease;
	bool is_done;
	store_rev rev;

	assert_int_equal(store_get(f->store, kv->key, NULL, NULL, &rev), 0);
	assert_int_equal(rev, kv->mod_rev);
	assert_string_equal(store_fixture_list(f, BASE, &text), "a=1 b=2 ");
	assert_int_equal(store_commit(f->store, &txn, &is_done, &rev), -EBUSY);
	assert_int_equal(store_lease_grant(f->store, 60000, &lease), -EBUSY);
	return 0;
}

static void range_callee_may_read_but_not_write(void **state)
{
	struct store_fixture *f = *state;

	store_fixture_put(f, K("a"), "1");
	store_fixture_put(f, K("b"), "2");
	assert_int_equal(store_range(f->store, BASE, read_and_write, f, NULL), 0);
	store_fixture_put(f, K("c"), "3");
	assert_store_has(f, "a=1 b=2 c=3 ");
}

/* The store under it: "here" was written at here_rev with value "v", "absent" never. */
static bool compare_holds(struct store_fixture *f, struct store_compare compare)
{
	const struct store_txn txn = {.compares = &compare, .n_compares = 1};
	bool is_done;

	assert_int_equal(store_commit(f->store, &txn, &is_done, NULL), 0);
	return is_done;
}

static void compares_hold_when_they_should(void **state)
{
	struct store_fixture *f = *state;
	store_rev created = store_fixture_put(f, K("here"), "u");
	store_rev written = store_fixture_put(f, K("here"), "v\n");
	const struct {
		struct store_compare compare;
		bool holds;
	} rows[] = {
		{{STORE_COMPARE_MOD_REV, K("here"), .rev = written}, true},
		{{STORE_COMPARE_MOD_REV, K("here"), .rev = created}, false},
		{{STORE_COMPARE_MOD_REV, K("here"), .rev = 0}, false},
		{{STORE_COMPARE_MOD_REV, K("absent"), .rev = 0}, true},
		{{STORE_COMPARE_MOD_REV, K("absent"), .rev = written}, false},
		{{STORE_COMPARE_CREATE_REV, K("here"), .rev = created}, true},
		{{STORE_COMPARE_CREATE_REV, K("here"), .rev = written}, false},
		{{STORE_COMPARE_CREATE_REV, K("here"), .rev = 0}, false},
		{{STORE_COMPARE_CREATE_REV, K("absent"), .rev = 0}, true},
		{{STORE_COMPARE_CREATE_REV, K("absent"), .rev = created}, false},
		{{STORE_COMPARE_VALUE, K("here"), .value = "v\n", .value_bytes = 2}, true},
		{{STORE_COMPARE_VALUE, K("here"), .value = "v\n", .value_bytes = 1}, false},
		{{STORE_COMPARE_VALUE, K("here"), .value = "v\n", .value_bytes = 3}, false},
		{{STORE_COMPARE_VALUE, K("here"), .value = "w\n", .value_bytes = 2}, false},
		{{STORE_COMPARE_VALUE, K("here"), .value = NULL, .value_bytes = 0}, false},
		{{STORE_COMPARE_VALUE, K("absent"), .value = NULL, .value_bytes = 0}, false},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		if (compare_holds(f, rows[i].compare) != rows[i].holds)
			fail_msg("row %zu: holds should be %d", i, rows[i].holds);
	}
	store_fixture_put(f, K("empty"), "");
	assert_true(compare_holds(f, (struct store_compare){STORE_COMPARE_VALUE, K("empty")}));
}

static void one_failed_compare_of_many_keeps_all_as_it_was(void **state)
{
	struct store_fixture *f = *state;
	store_rev rev = store_fixture_put(f, K("a"), "1");
	const struct store_compare compares[] = {
		{STORE_COMPARE_MOD_REV, K("a"), .rev = rev},
		{STORE_COMPARE_CREATE_REV, K("b"), .rev = rev},
		{STORE_COMPARE_VALUE, K("a"), .value = "1", .value_bytes = 1},
	};
	const struct store_op ops[] = {
		{STORE_PUT, K("b"), "2", 1, 0},
		{.what = STORE_DELETE, .key = K("a")},
	};
	const struct store_txn txn = {compares, LENGTH(compares), ops, LENGTH(ops)};
	struct store_fixture_recorder recorder = {0};
	store_rev after = 0;
	bool is_done = true;

	store_fixture_watch(f, &recorder, BASE, 0);
	assert_int_equal(store_commit(f->store, &txn, &is_done, &after), 0);
	assert_false(is_done);
	assert_int_equal(after, store_fixture_rev(f));
	assert_store_has(f, "a=1 ");
	store_fixture_expect(f, &recorder, "");
}

static void failed_operation_undoes_the_ones_before_it(void **state)
{
	struct store_fixture *f = *state;
	const struct store_op ops[] = {
		{STORE_PUT, K("b"), "2", 1, 0},
		{.what = STORE_DELETE, .key = K("a")},
		{STORE_PUT, K("c"), "3", 1, .lease = 4711},
	};
	const struct store_txn txn = {.ops = ops, .n_ops = LENGTH(ops)};
	struct store_fixture_recorder recorder = {0};
	store_rev before = store_fixture_put(f, K("a"), "1"), rev = 0;
	bool is_done = false;

	store_fixture_watch(f, &recorder, BASE, 0);
	assert_int_equal(store_commit(f->store, &txn, &is_done, &rev), -ENOENT);
	assert_false(is_done);
	assert_int_equal(store_fixture_rev(f), before);
	store_fixture_expect(f, &recorder, "");
	store_fixture_reopen(f);
	assert_store_has(f, "a=1 ");
}

static void key_is_written_once_in_a_transaction(void **state)
{
	struct store_fixture *f = *state;
	const struct store_op put = {STORE_PUT, K("a/b"), "2", 1, 0};
	const struct store_op delete_same = {.what = STORE_DELETE, .key = K("a/b")};
	const struct store_op delete_around = {.what = STORE_DELETE_PREFIX, .key = K("a")};
	const struct store_op delete_other = {.what = STORE_DELETE_PREFIX, .key = K("a/b/")};
	const struct {
		struct store_op ops[2];
		int rc;
	} rows[] = {
		{{put, put}, -EINVAL},
		{{put, delete_same}, -EINVAL},
		{{delete_same, put}, -EINVAL},
		{{put, delete_around}, -EINVAL},
		{{delete_around, put}, -EINVAL},
		{{delete_other, put}, 0},
		{{put, delete_other}, 0},
		{{delete_same, delete_around}, 0},
		{{delete_around, delete_same}, 0},
		{{delete_same, delete_same}, 0},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		const struct store_txn txn = {.ops = rows[i].ops, .n_ops = 2};
		bool is_done = false;
		store_rev before = store_fixture_put(f, K("a/b"), "1");
		int rc = store_commit(f->store, &txn, &is_done, NULL);
		if (rc != rows[i].rc || is_done != (rc == 0))
			fail_msg("row %zu: %d, wanted %d", i, rc, rows[i].rc);
		if (rc != 0)
			assert_int_equal(store_fixture_rev(f), before);
	}
}

static void delete_prefix_takes_what_starts_with_it(void **state)
{
	struct store_fixture *f = *state;
	const struct store_op op = {.what = STORE_DELETE_PREFIX, .key = K("a/")};

	store_fixture_put(f, K("a"), "1");
	store_fixture_put(f, K("a/1"), "1");
	store_fixture_put(f, K("a/~~"), "1");
	store_fixture_put(f, K("a0"), "1");
	store_fixture_put(f, K("b"), "1");
	store_fixture_commit(f, &op, 1);
	assert_store_has(f, "a=1 a0=1 b=1 ");
}

struct revs {
	store_rev create_rev;
	store_rev mod_rev;
	store_lease lease;
};

static int take_revs(void *ctx, const struct store_kv *kv)
{
	*(struct revs *)ctx = (struct revs){kv->create_rev, kv->mod_rev, kv->lease};
	return 0;
}

static struct revs revs_of(struct store_fixture *f, const char *key)
{
	struct revs revs = {0};

	assert_int_equal(store_range(f->store, key, take_revs, &revs, NULL), 0);
	return revs;
}

static void every_write_carries_its_transactions_revision(void **state)
{
	struct store_fixture *f = *state;
	const struct store_op ops[] = {
		{STORE_PUT, K("a"), "1", 1, 0},
		{STORE_PUT, K("b"), "1", 1, 0},
	};
	store_rev before = store_fixture_rev(f);
	store_rev first = store_fixture_commit(f, ops, 2);

	assert_int_not_equal(first, before);
	assert_int_equal(first, store_fixture_rev(f));
	assert_int_equal(revs_of(f, K("a")).mod_rev, first);
	assert_int_equal(revs_of(f, K("b")).create_rev, first);

	store_rev second = store_fixture_put(f, K("a"), "1");
	assert_int_not_equal(second, first);
	assert_int_equal(revs_of(f, K("a")).create_rev, first);
	assert_int_equal(revs_of(f, K("a")).mod_rev, second);
	assert_int_equal(revs_of(f, K("b")).mod_rev, first);

	store_fixture_delete(f, K("a"));
	store_rev anew = store_fixture_put(f, K("a"), "1");
	assert_int_equal(revs_of(f, K("a")).create_rev, anew);
}

static void transaction_that_writes_nothing_makes_no_revision(void **state)
{
	struct store_fixture *f = *state;
	const struct store_op deletes[] = {
		{.what = STORE_DELETE, .key = K("absent")},
		{.what = STORE_DELETE_PREFIX, .key = K("absent/")},
	};
	store_rev rev = store_fixture_put(f, K("a"), "1");

	assert_int_equal(store_fixture_commit(f, NULL, 0), rev);
	assert_int_equal(store_fixture_commit(f, deletes, 2), rev);
	assert_int_equal(store_fixture_rev(f), rev);
	assert_int_not_equal(store_fixture_put(f, K("a"), "1"), rev);
}

static int commit_many(struct store_fixture *f, size_t n_compares, size_t n_ops)
{
	struct store_compare compares[2 * STORE_OPS_MAX];
	struct store_op ops[2 * STORE_OPS_MAX];
	const struct store_txn txn = {compares, n_compares, ops, n_ops};
	char keys[2 * STORE_OPS_MAX][32];
	bool is_done = false;

	for (size_t i = 0; i < LENGTH(ops); i++) {
		snprintf(keys[i], sizeof(keys[i]), BASE "%03zu", i);
		ops[i] = (struct store_op){STORE_PUT, keys[i], "1", 1, 0};
		compares[i] = (struct store_compare){STORE_COMPARE_MOD_REV, keys[i], .rev = 0};
	}
	int rc = store_commit(f->store, &txn, &is_done, NULL);
	assert_int_equal(is_done, rc == 0);
	return rc;
}

static void compares_and_operations_are_limited_together(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(commit_many(f, 0, STORE_OPS_MAX + 1), -E2BIG);
	assert_int_equal(commit_many(f, STORE_OPS_MAX + 1, 0), -E2BIG);
	assert_int_equal(commit_many(f, 1, STORE_OPS_MAX), -E2BIG);
	assert_int_equal(commit_many(f, STORE_OPS_MAX, 1), -E2BIG);
	assert_store_has(f, "");
	assert_int_equal(commit_many(f, STORE_OPS_MAX, 0), 0);
	assert_int_equal(commit_many(f, STORE_OPS_MAX / 2, STORE_OPS_MAX / 2), 0);
	assert_int_equal(commit_many(f, 0, STORE_OPS_MAX), 0);
}

static void bytes_of_a_transaction_are_limited(void **state)
{
	struct store_fixture *f = *state;
	char *bytes = calloc(1, STORE_TXN_BYTES_MAX);
	const size_t key_bytes = strlen(K("a"));
	const struct store_compare compare = {STORE_COMPARE_VALUE, K("a"), .value = bytes,
					      .value_bytes = STORE_TXN_BYTES_MAX / 2};
	struct store_op ops[] = {
		{STORE_PUT, K("a"), bytes, STORE_TXN_BYTES_MAX / 2, 0},
		{STORE_PUT, K("b"), bytes, 0, 0},
	};
	const struct store_txn puts = {.ops = ops, .n_ops = 2};
	const struct store_txn with_compare = {&compare, 1, &ops[1], 1};
	bool is_done = false;

	assert_non_null(bytes);
	ops[1].value_bytes = STORE_TXN_BYTES_MAX / 2 - 2 * key_bytes + 1;
	assert_int_equal(store_commit(f->store, &puts, &is_done, NULL), -E2BIG);
	assert_int_equal(store_get(f->store, K("a"), NULL, NULL, NULL), -ENOENT);
	ops[1].value_bytes--;
	assert_int_equal(store_commit(f->store, &puts, &is_done, NULL), 0);
	assert_true(is_done);
	assert_int_equal(store_commit(f->store, &with_compare, &is_done, NULL), 0);
	assert_true(is_done);
	ops[1].value_bytes++;
	assert_int_equal(store_commit(f->store, &with_compare, &is_done, NULL), -E2BIG);
	ops[1].value_bytes = SIZE_MAX - 8;
	assert_int_equal(store_commit(f->store, &puts, &is_done, NULL), -E2BIG);
	free(bytes);
}

static void bad_arguments_are_refused(void **state)
{
	struct store_fixture *f = *state;
	char long_key[STORE_KEY_BYTES_MAX + 2] = BASE;
	const char *const keys[] = {"",		 "weft/v1/test/a", BASE "\n",
				    BASE "\x7f", BASE "\xc3\xa4",  long_key};
	struct store_fixture_recorder recorder = {0};

	memset(long_key + strlen(BASE), 'k', sizeof(long_key) - strlen(BASE) - 1);
	for (size_t i = 0; i < LENGTH(keys); i++) {
		const struct store_op op = {STORE_PUT, keys[i], "1", 1, 0};
		const struct store_compare compare = {STORE_COMPARE_MOD_REV, keys[i]};
		const struct store_txn puts = {.ops = &op, .n_ops = 1};
		const struct store_txn compares = {.compares = &compare, .n_compares = 1};
		assert_int_equal(store_commit(f->store, &puts, NULL, NULL), -EINVAL);
		assert_int_equal(store_commit(f->store, &compares, NULL, NULL), -EINVAL);
		assert_int_equal(store_get(f->store, keys[i], NULL, NULL, NULL), -EINVAL);
		assert_int_equal(store_range(f->store, keys[i], NULL, NULL, NULL), -EINVAL);
		assert_int_equal(
			store_watch_open(f->store, keys[i], 0, NULL, NULL, &recorder.watch),
			-EINVAL);
	}
	const struct store_op no_value = {STORE_PUT, K("a"), NULL, 1, 0};
	assert_int_equal(store_commit(f->store, &(struct store_txn){.ops = &no_value, .n_ops = 1},
				      NULL, NULL),
			 -EINVAL);
	assert_store_has(f, "");

	long_key[STORE_KEY_BYTES_MAX] = '\0';
	store_fixture_put(f, long_key, "1");
	assert_int_equal(store_get(f->store, long_key, NULL, NULL, NULL), 0);
}

static void everything_is_there_after_reopen(void **state)
{
	struct store_fixture *f = *state;
	store_lease lease;

	assert_int_equal(store_lease_grant(f->store, 60000, &lease), 0);
	store_fixture_put(f, K("a"), "1");
	store_fixture_put(f, K("b"), "1");
	store_fixture_delete(f, K("b"));
	store_rev rev = store_fixture_put_leased(f, K("a"), "2", lease);
	struct revs before = revs_of(f, K("a"));

	store_fixture_reopen(f);
	struct revs after = revs_of(f, K("a"));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(after.lease, lease);
	assert_int_equal(store_fixture_rev(f), rev);
	assert_store_has(f, "a=2 ");
	assert_int_not_equal(store_fixture_put(f, K("a"), "3"), rev);
}

int store_conformance_run(const struct store_conformance_factory *factory)
{
	static const struct CMUnitTest own[] = {
		cmocka_unit_test(absent_key_is_not_found),
		cmocka_unit_test(value_keeps_every_byte),
		cmocka_unit_test(empty_value_is_not_absence),
		cmocka_unit_test(range_is_in_key_order_and_within_the_prefix),
		cmocka_unit_test(range_stops_when_the_callee_says_so),
		cmocka_unit_test(range_callee_may_read_but_not_write),
		cmocka_unit_test(compares_hold_when_they_should),
		cmocka_unit_test(one_failed_compare_of_many_keeps_all_as_it_was),
		cmocka_unit_test(failed_operation_undoes_the_ones_before_it),
		cmocka_unit_test(key_is_written_once_in_a_transaction),
		cmocka_unit_test(delete_prefix_takes_what_starts_with_it),
		cmocka_unit_test(every_write_carries_its_transactions_revision),
		cmocka_unit_test(transaction_that_writes_nothing_makes_no_revision),
		cmocka_unit_test(compares_and_operations_are_limited_together),
		cmocka_unit_test(bytes_of_a_transaction_are_limited),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(everything_is_there_after_reopen),
	};
	struct CMUnitTest tests[64];
	size_t n_tests = 0, n_watch, n_lease;
	const struct CMUnitTest *watch = store_conformance_watch_tests(&n_watch);
	const struct CMUnitTest *lease = store_conformance_lease_tests(&n_lease);

	assert_in_range(LENGTH(own) + n_watch + n_lease, 1, LENGTH(tests));
	memcpy(tests, own, sizeof(own));
	n_tests = LENGTH(own);
	memcpy(tests + n_tests, watch, n_watch * sizeof(*watch));
	n_tests += n_watch;
	memcpy(tests + n_tests, lease, n_lease * sizeof(*lease));
	n_tests += n_lease;
	for (size_t i = 0; i < n_tests; i++) {
		tests[i].setup_func = store_fixture_setup;
		tests[i].teardown_func = store_fixture_teardown;
		tests[i].initial_state = (void *)(uintptr_t)factory;
	}
	/* The macro behind cmocka_run_group_tests() wants an array of known length. */
	return _cmocka_run_group_tests(factory->name, tests, n_tests, NULL, NULL);
}
