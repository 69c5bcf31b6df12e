/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of capture/capture_file.c. */
#include "capture/capture_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/capture/rig.h"

static void save(const struct made *made, char path[32])
{
	snprintf(path, 32, "/tmp/weft-capture-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, made->bytes, made->n), made->n);
	close(fd);
}

static void whole_and_cut(void **state)
{
	struct made made = {.n = 0};
	struct capture_packet packet;
	struct capture_file *file;
	char path[32];

	made_pcap(&made, 0xa1b23c4d);
	made_record(&made, 1, 2, "bytes", 5);
	for (int is_cut = 0; is_cut < 2; is_cut++) {
		made.n -= (size_t)is_cut;
		save(&made, path);
		assert_int_equal(capture_file_open(path, &file), 0);
		assert_int_equal(capture_file_next(file, &packet), is_cut ? -EINVAL : 1);
		if (is_cut) {
			assert_string_equal(capture_file_why(file),
					    "byte 24: the file was cut off: it ends 20 byte(s) "
					    "into what follows packet 0");
		} else {
			assert_int_equal(packet.len, 5);
			assert_int_equal(capture_file_interface(file, 0)->link,
					 CAPTURE_LINK_ETHERNET);
			assert_int_equal(capture_file_next(file, &packet), 0);
		}
		capture_file_close(file);
		unlink(path);
	}
}

static void no_file(void **state)
{
	struct capture_packet packet;
	struct capture_file *file;

	assert_int_equal(capture_file_open("/nonexistent/x.pcap", &file), -ENOENT);
	assert_int_equal(capture_file_open("/tmp", &file), 0);
	assert_int_equal(capture_file_next(file, &packet), -EISDIR);
	assert_string_equal(capture_file_why(file), "Is a directory");
	capture_file_close(file);
	capture_file_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_and_cut),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
