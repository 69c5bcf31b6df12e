/* SPDX-License-Identifier: BSD-3-Clause */
/* Who had what from whom, worked out by hand. */
#include "control/borrow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void assert_member(const struct borrow_member *member, uint64_t borrowed, uint64_t free,
			  uint64_t unused)
{
	assert_int_equal(member->borrowed_bytes, borrowed);
	assert_int_equal(member->free_bytes, free);
	assert_int_equal(member->unused_bytes, unused);
}

/* What a member had from one that left so much. */
static uint64_t had(const struct borrow_member *member, const struct borrow_pool *pool,
		    uint64_t unused)
{
	return borrow_share(member->borrowed_bytes - member->free_bytes, unused,
			    pool->divisor_bytes);
}

static void who_keeps_to_what_is_assured_borrows_nothing(void **state)
{
	struct borrow_member members[] = {{.passed_bytes = 400, .assured_bytes = 500},
					  {.passed_bytes = 500, .assured_bytes = 500}};
	struct borrow_pool pool = borrow_settle(1000, 1000, members, N(members));

	assert_int_equal(pool.borrowed_bytes, 0);
	assert_int_equal(pool.unused_bytes, 100);
	assert_member(&members[0], 0, 0, 100);
	assert_member(&members[1], 0, 0, 0);
	pool = borrow_settle(1000, 1000, NULL, 0);
	assert_int_equal(pool.unused_bytes, 1000);
}

static void what_nobody_is_assured_of_goes_first(void **state)
{
	/* 300 of 1000 are free, 500 are borrowed; gold and an idle silver left 150 and 250. */
	struct borrow_member members[] = {{.passed_bytes = 150, .assured_bytes = 300},
					  {.passed_bytes = 350, .assured_bytes = 50},
					  {.passed_bytes = 300, .assured_bytes = 100}};
	struct borrow_pool pool = borrow_settle(1000, 700, members, N(members));

	assert_int_equal(pool.borrowed_bytes, 500);
	assert_int_equal(pool.free_bytes, 300);
	assert_int_equal(pool.unused_bytes, 400);
	assert_int_equal(pool.divisor_bytes, 400);
	assert_member(&members[0], 0, 0, 150);
	assert_member(&members[1], 300, 180, 0);
	assert_member(&members[2], 200, 120, 0);
	assert_int_equal(had(&members[1], &pool, 150), 45);
	assert_int_equal(had(&members[1], &pool, 250), 75);
	assert_int_equal(had(&members[2], &pool, 150), 30);
	assert_int_equal(had(&members[2], &pool, 250), 50);
}

static void within_what_is_free_nobody_lends(void **state)
{
	struct borrow_member members[] = {{.passed_bytes = 100, .assured_bytes = 50}};
	struct borrow_pool pool = borrow_settle(1000, 300, members, N(members));

	assert_member(&members[0], 50, 50, 0);
	assert_int_equal(had(&members[0], &pool, 250), 0);
}

static void nobody_lends_more_than_was_left(void **state)
{
	/* A burst: 100 more than there was. Half of it came of the one's, half of the other's. */
	struct borrow_member members[] = {{.passed_bytes = 600, .assured_bytes = 500},
					  {.passed_bytes = 600, .assured_bytes = 400},
					  {.passed_bytes = 0, .assured_bytes = 100}};
	struct borrow_pool pool = borrow_settle(1000, 1000, members, N(members));

	assert_int_equal(pool.unused_bytes, 100);
	assert_int_equal(pool.divisor_bytes, 300);
	assert_int_equal(had(&members[0], &pool, 100), 33);
	assert_int_equal(had(&members[1], &pool, 100), 66);
	/* And a pool that promises twice what it has. */
	pool = borrow_settle(500, 1000, members, N(members));
	assert_int_equal(pool.free_bytes, 0);
	assert_int_equal(pool.borrowed_bytes, 300);
	/* Members that claim more than all: nothing wraps. */
	pool = borrow_settle(500, 100, members, N(members));
	assert_int_equal(pool.unused_bytes, 100);
}

static void parts_that_do_not_divide_add_up(void **state)
{
	struct borrow_member members[7] = {0};
	uint64_t free = 0;

	for (size_t i = 0; i < N(members); i++)
		members[i] = (struct borrow_member){.passed_bytes = 50000000000 + i * 333,
						    .assured_bytes = i};
	struct borrow_pool pool = borrow_settle(100000000000, 21, members, N(members));
	for (size_t i = 0; i < N(members); i++) {
		assert_true(members[i].free_bytes <= members[i].borrowed_bytes);
		free += members[i].free_bytes;
	}
	assert_int_equal(free, 100000000000 - 21);
	assert_int_equal(free, pool.free_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_keeps_to_what_is_assured_borrows_nothing),
		cmocka_unit_test(what_nobody_is_assured_of_goes_first),
		cmocka_unit_test(within_what_is_free_nobody_lends),
		cmocka_unit_test(nobody_lends_more_than_was_left),
		cmocka_unit_test(parts_that_do_not_divide_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
