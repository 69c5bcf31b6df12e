/* SPDX-License-Identifier: BSD-3-Clause */
/* What every back end of the store must do: leases. */
#include <errno.h>

#include "tests/unit/control/store_fixture.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A lease may end late, by etcd's own clock up to a second or so. */
#define TTL_MS 4000
#define LATE_MS 3000
#define STEP_MS 500

static store_lease grant(struct store_fixture *f)
{
	store_lease lease = 0;

	assert_int_equal(store_lease_grant(f->store, TTL_MS, &lease), 0);
	assert_int_not_equal(lease, 0);
	return lease;
}

static void pass(struct store_fixture *f, uint64_t ms)
{
	for (; ms >= STEP_MS; ms -= STEP_MS)
		store_fixture_pass(f, STEP_MS);
}

static void keys_go_with_their_lease_in_one_revision(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};
	store_lease lease = grant(f);

	store_fixture_put_leased(f, K("z"), "1", lease);
	store_fixture_put_leased(f, K("a"), "1", lease);
	store_fixture_put(f, K("b"), "1");
	store_fixture_watch(f, &recorder, BASE, 0);
	pass(f, TTL_MS - STEP_MS);
	assert_store_has(f, "a=1 b=1 z=1 ");
	pass(f, STEP_MS + LATE_MS);
	assert_store_has(f, "b=1 ");
	store_fixture_expect(f, &recorder, "[-a -z ]");
	assert_int_equal(store_fixture_rev(f), recorder.last_rev);
	assert_int_equal(store_lease_keep(f->store, lease), -ENOENT);
	assert_int_equal(store_lease_revoke(f->store, lease), -ENOENT);
}

static void kept_lease_does_not_end(void **state)
{
	struct store_fixture *f = *state;
	store_lease lease = grant(f);

	store_fixture_put_leased(f, K("a"), "1", lease);
	for (int i = 0; i < 4; i++) {
		pass(f, TTL_MS / 2);
		assert_int_equal(store_lease_keep(f->store, lease), 0);
	}
	assert_store_has(f, "a=1 ");
	pass(f, TTL_MS + LATE_MS);
	assert_store_has(f, "");
}

static void revoked_lease_takes_its_keys_at_once(void **state)
{
	struct store_fixture *f = *state;
	struct store_fixture_recorder recorder = {0};
	store_lease lease = grant(f), other = grant(f);

	assert_int_not_equal(lease, other);
	store_fixture_put_leased(f, K("a"), "1", lease);
	store_fixture_put_leased(f, K("b"), "1", other);
	store_fixture_watch(f, &recorder, BASE, 0);
	assert_int_equal(store_lease_revoke(f->store, lease), 0);
	assert_store_has(f, "b=1 ");
	store_fixture_expect(f, &recorder, "[-a ]");
	assert_int_equal(store_lease_keep(f->store, lease), -ENOENT);
	assert_int_equal(store_lease_keep(f->store, other), 0);
}

static void later_put_takes_the_key_off_its_lease(void **state)
{
	struct store_fixture *f = *state;
	store_lease lease = grant(f), other = grant(f);

	store_fixture_put_leased(f, K("a"), "1", lease);
	store_fixture_put_leased(f, K("b"), "1", lease);
	store_fixture_put_leased(f, K("c"), "1", lease);
	store_fixture_put(f, K("a"), "2");
	store_fixture_put_leased(f, K("b"), "2", other);
	assert_int_equal(store_lease_revoke(f->store, lease), 0);
	assert_store_has(f, "a=2 b=2 ");
}

static void lease_without_keys_ends_without_a_revision(void **state)
{
	struct store_fixture *f = *state;
	store_rev rev = store_fixture_rev(f);
	store_lease lease = grant(f);

	assert_int_equal(store_lease_revoke(f->store, lease), 0);
	assert_int_equal(store_fixture_rev(f), rev);
}

static void lease_has_its_full_time_after_reopen(void **state)
{
	struct store_fixture *f = *state;
	store_lease lease = grant(f);

	store_fixture_put_leased(f, K("a"), "1", lease);
	pass(f, TTL_MS - STEP_MS);
	store_fixture_reopen(f);
	pass(f, TTL_MS - STEP_MS);
	assert_store_has(f, "a=1 ");
	pass(f, STEP_MS + LATE_MS);
	assert_store_has(f, "");
	store_fixture_reopen(f);
	assert_int_equal(store_lease_keep(f->store, lease), -ENOENT);
}

static void lease_that_never_was_is_refused(void **state)
{
	struct store_fixture *f = *state;
	const struct store_op op = {STORE_PUT, K("a"), "1", 1, .lease = 4711};
	const struct store_txn txn = {.ops = &op, .n_ops = 1};
	store_lease lease;

	assert_int_equal(store_commit(f->store, &txn, NULL, NULL), -ENOENT);
	assert_int_equal(store_lease_keep(f->store, 4711), -ENOENT);
	assert_int_equal(store_lease_revoke(f->store, 4711), -ENOENT);
	assert_int_equal(store_lease_grant(f->store, 0, &lease), -EINVAL);
	assert_int_equal(store_lease_grant(f->store, STORE_TTL_MS_MAX + 1, &lease), -EINVAL);
	assert_store_has(f, "");
}

const struct CMUnitTest *store_conformance_lease_tests(size_t *n_tests)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_go_with_their_lease_in_one_revision),
		cmocka_unit_test(kept_lease_does_not_end),
		cmocka_unit_test(revoked_lease_takes_its_keys_at_once),
		cmocka_unit_test(later_put_takes_the_key_off_its_lease),
		cmocka_unit_test(lease_without_keys_ends_without_a_revision),
		cmocka_unit_test(lease_has_its_full_time_after_reopen),
		cmocka_unit_test(lease_that_never_was_is_refused),
	};

	*n_tests = LENGTH(tests);
	return tests;
}
