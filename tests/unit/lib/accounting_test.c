/* SPDX-License-Identifier: BSD-3-Clause */
/* The accounting identity over counters made here, and the baseline of this very process. */
#include "tests/lib/accounting.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/baseline.h"

#define N_SLOTS 4u
#define N_WORKERS 2u

struct layout {
	struct counters_header header;
	struct counters_slot slots[N_SLOTS] __attribute__((aligned(COUNTERS_LINE)));
	struct counters_worker workers[N_WORKERS];
	struct counters_block blocks[N_SLOTS][N_WORKERS];
};

struct rig {
	int fd;
	struct layout *counters;
	struct accounting accounting;
};

static void start(struct rig *rig)
{
	char why[DP_TEXT_BYTES];

	rig->fd = memfd_create("counters", MFD_CLOEXEC);
	assert_int_equal(ftruncate(rig->fd, sizeof(struct layout)), 0);
	rig->counters =
		mmap(NULL, sizeof(struct layout), PROT_READ | PROT_WRITE, MAP_SHARED, rig->fd, 0);
	assert_true(rig->counters != MAP_FAILED);
	rig->counters->header = (struct counters_header){
		.magic = COUNTERS_MAGIC,
		.version = COUNTERS_VERSION,
		.n_slots = N_SLOTS,
		.n_workers = N_WORKERS,
		.n_reasons = DROP_COUNT,
		.slots_offset = offsetof(struct layout, slots),
		.workers_offset = offsetof(struct layout, workers),
		.blocks_offset = offsetof(struct layout, blocks),
		.total_bytes = sizeof(struct layout),
	};
	assert_int_equal(accounting_map(&rig->accounting, rig->fd, why), 0);
}

static void stop(struct rig *rig)
{
	accounting_close(&rig->accounting);
	munmap(rig->counters, sizeof(struct layout));
	close(rig->fd);
}

static void every_term_counts(void **state)
{
	struct counters_block sum;
	struct rig rig;

	start(&rig);
	rig.counters->blocks[1][0].rx_frames = 100;
	rig.counters->blocks[1][1].generated = 3;
	rig.counters->blocks[2][0].copies = 20;
	rig.counters->blocks[2][1].segments = 7;
	rig.counters->blocks[3][1].tx_frames = 120;
	rig.counters->blocks[0][0].drops[DROP_RING_FULL] = 6;
	rig.counters->blocks[3][0].drops[DROP_COUNT - 1] = 3;
	rig.counters->blocks[3][0].queued = 1;
	assert_int_equal(accounting_check(&rig.accounting, 0, 100, &sum), 0);
	assert_int_equal(sum.tx_frames, 120);

	uint64_t *terms[] = {
		&rig.counters->blocks[1][0].rx_frames,
		&rig.counters->blocks[1][1].generated,
		&rig.counters->blocks[2][0].copies,
		&rig.counters->blocks[2][1].segments,
		&rig.counters->blocks[3][1].tx_frames,
		&rig.counters->blocks[3][0].queued,
		&rig.counters->blocks[0][0].drops[DROP_RING_FULL],
	};

	for (unsigned int i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
		++*terms[i];
		assert_int_equal(accounting_check(&rig.accounting, 0, 0, &sum), -EUCLEAN);
		--*terms[i];
	}
	stop(&rig);
}

static void other_layouts_are_refused(void **state)
{
	struct counters_header good;
	struct accounting accounting;
	char why[DP_TEXT_BYTES];
	struct rig rig;

	start(&rig);
	good = rig.counters->header;
	rig.counters->header.n_reasons++;
	assert_int_equal(accounting_map(&accounting, rig.fd, why), -EBADMSG);
	rig.counters->header = good;
	rig.counters->header.n_slots = UINT32_MAX;
	assert_int_equal(accounting_map(&accounting, rig.fd, why), -EBADMSG);
	rig.counters->header = good;
	rig.counters->header.blocks_offset = UINT64_MAX - 63;
	assert_int_equal(accounting_map(&accounting, rig.fd, why), -EBADMSG);
	rig.counters->header = good;
	rig.counters->header.magic++;
	assert_int_equal(accounting_map(&accounting, rig.fd, why), -EBADMSG);
	stop(&rig);
}

static void absent_dataplane_is_told(void **state)
{
	struct accounting accounting;
	char why[DP_TEXT_BYTES] = "";

	assert_int_equal(accounting_open(&accounting, "/nonexistent", why), -ENOENT);
	assert_non_null(strstr(why, "/nonexistent/dataplane.sock"));
}

static void leaked_descriptor_differs_from_baseline(void **state)
{
	struct baseline before, now;

	assert_int_equal(baseline_take(getpid(), &before), 0);
	assert_int_equal(before.n_threads, 1);
	int fd = dup(0);

	assert_int_equal(baseline_wait(getpid(), &before, 20, &now), -ETIMEDOUT);
	assert_int_equal(now.n_fds, before.n_fds + 1);
	close(fd);
	assert_int_equal(baseline_wait(getpid(), &before, 1000, &now), 0);
}

static void leaked_mapping_differs_from_baseline(void **state)
{
	struct baseline before, now;

	assert_int_equal(baseline_take(getpid(), &before), 0);
	/* A protection of its own, or the kernel may join it to a neighbour. */
	void *page = mmap(NULL, 4096, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_int_equal(baseline_wait(getpid(), &before, 20, &now), -ETIMEDOUT);
	assert_int_equal(now.n_mappings, before.n_mappings + 1);
	munmap(page, 4096);
	assert_int_equal(baseline_wait(getpid(), &before, 1000, &now), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_term_counts),
		cmocka_unit_test(other_layouts_are_refused),
		cmocka_unit_test(absent_dataplane_is_told),
		cmocka_unit_test(leaked_descriptor_differs_from_baseline),
		cmocka_unit_test(leaked_mapping_differs_from_baseline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
