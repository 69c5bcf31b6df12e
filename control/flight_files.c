/* SPDX-License-Identifier: BSD-3-Clause */
/* See flight_files.h. */
#include "control/flight_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/model.h"

#define SUFFIX ".pcapng"
#define PART "part" /* what is being written */
/* As a name has it: "20261129T063012.123Z" for the time "2026-11-29T06:30:12.123Z". */
#define STAMP_CHARS 20

static void to_stamp(const char *time, char *stamp)
{
	for (; *time != '\0'; time++) {
		if (*time != '-' && *time != ':')
			*stamp++ = *time;
	}
	*stamp = '\0';
}

static bool from_stamp(const char *stamp, char time[UTC_MS_BYTES])
{
	char back[UTC_MS_BYTES];
	int64_t time_ms;

	snprintf(time, UTC_MS_BYTES, "%.4s-%.2s-%.5s:%.2s:%.7s", stamp, stamp + 4, stamp + 6,
		 stamp + 11, stamp + 13);
	to_stamp(time, back);
	return utc_parse_ms(time, &time_ms) == 0 && strncmp(back, stamp, STAMP_CHARS) == 0;
}

void flight_files_name(int64_t time_ms, const char *trigger, const char *segment,
		       char name[FLIGHT_FILES_NAME_BYTES])
{
	char time[UTC_MS_BYTES], stamp[UTC_MS_BYTES];

	utc_format_ms(time_ms, time);
	to_stamp(time, stamp);
	snprintf(name, FLIGHT_FILES_NAME_BYTES, "%s-%s-%s", stamp, trigger, segment);
}

/* What a name says, if it is one. */
static bool parse(const char *name, struct flight_file *file)
{
	const char *trigger = name + STAMP_CHARS + 1;

	if (strnlen(name, STAMP_CHARS + 1) != STAMP_CHARS + 1 || name[STAMP_CHARS] != '-' ||
	    strlen(name) >= sizeof(file->name) || !from_stamp(name, file->time))
		return false;
	size_t n = strspn(trigger, "abcdefghijklmnopqrstuvwxyz");

	if (n == 0 || n >= sizeof(file->trigger) || trigger[n] != '-' ||
	    !model_is_name(trigger + n + 1))
		return false;
	snprintf(file->name, sizeof(file->name), "%s", name);
	snprintf(file->trigger, sizeof(file->trigger), "%.*s", (int)n, trigger);
	snprintf(file->segment, sizeof(file->segment), "%s", trigger + n + 1);
	return true;
}

int flight_files_open(const char *state_dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/flight", state_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	if (unlinkat(fd, PART, 0) < 0 && errno != ENOENT) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static bool read_entry(int dir_fd, const char *entry, struct flight_file *file)
{
	char name[NAME_MAX + 1];
	size_t len = strlen(entry);
	struct stat stat;

	if (len <= strlen(SUFFIX) || strcmp(entry + len - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(len - strlen(SUFFIX)), entry);
	if (!parse(name, file) || fstatat(dir_fd, entry, &stat, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(stat.st_mode))
		return false;
	file->bytes = (uint64_t)stat.st_size;
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct flight_file *)a)->name, ((const struct flight_file *)b)->name);
}

int flight_files_list(int dir_fd, struct flight_file **files, size_t *n)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (dir == NULL) {
		int error = -errno;

		if (fd >= 0)
			close(fd);
		return error;
	}
	/* Somebody may have put more there than there should be. */
	*files = calloc(2 * FLIGHT_FILES_MAX, sizeof(**files));
	*n = 0;
	while (*files != NULL && *n < 2 * FLIGHT_FILES_MAX && (entry = readdir(dir)) != NULL)
		*n += read_entry(dir_fd, entry->d_name, &(*files)[*n]);
	closedir(dir);
	if (*files == NULL)
		return -ENOMEM;
	qsort(*files, *n, sizeof(**files), compare);
	return 0;
}

/* --- making room --- */

static size_t count_of(const struct flight_file *files, size_t n, const char *segment)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += strcmp(files[i].segment, segment) == 0;
	return count;
}

/* The oldest of a segment that has more than it may, or of that which has most, if there are too
 * many; never `spared`. n: none. */
static size_t find_surplus(const struct flight_file *files, size_t n, const char *spared)
{
	size_t most = FLIGHT_FILES_OF_SEGMENT_MAX, found = n;

	if (n > FLIGHT_FILES_MAX)
		most = 0;
	for (size_t i = 0; i < n; i++) {
		size_t count = count_of(files, n, files[i].segment);

		if (count > most && strcmp(files[i].name, spared) != 0) {
			most = count;
			found = i;
		}
	}
	return found;
}

/* Age is by the names: after a clock was set back, what was just written seems the oldest, and is
 * spared. 0 or -errno. */
static int make_room(int dir_fd, const char *written)
{
	struct flight_file *files;
	size_t n, at;
	int error = flight_files_list(dir_fd, &files, &n);

	if (error < 0)
		return error;
	while (error == 0 && (at = find_surplus(files, n, written)) < n) {
		error = flight_files_remove(dir_fd, files[at].name);
		memmove(&files[at], &files[at + 1], (n - at - 1) * sizeof(files[0]));
		n--;
	}
	free(files);
	return error;
}

/* --- one file --- */

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n != 0) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			bytes += done;
			n -= (size_t)done;
		}
	}
	return fdatasync(fd) < 0 ? -errno : 0;
}

int flight_files_write(int dir_fd, const char *name, const void *bytes, size_t n)
{
	char path[FLIGHT_FILES_NAME_BYTES + sizeof(SUFFIX)];
	int fd = openat(dir_fd, PART, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	int error = write_all(fd, bytes, n);

	snprintf(path, sizeof(path), "%s" SUFFIX, name);
	if (close(fd) < 0 && error == 0)
		error = -errno;
	if (error == 0 && renameat(dir_fd, PART, dir_fd, path) < 0)
		error = -errno;
	if (error < 0)
		unlinkat(dir_fd, PART, 0);
	return error < 0 ? error : make_room(dir_fd, name);
}

static bool make_path(const char *name, char path[FLIGHT_FILES_NAME_BYTES + sizeof(SUFFIX)])
{
	struct flight_file file;

	if (!parse(name, &file))
		return false;
	snprintf(path, FLIGHT_FILES_NAME_BYTES + sizeof(SUFFIX), "%s" SUFFIX, name);
	return true;
}

int flight_files_read(int dir_fd, const char *name)
{
	char path[FLIGHT_FILES_NAME_BYTES + sizeof(SUFFIX)];

	if (!make_path(name, path))
		return -ENOENT;
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

int flight_files_remove(int dir_fd, const char *name)
{
	char path[FLIGHT_FILES_NAME_BYTES + sizeof(SUFFIX)];

	if (!make_path(name, path))
		return -ENOENT;
	return unlinkat(dir_fd, path, 0) < 0 ? -errno : 0;
}
