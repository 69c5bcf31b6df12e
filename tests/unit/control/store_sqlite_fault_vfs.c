/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk that fails on request. */
#include "tests/unit/control/store_sqlite_fault_vfs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct fault_file {
	sqlite3_file base; /* first */
	struct store_sqlite_fault_vfs *faults;
	sqlite3_file *real; /* in the memory behind this struct */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct fault_file *)file)->real;
}

static bool fails_now(struct store_sqlite_fault_vfs *faults)
{
	faults->n_steps++;
	if (faults->fail_at == 0)
		return false;
	return faults->is_lasting ? faults->n_steps >= faults->fail_at
				  : faults->n_steps == faults->fail_at;
}

static int fail(struct store_sqlite_fault_vfs *faults, int code)
{
	if (faults->how == STORE_SQLITE_FAULT_CRASH)
		_exit(77);
	faults->last_errno = faults->how == STORE_SQLITE_FAULT_FULL ? ENOSPC : EIO;
	return code;
}

static int file_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *bytes, int n_bytes, sqlite3_int64 offset)
{
	return real_of(file)->pMethods->xRead(real_of(file), bytes, n_bytes, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int n_bytes, sqlite3_int64 offset)
{
	struct store_sqlite_fault_vfs *faults = ((struct fault_file *)file)->faults;
	sqlite3_file *real = real_of(file);

	faults->n_unsynced_writes++;
	if (!fails_now(faults))
		return real->pMethods->xWrite(real, bytes, n_bytes, offset);
	if (faults->how == STORE_SQLITE_FAULT_IO)
		return fail(faults, SQLITE_IOERR_WRITE);
	real->pMethods->xWrite(real, bytes, n_bytes / 2, offset);
	return fail(faults, SQLITE_FULL);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 n_bytes)
{
	struct store_sqlite_fault_vfs *faults = ((struct fault_file *)file)->faults;

	if (fails_now(faults))
		return fail(faults, SQLITE_IOERR_TRUNCATE);
	return real_of(file)->pMethods->xTruncate(real_of(file), n_bytes);
}

static int file_sync(sqlite3_file *file, int flags)
{
	struct store_sqlite_fault_vfs *faults = ((struct fault_file *)file)->faults;

	if (fails_now(faults))
		return fail(faults, SQLITE_IOERR_FSYNC);
	faults->n_syncs++;
	faults->n_unsynced_writes = 0;
	return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *n_bytes)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), n_bytes);
}

static int file_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *is_locked)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), is_locked);
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
	struct store_sqlite_fault_vfs *faults = ((struct fault_file *)file)->faults;

	if (what != SQLITE_FCNTL_LAST_ERRNO || faults->last_errno == 0)
		return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
	*(int *)argument = faults->last_errno;
	return SQLITE_OK;
}

static int file_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

/* Version 1: no shared memory. SQLite does without as long as it has the file for itself. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		    int *out_flags)
{
	struct store_sqlite_fault_vfs *faults = (struct store_sqlite_fault_vfs *)vfs;
	struct fault_file *opened = (struct fault_file *)file;

	*opened = (struct fault_file){.faults = faults, .real = (sqlite3_file *)(opened + 1)};
	int code = faults->real->xOpen(faults->real, name, opened->real, flags, out_flags);
	if (code == SQLITE_OK)
		opened->base.pMethods = &methods;
	return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
	struct store_sqlite_fault_vfs *faults = (struct store_sqlite_fault_vfs *)vfs;

	if (fails_now(faults))
		return fail(faults, SQLITE_IOERR_DELETE);
	return faults->real->xDelete(faults->real, name, sync_dir);
}

void store_sqlite_fault_vfs_install(struct store_sqlite_fault_vfs *faults)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	*faults = (struct store_sqlite_fault_vfs){.vfs = *real, .real = real};
	faults->vfs.zName = "fault";
	faults->vfs.pNext = NULL;
	faults->vfs.szOsFile = real->szOsFile + (int)sizeof(struct fault_file);
	faults->vfs.xOpen = vfs_open;
	faults->vfs.xDelete = vfs_delete;
	sqlite3_vfs_register(&faults->vfs, 1);
}

void store_sqlite_fault_vfs_remove(struct store_sqlite_fault_vfs *faults)
{
	sqlite3_vfs_unregister(&faults->vfs);
	sqlite3_vfs_register(faults->real, 1);
}

void store_sqlite_fault_vfs_arm(struct store_sqlite_fault_vfs *faults,
				enum store_sqlite_fault_vfs_how how, unsigned fail_at,
				bool is_lasting)
{
	faults->n_steps = 0;
	faults->how = how;
	faults->fail_at = fail_at;
	faults->is_lasting = is_lasting;
}

bool store_sqlite_fault_vfs_has_failed(const struct store_sqlite_fault_vfs *faults)
{
	return faults->fail_at != 0 && faults->n_steps >= faults->fail_at;
}
