/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-fdb-speed: the forwarding table alone, in one thread. Learns N addresses from nothing, the
 * doublings among it, then looks them up in bursts of 64 as a worker does, in an order in which
 * hardware cannot guess the next. One line of JSON.
 *
 *     weft-fdb-speed N
 */
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/fdb_table.h"
#include "tests/lib/deadline.h"

#define BURST 64u
#define LOOKUPS (1u << 22)
#define AGE_S 300
#define NOW_S 1000
#define STRIDE 2654435761u /* odd: it meets all of 2^n numbers */
#define N_MAX 4000000u

static void nobody_reads(void *ctx)
{
}

static uint64_t key_of(uint32_t i)
{
	const uint8_t mac[6] = {2, 'F', 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

	return fdb_key(1, mac);
}

static double learn_all(struct fdb *fdb, unsigned int n)
{
	uint64_t start_ns = deadline_now_ns();
	uint16_t old;

	for (unsigned int i = 0; i < n; i++)
		fdb_learn(fdb, key_of(i), 1, NOW_S, &old);
	return n / ((double)(deadline_now_ns() - start_ns) / 1e9);
}

/* Cycles of a lookup. */
static double look_up_all(const struct fdb *fdb, unsigned int n, uint64_t *n_found)
{
	struct fdb_table *table = fdb_table(fdb);
	uint64_t keys[BURST], hashes[BURST], start = rte_rdtsc();
	uint32_t at = 0;

	for (unsigned int done = 0; done < LOOKUPS; done += BURST) {
		for (unsigned int i = 0; i < BURST; i++) {
			keys[i] = key_of((at += STRIDE) % n);
			hashes[i] = fdb_table_ask(table, keys[i]);
		}
		for (unsigned int i = 0; i < BURST; i++)
			*n_found += fdb_table_look_up(table, keys[i], hashes[i], NOW_S, AGE_S) !=
				    FDB_NO_PORT;
	}
	return (double)(rte_rdtsc() - start) / LOOKUPS;
}

int main(int argc, char **argv)
{
	unsigned int n = argc == 2 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;
	struct fdb_config config = {
		.memory = memory_plain, .capacity = N_MAX, .seed = 42, .synchronize = nobody_reads};
	struct fdb *fdb;
	uint64_t n_found = 0;

	if (n == 0 || n > N_MAX) {
		fputs("usage: weft-fdb-speed N    (to 4000000)\n", stderr);
		return 2;
	}
	if (fdb_create(&config, &fdb) < 0) {
		fputs("weft-fdb-speed: out of memory\n", stderr);
		return 1;
	}
	double learned = learn_all(fdb, n), cycles = look_up_all(fdb, n, &n_found);

	printf("{\"addresses\":%u,\"entries\":%u,\"learned_per_s\":%.0f,\"lookup_cycles\":%.1f,"
	       "\"found\":%llu}\n",
	       n, fdb_count(fdb), learned, cycles, (unsigned long long)n_found);
	fdb_destroy(fdb);
	return 0;
}
