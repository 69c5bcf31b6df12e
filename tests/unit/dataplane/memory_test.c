/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/memory.c: what is mapped straight from the kernel. */
#include "dataplane/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void mapped_memory_is_zero_aligned_and_all_there(void **state)
{
	static const size_t sizes[] = {1, 4032, 4033, (2 << 20) - 1, 2 << 20, (4 << 20) + 64};

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i];
		uint8_t *a = memory_mapped.alloc(n, 64), *b = memory_mapped.alloc(n, 64);

		assert_non_null(a);
		assert_non_null(b);
		assert_int_equal((uintptr_t)a % 64, 0);
		/* From a huge page's start on, but for a line. */
		if (n >= 2 << 20)
			assert_int_equal((uintptr_t)a % (2 << 20), 64);
		for (size_t at = 0; at < n; at++)
			assert_int_equal(a[at], 0);
		memset(a, 1, n);
		memset(b, 2, n);
		assert_int_equal(a[0], 1);
		assert_int_equal(a[n - 1], 1);
		memory_mapped.free(a);
		assert_int_equal(b[0], 2);
		assert_int_equal(b[n - 1], 2);
		memory_mapped.free(b);
	}
	memory_mapped.free(NULL);
}

static void what_cannot_be_mapped_is_refused(void **state)
{
	assert_null(memory_mapped.alloc(SIZE_MAX, 64));
	assert_null(memory_mapped.alloc(SIZE_MAX / 4, 64));
	assert_null(memory_mapped.alloc(64, 128));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapped_memory_is_zero_aligned_and_all_there),
		cmocka_unit_test(what_cannot_be_mapped_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
