/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-crowd: many small front-ends in one process. Connects to DIR/PREFIX0.sock ... and reads
 * commands, one a line, each answered by one line of JSON:
 *     reconnect N    N times one of them hangs up as a killed QEMU would and comes back, in turn
 *     ring           each sends a frame to the next one's address and receives one
 *     macs N         each sends N frames to the next one's address, from N addresses of its own
 * The end of the input ends all. Exit 0, 1 with one line on failure, 2 usage.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/lib/deadline.h"
#include "tests/lib/frontend.h"
#include "tests/lib/mark.h"

#define RING_SIZE 16
#define SEGMENT 1
#define WAIT_MS 20000
#define MACS_PAUSE_MS 5 /* 400,000 addresses a second */

struct crowd {
	const char *dir;
	const char *prefix;
	unsigned int n;
	struct frontend **members;
	unsigned int next; /* to reconnect */
	char why[FRONTEND_WHY_BYTES];
};

static double ms_since(uint64_t start_ns)
{
	return (double)(deadline_now_ns() - start_ns) / 1e6;
}

static int join(struct crowd *crowd, unsigned int i)
{
	char path[108];
	struct frontend_config config = {
		.path = path,
		.ring_size = RING_SIZE,
		.features = FRONTEND_BASIC | FRONTEND_MERGEABLE,
		.frame_bytes_max = 1514,
		.rx_bytes = 1536,
		.why = crowd->why,
	};

	snprintf(path, sizeof(path), "%s/%s%u.sock", crowd->dir, crowd->prefix, i);
	int err = frontend_create(&config, &crowd->members[i]);

	/* The path is gone when we return; nobody reconnects by it. */
	if (err == 0)
		crowd->members[i]->config.path = NULL;
	return err;
}

static int reconnect(struct crowd *crowd, unsigned int n)
{
	uint64_t start_ns = deadline_now_ns();
	int err = 0;

	for (unsigned int i = 0; i < n && err == 0; i++) {
		unsigned int member = crowd->next++ % crowd->n;

		frontend_destroy(crowd->members[member]);
		crowd->members[member] = NULL;
		err = join(crowd, member);
	}
	if (err == 0)
		printf("{\"reconnects\": %u, \"ms\": %.1f}\n", n, ms_since(start_ns));
	return err;
}

static int send_to_next(struct crowd *crowd, unsigned int i)
{
	struct mark mark = {SEGMENT, (uint16_t)(i + 1), i, MARK_UNICAST};
	struct frontend_frame frame = {0};
	unsigned char bytes[MARK_FRAME_MAX];
	uint8_t to[6];

	mark_source(SEGMENT, (uint16_t)((i + 1) % crowd->n + 1), to);
	frame.bytes = bytes;
	frame.n_bytes = mark_build(&mark, to, bytes, &frame.header);
	return frontend_send(crowd->members[i], 0, &frame);
}

/* Receives until the frame of the one before it came: others may be flooded ones. */
static int hear_previous(struct crowd *crowd, unsigned int i)
{
	uint64_t deadline_ns = deadline_in_ms(WAIT_MS);
	uint32_t expected = (i + crowd->n - 1) % crowd->n;
	struct frontend_received received;
	struct mark mark;
	int err;

	do {
		err = frontend_receive(crowd->members[i], 0,
				       (unsigned int)deadline_left_ms(deadline_ns), &received);
		if (err == 0 && mark_find(received.bytes, received.n_bytes, &mark) == 0 &&
		    mark.sequence == expected)
			return 0;
	} while (err == 0);
	snprintf(crowd->why, sizeof(crowd->why), "%s%u heard nothing of the one before it",
		 crowd->prefix, i);
	return err;
}

/* What was flooded, since main had not learned yet, takes the room of what is meant for them. */
static void drain_all(struct crowd *crowd)
{
	struct frontend_received received;

	for (unsigned int i = 0; i < crowd->n; i++) {
		while (frontend_receive(crowd->members[i], 0, 0, &received) == 0)
			;
	}
}

static int ring(struct crowd *crowd)
{
	uint64_t start_ns = deadline_now_ns();
	int err = 0;

	/* Backwards, so that whoever is sent to has been learned, but for the first. */
	for (unsigned int i = crowd->n; i-- > 0 && err == 0;) {
		err = send_to_next(crowd, i);
		if (err == 0)
			err = hear_previous(crowd, (i + 1) % crowd->n);
		drain_all(crowd);
	}
	if (err == 0)
		printf("{\"frames\": %u, \"ms\": %.1f}\n", crowd->n, ms_since(start_ns));
	return err;
}

/* A short frame from address number i of the member. */
static int send_from(struct crowd *crowd, unsigned int member, unsigned int i)
{
	uint64_t deadline_ns = deadline_in_ms(WAIT_MS);
	unsigned char bytes[60] = {[12] = 0x88, [13] = 0xb5}; /* IEEE 802: local experiments */
	struct frontend_frame frame = {.bytes = bytes, .n_bytes = sizeof(bytes)};
	int err;

	mark_source(SEGMENT, (uint16_t)((member + 1) % crowd->n + 1), bytes);
	bytes[6] = 0x06;
	for (unsigned int k = 0; k < 2; k++) {
		bytes[7 + k] = (unsigned char)(member >> 8 * k);
		bytes[9 + k] = (unsigned char)(i >> 8 * k);
	}
	/* The other end is polled by one worker: it takes its time. */
	do {
		err = frontend_send(crowd->members[member], 0, &frame);
		if (err == -EAGAIN)
			err = frontend_flush(crowd->members[member], 0, WAIT_MS) == 0 ? -EAGAIN
										      : -ETIMEDOUT;
	} while (err == -EAGAIN && !deadline_passed(deadline_ns));
	return err;
}

/* In turns of some frames each, and not faster than main learns: its ring has 4,096 places. */
static int send_macs(struct crowd *crowd, unsigned int n)
{
	uint64_t start_ns = deadline_now_ns();
	unsigned int n_sent = 0;
	int err = 0;

	for (unsigned int from = 0; from < n && err == 0; from += RING_SIZE) {
		for (unsigned int member = 0; member < crowd->n && err == 0; member++) {
			for (unsigned int i = from; i < n && i < from + RING_SIZE && err == 0; i++)
				err = send_from(crowd, member, i);
			n_sent += RING_SIZE;
			if (n_sent % 2048 == 0)
				poll(NULL, 0, MACS_PAUSE_MS);
		}
	}
	if (err == 0)
		printf("{\"macs\": %u, \"ms\": %.1f}\n", n * crowd->n, ms_since(start_ns));
	return err;
}

static int obey(struct crowd *crowd)
{
	char line[64];
	unsigned int n;
	int err = 0;

	while (err == 0 && fgets(line, sizeof(line), stdin) != NULL) {
		if (sscanf(line, "reconnect %u", &n) == 1)
			err = reconnect(crowd, n);
		else if (sscanf(line, "macs %u", &n) == 1)
			err = send_macs(crowd, n);
		else if (strcmp(line, "ring\n") == 0)
			err = ring(crowd);
		else {
			snprintf(crowd->why, sizeof(crowd->why), "no command: %.*s",
				 (int)strcspn(line, "\n"), line);
			err = -EINVAL;
		}
		fflush(stdout);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct crowd crowd = {0};
	struct rlimit limit;
	int err = 0;

	if (argc != 4 || atoi(argv[3]) < 2) {
		fprintf(stderr, "usage: weft-crowd DIR PREFIX COUNT\n");
		return 2;
	}
	crowd.dir = argv[1];
	crowd.prefix = argv[2];
	crowd.n = (unsigned int)atoi(argv[3]);
	crowd.members = calloc(crowd.n, sizeof(struct frontend *));
	if (crowd.members == NULL || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	uint64_t start_ns = deadline_now_ns();

	for (unsigned int i = 0; i < crowd.n && err == 0; i++)
		err = join(&crowd, i);
	if (err == 0) {
		printf("{\"attached\": %u, \"ms\": %.1f}\n", crowd.n, ms_since(start_ns));
		fflush(stdout);
		err = obey(&crowd);
	}
	if (err < 0)
		fprintf(stderr, "weft-crowd: %s%s%s\n", crowd.why, crowd.why[0] ? ": " : "",
			strerror(-err));
	for (unsigned int i = 0; i < crowd.n; i++)
		frontend_destroy(crowd.members[i]);
	free(crowd.members);
	return err < 0;
}
