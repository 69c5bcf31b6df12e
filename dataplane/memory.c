/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory from the C library, for tests and tools that run without EAL. */
#include "dataplane/memory.h"

#include <stdlib.h>
#include <string.h>

static void *plain_alloc(size_t bytes, size_t align)
{
	void *memory = NULL;

	if (posix_memalign(&memory, align, bytes) != 0)
		return NULL;
	return memset(memory, 0, bytes);
}

const struct memory memory_plain = {.alloc = plain_alloc, .free = free};
