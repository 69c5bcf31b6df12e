/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Helpers of the store's tests: a store that can be closed and opened again, short ways to write
 * and read it, and a recorder that writes what a watch is told as one line of text.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/store.h"
#include "tests/unit/control/store_conformance.h"

#define BASE "/weft/v1/test/"
#define K(name) BASE name

struct store_fixture {
	const struct store_conformance_factory *factory;
	void *space;
	struct store *store;
	uint64_t now_ms;
};

/* cmocka setup and teardown: *state is the factory before, the fixture after. */
int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);

void store_fixture_reopen(struct store_fixture *fixture);
/* Lets ms pass and runs the store. */
void store_fixture_pass(struct store_fixture *fixture, uint64_t ms);

/* Each asserts that the call succeeds, and returns the store's revision after it. */
store_rev store_fixture_put(struct store_fixture *fixture, const char *key, const char *value);
store_rev store_fixture_put_leased(struct store_fixture *fixture, const char *key,
				   const char *value, store_lease lease);
store_rev store_fixture_delete(struct store_fixture *fixture, const char *key);
store_rev store_fixture_commit(struct store_fixture *fixture, const struct store_op *ops,
			       size_t n_ops);
store_rev store_fixture_rev(struct store_fixture *fixture);

/* What the keys below the prefix hold: "a=1 b=2 ", keys without BASE. Overwritten by the next. */
struct store_fixture_text {
	char text[8192];
};

const char *store_fixture_list(struct store_fixture *fixture, const char *prefix,
			       struct store_fixture_text *text);
#define assert_store_has(fixture, wanted)                                                          \
	assert_string_equal(                                                                       \
		store_fixture_list(fixture, BASE, &(struct store_fixture_text){.text = ""}),       \
		wanted)

/* "[+a=1 -b ]" for a call with two events, "[compacted]" for the last one. */
struct store_fixture_recorder {
	struct store_fixture *fixture;
	struct store_watch *watch;
	size_t n_calls;
	store_rev last_rev;
	char text[8192];
	/* Called at the end of each call, if set. */
	void (*then)(struct store_fixture_recorder *recorder);
	struct store_fixture_recorder *other;
};

void store_fixture_watch(struct store_fixture *fixture, struct store_fixture_recorder *recorder,
			 const char *prefix, store_rev from);
/* Runs the store until the recorder has the text, and then a little: nothing more may come. */
void store_fixture_expect(struct store_fixture *fixture, struct store_fixture_recorder *recorder,
			  const char *wanted);
