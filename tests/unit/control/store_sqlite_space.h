/* SPDX-License-Identifier: BSD-3-Clause */
/* Helpers of the SQLite store's tests: a directory, its file's bytes, what the store holds. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/store.h"

#define BASE "/weft/v1/test/"

struct store_sqlite_space {
	char dir[64];
	char path[96];
	char why[512]; /* of the last open */
};

struct store_sqlite_space_bytes {
	char *bytes;
	size_t n_bytes;
};

struct store_sqlite_space *store_sqlite_space_create(void);
void store_sqlite_space_destroy(struct store_sqlite_space *space);
/* cmocka setup and teardown: *state is the space. */
int store_sqlite_space_setup(void **state);
int store_sqlite_space_teardown(void **state);

int store_sqlite_space_try_open(struct store_sqlite_space *space, struct store **store);
struct store *store_sqlite_space_open(struct store_sqlite_space *space);

/* The file whose name is the store's plus suffix ("", "-wal"). Absent: no bytes. */
struct store_sqlite_space_bytes store_sqlite_space_read(struct store_sqlite_space *space,
							const char *suffix);
void store_sqlite_space_write(struct store_sqlite_space *space, const char *suffix,
			      const void *bytes, size_t n_bytes);
void store_sqlite_space_remove_all(struct store_sqlite_space *space);

/* Puts n_ops keys named from `number` on, each with n_bytes made from it. 0 or -errno. */
int store_sqlite_space_put(struct store *store, unsigned number, size_t n_ops, size_t n_bytes);

/* One number for all that callers can see: keys, values, revisions, history. It asserts that the
 * store can be read. */
uint64_t store_sqlite_space_digest(struct store *store);
