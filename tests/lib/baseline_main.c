/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-baseline PID: prints what the process holds: "FDS MAPPINGS THREADS".
 * weft-baseline PID FDS MAPPINGS THREADS: waits up to 5 s until it holds just that. Exit 0 it does,
 * 1 it does not (both printed), 2 usage, 3 no such process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/baseline.h"

#define TIMEOUT_MS 5000

int main(int argc, char **argv)
{
	struct baseline now;

	if (argc != 2 && argc != 5) {
		fprintf(stderr, "usage: weft-baseline PID [FDS MAPPINGS THREADS]\n");
		return 2;
	}
	pid_t pid = (pid_t)atoi(argv[1]);
	int err = baseline_take(pid, &now);

	if (err < 0) {
		fprintf(stderr, "weft-baseline: process %s: %s\n", argv[1], strerror(-err));
		return 3;
	}
	if (argc == 2) {
		printf("%u %u %u\n", now.n_fds, now.n_mappings, now.n_threads);
		return 0;
	}
	struct baseline before = {
		.n_fds = (unsigned int)atoi(argv[2]),
		.n_mappings = (unsigned int)atoi(argv[3]),
		.n_threads = (unsigned int)atoi(argv[4]),
	};

	err = baseline_wait(pid, &before, TIMEOUT_MS, &now);
	if (err == 0)
		return 0;
	fprintf(stderr,
		"weft-baseline: process %s held %u descriptors, %u mappings, %u threads; now %u, "
		"%u, %u\n",
		argv[1], before.n_fds, before.n_mappings, before.n_threads, now.n_fds,
		now.n_mappings, now.n_threads);
	return 1;
}
