/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-mac-flood: floods of source addresses beside an honest pair of ports, all vhost-user. Prints
 * one line of JSON. Exit 0 done, 1 a socket or the switch failed on the way, 2 usage.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/mac_flood.h"
#include "tests/bench/words.h"
#include "tests/lib/frontend.h"

static const char usage[] =
	"usage: weft-mac-flood --a SOCKET --b SOCKET [--flood SOCKET]... [options]\n"
	"The pair's segment should have unknown=drop: then the time until an address was learned\n"
	"is seen.\n"
	"  --macs N       addresses of each flooder (1000000)\n"
	"  --pps N        numbered frames from a to b (20000)\n"
	"  --seconds N    how long (5)\n"
	"  --ring N       descriptors (1024)\n"
	"  --cpu N        run there (1)\n";

enum option_code {
	OPTION_A = 1,
	OPTION_B,
	OPTION_FLOOD,
	OPTION_MACS,
	OPTION_PPS,
	OPTION_SECONDS,
	OPTION_RING,
	OPTION_CPU,
};

static const struct option long_options[] = {
	{"a", required_argument, NULL, OPTION_A},
	{"b", required_argument, NULL, OPTION_B},
	{"flood", required_argument, NULL, OPTION_FLOOD},
	{"macs", required_argument, NULL, OPTION_MACS},
	{"pps", required_argument, NULL, OPTION_PPS},
	{"seconds", required_argument, NULL, OPTION_SECONDS},
	{"ring", required_argument, NULL, OPTION_RING},
	{"cpu", required_argument, NULL, OPTION_CPU},
	{0},
};

static void refuse(void)
{
	fputs(usage, stderr);
	exit(2);
}

static void choose(struct mac_flood_options *o, int code, const char *word, int *cpu)
{
	switch (code) {
	case OPTION_A:
	case OPTION_B:
		o->pair[code - OPTION_A] = word;
		break;
	case OPTION_FLOOD:
		if (o->n_flooders == MAC_FLOOD_PORTS_MAX)
			refuse();
		o->flooders[o->n_flooders++] = word;
		break;
	case OPTION_MACS:
		o->n_macs = words_number(word, 1, 1 << 24);
		break;
	case OPTION_PPS:
		o->pps = words_number(word, 1, 1000000);
		break;
	case OPTION_SECONDS:
		o->seconds = words_number(word, 1, 3600);
		break;
	case OPTION_RING:
		o->ring_size = words_number(word, 64, 32768);
		break;
	case OPTION_CPU:
		*cpu = (int)words_number(word, 0, 1023);
		break;
	default:
		refuse();
	}
}

static void print_times(const char *name, const struct mac_flood_times *t, const char *end)
{
	printf("\"%s\":{\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}%s", name, t->p50_us,
	       t->p99_us, t->max_us, end);
}

static void print(const struct mac_flood_options *o, const struct mac_flood_result *r)
{
	uint64_t sum = 0;

	printf("{\"seconds\":%.3f,\"macs\":%u,\"flood\":[", r->seconds, o->n_macs);
	for (unsigned int i = 0; i < o->n_flooders; i++) {
		printf("%s%llu", i > 0 ? "," : "", (unsigned long long)r->n_flood[i]);
		sum += r->n_flood[i];
	}
	printf("],\"flood_pps\":%.0f,", (double)sum / r->seconds);
	printf("\"sent\":%llu,\"refused\":%llu,\"received\":%llu,\"lost\":%lld,\"late\":%llu,",
	       (unsigned long long)r->n_sent, (unsigned long long)r->n_refused,
	       (unsigned long long)r->n_received, (long long)(r->n_sent - r->n_received),
	       (unsigned long long)r->n_late);
	print_times("latency", &r->stream, ",");
	printf("\"new\":%llu,\"learned\":%llu,\"repeated\":%llu,", (unsigned long long)r->n_new,
	       (unsigned long long)r->n_learned, (unsigned long long)r->n_repeated);
	print_times("learning", &r->learning, "}\n");
}

int main(int argc, char **argv)
{
	struct mac_flood_options o = {
		.n_macs = 1000000, .pps = 20000, .seconds = 5, .ring_size = 1024};
	struct mac_flood_result result;
	char why[FRONTEND_WHY_BYTES] = "";
	int code, cpu = 1;

	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		choose(&o, code, optarg, &cpu);
	if (optind != argc || o.pair[0] == NULL || o.pair[1] == NULL ||
	    (o.ring_size & (o.ring_size - 1)) != 0)
		refuse();
	words_pin((unsigned int)cpu);
	if (mac_flood_run(&o, &result, why) < 0) {
		fprintf(stderr, "weft-mac-flood: %s\n", why);
		return 1;
	}
	print(&o, &result);
	return 0;
}
