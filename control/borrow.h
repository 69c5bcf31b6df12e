/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who had what from whom, when the channels of a pool took more or less than they are assured of.
 * What a channel passed beyond its assured rate is borrowed: first of the capacity that nobody is
 * assured of, the rest from those that left some of theirs unused, each in proportion to what it
 * left. Amounts are bytes in a span of time, of one way of one pool. Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct borrow_member {
	uint64_t passed_bytes;
	uint64_t assured_bytes;	 /* with loans */
	uint64_t borrowed_bytes; /* from here on: what borrow_settle() says */
	uint64_t free_bytes;	 /* of these: of what nobody is assured of */
	uint64_t unused_bytes;	 /* of what it is assured of: left to others */
};

/* Of all members. */
struct borrow_pool {
	uint64_t borrowed_bytes;
	uint64_t free_bytes;
	uint64_t unused_bytes;
	/* What the part that is not free is divided by, to be multiplied with what a lender left.
	 * More than unused_bytes only if more was lent than left: bursts, or a pool that promises
	 * more than it has. */
	uint64_t divisor_bytes;
};

/* Members that moved nothing need not be there, but count in assured_bytes, of all. */
struct borrow_pool borrow_settle(uint64_t capacity_bytes, uint64_t assured_bytes,
				 struct borrow_member *members, size_t n_members);

/* What one who borrowed so much beside what was free had from one who left so much. */
uint64_t borrow_share(uint64_t lent_bytes, uint64_t unused_bytes, uint64_t divisor_bytes);
