/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-stream: a stream of numbered datagrams between two machines, each of them a namespace or a
 * guest (linked statically for that), and what the receiver misses of it.
 *
 *	weft-stream send ADDRESS PORT PPS
 *	weft-stream receive PORT PPS sent|arrived
 *
 * Numbers follow the clock, sent or not: what a full device refuses is missing. Both run until
 * TERM; then one line with totals. Before it the receiver prints a line for each gap of at least
 * 5 ms: when it ended (Unix time, as the sender's or the receiver's clock has it, so that the
 * host's can be chosen), how long it was by the numbers that are missing, and how long nothing
 * came, both in ms.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
#define MS_NS 1e6
#define TICK_NS 500000
#define GAP_MS 5.0
#define BATCH 64
#define BUFFER_BYTES (8 << 20)

struct datagram {
	uint64_t number_be;
	uint64_t sent_ns_be; /* Unix time */
};

struct gaps {
	uint32_t pps;
	bool by_sender;	     /* the clock that tells when a gap ended */
	uint64_t next;	     /* number that is due */
	uint64_t arrived_ns; /* of the last one */
	uint64_t n_received;
	uint64_t n_late;
};

static volatile sig_atomic_t is_over;

static void on_term(int signal_number)
{
	is_over = 1;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void send_one(int fd, uint64_t number, uint64_t *n_refused)
{
	struct datagram datagram = {htobe64(number), htobe64(now_ns(CLOCK_REALTIME))};

	if (send(fd, &datagram, sizeof(datagram), MSG_DONTWAIT) != sizeof(datagram))
		(*n_refused)++;
}

static int run_sender(int fd, const struct sockaddr_in *to, uint32_t pps)
{
	const struct itimerspec tick = {{.tv_nsec = TICK_NS}, {.tv_nsec = TICK_NS}};
	int ticker = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t n_ticks;
	uint64_t start_ns = now_ns(CLOCK_MONOTONIC);
	uint64_t n = 0;
	uint64_t n_refused = 0;
	uint64_t elapsed_ns = 0;

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ||
	    timerfd_settime(ticker, 0, &tick, NULL) < 0) {
		perror("weft-stream: send");
		return 1;
	}
	while (!is_over && read(ticker, &n_ticks, sizeof(n_ticks)) > 0) {
		elapsed_ns = now_ns(CLOCK_MONOTONIC) - start_ns;
		for (uint64_t due = elapsed_ns / (SECOND_NS / pps); n < due; n++)
			send_one(fd, n, &n_refused);
	}
	printf("sent %llu refused %llu seconds %.3f\n", (unsigned long long)(n - n_refused),
	       (unsigned long long)n_refused, (double)elapsed_ns / (double)SECOND_NS);
	return 0;
}

static void note(struct gaps *gaps, const struct datagram *datagram, uint64_t arrived_ns)
{
	uint64_t number = be64toh(datagram->number_be);

	if (number < gaps->next) {
		gaps->n_late++;
		return;
	}
	double missing_ms = 1e3 * (double)(number - gaps->next) / gaps->pps;
	double silence_ms = (double)(arrived_ns - gaps->arrived_ns) / MS_NS;
	uint64_t end_ns = gaps->by_sender ? be64toh(datagram->sent_ns_be) : arrived_ns;

	if (gaps->n_received > 0 && (missing_ms >= GAP_MS || silence_ms >= GAP_MS))
		printf("gap %.6f %.1f %.1f\n", (double)end_ns / (double)SECOND_NS, missing_ms,
		       silence_ms);
	gaps->n_received++;
	gaps->next = number + 1;
	gaps->arrived_ns = arrived_ns;
}

static int run_receiver(int fd, const struct sockaddr_in *at, struct gaps *gaps)
{
	struct datagram datagrams[BATCH];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH] = {0};

	for (unsigned int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){&datagrams[i], sizeof(datagrams[i])};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){BUFFER_BYTES}, sizeof(int));
	/* So that TERM is seen, even if it came just before a wait. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_usec = 200000},
		   sizeof(struct timeval));
	if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0) {
		perror("weft-stream: bind");
		return 1;
	}
	while (!is_over) {
		int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		uint64_t arrived_ns = now_ns(CLOCK_REALTIME);

		for (int i = 0; i < n; i++) {
			if (messages[i].msg_len == sizeof(datagrams[i]))
				note(gaps, &datagrams[i], arrived_ns);
		}
	}
	printf("received %llu late %llu\n", (unsigned long long)gaps->n_received,
	       (unsigned long long)gaps->n_late);
	return 0;
}

int main(int argc, char **argv)
{
	bool is_sender = argc == 5 && strcmp(argv[1], "send") == 0;
	bool is_receiver = argc == 5 && strcmp(argv[1], "receive") == 0;

	if (!is_sender && !is_receiver) {
		fprintf(stderr, "usage: weft-stream send ADDRESS PORT PPS | "
				"receive PORT PPS sent|arrived\n");
		return 2;
	}
	struct sockaddr_in peer = {.sin_family = AF_INET};
	struct sigaction action = {.sa_handler = on_term};
	struct gaps gaps = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	sigaction(SIGTERM, &action, NULL);
	peer.sin_port = htons((uint16_t)atoi(argv[is_sender ? 3 : 2]));
	gaps.pps = (uint32_t)atoi(argv[is_sender ? 4 : 3]);
	gaps.by_sender = strcmp(argv[4], "sent") == 0;
	if (fd < 0 || gaps.pps == 0 || (is_sender && inet_aton(argv[2], &peer.sin_addr) == 0)) {
		fprintf(stderr, "weft-stream: no socket, no rate or no address\n");
		return 1;
	}
	return is_sender ? run_sender(fd, &peer, gaps.pps) : run_receiver(fd, &peer, &gaps);
}
