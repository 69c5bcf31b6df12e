/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-load: load between vhost-user sockets of a switch, run by run. Each line on its input
 *
 *     run MS [PPS [NEWCOMER-PPS]]
 *
 * is answered by one of JSON; it ends with its input. Exit 0 done, 1 a socket or the switch failed
 * on the way, 2 usage.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load.h"
#include "tests/lib/frontend.h"

static const char usage[] =
	"usage: weft-load [options] SOCKET SOCKET...\n"
	"  --way both|one|flood   who sends: both of two (default), the first, the first to all\n"
	"  --size BYTES           of a frame without FCS (60); 0: IMIX\n"
	"  --macs N               addresses a side (1)\n"
	"  --flows N              UDP source ports of each; 0 (default): no IP\n"
	"  --newcomers N          addresses of a third port, which sends to the second\n"
	"  --ring N, --batch N    descriptors (1024), frames at once (64)\n"
	"  --packed               packed rings\n"
	"  --plain                no offloads, no mergeable buffers\n"
	"  --numbered             sequence and time in each frame: loss, reordering, delay\n"
	"  --cpu N                run there (1)\n";

static const struct option long_options[] = {
	{"way", required_argument, NULL, 'w'},	     {"size", required_argument, NULL, 's'},
	{"macs", required_argument, NULL, 'm'},	     {"flows", required_argument, NULL, 'f'},
	{"newcomers", required_argument, NULL, 'n'}, {"ring", required_argument, NULL, 'r'},
	{"batch", required_argument, NULL, 'b'},     {"packed", no_argument, NULL, 'p'},
	{"plain", no_argument, NULL, 'P'},	     {"numbered", no_argument, NULL, 'N'},
	{"cpu", required_argument, NULL, 'c'},	     {0},
};

/* A whole number in bounds; exits with the reason otherwise. */
static unsigned int number(const char *word, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(word, &end, 10);

	if (*word < '0' || *word > '9' || *end != '\0' || value < min || value > max) {
		fprintf(stderr, "weft-load: '%s' is not a number from %lu to %lu\n", word, min,
			max);
		exit(2);
	}
	return (unsigned int)value;
}

static enum load_way way_of(const char *word)
{
	static const char *const names[] = {"both", "one", "flood"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(word, names[i]) == 0)
			return (enum load_way)i;
	}
	fputs(usage, stderr);
	exit(2);
}

static void choose(struct load_options *o, int *cpu, int code)
{
	switch (code) {
	case 'w':
		o->way = way_of(optarg);
		break;
	case 's':
		o->n_bytes = number(optarg, 0, 9018);
		break;
	case 'm':
		o->n_macs = number(optarg, 1, 1000000);
		break;
	case 'f':
		o->n_flows = number(optarg, 0, 50000);
		break;
	case 'n':
		o->n_newcomers = number(optarg, 1, 1000000);
		break;
	case 'r':
		o->ring_size = number(optarg, 64, 32768);
		break;
	case 'b':
		o->batch = number(optarg, 1, 1024);
		break;
	case 'p':
		o->packed = true;
		break;
	case 'P':
		o->plain = true;
		break;
	case 'N':
		o->numbered = true;
		break;
	case 'c':
		*cpu = (int)number(optarg, 0, 1023);
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fprintf(stderr, "weft-load: not pinned to CPU %d: %s\n", cpu, strerror(errno));
}

static void print_result(const struct load_result *r)
{
	printf("{\"seconds\":%.4f,\"sent\":%llu,\"refused\":%llu,\"received\":%llu,\"bytes\":%llu,"
	       "\"bad\":%llu,\"lost\":%llu,\"late\":%llu,\"p50_us\":%.2f,\"p99_us\":%.2f,"
	       "\"p999_us\":%.2f,\"max_us\":%.2f}\n",
	       r->seconds, (unsigned long long)r->n_sent, (unsigned long long)r->n_refused,
	       (unsigned long long)r->n_received, (unsigned long long)r->received_bytes,
	       (unsigned long long)r->n_bad, (unsigned long long)r->n_lost,
	       (unsigned long long)r->n_late, delays_us(&r->delays, 0.5),
	       delays_us(&r->delays, 0.99), delays_us(&r->delays, 0.999),
	       (double)r->delays.max_ns / 1e3);
	fflush(stdout);
}

static int follow_input(struct load *load)
{
	unsigned int ms, pps, newcomer_pps;
	struct load_result result;
	char line[128];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		pps = newcomer_pps = 0;
		if (sscanf(line, "run %u %u %u", &ms, &pps, &newcomer_pps) < 1) {
			fprintf(stderr, "weft-load: not understood: %s", line);
			return 2;
		}
		int err = load_run(load, ms, pps, newcomer_pps, &result);

		if (err < 0) {
			fputs("weft-load: the switch has closed a connection\n", stderr);
			return 1;
		}
		print_result(&result);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct load_options o = {.n_bytes = 60, .n_macs = 1, .ring_size = 1024, .batch = 64};
	char why[FRONTEND_WHY_BYTES] = "";
	struct load *load;
	int cpu = 1, code;

	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		choose(&o, &cpu, code);
	while (optind < argc && o.n_ports < LOAD_PORTS_MAX)
		o.paths[o.n_ports++] = argv[optind++];
	if (optind != argc || o.n_ports < 2 ||
	    (o.n_newcomers > 0) != (o.way == LOAD_BOTH && o.n_ports == 3) ||
	    (o.n_bytes > 0 && o.n_bytes < 60) || (o.ring_size & (o.ring_size - 1)) != 0) {
		fputs(usage, stderr);
		return 2;
	}
	pin(cpu);
	if (load_open(&o, &load, why) < 0) {
		fprintf(stderr, "weft-load: %s\n", why);
		return 1;
	}
	code = follow_input(load);
	load_close(load);
	return code;
}
