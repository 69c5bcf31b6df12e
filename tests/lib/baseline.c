/* SPDX-License-Identifier: BSD-3-Clause */
/* What a process holds. See baseline.h. Any thread. */
#include "tests/lib/baseline.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/deadline.h"

#define LOOK_MS 10

static int count_entries(pid_t pid, const char *name, unsigned int *n)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	DIR *dir = opendir(path);

	if (dir == NULL)
		return -errno;
	*n = 0;
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (entry->d_name[0] != '.')
			(*n)++;
	}
	closedir(dir);
	return 0;
}

static int count_lines(pid_t pid, const char *name, unsigned int *n)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return -errno;
	*n = 0;
	for (int c = getc(file); c != EOF; c = getc(file)) {
		if (c == '\n')
			(*n)++;
	}
	fclose(file);
	return 0;
}

int baseline_take(pid_t pid, struct baseline *baseline)
{
	int err = count_entries(pid, "fd", &baseline->n_fds);

	if (err == 0)
		err = count_lines(pid, "maps", &baseline->n_mappings);
	if (err == 0)
		err = count_entries(pid, "task", &baseline->n_threads);
	return err;
}

int baseline_wait(pid_t pid, const struct baseline *before, unsigned int timeout_ms,
		  struct baseline *now)
{
	uint64_t deadline_ns = deadline_in_ms(timeout_ms);

	for (;;) {
		int err = baseline_take(pid, now);

		if (err < 0 || memcmp(now, before, sizeof(*now)) == 0)
			return err;
		if (deadline_passed(deadline_ns))
			return -ETIMEDOUT;
		poll(NULL, 0, LOOK_MS);
	}
}
