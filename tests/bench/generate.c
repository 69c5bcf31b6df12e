/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-generate: load or a probe between two vhost-user sockets of a switch. Exit 0 done, 1 a
 * socket or the switch failed on the way, 2 usage.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/flood.h"
#include "tests/bench/pingpong.h"
#include "tests/bench/probe.h"
#include "tests/bench/words.h"
#include "tests/lib/frontend.h"

static const char usage[] =
	"usage: weft-generate --a SOCKET --b SOCKET [options]\n"
	"Sends frames between two vhost-user ports, both ways, as fast as they go.\n"
	"  --seconds N    how long (5)             --size BYTES   of a frame without FCS (60)\n"
	"  --macs N       addresses a side (1)     --one-way      only from a to b\n"
	"  --ring N       descriptors (1024)       --batch N      frames at once (64)\n"
	"  --plain        no offloads, no mergeable buffers\n"
	"  --untouched    leave frames alone: only the rings move between the CPUs\n"
	"  --probe PPS    numbered frames from a to b: loss, gaps, latency; reconnects;\n"
	"                 TERM ends it early\n"
	"  --gentle       leave the CPU to others between frames: latency says nothing\n"
	"  --cpu N        run there (1)            --switch-cpu N to measure the distance to (0)\n"
	"  --json         one line of JSON\n";

struct choice {
	struct flood_options flood;
	unsigned int probe_pps;
	bool gentle;
	int cpu;
	int switch_cpu;
	bool json;
};

enum option_code {
	OPTION_A = 1,
	OPTION_B,
	OPTION_SECONDS,
	OPTION_SIZE,
	OPTION_MACS,
	OPTION_ONE_WAY,
	OPTION_RING,
	OPTION_BATCH,
	OPTION_PLAIN,
	OPTION_UNTOUCHED,
	OPTION_PROBE,
	OPTION_GENTLE,
	OPTION_CPU,
	OPTION_SWITCH_CPU,
	OPTION_JSON,
};

static const struct option long_options[] = {
	{"a", required_argument, NULL, OPTION_A},
	{"b", required_argument, NULL, OPTION_B},
	{"seconds", required_argument, NULL, OPTION_SECONDS},
	{"size", required_argument, NULL, OPTION_SIZE},
	{"macs", required_argument, NULL, OPTION_MACS},
	{"one-way", no_argument, NULL, OPTION_ONE_WAY},
	{"ring", required_argument, NULL, OPTION_RING},
	{"batch", required_argument, NULL, OPTION_BATCH},
	{"plain", no_argument, NULL, OPTION_PLAIN},
	{"untouched", no_argument, NULL, OPTION_UNTOUCHED},
	{"probe", required_argument, NULL, OPTION_PROBE},
	{"gentle", no_argument, NULL, OPTION_GENTLE},
	{"cpu", required_argument, NULL, OPTION_CPU},
	{"switch-cpu", required_argument, NULL, OPTION_SWITCH_CPU},
	{"json", no_argument, NULL, OPTION_JSON},
	{0},
};

static volatile sig_atomic_t is_over; /* the probe */

static void choose(struct choice *c, int code, const char *word)
{
	switch (code) {
	case OPTION_A:
	case OPTION_B:
		c->flood.paths[code - OPTION_A] = word;
		break;
	case OPTION_SECONDS:
		c->flood.seconds = words_number(word, 1, 86400);
		break;
	case OPTION_SIZE:
		c->flood.n_bytes = words_number(word, 14, 9018);
		break;
	case OPTION_MACS:
		c->flood.n_macs = words_number(word, 1, 1000000);
		break;
	case OPTION_ONE_WAY:
		c->flood.one_way = true;
		break;
	case OPTION_RING:
		c->flood.ring_size = words_number(word, 64, 32768);
		break;
	case OPTION_BATCH:
		c->flood.batch = words_number(word, 1, 1024);
		break;
	case OPTION_PLAIN:
		c->flood.plain = true;
		break;
	case OPTION_UNTOUCHED:
		c->flood.touch = false;
		break;
	case OPTION_PROBE:
		c->probe_pps = words_number(word, 1, 2000000);
		break;
	case OPTION_GENTLE:
		c->gentle = true;
		break;
	case OPTION_CPU:
		c->cpu = (int)words_number(word, 0, 1023);
		break;
	case OPTION_SWITCH_CPU:
		c->switch_cpu = (int)words_number(word, 0, 1023);
		break;
	case OPTION_JSON:
		c->json = true;
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void print_second(double pps_ab, double pps_ba)
{
	printf("a->b %7.3f Mpps   b->a %7.3f Mpps   sum %7.3f Mpps\n", pps_ab / 1e6, pps_ba / 1e6,
	       (pps_ab + pps_ba) / 1e6);
	fflush(stdout);
}

static void print_direction(const char *name, const struct flood_direction *d, double seconds,
			    bool json)
{
	unsigned long long sent = d->n_sent;
	unsigned long long received = d->n_received;
	long long lost = (long long)(sent - received);
	double pps = seconds > 0 ? (double)received / seconds : 0;

	if (json)
		printf("\"%s\":{\"sent\":%llu,\"received\":%llu,\"lost\":%lld,\"bad\":%llu,"
		       "\"pps\":%.0f},",
		       name, sent, received, lost, (unsigned long long)d->n_bad, pps);
	else
		printf("%s: sent %llu, received %llu, lost %lld (%.4f %%), bad %llu, %.3f Mpps\n",
		       name, sent, received, lost,
		       sent > 0 ? 100.0 * (double)lost / (double)sent : 0,
		       (unsigned long long)d->n_bad, pps / 1e6);
}

static int run_flood(struct choice *c)
{
	struct flood_result result;
	char why[FRONTEND_WHY_BYTES] = "";
	double before_ns = pingpong_ns(c->switch_cpu, c->cpu);
	int err = flood_run(&c->flood, &result, why);
	double after_ns = pingpong_ns(c->switch_cpu, c->cpu);
	bool near = before_ns >= 0 && before_ns < PINGPONG_NEAR_NS && after_ns >= 0 &&
		    after_ns < PINGPONG_NEAR_NS;

	if (err < 0) {
		fprintf(stderr, "weft-generate: %s\n", why);
		return 1;
	}
	if (c->json)
		printf("{\"seconds\":%.3f,\"size\":%u,\"macs\":%u,\"touch\":%s,", result.seconds,
		       c->flood.n_bytes, c->flood.n_macs, c->flood.touch ? "true" : "false");
	print_direction("ab", &result.ab, result.seconds, c->json);
	print_direction("ba", &result.ba, result.seconds, c->json);
	if (c->json)
		printf("\"pps\":%.0f,\"near\":%s,\"before_ns\":%.1f,\"after_ns\":%.1f}\n",
		       (double)(result.ab.n_received + result.ba.n_received) / result.seconds,
		       near ? "true" : "false", before_ns, after_ns);
	else
		printf("sum %.3f Mpps; CPUs %s (%.1f ns before, %.1f ns after)\n",
		       (double)(result.ab.n_received + result.ba.n_received) / result.seconds / 1e6,
		       near ? "near" : "far: the figure does not count", before_ns, after_ns);
	return 0;
}

static void on_term(int signal_number)
{
	is_over = 1;
}

static int run_probe(const struct choice *c)
{
	struct probe_options options = {
		.paths = {c->flood.paths[0], c->flood.paths[1]},
		.pps = c->probe_pps,
		.seconds = c->flood.seconds,
		.ring_size = c->flood.ring_size,
		.plain = c->flood.plain,
		.gentle = c->gentle,
		.is_over = &is_over,
	};
	struct probe_result r;
	char why[FRONTEND_WHY_BYTES] = "";
	signal(SIGTERM, on_term);
	int err = probe_run(&options, &r, why);

	if (err < 0) {
		fprintf(stderr, "weft-generate: %s\n", why);
		return 1;
	}
	const char *format =
		c->json ? "{\"sent\":%llu,\"refused\":%llu,\"received\":%llu,\"lost\":%lld,"
			  "\"repeated\":%llu,\"late\":%llu,\"foreign\":%llu,\"reconnects\":%u,"
			  "\"longest_gap_frames\":%llu,\"longest_gap_ms\":%.3f,"
			  "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n"
			: "sent %llu (refused by a full ring %llu), received %llu, lost %lld, "
			  "repeated %llu, out of order %llu, foreign %llu, reconnects %u\n"
			  "longest gap %llu frames, %.3f ms without any\n"
			  "latency p50 %.1f us, p99 %.1f us, max %.1f us\n";

	printf(format, (unsigned long long)r.n_sent, (unsigned long long)r.n_refused,
	       (unsigned long long)r.n_received, (long long)(r.n_sent - r.n_received),
	       (unsigned long long)r.n_repeated, (unsigned long long)r.n_late,
	       (unsigned long long)r.n_foreign, r.n_reconnects, (unsigned long long)r.gap_frames,
	       r.gap_ms, r.p50_us, r.p99_us, r.max_us);
	return 0;
}

int main(int argc, char **argv)
{
	struct choice c = {
		.flood = {.seconds = 5,
			  .n_bytes = 60,
			  .n_macs = 1,
			  .ring_size = 1024,
			  .batch = 64,
			  .touch = true},
		.cpu = 1,
	};
	int code;

	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		choose(&c, code, optarg);
	if (optind != argc || c.flood.paths[0] == NULL || c.flood.paths[1] == NULL) {
		fputs(usage, stderr);
		return 2;
	}
	if ((c.flood.ring_size & (c.flood.ring_size - 1)) != 0) {
		fprintf(stderr, "weft-generate: --ring: %u is no power of two\n",
			c.flood.ring_size);
		return 2;
	}
	if (!c.json)
		c.flood.each_second = print_second;
	words_pin((unsigned int)c.cpu);
	return c.probe_pps > 0 ? run_probe(&c) : run_flood(&c);
}
