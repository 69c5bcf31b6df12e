/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See footprint.h. On plain pages EAL's pool is a memfd, on huge ones it is in no process's
 * resident pages: either way it is not among the private ones that the kernel tells.
 */
#include "dataplane/footprint.h"

#include <inttypes.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <unistd.h>

/* proc(5), statm: pages, of them resident, of these shared or of files. */
static uint64_t private_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	uint64_t resident = 0, shared = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*u %" SCNu64 " %" SCNu64, &resident, &shared) != 2 || shared > resident)
		resident = shared = 0;
	fclose(file);
	return (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t footprint_bytes(void)
{
	uint64_t bytes = private_bytes();
	struct rte_malloc_socket_stats heap;

	for (unsigned int i = 0; i < rte_socket_count(); i++) {
		if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &heap) == 0)
			bytes += heap.heap_allocsz_bytes;
	}
	return bytes;
}
