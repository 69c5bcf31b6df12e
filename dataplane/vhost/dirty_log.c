/* SPDX-License-Identifier: BSD-3-Clause */
/* The log of dirty pages. See dirty_log.h. The file and the numbers are hostile. */
#include "dataplane/vhost/dirty_log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PAGE_SHIFT 12 /* of the log, whatever the machine's pages are */

struct dirty_log {
	_Atomic uint8_t *bits;
	uint64_t n_pages;
	void *mapping;
	size_t mapped_bytes;
};

static int refuse(int error, const char **why, const char *reason)
{
	*why = reason;
	return error;
}

static int check_file(int fd, uint64_t bytes, uint64_t offset, const char **why)
{
	/* Answered by the kernel itself, as in memory.c. */
	int seals = fcntl(fd, F_GET_SEALS);
	struct statfs fs;
	struct stat stat;

	if (bytes == 0 || bytes > DIRTY_LOG_MAX_BYTES || offset > DIRTY_LOG_MAX_BYTES)
		return refuse(-EINVAL, why, "the log of dirty pages has an impossible size");
	if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
		return refuse(-EINVAL, why,
			      "the log of dirty pages is no memory sealed against "
			      "shrinking");
	if (fstat(fd, &stat) < 0 || fstatfs(fd, &fs) < 0)
		return refuse(-errno, why, "cannot look at the log of dirty pages");
	/* A hole punched into huge pages may not be filled again, and that would be SIGBUS. */
	if (fs.f_type != TMPFS_MAGIC)
		return refuse(-EINVAL, why, "the log of dirty pages is not in plain shared memory");
	if (offset + bytes > (uint64_t)stat.st_size)
		return refuse(-EINVAL, why, "the log of dirty pages is larger than its file");
	return 0;
}

int dirty_log_create(struct dirty_log **out, int fd, uint64_t bytes, uint64_t offset,
		     const char **why)
{
	int ret = check_file(fd, bytes, offset, why);
	struct dirty_log *log;

	if (ret < 0)
		return ret;
	log = calloc(1, sizeof(*log));
	if (log == NULL)
		return refuse(-ENOMEM, why, "out of memory");
	/* From the start of the file: the offset need not be a whole page. */
	log->mapped_bytes = offset + bytes;
	log->mapping = mmap(NULL, log->mapped_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (log->mapping == MAP_FAILED) {
		ret = -errno;
		free(log);
		return refuse(ret, why, "cannot map the log of dirty pages");
	}
	log->bits = (_Atomic uint8_t *)log->mapping + offset;
	log->n_pages = bytes * 8;
	*out = log;
	return 0;
}

void dirty_log_destroy(struct dirty_log *log)
{
	if (log == NULL)
		return;
	munmap(log->mapping, log->mapped_bytes);
	free(log);
}

static void set_pages(const struct dirty_log *log, uint64_t gpa, uint64_t bytes)
{
	uint64_t last = (gpa + bytes - 1) >> PAGE_SHIFT;

	for (uint64_t page = gpa >> PAGE_SHIFT; page <= last && page < log->n_pages; page++)
		atomic_fetch_or_explicit(&log->bits[page / 8], (uint8_t)(1u << page % 8),
					 memory_order_release);
}

void dirty_log_set(const struct guest_memory *memory, const void *at, uint64_t bytes)
{
	for (unsigned int i = 0; i < memory->n_regions && bytes != 0; i++) {
		const struct guest_region *region = &memory->regions[i];
		uint64_t offset = (uintptr_t)at - (uintptr_t)region->host;

		if (offset < region->bytes) {
			set_pages(memory->log, region->gpa + offset, bytes);
			return;
		}
	}
}
