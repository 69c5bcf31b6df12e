/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-frontend: marked frames and attacks from a shell. Exit 0 as asked, 1 not as asked (a foreign
 * or missing frame, an attack that ended otherwise), 2 usage, 3 the socket cannot be used.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/attack.h"
#include "tests/lib/deadline.h"
#include "tests/lib/frontend.h"
#include "tests/lib/mark.h"

static const char usage[] =
	"usage: weft-frontend --socket S [options] send|receive|attack|list\n"
	"  send      --count N frames (1) of --kind K (unicast; 'all': one of each)\n"
	"            from --segment N --port N to the address of --to-port N (0)\n"
	"  receive   prints frames until --count N came (0: none may), for --within MS (1000);\n"
	"            a frame whose mark is not of --segment N is a failure\n"
	"  attack    --name ROW [--peer SOCKET], or all rows without --name\n"
	"  list      the rows of attack\n"
	"options: --plain (no offloads, no mergeable buffers)  --regions N  --huge\n";

struct choice {
	const char *socket;
	const char *peer;
	const char *kind;
	const char *name;
	unsigned long segment;
	unsigned long port;
	unsigned long to_port;
	unsigned long count;
	unsigned long within_ms;
	unsigned long n_regions;
	int plain;
	int huge;
};

static int open_frontend(const struct choice *c, const char *path, struct frontend **f)
{
	char why[FRONTEND_WHY_BYTES] = "";
	struct frontend_config config = {
		.path = path,
		.features = c->plain ? FRONTEND_BASIC : FRONTEND_ALL,
		.n_regions = (unsigned int)c->n_regions,
		.huge = c->huge != 0,
		.why = why,
	};
	int err = frontend_create(&config, f);

	if (err < 0)
		fprintf(stderr, "weft-frontend: %s\n", why);
	return err;
}

static int send_one(struct frontend *f, const struct choice *c, enum mark_kind kind,
		    uint32_t sequence)
{
	struct mark mark = {(uint16_t)c->segment, (uint16_t)c->port, sequence, kind};
	struct frontend_frame frame = {0};
	unsigned char bytes[MARK_FRAME_MAX];
	uint8_t to[6];

	mark_source((uint16_t)c->segment, (uint16_t)c->to_port, to);
	frame.bytes = bytes;
	frame.n_bytes = mark_build(&mark, to, bytes, &frame.header);
	int err = frontend_send(f, 0, &frame);

	return err < 0 ? err : frontend_flush(f, 0, 5000);
}

static int run_send(const struct choice *c)
{
	bool all = strcmp(c->kind, "all") == 0;
	int first = all ? 0 : mark_kind_find(c->kind);
	int last = all ? MARK_KIND_COUNT - 1 : first;
	struct frontend *f;

	if (first < 0) {
		fprintf(stderr, "weft-frontend: no kind of frame is called '%s'\n", c->kind);
		return 2;
	}
	if (open_frontend(c, c->socket, &f) < 0)
		return 3;
	int err = 0;

	for (unsigned long i = 0; i < c->count && err == 0; i++) {
		for (int kind = first; kind <= last && err == 0; kind++)
			err = send_one(f, c, (enum mark_kind)kind, (uint32_t)i);
	}
	if (err < 0)
		fprintf(stderr, "weft-frontend: sending: %s\n", strerror(-err));
	frontend_destroy(f);
	return err < 0;
}

/* Prints a frame; whether it may be here. */
static bool is_right(const struct choice *c, const struct frontend_received *received)
{
	struct mark mark;
	int err = mark_find(received->bytes, received->n_bytes, &mark);

	if (err < 0) {
		printf("- %zu bytes: %s\n", received->n_bytes,
		       err == -ENOENT ? "no mark" : "a damaged mark");
		return err == -ENOENT;
	}
	printf("segment %u port %u sequence %u %s %zu bytes in %u buffers, gso %u\n", mark.segment,
	       mark.port, mark.sequence, mark_kind(mark.kind)->name, received->n_bytes,
	       received->n_buffers, received->header.hdr.gso_type);
	return mark.segment == c->segment;
}

static int run_receive(const struct choice *c)
{
	uint64_t deadline_ns = deadline_in_ms((unsigned int)c->within_ms);
	struct frontend_received received;
	struct frontend *f;
	unsigned long n = 0;
	bool foreign = false;
	int err = 0;

	if (open_frontend(c, c->socket, &f) < 0)
		return 3;
	while (err == 0 && (c->count == 0 || n < c->count)) {
		err = frontend_receive(f, 0, (unsigned int)deadline_left_ms(deadline_ns),
				       &received);
		if (err == 0) {
			n++;
			foreign |= !is_right(c, &received);
		}
	}
	if (err < 0 && err != -ETIMEDOUT)
		fprintf(stderr, "weft-frontend: receiving: %s\n", strerror(-err));
	if (foreign)
		fprintf(stderr, "weft-frontend: a frame of another segment, or damaged\n");
	if (n != c->count)
		fprintf(stderr, "weft-frontend: %lu frames, not %lu\n", n, c->count);
	frontend_destroy(f);
	return foreign || n != c->count || (err < 0 && err != -ETIMEDOUT);
}

/* One row: 0 it ended as it may, 1 not. */
static int attack_once(const struct attack *row, const struct choice *c, struct frontend *peer)
{
	char why[FRONTEND_WHY_BYTES] = "";
	unsigned int seen = 0;
	int err = attack_run(row, c->socket, peer, &seen, why);
	bool right = err == 0 && (seen & row->ends) != 0;

	printf("%-6s %-22s %-14s %s%s\n", right ? "ok" : "FAILED", row->name,
	       err == 0 ? attack_ends_name(seen) : "-", right ? "" : "expected ",
	       right ? row->what : attack_ends_name(row->ends));
	if (err < 0)
		printf("       %s\n", why);
	fflush(stdout);
	return !right;
}

static int run_attack(const struct choice *c)
{
	struct frontend *peer = NULL;
	int n_wrong = 0;

	if (c->name != NULL && attack_find(c->name) == NULL) {
		fprintf(stderr, "weft-frontend: no attack is called '%s'\n", c->name);
		return 2;
	}
	if (c->peer != NULL && open_frontend(c, c->peer, &peer) < 0)
		return 3;
	const struct attack *row = attack_row(0);

	for (size_t i = 1; row != NULL; row = attack_row(i++)) {
		bool chosen = c->name == NULL || strcmp(c->name, row->name) == 0;

		if (chosen && (peer != NULL || !row->receives))
			n_wrong += attack_once(row, c, peer);
	}
	frontend_destroy(peer);
	return n_wrong > 0;
}

static int run_list(const struct choice *c)
{
	const struct attack *row = attack_row(0);

	for (size_t i = 1; row != NULL; row = attack_row(i++))
		printf("%-22s %-26s %s\n", row->name, attack_ends_name(row->ends), row->what);
	return 0;
}

static unsigned long number(const char *word)
{
	char *end;
	unsigned long value = strtoul(word, &end, 10);

	if (*word < '0' || *word > '9' || *end != '\0') {
		fprintf(stderr, "weft-frontend: '%s' is not a number\n", word);
		exit(2);
	}
	return value;
}

static void parse(int argc, char **argv, struct choice *c)
{
	const struct option options[] = {
		{"socket", required_argument, NULL, 's'},
		{"peer", required_argument, NULL, 'p'},
		{"kind", required_argument, NULL, 'k'},
		{"name", required_argument, NULL, 'n'},
		{"segment", required_argument, NULL, 'g'},
		{"port", required_argument, NULL, 'o'},
		{"to-port", required_argument, NULL, 't'},
		{"count", required_argument, NULL, 'c'},
		{"within", required_argument, NULL, 'w'},
		{"regions", required_argument, NULL, 'r'},
		{"plain", no_argument, &c->plain, 1},
		{"huge", no_argument, &c->huge, 1},
		{0},
	};
	const char **words[] = {
		['s'] = &c->socket, ['p'] = &c->peer, ['k'] = &c->kind, ['n'] = &c->name};
	unsigned long *numbers[] = {
		['g'] = &c->segment, ['o'] = &c->port,	    ['t'] = &c->to_port,
		['c'] = &c->count,   ['w'] = &c->within_ms, ['r'] = &c->n_regions};
	int code;

	while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (code == '?') {
			fputs(usage, stderr);
			exit(2);
		}
		if (code == 's' || code == 'p' || code == 'k' || code == 'n')
			*words[code] = optarg;
		else if (code != 0)
			*numbers[code] = number(optarg);
	}
}

int main(int argc, char **argv)
{
	const struct {
		const char *name;
		int (*run)(const struct choice *c);
	} verbs[] = {{"send", run_send},
		     {"receive", run_receive},
		     {"attack", run_attack},
		     {"list", run_list}};
	struct choice c = {.kind = "unicast", .count = 1, .within_ms = 1000};

	parse(argc, argv, &c);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		bool needs_socket = verbs[i].run != run_list;

		if (optind + 1 == argc && strcmp(argv[optind], verbs[i].name) == 0 &&
		    (c.socket != NULL || !needs_socket))
			return verbs[i].run(&c);
	}
	fputs(usage, stderr);
	return 2;
}
