/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk that fails on request: an SQLite VFS over the default one that counts everything which
 * changes a file (write, truncate, sync, delete) and makes the n-th of them go wrong.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

enum store_sqlite_fault_vfs_how {
	STORE_SQLITE_FAULT_IO,	  /* EIO */
	STORE_SQLITE_FAULT_FULL,  /* ENOSPC, after half of a write */
	STORE_SQLITE_FAULT_CRASH, /* the process ends, after half of a write */
};

struct store_sqlite_fault_vfs {
	sqlite3_vfs vfs; /* first */
	sqlite3_vfs *real;
	enum store_sqlite_fault_vfs_how how;
	unsigned n_steps; /* counted so far */
	unsigned fail_at; /* 0: never */
	bool is_lasting;  /* all after fail_at fail too */
	int last_errno;	  /* of a failed step, as SQLite asks for it */
	unsigned n_syncs;
	unsigned n_unsynced_writes;
};

/* As SQLite's default, until removed. */
void store_sqlite_fault_vfs_install(struct store_sqlite_fault_vfs *faults);
void store_sqlite_fault_vfs_remove(struct store_sqlite_fault_vfs *faults);

/* The fail_at-th step from here fails. */
void store_sqlite_fault_vfs_arm(struct store_sqlite_fault_vfs *faults,
				enum store_sqlite_fault_vfs_how how, unsigned fail_at,
				bool is_lasting);
bool store_sqlite_fault_vfs_has_failed(const struct store_sqlite_fault_vfs *faults);
