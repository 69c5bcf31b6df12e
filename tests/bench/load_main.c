/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-load: load between vhost-user sockets of a switch, run by run. Each line on its input
 *
 *     run MS [PPS [NEWCOMER-PPS]]
 *
 * is answered by one of JSON; it ends with its input. Exit 0 done, 1 a socket or the switch failed
 * on the way, 2 usage.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load.h"
#include "tests/bench/words.h"
#include "tests/lib/frontend.h"

static const char usage[] =
	"usage: weft-load [options] SOCKET SOCKET...\n"
	"  --way both|one|flood|none\n"
	"                         who sends: both of two (default), the first, the first to all,\n"
	"                         nobody. The one that sends or receives may be alone\n"
	"  --size BYTES           of a frame without FCS (60); 0: IMIX\n"
	"  --macs N               addresses a side (1)\n"
	"  --flows N              UDP source ports of each; 0 (default): no IP\n"
	"  --newcomers N          addresses of a third port, which sends to the second\n"
	"  --packed               packed rings\n"
	"  --numbered             sequence and time in each frame: loss, reordering, delay\n";

#define LOAD_CPU 1

static const struct option long_options[] = {
	{"way", required_argument, NULL, 'w'},	     {"size", required_argument, NULL, 's'},
	{"macs", required_argument, NULL, 'm'},	     {"flows", required_argument, NULL, 'f'},
	{"newcomers", required_argument, NULL, 'n'}, {"packed", no_argument, NULL, 'p'},
	{"numbered", no_argument, NULL, 'N'},	     {0},
};

static enum load_way way_of(const char *word)
{
	static const char *const names[] = {"both", "one", "flood", "none"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(word, names[i]) == 0)
			return (enum load_way)i;
	}
	fputs(usage, stderr);
	exit(2);
}

static void choose(struct load_options *o, int code)
{
	switch (code) {
	case 'w':
		o->way = way_of(optarg);
		break;
	case 's':
		o->n_bytes = words_number(optarg, 0, 9018);
		break;
	case 'm':
		o->n_macs = words_number(optarg, 1, 1000000);
		break;
	case 'f':
		o->n_flows = words_number(optarg, 0, 50000);
		break;
	case 'n':
		o->n_newcomers = words_number(optarg, 1, 1000000);
		break;
	case 'p':
		o->packed = true;
		break;
	case 'N':
		o->numbered = true;
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
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
	struct load_options o = {.n_bytes = 60, .n_macs = 1};
	char why[FRONTEND_WHY_BYTES] = "";
	struct load *load;
	int code;

	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		choose(&o, code);
	while (optind < argc && o.n_ports < LOAD_PORTS_MAX)
		o.paths[o.n_ports++] = argv[optind++];
	if (optind != argc || o.n_ports < (o.way == LOAD_BOTH || o.way == LOAD_FLOOD ? 2 : 1) ||
	    (o.n_newcomers > 0) != (o.way == LOAD_BOTH && o.n_ports == 3) ||
	    (o.n_bytes > 0 && o.n_bytes < 60)) {
		fputs(usage, stderr);
		return 2;
	}
	words_pin(LOAD_CPU);
	if (load_open(&o, &load, why) < 0) {
		fprintf(stderr, "weft-load: %s\n", why);
		return 1;
	}
	code = follow_input(load);
	load_close(load);
	return code;
}
