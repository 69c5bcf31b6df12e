/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-flows: many numbered flows from one vhost-user port to another, both with several queues.
 * Each flow is sent on one queue, as a guest does, and must come complete, in order, and on one
 * queue. Exit 0: so it was; 1: it was not, or a socket failed; 2 usage. One thread.
 */
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/words.h"
#include "tests/lib/deadline.h"
#include "tests/lib/frontend.h"

#define FLOWS_MAX 1024u
#define SECOND_NS 1000000000ULL
#define QUIET_NS 300000000ULL
#define SETTLE_MS 5000u
#define FRAME_BYTES 60u
#define IP_AT 14u
#define MARK_AT 42u /* behind Ethernet, IPv4 and UDP */
#define MAGIC 0x77466c77u

static const char usage[] =
	"usage: weft-flows --a SOCKET --b SOCKET [options]\n"
	"Sends numbered flows from port a to port b; tells what was lost, late or strayed.\n"
	"  --flows N     how many (64)             --queues N    of each port (1)\n"
	"  --pps N       frames a second (50000)   --seconds N   how long (5)\n";

struct options {
	const char *paths[2];
	unsigned int n_flows, n_queues, pps, seconds;
};

/* In a frame, behind the UDP header. */
struct mark {
	uint32_t magic;
	uint32_t flow;
	uint32_t sequence;
};

struct flow {
	uint32_t n_sent, n_received;
	uint32_t expected; /* the next number, if none is missing */
	int queue;	   /* on which it came; -1: not yet */
};

struct run {
	const struct options *options;
	struct frontend *from, *to;
	struct flow flows[FLOWS_MAX];
	uint64_t n_refused; /* not sent: the ring was full */
	uint64_t n_late;    /* came after a higher number of its flow */
	uint64_t n_strayed; /* came on another queue than the one before */
	uint64_t n_foreign;
};

static void write_mac(unsigned char *at, unsigned int port)
{
	const unsigned char mac[6] = {2, 'F', 'l', 0, 0, (unsigned char)port};

	memcpy(at, mac, sizeof(mac));
}

static void build(unsigned char *frame, unsigned int from, uint32_t flow, uint32_t sequence)
{
	static const unsigned char ip[] = {0x08, 0x00, 0x45, 0,	 0, 46, 0, 0,  0, 0, 64,
					   17,	 0,    0,    10, 0, 0,	1, 10, 0, 0, 2};
	struct mark mark = {MAGIC, flow, sequence};

	memset(frame, 0, FRAME_BYTES);
	write_mac(frame, 3 - from);
	write_mac(frame + 6, from);
	memcpy(frame + IP_AT - 2, ip, sizeof(ip));
	frame[IP_AT + 20] = (unsigned char)(flow >> 8);
	frame[IP_AT + 21] = (unsigned char)flow;
	frame[IP_AT + 25] = 26;
	memcpy(frame + MARK_AT, &mark, sizeof(mark));
}

static int send_frame(struct frontend *f, unsigned int queue, unsigned int from, uint32_t flow,
		      uint32_t sequence)
{
	unsigned char bytes[FRAME_BYTES];
	struct frontend_frame frame = {.bytes = bytes, .n_bytes = sizeof(bytes)};

	build(bytes, from, flow, sequence);
	return frontend_send(f, queue, &frame);
}

static void count(struct run *run, const struct frontend_received *received, unsigned int queue)
{
	struct mark mark = {0};

	if (received->n_bytes == FRAME_BYTES)
		memcpy(&mark, received->bytes + MARK_AT, sizeof(mark));
	if (mark.magic != MAGIC || mark.flow >= run->options->n_flows) {
		run->n_foreign++;
		return;
	}
	struct flow *flow = &run->flows[mark.flow];

	if (mark.sequence < flow->expected)
		run->n_late++;
	else
		flow->expected = mark.sequence + 1;
	run->n_strayed += flow->queue >= 0 && flow->queue != (int)queue;
	flow->queue = (int)queue;
	flow->n_received++;
}

static unsigned int receive_all(struct run *run)
{
	struct frontend_received received;
	unsigned int n = 0;

	for (unsigned int queue = 0; queue < run->options->n_queues; queue++) {
		while (split_ring_waiting(&run->to->rx[queue].ring) > 0 &&
		       frontend_receive(run->to, queue, 0, &received) == 0) {
			count(run, &received, queue);
			n++;
		}
	}
	return n;
}

static unsigned int discard(struct frontend *f, unsigned int n_queues)
{
	struct frontend_received received;
	unsigned int n = 0;

	for (unsigned int queue = 0; queue < n_queues; queue++) {
		while (split_ring_waiting(&f->rx[queue].ring) > 0 &&
		       frontend_receive(f, queue, 0, &received) == 0)
			n++;
	}
	return n;
}

/* Until frames go both ways, so both addresses are learned, and then until none is on its way. */
static bool settle(struct run *run)
{
	uint64_t deadline_ns = deadline_in_ms(SETTLE_MS), next_ns = 0, quiet_ns;
	bool heard[2] = {false, false};

	while ((!heard[0] || !heard[1]) && !deadline_passed(deadline_ns)) {
		if (deadline_now_ns() > next_ns) {
			send_frame(run->from, 0, 1, 0, 0);
			send_frame(run->to, 0, 2, 0, 0);
			next_ns = deadline_in_ms(10);
		}
		heard[0] |= discard(run->from, run->options->n_queues) != 0;
		heard[1] |= discard(run->to, run->options->n_queues) != 0;
	}
	for (quiet_ns = deadline_now_ns() + QUIET_NS; !deadline_passed(quiet_ns);) {
		if (discard(run->to, run->options->n_queues) != 0)
			quiet_ns = deadline_now_ns() + QUIET_NS;
	}
	return heard[0] && heard[1];
}

static void stream(struct run *run)
{
	const struct options *o = run->options;
	uint64_t start_ns = deadline_now_ns(), n_max = (uint64_t)o->pps * o->seconds, last_ns;

	for (uint64_t i = 0; i < n_max;) {
		uint64_t now_ns = deadline_now_ns();

		if (now_ns - start_ns >= i * SECOND_NS / o->pps) {
			uint32_t number = (uint32_t)(i++ % o->n_flows);
			struct flow *flow = &run->flows[number];

			if (send_frame(run->from, number % o->n_queues, 1, number, flow->n_sent) ==
			    0)
				flow->n_sent++;
			else
				run->n_refused++;
		}
		receive_all(run);
	}
	for (last_ns = deadline_now_ns(); deadline_now_ns() < last_ns + QUIET_NS;) {
		if (receive_all(run) != 0)
			last_ns = deadline_now_ns();
	}
}

/* 0: all came, in order. */
static int report(const struct run *run)
{
	uint64_t n_sent = 0, n_received = 0, n_silent = 0;
	unsigned int n_used[FRONTEND_PAIRS_MAX] = {0}, n_queues_used = 0;

	for (unsigned int i = 0; i < run->options->n_flows; i++) {
		const struct flow *flow = &run->flows[i];

		n_sent += flow->n_sent;
		n_received += flow->n_received;
		n_silent += flow->n_received == 0;
		if (flow->queue >= 0 && n_used[flow->queue]++ == 0)
			n_queues_used++;
	}
	printf("{\"flows\":%u,\"sent\":%llu,\"refused\":%llu,\"received\":%llu,\"lost\":%lld,"
	       "\"late\":%llu,\"strayed\":%llu,\"foreign\":%llu,\"queues_used\":%u}\n",
	       run->options->n_flows, (unsigned long long)n_sent,
	       (unsigned long long)run->n_refused, (unsigned long long)n_received,
	       (long long)(n_sent - n_received), (unsigned long long)run->n_late,
	       (unsigned long long)run->n_strayed, (unsigned long long)run->n_foreign,
	       n_queues_used);
	return n_sent != n_received || run->n_late != 0 || run->n_strayed != 0 || n_silent != 0;
}

static int open_port(const struct options *o, unsigned int i, struct frontend **frontend)
{
	char why[FRONTEND_WHY_BYTES] = "";
	struct frontend_config config = {
		.path = o->paths[i],
		.n_pairs = o->n_queues,
		.ring_size = 1024,
		.features = FRONTEND_ALL | FRONTEND_BIT(VIRTIO_NET_F_MQ),
		.frame_bytes_max = 1514,
		.rx_bytes = 1536,
		.why = why,
	};
	int err = frontend_create(&config, frontend);

	if (err < 0)
		fprintf(stderr, "weft-flows: %s\n", why);
	return err;
}

static struct options parse(int argc, char **argv)
{
	static const struct option table[] = {
		{"a", required_argument, NULL, 'a'},
		{"b", required_argument, NULL, 'b'},
		{"flows", required_argument, NULL, 'f'},
		{"queues", required_argument, NULL, 'q'},
		{"pps", required_argument, NULL, 'p'},
		{"seconds", required_argument, NULL, 's'},
		{0},
	};
	struct options o = {.n_flows = 64, .n_queues = 1, .pps = 50000, .seconds = 5};
	bool is_good = true;
	int code;

	while ((code = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (code == 'a' || code == 'b')
			o.paths[code - 'a'] = optarg;
		else if (code == 'f')
			o.n_flows = words_number(optarg, 1, FLOWS_MAX);
		else if (code == 'q')
			o.n_queues = words_number(optarg, 1, FRONTEND_PAIRS_MAX);
		else if (code == 'p')
			o.pps = words_number(optarg, 1, 2000000);
		else if (code == 's')
			o.seconds = words_number(optarg, 1, 86400);
		else
			is_good = false;
	}
	if (!is_good || optind != argc || o.paths[0] == NULL || o.paths[1] == NULL) {
		fputs(usage, stderr);
		exit(2);
	}
	return o;
}

int main(int argc, char **argv)
{
	const struct options options = parse(argc, argv);
	struct run *run = calloc(1, sizeof(*run));
	int code = 1;

	if (run == NULL)
		return 1;
	run->options = &options;
	for (unsigned int i = 0; i < FLOWS_MAX; i++)
		run->flows[i].queue = -1;
	if (open_port(&options, 0, &run->from) == 0 && open_port(&options, 1, &run->to) == 0) {
		if (settle(run)) {
			stream(run);
			code = report(run);
		} else {
			fprintf(stderr, "weft-flows: no frame came through in 5 s\n");
		}
	}
	frontend_destroy(run->from);
	frontend_destroy(run->to);
	free(run);
	return code;
}
