/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every back end of control/store.h must do. A back end's own test gives a factory and runs
 * the suite.
 */
#pragma once

#include <stdint.h>

#include "control/store.h"

struct store_conformance_factory {
	const char *name;
	/* An empty space, not open. */
	void *(*create)(void);
	/* Opens it; again after store_close(), with what it held. */
	int (*open)(void *space, uint64_t now_ms, struct store **store);
	/* Lets ms pass, for real if the back end has a clock of its own. Returns the new now_ms. */
	uint64_t (*pass)(void *space, uint64_t now_ms, uint64_t ms);
	void (*destroy)(void *space);
};

/* Runs all of it; the number of failed tests. */
int store_conformance_run(const struct store_conformance_factory *factory);

/* Its parts: the tests of one file each, for store_conformance_run(). */
struct CMUnitTest;
const struct CMUnitTest *store_conformance_watch_tests(size_t *n_tests);
const struct CMUnitTest *store_conformance_lease_tests(size_t *n_tests);
