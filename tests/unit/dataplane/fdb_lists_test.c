/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/fdb_lists.c: against plain counts, with more lists than there was room for. */
#include "dataplane/fdb_lists.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#define SLOTS 4000
#define PORTS 9
#define SEGMENTS 60
#define OPS 200000

struct place {
	uint16_t port, segment; /* port 0: free */
};

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 33);
}

static uint32_t count_of(const struct fdb_lists *lists, uint16_t port, uint16_t segment)
{
	const struct fdb_list *list = fdb_lists_find(lists, port, segment);

	return list != NULL ? list->count : 0;
}

/* Every list is as long as it says, and the port's sums are those of its lists. */
static void assert_same(const struct fdb_lists *lists, uint32_t counts[PORTS + 1][SEGMENTS + 1])
{
	for (uint16_t port = 1; port <= PORTS; port++) {
		uint32_t n_lists = 0, count = 0, longest = 0;

		for (uint16_t segment = 1; segment <= SEGMENTS; segment++) {
			const struct fdb_list *list = fdb_lists_find(lists, port, segment);
			uint32_t n = counts[port][segment], walked = 0;

			assert_int_equal(count_of(lists, port, segment), n);
			for (uint32_t at = list != NULL ? list->first : 0; at != 0;
			     at = lists->links[at - 1].next)
				walked++;
			assert_int_equal(walked, n);
			n_lists += n != 0;
			count += n;
			longest = n > longest ? n : longest;
		}
		assert_int_equal(lists->by_port[port].n_lists, n_lists);
		assert_int_equal(lists->by_port[port].count, count);
		assert_int_equal(count_of(lists, port, 0), longest);
	}
}

static void random_operations_agree_with_plain_counts(void **state)
{
	static struct place places[SLOTS];
	static uint32_t counts[PORTS + 1][SEGMENTS + 1];
	struct fdb_lists lists;
	uint64_t random = 20261128;

	assert_int_equal(fdb_lists_create(&lists, SLOTS, 2), 0);
	for (unsigned int op = 0; op < OPS; op++) {
		uint32_t slot = next_random(&random) % SLOTS;
		struct place *place = &places[slot];

		if (place->port != 0) {
			fdb_lists_remove(&lists, place->port, place->segment, slot);
			counts[place->port][place->segment]--;
			place->port = 0;
		} else if (op % 40000 < 20000 || slot % 50 == 0) {
			/* Half of the time it empties, so that lists come and go. */
			*place = (struct place){
				.port = (uint16_t)(1 + next_random(&random) % PORTS),
				.segment = (uint16_t)(1 + next_random(&random) % SEGMENTS),
			};
			assert_true(fdb_lists_reserve(&lists));
			fdb_lists_append(&lists, place->port, place->segment, slot);
			counts[place->port][place->segment]++;
		}
		if (op % 10000 == 0)
			assert_same(&lists, counts);
	}
	assert_same(&lists, counts);
	/* Those that ended were used again. */
	assert_in_range(lists.n_lists, 100, PORTS * SEGMENTS);
	fdb_lists_destroy(&lists);
}

static void a_list_keeps_the_order_of_appending(void **state)
{
	static const uint32_t expected[] = {4, 2, 9};
	struct fdb_lists lists;

	assert_int_equal(fdb_lists_create(&lists, 16, 2), 0);
	for (unsigned int i = 0; i < 3; i++)
		fdb_lists_append(&lists, 1, 7, expected[i]);
	fdb_lists_append(&lists, 1, 8, 5);
	fdb_lists_append(&lists, 1, 7, 3);
	fdb_lists_remove(&lists, 1, 7, 3);
	uint32_t at = fdb_lists_find(&lists, 1, 7)->first;

	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(at - 1, expected[i]);
		at = lists.links[at - 1].next;
	}
	assert_int_equal(at, 0);
	assert_ptr_equal(fdb_lists_find(&lists, 1, 0), fdb_lists_find(&lists, 1, 7));
	assert_null(fdb_lists_find(&lists, 2, 0));
	assert_null(fdb_lists_find(&lists, 2, 7));
	fdb_lists_destroy(&lists);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_agree_with_plain_counts),
		cmocka_unit_test(a_list_keeps_the_order_of_appending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
