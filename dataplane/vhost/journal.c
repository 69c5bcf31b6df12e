/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of a port's packed rings: made, mapped, removed. Main thread. */
#include "dataplane/vhost/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096

_Static_assert(sizeof(struct ring_journal) <= PAGE_BYTES, "a ring has one page");

static struct ring_journal *page(const struct journal *journal, unsigned int index)
{
	return (struct ring_journal *)(void *)(journal->pages + (size_t)index * PAGE_BYTES);
}

void journal_init(struct journal *journal, const char *run_dir, const char *port,
		  unsigned int n_rings)
{
	journal->n_rings = n_rings;
	journal->pages = NULL;
	snprintf(journal->path, sizeof(journal->path), "%s/vhost/%s.rings", run_dir, port);
}

/* All pages are there before they are mapped: a store must not find the file system full. */
static int map(struct journal *journal)
{
	size_t bytes = (size_t)journal->n_rings * PAGE_BYTES;
	int fd = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	void *pages = MAP_FAILED;
	struct stat there;
	int error = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &there) < 0)
		error = -errno;
	else if (!S_ISREG(there.st_mode) || there.st_uid != geteuid())
		error = -EPERM;
	else
		error = -posix_fallocate(fd, 0, (off_t)bytes);
	if (error == 0)
		pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (error == 0 && pages == MAP_FAILED)
		error = -errno;
	close(fd);
	if (error == 0)
		journal->pages = pages;
	return error;
}

int journal_open_ring(struct journal *journal, unsigned int index, struct ring_journal **out)
{
	int error = journal->pages == NULL ? map(journal) : 0;

	if (error == 0)
		*out = page(journal, index);
	return error;
}

void journal_forget(struct journal *journal, unsigned int index)
{
	if (journal->pages != NULL)
		page(journal, index)->token = 0;
}

void journal_fini(struct journal *journal)
{
	bool is_needed = false;

	if (journal->pages == NULL)
		return;
	for (unsigned int i = 0; i < journal->n_rings; i++)
		is_needed |= page(journal, i)->token != 0;
	munmap(journal->pages, (size_t)journal->n_rings * PAGE_BYTES);
	journal->pages = NULL;
	if (!is_needed)
		unlink(journal->path);
}
