/* SPDX-License-Identifier: BSD-3-Clause */
/* The SQLite store's state. Private to store_sqlite*.c; everybody else sees store.h. */
#pragma once

#include <sys/queue.h>

#include "control/store_backend.h"
#include "control/store_sqlite_file.h"
#include "control/store_sqlite_row.h"

struct store_sqlite_watch;

struct store_sqlite {
	struct store store; /* first: what callers hold */
	struct store_sqlite_file file;
	struct store_sqlite_meta meta; /* as of the last commit */
	uint64_t now_ms;
	unsigned n_walks; /* running store_range() calls */

	struct store_sqlite_lease *leases;
	size_t n_leases;

	/* The log keeps this generation and the one before it. */
	store_rev generation_rev; /* it began after this */
	uint64_t generation_ms;
	size_t generation_rows;
	store_rev trim_rev; /* what is up to here is on its way out */

	TAILQ_HEAD(store_sqlite_watches, store_sqlite_watch) watches;
	bool is_delivering; /* watches that close stay in the list until the end */
};
