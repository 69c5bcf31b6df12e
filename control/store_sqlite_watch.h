/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Watches of the SQLite store: each is a place in table log and reads on from there, so that a
 * watch that follows and one that resumes are the same code. Private to store_sqlite*.c.
 */
#pragma once

#include "control/store_sqlite.h"

int store_sqlite_watch_open(struct store *store, const char *prefix, store_rev from,
			    store_watch_fn fn, void *ctx, struct store_watch **watch);
void store_sqlite_watch_close(struct store_watch *watch);

/* Delivers up to the revision that is the newest at the call. 0 or -errno, and then the watches
 * that failed stay where they are. */
int store_sqlite_watch_deliver(struct store_sqlite *sqlite);
bool store_sqlite_watch_is_pending(const struct store_sqlite *sqlite);
void store_sqlite_watch_close_all(struct store_sqlite *sqlite);
