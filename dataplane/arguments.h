/* SPDX-License-Identifier: BSD-3-Clause */
/* Command line of weft-dataplane, and which CPU does what. Main, before any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/dataplane.h"

struct arguments {
	const char *run_dir;
	unsigned int memory_mb;
	unsigned int queue_mb;		/* for frames that wait */
	bool hugepages;			/* use them if there are enough */
	unsigned int n_workers;
	int worker_cpus[WORKERS_MAX];
	int n_other_cpus;
	int other_cpus[1024]; /* for main and helpers; the workers' if there is no other */
};

/* 0: go on; 1: help or version was printed; -EINVAL: said what is wrong. */
int arguments_parse(struct arguments *args, int argc, char **argv);

/* EAL's --lcores: main as lcore 0 on all other CPUs, worker i as lcore i + 1 on its own. */
void arguments_lcores(const struct arguments *args, char *text, size_t text_bytes);
