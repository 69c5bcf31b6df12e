/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/memory.c: what is mapped, what is refused, and that nothing stays. */
#include "dataplane/vhost/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/dataplane/vhost/vhost_rig.h"

#define PAGE 4096
#define MIB (UINT64_C(1) << 20)

static int set_up(void **state)
{
	*state = vhost_rig_count();
	return 0;
}

static int tear_down(void **state)
{
	vhost_rig_assert_no_leak(*state);
	return 0;
}

static struct guest_memory *map(const struct vhost_memory_table *table, const int *fds)
{
	struct guest_memory *memory = NULL;
	const char *why = "";
	int ret = memory_create(&memory, table, fds, MEMORY_MAX_BYTES, &why);

	if (ret != 0)
		fail_msg("%s", why);
	return memory;
}

static void refused(const struct vhost_memory_table *table, const int *fds, int error,
		    const char *text)
{
	struct guest_memory *memory = NULL;
	const char *why = "";

	assert_int_equal(memory_create(&memory, table, fds, 64 * MIB, &why), error);
	assert_null(memory);
	if (strstr(why, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, why);
}

/* Two regions of one file: the first MiB at 0, the second at 4 GiB; user addresses elsewhere. */
static const struct vhost_memory_table two_regions = {
	.n_regions = 2,
	.regions =
		{
			{.gpa = 0, .bytes = MIB, .uva = 0x7f0000000000, .offset = 0},
			{.gpa = UINT64_C(4) << 30,
			 .bytes = MIB,
			 .uva = 0x7f8000000000,
			 .offset = MIB},
		},
};

static void every_byte_of_each_region_is_found_and_none_beside(void **state)
{
	int fd = vhost_rig_memfd(2 * MIB), fds[] = {fd, fd};
	struct guest_memory *memory = map(&two_regions, fds);
	uint64_t high = two_regions.regions[1].gpa;
	unsigned hint = 0;

	close(fd);
	assert_non_null(guest_memory_at(memory, 0, MIB, &hint));
	assert_non_null(guest_memory_at(memory, MIB - 1, 1, &hint));
	assert_null(guest_memory_at(memory, MIB, 1, &hint));
	assert_null(guest_memory_at(memory, MIB - 1, 2, &hint));
	assert_null(guest_memory_at(memory, 0, MIB + 1, &hint));
	assert_null(guest_memory_at(memory, 0, UINT64_MAX, &hint));
	assert_null(guest_memory_at(memory, UINT64_MAX, 1, &hint));
	assert_null(guest_memory_at(memory, high - 1, 1, &hint));
	assert_non_null(guest_memory_at(memory, high, MIB, &hint));
	assert_int_equal(hint, 1);
	assert_null(guest_memory_at(memory, high + 1, MIB, &hint));
	assert_null(guest_memory_at(memory, high + MIB, 0, &hint));
	memory_destroy(memory);
}

static void writes_arrive_in_the_file_at_the_right_place(void **state)
{
	int fd = vhost_rig_memfd(2 * MIB), fds[] = {fd, fd};
	struct guest_memory *memory = map(&two_regions, fds);
	unsigned hint = 0;
	char seen[4] = "";

	memcpy(guest_memory_at(memory, two_regions.regions[1].gpa + 10, 4, &hint), "weft", 4);
	assert_int_equal(pread(fd, seen, 4, MIB + 10), 4);
	assert_memory_equal(seen, "weft", 4);
	memory_destroy(memory);
	close(fd);
}

static void a_span_ends_where_its_region_ends(void **state)
{
	struct vhost_memory_table table = {
		.n_regions = 2,
		.regions = {{.gpa = 0, .bytes = PAGE, .uva = 0, .offset = 0},
			    {.gpa = PAGE, .bytes = PAGE, .uva = PAGE, .offset = PAGE}},
	};
	int fd = vhost_rig_memfd(2 * PAGE), fds[] = {fd, fd};
	struct guest_memory *memory = map(&table, fds);
	uint64_t bytes = 100;
	unsigned hint = 0;

	assert_null(guest_memory_at(memory, PAGE - 40, 100, &hint));
	assert_non_null(guest_memory_span(memory, PAGE - 40, &bytes, &hint));
	assert_int_equal(bytes, 40);
	bytes = 60;
	assert_non_null(guest_memory_span(memory, PAGE, &bytes, &hint));
	assert_int_equal(bytes, 60);
	assert_null(guest_memory_span(memory, 2 * PAGE, &bytes, &hint));
	memory_destroy(memory);
	close(fd);
}

static void user_addresses_lead_to_the_same_bytes(void **state)
{
	int fd = vhost_rig_memfd(2 * MIB), fds[] = {fd, fd};
	struct guest_memory *memory = map(&two_regions, fds);
	const struct vhost_region *high = &two_regions.regions[1];
	unsigned hint = 0;

	assert_ptr_equal(memory_at_uva(memory, high->uva + 5, 9),
			 guest_memory_at(memory, high->gpa + 5, 9, &hint));
	assert_null(memory_at_uva(memory, high->uva + MIB - 1, 2));
	assert_null(memory_at_uva(memory, high->uva - 1, 1));
	assert_null(memory_at_uva(memory, 0, 1));
	memory_destroy(memory);
	close(fd);
}

static void an_offset_within_a_page_is_kept(void **state)
{
	struct vhost_memory_table table = {
		.n_regions = 1,
		.regions = {{.gpa = 0x1000, .bytes = 300, .uva = 0x1000, .offset = PAGE + 100}},
	};
	int fd = vhost_rig_memfd(2 * PAGE);
	struct guest_memory *memory;
	unsigned hint = 0;

	assert_int_equal(pwrite(fd, "x", 1, PAGE + 100), 1);
	memory = map(&table, &fd);
	assert_int_equal(*(char *)guest_memory_at(memory, 0x1000, 300, &hint), 'x');
	memory_destroy(memory);
	close(fd);
}

static void a_huge_page_is_mapped_whole(void **state)
{
	struct vhost_memory_table table = {
		.n_regions = 1,
		.regions = {{.gpa = 0, .bytes = MIB, .uva = 0, .offset = MIB + PAGE}},
	};
	int fd = vhost_rig_huge_memfd(4 * MIB);
	struct guest_memory *memory;
	unsigned hint = 0;

	if (fd < 0)
		skip();
	memory = map(&table, &fd);
	assert_int_equal(memory->mappings[0].bytes, 4 * MIB);
	memset(guest_memory_at(memory, 0, MIB, &hint), 1, MIB);
	memory_destroy(memory);
	close(fd);
}

static void a_seal_against_shrinking_is_seen(void **state)
{
	int fd = vhost_rig_memfd(2 * MIB), fds[] = {fd, fd};
	struct guest_memory *memory = map(&two_regions, fds);

	assert_false(memory->mappings[0].is_sealed);
	memory_destroy(memory);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	memory = map(&two_regions, fds);
	assert_true(memory->mappings[0].is_sealed);
	memory_destroy(memory);
	close(fd);
}

static int touch(void *address)
{
	return *(volatile char *)address;
}

static void the_pages_around_a_mapping_are_guarded(void **state)
{
	int fd = vhost_rig_memfd(2 * MIB), fds[] = {fd, fd};
	struct guest_memory *memory = map(&two_regions, fds);

	for (unsigned i = 0; i < 2; i++) {
		uint8_t *start = memory->mappings[i].start;
		int before = vhost_rig_in_child(touch, start - 1);
		int after = vhost_rig_in_child(touch, start + memory->mappings[i].bytes);

		assert_int_equal(vhost_rig_in_child(touch, start), 0);
		/* A sanitizer turns the signal into an exit. */
		assert_int_not_equal(before, 0);
		assert_int_not_equal(after, 0);
	}
	memory_destroy(memory);
	close(fd);
}

static void bad_numbers_are_refused(void **state)
{
	static const struct {
		struct vhost_region regions[2];
		int error;
		const char *text;
	} cases[] = {
		{{{0, 0, 0, 0}}, -EINVAL, "empty"},
		{{{-(uint64_t)PAGE, PAGE, 0, 0}}, -EINVAL, "wraps"},
		{{{0, PAGE, -(uint64_t)PAGE, 0}}, -EINVAL, "wraps"},
		{{{0, PAGE, 0, -(uint64_t)PAGE}}, -EINVAL, "wraps"},
		{{{0, UINT64_MAX, 0, 0}}, -EINVAL, "larger than its file"},
		{{{0, PAGE, 0, INT64_MAX}}, -EINVAL, "larger than its file"},
		{{{0, 2 * MIB + 1, 0, 0}}, -EINVAL, "larger than its file"},
		{{{0, PAGE, 0, 2 * MIB}}, -EINVAL, "larger than its file"},
		{{{0, MIB, 0, 0}, {MIB - 1, MIB, 4 * MIB, 0}}, -EINVAL, "overlap"},
		{{{0, MIB, 0, 0}, {4 * MIB, MIB, MIB - 1, 0}}, -EINVAL, "overlap"},
		{{{MIB, MIB, MIB, 0}, {0, 2 * MIB, 9 * MIB, 0}}, -EINVAL, "overlap"},
		{{{0, MIB, 0, 0}, {0, MIB, 0, 0}}, -EINVAL, "overlap"},
	};
	int fd = vhost_rig_memfd(2 * MIB), fds[] = {fd, fd};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vhost_memory_table table = {.n_regions = 1};

		memcpy(table.regions, cases[i].regions, sizeof(cases[i].regions));
		if (table.regions[1].bytes != 0)
			table.n_regions = 2;
		refused(&table, fds, cases[i].error, cases[i].text);
	}
	close(fd);
}

static void none_and_nine_regions_are_refused(void **state)
{
	struct vhost_memory_table table = {.n_regions = 0};
	int fds[1] = {-1};

	refused(&table, fds, -EINVAL, "1 to 8");
	table.n_regions = 9;
	refused(&table, fds, -EINVAL, "1 to 8");
	table.n_regions = UINT32_MAX;
	refused(&table, fds, -EINVAL, "1 to 8");
}

static void the_budget_counts_all_regions_together(void **state)
{
	struct vhost_memory_table table = two_regions;
	int fd = vhost_rig_memfd(65 * MIB), fds[] = {fd, fd};

	table.regions[0].bytes = 63 * MIB;
	table.regions[1].bytes = MIB + 1;
	refused(&table, fds, -E2BIG, "more memory");
	close(fd);
}

static void a_file_that_cannot_be_guest_memory_is_refused(void **state)
{
	static const struct vhost_memory_table table = {
		.n_regions = 1,
		.regions = {{.gpa = 0, .bytes = 1}},
	};
	int pipes[2], sockets[2], fd;
	static const char *const paths[] = {"/dev/zero", "/", "/proc/self/status",
					    "/proc/self/exe"};

	assert_int_equal(pipe(pipes), 0);
	refused(&table, pipes, -EINVAL, "not shared memory");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	refused(&table, sockets, -EINVAL, "not shared memory");
	for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = open(paths[i], O_RDONLY);
		assert_true(fd >= 0);
		refused(&table, &fd, -EINVAL, "not shared memory");
		close(fd);
	}
	fd = -1;
	refused(&table, &fd, -EBADF, "cannot look");
	close(pipes[0]);
	close(pipes[1]);
	close(sockets[0]);
	close(sockets[1]);
}

static void memory_that_cannot_be_written_is_refused(void **state)
{
	static const struct vhost_memory_table table = {
		.n_regions = 1,
		.regions = {{.gpa = 0, .bytes = PAGE}},
	};
	int fd = vhost_rig_memfd(PAGE), read_only;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_only = open(path, O_RDONLY);
	refused(&table, &read_only, -EACCES, "for reading and writing");
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	refused(&table, &fd, -EPERM, "for reading and writing");
	close(read_only);
	close(fd);
}

/* The first region maps, the second fails: the first must go again. */
static void a_table_is_mapped_whole_or_not_at_all(void **state)
{
	int fd = vhost_rig_memfd(2 * MIB), fds[] = {fd, -1};

	refused(&two_regions, fds, -EBADF, "cannot look");
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_byte_of_each_region_is_found_and_none_beside),
		TEST(writes_arrive_in_the_file_at_the_right_place),
		TEST(a_span_ends_where_its_region_ends),
		TEST(user_addresses_lead_to_the_same_bytes),
		TEST(an_offset_within_a_page_is_kept),
		TEST(a_huge_page_is_mapped_whole),
		TEST(a_seal_against_shrinking_is_seen),
		TEST(the_pages_around_a_mapping_are_guarded),
		TEST(bad_numbers_are_refused),
		TEST(none_and_nine_regions_are_refused),
		TEST(the_budget_counts_all_regions_together),
		TEST(a_file_that_cannot_be_guest_memory_is_refused),
		TEST(memory_that_cannot_be_written_is_refused),
		TEST(a_table_is_mapped_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
