/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of cli/capture_out.c: one file, a row of them, and what cannot be written. */
#include "cli/capture_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rig {
	char folder[64], path[96];
	struct capture_out out;
};

static int set_up(void **state)
{
	static struct rig rig;

	rig = (struct rig){.folder = "/tmp/capture-out.XXXXXX"};
	assert_non_null(mkdtemp(rig.folder));
	snprintf(rig.path, sizeof(rig.path), "%s/a.pcapng", rig.folder);
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	char name[PATH_MAX];

	unlink(rig->path);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(capture_out_name(rig->path, i, name, sizeof(name)), 0);
		unlink(name);
	}
	return rmdir(rig->folder);
}

static int push_block(struct capture_out *out, uint32_t type, uint32_t bytes)
{
	uint8_t block[256] = {0};

	memcpy(block, &type, sizeof(type));
	memcpy(block + 4, &bytes, sizeof(bytes));
	memcpy(block + bytes - 4, &bytes, sizeof(bytes));
	return capture_out_push(out, block, bytes);
}

static int push_heads(struct capture_out *out)
{
	int err = push_block(out, PCAPNG_SPLIT_SECTION, 28);

	return err ? err : push_block(out, PCAPNG_SPLIT_INTERFACE, 20);
}

/* -1: there is no such file. */
static long size_of(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0 ? (long)stat.st_size : -1;
}

static long size_of_file(const struct rig *rig, unsigned int i)
{
	char name[PATH_MAX];

	assert_int_equal(capture_out_name(rig->path, i, name, sizeof(name)), 0);
	return size_of(name);
}

static void one_file_has_all(void **state)
{
	struct rig *rig = *state;
	struct capture_out *out = &rig->out;

	capture_out_open(out, rig->path, NULL, 0, 0);
	assert_int_equal(size_of(rig->path), -1); /* there is nothing for it yet */
	assert_int_equal(push_heads(out), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(push_block(out, PCAPNG_SPLIT_PACKET, 100), 0);
	assert_int_equal(size_of(rig->path), 348); /* whole blocks are to be seen at once */
	assert_int_equal(out->n_packets, 3);
	assert_int_equal(capture_out_close(out), 0);
}

/* Three files of at most 200 bytes: a head of 48 and one packet of 100 each. */
static void a_row_of_files_begins_anew(void **state)
{
	struct rig *rig = *state;
	struct capture_out *out = &rig->out;

	capture_out_open(out, rig->path, NULL, 3, 200);
	assert_int_equal(push_heads(out), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(push_block(out, PCAPNG_SPLIT_PACKET, 100), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(size_of_file(rig, i), 148);
	assert_int_equal(push_block(out, PCAPNG_SPLIT_PACKET, 120), 0);
	assert_int_equal(size_of_file(rig, 0), 168);
	assert_int_equal(size_of_file(rig, 3), -1);
	/* A block that is larger than a file is alone in one. */
	assert_int_equal(push_block(out, PCAPNG_SPLIT_PACKET, 240), 0);
	assert_int_equal(size_of_file(rig, 1), 288);
	assert_int_equal(out->n_packets, 5);
	assert_int_equal(capture_out_close(out), 0);
}

static void what_was_not_kept_is_told(void **state)
{
	struct rig *rig = *state;
	uint8_t block[40] = {0};
	const uint32_t head[2] = {PCAPNG_SPLIT_COUNTS, sizeof(block)};
	const uint16_t option[2] = {5, 8};
	const uint64_t dropped = 9;

	memcpy(block, head, sizeof(head));
	memcpy(block + 20, option, sizeof(option));
	memcpy(block + 24, &dropped, sizeof(dropped));
	capture_out_open(&rig->out, rig->path, NULL, 0, 0);
	assert_int_equal(capture_out_push(&rig->out, block, sizeof(block)), 0);
	assert_int_equal(rig->out.n_dropped, 9);
	assert_int_equal(capture_out_close(&rig->out), 0);
}

static void standard_output_is_not_closed(void **state)
{
	struct rig *rig = *state;
	char *text = NULL;
	size_t bytes = 0;
	FILE *standard = open_memstream(&text, &bytes);

	capture_out_open(&rig->out, "-", standard, 0, 0);
	assert_int_equal(push_heads(&rig->out), 0);
	assert_int_equal(capture_out_close(&rig->out), 0);
	assert_int_equal(bytes, 48);
	assert_int_equal(fclose(standard), 0);
	free(text);
}

static void what_cannot_be_written_is_said(void **state)
{
	struct rig *rig = *state;

	capture_out_open(&rig->out, "/nowhere/at/all", NULL, 0, 0);
	assert_int_equal(push_heads(&rig->out), -ENOENT);
	assert_int_equal(rig->out.err, -ENOENT);
	assert_int_equal(capture_out_close(&rig->out), 0);
	capture_out_open(&rig->out, "/dev/full", NULL, 0, 0);
	assert_true(push_heads(&rig->out) < 0);
	capture_out_close(&rig->out);
	capture_out_open(&rig->out, rig->path, NULL, 0, 0);
	assert_int_equal(capture_out_push(&rig->out, "GET / HTTP/1.1\r\n", 16), -EBADMSG);
	assert_int_equal(capture_out_close(&rig->out), 0);
}

static void files_of_a_row_have_numbers(void **state)
{
	char name[32];

	assert_int_equal(capture_out_name("a/web0.pcapng", 0, name, sizeof(name)), 0);
	assert_string_equal(name, "a/web0.1.pcapng");
	assert_int_equal(capture_out_name("a.b/web0", 9, name, sizeof(name)), 0);
	assert_string_equal(name, "a.b/web0.10");
	assert_int_equal(
		capture_out_name("a-name-that-is-too-long-for-this", 0, name, sizeof(name)),
		-ENAMETOOLONG);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_RIG(one_file_has_all),
		WITH_RIG(a_row_of_files_begins_anew),
		WITH_RIG(what_was_not_kept_is_told),
		WITH_RIG(standard_output_is_not_closed),
		WITH_RIG(what_cannot_be_written_is_said),
		cmocka_unit_test(files_of_a_row_have_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
