/* SPDX-License-Identifier: BSD-3-Clause */
/* What the process says that it has of memory. */
#include "dataplane/footprint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#define MORE_BYTES (UINT64_C(64) << 20)

static void grows_by(int flags, uint64_t least, uint64_t most)
{
	uint64_t before = footprint_bytes();
	void *memory = mmap(NULL, MORE_BYTES, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	memset(memory, 1, MORE_BYTES);
	uint64_t after = footprint_bytes();

	munmap(memory, MORE_BYTES);
	assert_true(after + MORE_BYTES / 8 >= before + least);
	assert_true(after <= before + most + MORE_BYTES / 8);
}

static void pages_of_its_own_count_when_they_are_touched(void **state)
{
	assert_true(footprint_bytes() > 0);
	grows_by(MAP_PRIVATE, MORE_BYTES, MORE_BYTES);
}

static void shared_pages_do_not(void **state)
{
	grows_by(MAP_SHARED, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_its_own_count_when_they_are_touched),
		cmocka_unit_test(shared_pages_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
