/* SPDX-License-Identifier: BSD-3-Clause */
/* Who had what from whom. Pure. */
#include "control/borrow.h"

/* factor is at most divisor, so the result fits. */
static uint64_t scale(uint64_t bytes, uint64_t factor, uint64_t divisor)
{
	return divisor == 0 ? 0 : (uint64_t)((unsigned __int128)bytes * factor / divisor);
}

static uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

struct borrow_pool borrow_settle(uint64_t capacity_bytes, uint64_t assured_bytes,
				 struct borrow_member *members, size_t n_members)
{
	struct borrow_pool pool = {0};
	uint64_t idle_bytes = assured_bytes, so_far = 0;

	for (size_t i = 0; i < n_members; i++) {
		struct borrow_member *member = &members[i];

		member->borrowed_bytes = beyond(member->passed_bytes, member->assured_bytes);
		member->unused_bytes = beyond(member->assured_bytes, member->passed_bytes);
		pool.borrowed_bytes += member->borrowed_bytes;
		pool.unused_bytes += member->unused_bytes;
		idle_bytes = beyond(idle_bytes, member->assured_bytes);
	}
	pool.unused_bytes += idle_bytes;
	pool.free_bytes = beyond(capacity_bytes, assured_bytes);
	if (pool.free_bytes > pool.borrowed_bytes)
		pool.free_bytes = pool.borrowed_bytes;
	/* Differences of running sums: rounded parts that add up to the whole. */
	for (size_t i = 0; i < n_members; i++) {
		uint64_t from = scale(pool.free_bytes, so_far, pool.borrowed_bytes);

		so_far += members[i].borrowed_bytes;
		members[i].free_bytes = scale(pool.free_bytes, so_far, pool.borrowed_bytes) - from;
	}
	pool.divisor_bytes = pool.borrowed_bytes - pool.free_bytes;
	if (pool.divisor_bytes < pool.unused_bytes)
		pool.divisor_bytes = pool.unused_bytes;
	return pool;
}

uint64_t borrow_share(uint64_t lent_bytes, uint64_t unused_bytes, uint64_t divisor_bytes)
{
	return scale(lent_bytes, unused_bytes < divisor_bytes ? unused_bytes : divisor_bytes,
		     divisor_bytes);
}
