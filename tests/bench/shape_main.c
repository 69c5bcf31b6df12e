/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-shape: numbered flows between vhost-user ports of a switch, and what arrives of them; one
 * line of JSON. Exit 0 done, 1 a socket or the switch failed, 2 usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "tests/bench/shape.h"
#include "tests/bench/words.h"

static const char usage[] =
	"usage: weft-shape --sockets DIR --flow from=PORT,to=PORT[,...] [--flow ...] [options]\n"
	"A flow: from=P,to=Q     ports; to=* floods; with n=N the sources are P0, P1, ...\n"
	"  size=BYTES|imix|tso    of a frame without FCS (1514)\n"
	"  pps=N                  of each source; 0: as fast as its ring takes them (0)\n"
	"  first=MS,last=MS       when it sends      stuck=1  Q does not take its frames\n"
	"  ring=N                 descriptors of the sources\n"
	"Options:\n"
	"  --ms N                 how long (1000)    --ring N   descriptors (256)\n"
	"  --at MS:COMMAND        runs a command     --cpu N    (1)\n"
	"  --busy                 keeps the CPU; else it naps for 20 us\n"
	"  --switch-cpu N         the worker's, to note when it is late (0)\n"
	"  --switch-task FILE     its /proc/PID/task/TID/schedstat, to note when others have that\n"
	"  --bins                 prints the bytes of each ms, and the longest gap in us\n";

static const struct option long_options[] = {
	{"sockets", required_argument, NULL, 's'},
	{"flow", required_argument, NULL, 'f'},
	{"ms", required_argument, NULL, 'm'},
	{"ring", required_argument, NULL, 'r'},
	{"at", required_argument, NULL, 'a'},
	{"cpu", required_argument, NULL, 'c'},
	{"busy", no_argument, NULL, 'b'},
	{"bins", no_argument, NULL, 'B'},
	{"switch-cpu", required_argument, NULL, 'w'},
	{"switch-task", required_argument, NULL, 't'},
	{0},
};

static void refuse(const char *what, const char *word)
{
	fprintf(stderr, "weft-shape: %s: '%s'\n%s", what, word, usage);
	exit(2);
}

static unsigned int number(const char *word, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(word, &end, 10);

	if (*word < '0' || *word > '9' || (*end != '\0' && *end != ':') || value > max)
		refuse("no number, or too large", word);
	return (unsigned int)value;
}

static void set_size(struct shape_flow_options *flow, const char *word)
{
	if (strcmp(word, "imix") == 0)
		flow->load = SHAPE_IMIX;
	else if (strcmp(word, "tso") == 0)
		flow->load = SHAPE_TSO;
	else
		flow->n_bytes = number(word, 1514);
	if (flow->n_bytes < 60)
		refuse("a frame has at least 60 bytes", word);
}

static void set_name(char *name, const char *word)
{
	if (strlen(word) >= SHAPE_NAME_BYTES)
		refuse("too long", word);
	strcpy(name, word);
}

/* One KEY=VALUE of a flow. */
static void set(struct shape_flow_options *flow, const char *key, const char *value)
{
	if (strcmp(key, "from") == 0)
		set_name(flow->from, value);
	else if (strcmp(key, "to") == 0)
		set_name(flow->to, value);
	else if (strcmp(key, "n") == 0)
		flow->n_sources = number(value, 4096);
	else if (strcmp(key, "size") == 0)
		set_size(flow, value);
	else if (strcmp(key, "pps") == 0)
		flow->pps = number(value, 200000000);
	else if (strcmp(key, "ring") == 0)
		flow->ring_size = number(value, 32768);
	else if (strcmp(key, "first") == 0)
		flow->first_ms = number(value, 600000);
	else if (strcmp(key, "last") == 0)
		flow->last_ms = number(value, 600000);
	else if (strcmp(key, "stuck") == 0)
		flow->stuck = number(value, 1) != 0;
	else
		refuse("no such word of a flow", key);
}

static void read_flow(struct shape_options *o, char *words)
{
	if (o->n_flows == SHAPE_FLOWS_MAX)
		refuse("too many flows", words);
	struct shape_flow_options *flow = &o->flows[o->n_flows++];

	*flow = (struct shape_flow_options){.n_bytes = 1514};
	while (words != NULL) {
		char *word = strsep(&words, ","), *value = strchr(word, '=');

		if (value == NULL)
			refuse("no KEY=VALUE", word);
		*value = '\0';
		set(flow, word, value + 1);
	}
	if (flow->from[0] == '\0' || flow->to[0] == '\0')
		refuse("a flow needs from= and to=", "");
}

static void read_event(struct shape_options *o, const char *word)
{
	const char *command = strchr(word, ':');

	if (command == NULL || o->n_events == SHAPE_EVENTS_MAX)
		refuse("no MS:COMMAND, or too many", word);
	o->events[o->n_events++] = (struct shape_event){
		.at_ms = number(word, 600000), .command = command + 1, .status = -1};
}

static void print_series(const char *name, const uint32_t *values, unsigned int n)
{
	printf("\"%s\":[", name);
	for (unsigned int i = 0; i < n; i++)
		printf("%s%u", i == 0 ? "" : ",", values[i]);
	printf("]");
}

static void print_flow(const struct shape_options *o, const struct shape_result *r, unsigned int i,
		       bool with_bins)
{
	const struct shape_flow_result *f = &r->flows[i];

	printf("%s{\"from\":\"%s\",\"to\":\"%s\",\"sent\":%llu,\"refused\":%llu,\"skipped\":%llu,"
	       "\"received\":%llu,"
	       "\"bytes\":%llu,\"bps\":%.0f,\"lost\":%llu,\"late\":%llu,\"disturbed\":%llu,"
	       "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f",
	       i == 0 ? "" : ",", o->flows[i].from, o->flows[i].to, (unsigned long long)f->n_sent,
	       (unsigned long long)f->n_refused, (unsigned long long)f->n_skipped,
	       (unsigned long long)f->n_received, (unsigned long long)f->received_bytes,
	       (double)f->received_bytes * 8e3 / o->ms, (unsigned long long)f->lost,
	       (unsigned long long)f->late, (unsigned long long)f->n_disturbed,
	       delays_us(&f->delays, 0.5), delays_us(&f->delays, 0.99),
	       (double)f->delays.max_ns / 1e3);
	if (with_bins) {
		printf(",");
		print_series("bins", f->bins, o->ms);
	}
	printf("}");
}

static void print(const struct shape_options *o, const struct shape_result *r, bool with_bins)
{
	printf("{\"ms\":%u,\"start_ns\":%llu,\"bad\":%llu,\"foreign\":%llu,\"flows\":[", o->ms,
	       (unsigned long long)r->start_ns, (unsigned long long)r->n_bad,
	       (unsigned long long)r->n_foreign);
	for (unsigned int i = 0; i < o->n_flows; i++)
		print_flow(o, r, i, with_bins);
	printf("],\"events\":[");
	for (unsigned int i = 0; i < o->n_events; i++) {
		const struct shape_event *e = &o->events[i];

		printf("%s{\"at_ms\":%u,\"began_ms\":%.3f,\"ended_ms\":%.3f,\"status\":%d}",
		       i == 0 ? "" : ",", e->at_ms, e->began_ms, e->ended_ms, e->status);
	}
	printf("]");
	if (with_bins) {
		printf(",");
		print_series("gaps_us", r->gaps_us, o->ms);
		printf(",");
		print_series("waits_us", r->waits_us, o->ms);
		printf(",");
		print_series("kept_us", r->kept_us, o->ms);
	}
	printf("}\n");
}

int main(int argc, char **argv)
{
	static struct shape_options o = {.ms = 1000, .ring_size = 256};
	static struct shape_result result;
	char why[FRONTEND_WHY_BYTES] = "";
	unsigned int cpu = 1;
	bool with_bins = false;
	int code;

	while ((code = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (code) {
		case 's':
			o.sockets = optarg;
			break;
		case 'f':
			read_flow(&o, optarg);
			break;
		case 'm':
			o.ms = number(optarg, 600000);
			break;
		case 'r':
			o.ring_size = number(optarg, 32768);
			break;
		case 'a':
			read_event(&o, optarg);
			break;
		case 'c':
			cpu = number(optarg, 1023);
			break;
		case 'w':
			o.switch_cpu = number(optarg, 1023);
			break;
		case 't':
			o.switch_task = optarg;
			break;
		case 'b':
			o.busy = true;
			break;
		case 'B':
			with_bins = true;
			break;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc || o.sockets == NULL || o.n_flows == 0 || o.ms == 0)
		refuse("needs --sockets and a flow", "");
	words_pin(cpu);
	prctl(PR_SET_TIMERSLACK, 1UL);
	int err = shape_run(&o, &result, why);

	if (err < 0)
		fprintf(stderr, "weft-shape: %s\n", why[0] != '\0' ? why : strerror(-err));
	else
		print(&o, &result, with_bins);
	shape_result_fini(&result, o.n_flows);
	return err < 0 ? 1 : 0;
}
