/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/vhost/dirty_log.c, and that the rings mark all they write. */
#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/offload.h"
#include "dataplane/vhost/dirty_log.h"
#include "tests/unit/dataplane/vhost/packed_rig.h"
#include "tests/unit/dataplane/vhost/ring_rig.h"

#define PAGE 4096u
#define LOG_BYTES (1u << 20) /* addresses up to 32 GiB */

struct shared_log {
	int fd;
	uint8_t *bits; /* as the front-end sees them */
	struct dirty_log *log;
};

static int make_file(uint64_t bytes, unsigned int seals)
{
	int fd = memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	if (seals != 0)
		assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static struct shared_log open_log(uint64_t offset)
{
	struct shared_log log = {.fd = make_file(offset + LOG_BYTES, F_SEAL_SHRINK)};
	const char *why = "";

	log.bits = mmap(NULL, offset + LOG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, log.fd, 0);
	assert_ptr_not_equal(log.bits, MAP_FAILED);
	log.bits += offset;
	if (dirty_log_create(&log.log, log.fd, LOG_BYTES, offset, &why) != 0)
		fail_msg("%s", why);
	return log;
}

static void close_log(struct shared_log *log, uint64_t offset)
{
	dirty_log_destroy(log->log);
	munmap(log->bits - offset, offset + LOG_BYTES);
	close(log->fd);
}

static bool is_marked(const struct shared_log *log, uint64_t gpa)
{
	return (log->bits[gpa / PAGE / 8] >> gpa / PAGE % 8 & 1) != 0;
}

static unsigned int count_marks(const struct shared_log *log)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LOG_BYTES; i++)
		n += (unsigned int)__builtin_popcount(log->bits[i]);
	return n;
}

/* --- files --- */

static void a_file_that_can_shrink_or_is_too_small_is_refused(void **state)
{
	static const struct {
		uint64_t file_bytes;
		unsigned int seals;
		uint64_t bytes, offset;
		const char *why;
	} bad[] = {
		{8192, 0, 8192, 0, "sealed"},
		{8192, F_SEAL_GROW, 8192, 0, "sealed"},
		{8192, F_SEAL_SHRINK, 8193, 0, "larger than its file"},
		{8192, F_SEAL_SHRINK, 8192, 1, "larger than its file"},
		{8192, F_SEAL_SHRINK, 0, 0, "impossible size"},
		{8192, F_SEAL_SHRINK, UINT64_MAX, 1, "impossible size"},
		{8192, F_SEAL_SHRINK, 1, UINT64_MAX, "impossible size"},
		{8192, F_SEAL_SHRINK, DIRTY_LOG_MAX_BYTES + 1, 0, "impossible size"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = make_file(bad[i].file_bytes, bad[i].seals);
		struct dirty_log *log = NULL;
		const char *why = "";

		assert_true(dirty_log_create(&log, fd, bad[i].bytes, bad[i].offset, &why) < 0);
		if (strstr(why, bad[i].why) == NULL)
			fail_msg("row %zu: %s", i, why);
		close(fd);
	}
}

static void what_is_no_memory_is_refused(void **state)
{
	struct dirty_log *log = NULL;
	const char *why = "";
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(dirty_log_create(&log, fds[0], 4096, 0, &why) < 0);
	assert_non_null(strstr(why, "sealed"));
	close(fds[0]);
	close(fds[1]);
}

/* --- marks --- */

/* Guest memory at RING_RIG_GPA, in two regions. */
static void pages_are_marked_by_their_guest_address(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);
	struct shared_log log = open_log(24);
	const struct guest_region *second = &rig->memory->regions[1];

	dirty_log_mark(rig->memory, second->host, 1);
	assert_int_equal(count_marks(&log), 0); /* nobody has asked */
	rig->memory->log = log.log;
	dirty_log_mark(rig->memory, second->host + PAGE - 1, 2);
	assert_true(is_marked(&log, second->gpa) && is_marked(&log, second->gpa + PAGE));
	assert_int_equal(count_marks(&log), 2);
	dirty_log_mark(rig->memory, second->host + 5 * PAGE, 0);
	assert_int_equal(count_marks(&log), 2);
	ring_rig_destroy(rig);
	close_log(&log, 24);
}

/* A log that ends before the memory does: what has no bit is not written anywhere. */
static void marks_beyond_the_log_go_nowhere(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);
	uint64_t bytes = RING_RIG_GPA / PAGE / 8 + 1; /* the first 8 pages of the memory */
	int fd = make_file(bytes + PAGE, F_SEAL_SHRINK);
	const char *why = "";
	uint8_t after[PAGE], zeros[PAGE] = {0};

	assert_int_equal(dirty_log_create(&rig->memory->log, fd, bytes, 0, &why), 0);
	dirty_log_mark(rig->memory, rig->memory->regions[0].host, RING_RIG_SEAM);
	dirty_log_mark(rig->memory, rig->memory->regions[1].host, 1);
	assert_int_equal(pread(fd, after, sizeof(after), (off_t)bytes), sizeof(after));
	assert_memory_equal(after, zeros, sizeof(zeros));
	assert_int_equal(pread(fd, after, 1, (off_t)bytes - 1), 1);
	assert_int_equal(after[0], 0xff);
	dirty_log_destroy(rig->memory->log);
	ring_rig_destroy(rig);
	close(fd);
}

/* --- rings --- */

/* Every page that differs from `before` is marked. */
static void assert_changes_marked(const struct shared_log *log, const uint8_t *before,
				  const uint8_t *now, uint64_t bytes, uint64_t gpa)
{
	for (uint64_t at = 0; at < bytes; at += PAGE) {
		uint64_t n = bytes - at < PAGE ? bytes - at : PAGE;

		if (memcmp(before + at, now + at, n) != 0 && !is_marked(log, gpa + at))
			fail_msg("page 0x%llx was written and not marked",
				 (unsigned long long)(gpa + at));
	}
}

static void put_frame(struct ring *ring, struct burst *burst, struct counters_block *count,
		      uint32_t len)
{
	static const uint8_t order[1] = {0};
	uint8_t bytes[9000];
	struct iovec rest = {bytes, len > FRAME_HEAD_BYTES ? len - FRAME_HEAD_BYTES : 0};

	memset(bytes, 0xaa, sizeof(bytes));
	burst->frames[0] = (struct frame){
		.len = len,
		.head_len = (uint16_t)(len - rest.iov_len),
		.iov = &rest,
		.n_iov = rest.iov_len != 0,
		.vnet = {.num_buffers = htole16(1)},
	};
	memset(burst->frames[0].head, 0xaa, FRAME_HEAD_BYTES);
	ring_put(ring, burst, order, 1, count);
}

static void a_split_ring_marks_all_it_writes(void **state)
{
	static const uint32_t lens[] = {60, 1500, 4000, 8000};

	for (unsigned int i = 0; i < 4 * 2; i++) {
		uint64_t features =
			RING_RIG_MODERN | (i < 4 ? VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) : 0);
		struct ring_rig *rig = ring_rig_create(features, OFFLOAD_ALL, 0);
		struct shared_log log = open_log(0);

		rig->memory->log = log.log;
		for (uint16_t k = 0; k < 100; k++) {
			ring_rig_desc(rig->desc, k, RING_RIG_GPA + RING_RIG_BUFFERS + k * 5000,
				      2000, VRING_DESC_F_WRITE, 0);
			ring_rig_offer(rig, k);
		}
		ring_rig_remember(rig);
		for (unsigned int k = 0; k < 20; k++)
			put_frame(&rig->ring, rig->burst, &rig->count, lens[i % 4]);
		ring_arm(&rig->ring);
		ring_disarm(&rig->ring);
		assert_int_equal(rig->count.tx_frames, 20);
		assert_changes_marked(&log, rig->before, rig->guest, RING_RIG_BYTES, RING_RIG_GPA);
		assert_true(count_marks(&log) < 200);
		ring_rig_destroy(rig);
		close_log(&log, 0);
	}
}

static void a_split_ring_marks_what_it_gives_back(void **state)
{
	struct ring_rig *rig = ring_rig_create(RING_RIG_MODERN, OFFLOAD_ALL, 0);
	struct shared_log log = open_log(0);

	rig->memory->log = log.log;
	ring_rig_desc(rig->desc, 0, RING_RIG_GPA + RING_RIG_BUFFERS, 100, 0, 0);
	ring_rig_offer(rig, 0);
	ring_rig_remember(rig);
	ring_take(&rig->ring, rig->burst);
	ring_complete(&rig->ring);
	assert_int_equal(rig->used->idx, 1);
	assert_changes_marked(&log, rig->before, rig->guest, RING_RIG_BYTES, RING_RIG_GPA);
	assert_false(is_marked(&log, RING_RIG_GPA + RING_RIG_BUFFERS));
	ring_rig_destroy(rig);
	close_log(&log, 0);
}

static void a_packed_ring_marks_all_it_writes(void **state)
{
	static const uint32_t lens[] = {60, 1500, 4000, 8000};

	for (unsigned int i = 0; i < 4; i++) {
		struct packed_rig *rig = packed_rig_create(PACKED_RIG_MODERN, 256);
		const struct guest_region *region = &rig->memory->regions[0];
		struct shared_log log = open_log(0);
		uint8_t *before = malloc(region->bytes);

		assert_non_null(before);
		rig->memory->log = log.log;
		for (uint32_t k = 0; k < 100; k++)
			packed_rig_offer(rig, k * 5000, 2000, true);
		memcpy(before, region->host, region->bytes);
		for (unsigned int k = 0; k < 20; k++)
			packed_rig_put(rig, &lens[i], 1);
		ring_arm(&rig->ring);
		assert_int_equal(rig->count.tx_frames, 20);
		assert_changes_marked(&log, before, region->host, region->bytes, region->gpa);
		assert_true(count_marks(&log) < 200);
		/* A process that starts on it. */
		memcpy(before, region->host, region->bytes);
		memset(log.bits, 0, LOG_BYTES);
		atomic_store(&rig->journal.state, rig->ring.packed.used | 1u << 16);
		packed_rig_start(rig, PACKED_RIG_BASE);
		assert_changes_marked(&log, before, region->host, region->bytes, region->gpa);
		free(before);
		packed_rig_destroy(rig);
		close_log(&log, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_can_shrink_or_is_too_small_is_refused),
		cmocka_unit_test(what_is_no_memory_is_refused),
		cmocka_unit_test(pages_are_marked_by_their_guest_address),
		cmocka_unit_test(marks_beyond_the_log_go_nowhere),
		cmocka_unit_test(a_split_ring_marks_all_it_writes),
		cmocka_unit_test(a_split_ring_marks_what_it_gives_back),
		cmocka_unit_test(a_packed_ring_marks_all_it_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
