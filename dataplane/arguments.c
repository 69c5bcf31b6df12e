/* SPDX-License-Identifier: BSD-3-Clause */
/* Command line of weft-dataplane. Main, before any thread. */
#include "dataplane/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/channel/buffers.h"

#define MEMORY_MB_DEFAULT 96 /* a million addresses, while their table doubles */
#define MEMORY_MB_MIN 32
#define MEMORY_MB_MAX (1024 * 1024)
#define QUEUE_MB_MIN 1
#define QUEUE_MB_MAX (1024 * 1024)

static const char usage[] =
	"usage: weft-dataplane [--run-dir DIR] [--workers CPU-LIST] [--memory MB]\n"
	"                      [--queue-memory MB] [--no-huge]\n"
	"  --run-dir DIR       sockets live here (default WEFT_RUN_DIR, then /run/weft)\n"
	"  --workers CPU-LIST  a worker on each of these CPUs, as 1 or 2,4-7 (default: one,\n"
	"                      on the last CPU that this process may use)\n"
	"  --memory MB         for tables and buffers (default 96); huge pages are used if there\n"
	"                      are enough\n"
	"  --queue-memory MB   for frames that wait for their channels (default 64); what is not\n"
	"                      needed costs nothing\n"
	"  --no-huge           plain pages, whatever there is\n"
	"  --help, --version\n";

static int fail(const char *what, const char *value)
{
	fprintf(stderr, "weft-dataplane: %s%s; see weft-dataplane --help\n", what, value);
	return -EINVAL;
}

/* "2,4-7": CPUs that this process may use, each once. */
static int parse_cpus(struct arguments *args, const char *text, const cpu_set_t *allowed)
{
	cpu_set_t taken;
	const char *at = text;

	CPU_ZERO(&taken);
	args->n_workers = 0;
	while (*at != '\0') {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (end == at)
			return fail("bad list of CPUs: ", text);
		if (*end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
			if (end == at || last < first)
				return fail("bad list of CPUs: ", text);
		}
		for (unsigned long cpu = first; cpu <= last; cpu++) {
			if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, allowed))
				return fail("this process may not use every CPU of ", text);
			if (args->n_workers == WORKERS_MAX || CPU_ISSET(cpu, &taken))
				return fail("too many CPUs, or one twice: ", text);
			CPU_SET(cpu, &taken);
			args->worker_cpus[args->n_workers++] = (int)cpu;
		}
		if (*end != '\0' && (*end != ',' || end[1] == '\0'))
			return fail("bad list of CPUs: ", text);
		at = *end == ',' ? end + 1 : end;
	}
	return args->n_workers != 0 ? 0 : fail("empty list of CPUs", "");
}

static void default_worker(struct arguments *args, const cpu_set_t *allowed)
{
	args->n_workers = 1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, allowed))
			args->worker_cpus[0] = cpu;
	}
}

static void find_other_cpus(struct arguments *args, const cpu_set_t *allowed)
{
	cpu_set_t others = *allowed;
	const int max = (int)(sizeof(args->other_cpus) / sizeof(args->other_cpus[0]));

	for (unsigned int i = 0; i < args->n_workers; i++)
		CPU_CLR(args->worker_cpus[i], &others);
	if (CPU_COUNT(&others) == 0)
		others = *allowed;
	args->n_other_cpus = 0;
	for (int cpu = 0; cpu < CPU_SETSIZE && args->n_other_cpus < max; cpu++) {
		if (CPU_ISSET(cpu, &others))
			args->other_cpus[args->n_other_cpus++] = cpu;
	}
}

static int parse_memory(struct arguments *args, const char *text)
{
	char *end;
	unsigned long mb = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || mb < MEMORY_MB_MIN || mb > MEMORY_MB_MAX)
		return fail("--memory takes megabytes from 32 to 1048576, not ", text);
	args->memory_mb = (unsigned int)mb;
	uint64_t machine_mb =
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / (1024 * 1024);

	return mb < machine_mb ? 0 : fail("this machine has less than --memory ", text);
}

/* Reserved, and used as frames wait: more than the machine has is no mistake. */
static int parse_queue_memory(struct arguments *args, const char *text)
{
	char *end;
	unsigned long mb = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || mb < QUEUE_MB_MIN || mb > QUEUE_MB_MAX)
		return fail("--queue-memory takes megabytes from 1 to 1048576, not ", text);
	args->queue_mb = (unsigned int)mb;
	return 0;
}

int arguments_parse(struct arguments *args, int argc, char **argv)
{
	static const struct option options[] = {
		{"run-dir", required_argument, NULL, 'r'},
		{"workers", required_argument, NULL, 'w'},
		{"memory", required_argument, NULL, 'm'},
		{"queue-memory", required_argument, NULL, 'q'},
		{"no-huge", no_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	cpu_set_t allowed;
	const char *run_dir = getenv("WEFT_RUN_DIR");
	int option, error = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return fail("cannot read the CPUs of this process: ", strerror(errno));
	*args = (struct arguments){
		.run_dir = run_dir != NULL ? run_dir : "/run/weft",
		.memory_mb = MEMORY_MB_DEFAULT,
		.queue_mb = BUFFERS_BYTES_DEFAULT >> 20,
		.hugepages = true,
	};
	default_worker(args, &allowed);
	while (error == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			args->run_dir = optarg;
			break;
		case 'w':
			error = parse_cpus(args, optarg, &allowed);
			break;
		case 'm':
			error = parse_memory(args, optarg);
			break;
		case 'q':
			error = parse_queue_memory(args, optarg);
			break;
		case 'n':
			args->hugepages = false;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		case 'v':
			puts("weft-dataplane " WEFT_VERSION);
			return 1;
		default:
			return -EINVAL;
		}
	}
	if (error == 0 && optind < argc)
		error = fail("unexpected argument: ", argv[optind]);
	find_other_cpus(args, &allowed);
	return error;
}

void arguments_lcores(const struct arguments *args, char *text, size_t text_bytes)
{
	size_t len = (size_t)snprintf(text, text_bytes, "--lcores=0@(");

	for (int i = 0; i < args->n_other_cpus && len < text_bytes; i++)
		len += (size_t)snprintf(text + len, text_bytes - len, "%s%d", i != 0 ? "," : "",
					args->other_cpus[i]);
	if (len < text_bytes)
		len += (size_t)snprintf(text + len, text_bytes - len, ")");
	for (unsigned int i = 0; i < args->n_workers && len < text_bytes; i++)
		len += (size_t)snprintf(text + len, text_bytes - len, ",%u@%d", i + 1,
					args->worker_cpus[i]);
}
