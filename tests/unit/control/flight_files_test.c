/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of flight recorders: names, how many there are, what is not ours, what does not fit. */
#include "control/flight_files.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TIME_MS 1764397812123LL /* 2025-11-29T06:30:12.123Z */

struct rig {
	char dir[64];
	int fd;
};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	strcpy(rig->dir, "/tmp/weft-flight.XXXXXX");
	assert_non_null(mkdtemp(rig->dir));
	rig->fd = flight_files_open(rig->dir);
	assert_true(rig->fd >= 0);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	char command[128];

	close(rig->fd);
	snprintf(command, sizeof(command), "rm -r %s", rig->dir);
	assert_int_equal(system(command), 0);
	free(rig);
	return 0;
}

static void put(const struct rig *rig, int64_t time_ms, const char *segment)
{
	char name[FLIGHT_FILES_NAME_BYTES];

	flight_files_name(time_ms, "storm", segment, name);
	assert_int_equal(flight_files_write(rig->fd, name, "bytes", 5), 0);
}

static size_t count(const struct rig *rig, const char *segment, char oldest[UTC_MS_BYTES])
{
	struct flight_file *files;
	size_t n, found = 0;

	assert_int_equal(flight_files_list(rig->fd, &files, &n), 0);
	for (size_t i = 0; i < n; i++) {
		if (segment != NULL && strcmp(files[i].segment, segment) != 0)
			continue;
		assert_int_equal(files[i].bytes, 5);
		assert_string_equal(files[i].trigger, "storm");
		if (found++ == 0 && oldest != NULL)
			strcpy(oldest, files[i].time);
	}
	free(files);
	return found;
}

static void test_names(void **state)
{
	const struct rig *rig = *state;
	char name[FLIGHT_FILES_NAME_BYTES], segment[DP_NAME_BYTES], time[UTC_MS_BYTES], bytes[8];

	flight_files_name(TIME_MS, "storm", "AL-PHA.1", name);
	assert_string_equal(name, "20251129T063012.123Z-storm-AL-PHA.1");
	memset(segment, 'S', sizeof(segment) - 1);
	segment[sizeof(segment) - 1] = '\0';
	put(rig, TIME_MS, "AL-PHA.1");
	put(rig, TIME_MS + 1, segment);
	assert_int_equal(count(rig, segment, NULL), 1);
	assert_int_equal(count(rig, "AL-PHA.1", time), 1);
	assert_string_equal(time, "2025-11-29T06:30:12.123Z");
	int fd = flight_files_read(rig->fd, name);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 5);
	close(fd);
	assert_int_equal(flight_files_remove(rig->fd, name), 0);
	assert_int_equal(flight_files_read(rig->fd, name), -ENOENT);
}

/* What has no such name is nobody's: neither shown, nor read, nor deleted. */
static void test_no_names(void **state)
{
	static const char *const names[] = {"",
					    ".",
					    "..",
					    "part",
					    "../weft",
					    "20251129T063012.123Z",
					    "20251129T063012.123Z-",
					    "20251129T063012.123Z-storm",
					    "20251129T063012.123Z-storm-",
					    "20251129T063012.123Z-storm-../../x",
					    "20251129T063012.123Z--ALPHA",
					    "20251129T063012.123Z-STORM-ALPHA",
					    "20251129T063012.123Z-muchtoolong-ALPHA",
					    "20251399T063012.123Z-storm-ALPHA",
					    "2025112-T063012.123Z-storm-ALPHA",
					    "20251129T063012.123Z/storm-ALPHA"};
	const struct rig *rig = *state;
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s.pcapng", names[i]);
		int fd = strchr(names[i], '/') == NULL
				 ? openat(rig->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)
				 : -1;

		if (fd >= 0)
			close(fd);
		if (flight_files_read(rig->fd, names[i]) != -ENOENT ||
		    flight_files_remove(rig->fd, names[i]) != -ENOENT)
			fail_msg("'%s' is a name", names[i]);
	}
	assert_int_equal(symlinkat("/etc/passwd", rig->fd, "20251129T063012.123Z-storm-X.pcapng"),
			 0);
	assert_int_equal(count(rig, NULL, NULL), 0);
	assert_true(flight_files_read(rig->fd, "20251129T063012.123Z-storm-X") < 0);
}

static void test_bounded(void **state)
{
	const struct rig *rig = *state;
	char oldest[UTC_MS_BYTES], segment[16];

	for (int i = 0; i < 20; i++)
		put(rig, TIME_MS + i * 1000, "NOISY");
	assert_int_equal(count(rig, "NOISY", oldest), FLIGHT_FILES_OF_SEGMENT_MAX);
	assert_string_equal(oldest, "2025-11-29T06:30:24.123Z");
	/* Others come: who has most gives up its oldest first. */
	for (int i = 0; i < 60; i++) {
		snprintf(segment, sizeof(segment), "S%d", i);
		put(rig, TIME_MS - 1000 - i, segment);
	}
	assert_int_equal(count(rig, NULL, NULL), FLIGHT_FILES_MAX);
	assert_int_equal(count(rig, "NOISY", NULL), 4);
	assert_int_equal(count(rig, "S59", NULL), 1);
}

/* By its name what is written then is the oldest. */
static void test_clock_set_back(void **state)
{
	const struct rig *rig = *state;
	char name[FLIGHT_FILES_NAME_BYTES], segment[16];

	for (int i = 0; i < FLIGHT_FILES_OF_SEGMENT_MAX; i++)
		put(rig, TIME_MS + i, "ALPHA");
	put(rig, TIME_MS - 3600000, "ALPHA");
	assert_int_equal(count(rig, "ALPHA", NULL), FLIGHT_FILES_OF_SEGMENT_MAX);
	flight_files_name(TIME_MS - 3600000, "storm", "ALPHA", name);
	assert_int_equal(flight_files_remove(rig->fd, name), 0);
	/* The same where there are too many in all, and no segment has more than one. */
	for (int i = 0; i < FLIGHT_FILES_OF_SEGMENT_MAX - 1; i++) {
		flight_files_name(TIME_MS + 1 + i, "storm", "ALPHA", name);
		assert_int_equal(flight_files_remove(rig->fd, name), 0);
	}
	for (int i = 0; i < FLIGHT_FILES_MAX; i++) {
		snprintf(segment, sizeof(segment), "S%d", i);
		put(rig, TIME_MS - 1 - i, segment);
		assert_int_equal(count(rig, segment, NULL), 1);
	}
	assert_int_equal(count(rig, NULL, NULL), FLIGHT_FILES_MAX);
}

/* What was interrupted is cleared away; what cannot be written leaves nothing. */
static void test_whole_or_not(void **state)
{
	const struct rig *rig = *state;
	int fd = openat(rig->fd, "part", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	close(fd);
	fd = flight_files_open(rig->dir);
	assert_true(fd >= 0);
	assert_int_equal(faccessat(fd, "part", F_OK, 0), -1);
	close(fd);
	/* Stands for whatever the disk refuses. */
	assert_int_equal(mkdirat(rig->fd, "20251129T063012.123Z-storm-A.pcapng", 0700), 0);
	assert_true(flight_files_write(rig->fd, "20251129T063012.123Z-storm-A", "x", 1) < 0);
	assert_int_equal(faccessat(rig->fd, "part", F_OK, 0), -1);
	assert_int_equal(count(rig, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_clock_set_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_whole_or_not, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
