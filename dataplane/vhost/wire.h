/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whole vhost-user messages from a stream socket, and replies to it; never waits. Knows what a
 * message of each request may carry, bytes and descriptors, and reads no byte beyond. Main thread.
 *
 * Messages have a budget: a burst, then a rate. QEMU swaps call descriptors whenever a guest masks
 * an interrupt, so an honest front-end may send thousands; one that sends more waits, not we.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/vhost/message.h"

#define WIRE_BURST_MESSAGES 2000
#define WIRE_MESSAGES_PER_S 1000
#define WIRE_PARTIAL_NS UINT64_C(1000000000) /* for half a message to become whole */

struct reaper;

struct wire {
	int fd;
	struct reaper *reaper;		/* NULL: closes by itself */
	uint32_t filled;		/* bytes of header and payload that are there */
	struct vhost_header header;
	union vhost_payload payload;
	int fds[VHOST_MAX_REGIONS];	/* -1: taken by the user of the message */
	unsigned n_fds;
	uint64_t partial_deadline_ns;	/* while a message is half there */
	uint64_t paid_until_ns;		/* each message pays for 1 s / WIRE_MESSAGES_PER_S */
	uint64_t resume_ns;		/* not 0: the budget is used up until then */
	const char *why;		/* after an error: one line */
};

void wire_init(struct wire *wire, int fd, uint64_t now_ns);
void wire_fini(struct wire *wire);	/* closes wire->fd and all descriptors that came */

/* 1: a message is whole, with as many descriptors as it should have; 0: not now; -errno: over. */
int wire_receive(struct wire *wire, uint64_t now_ns);
/* The message is dealt with: closes the descriptors that nobody took. */
void wire_finish(struct wire *wire);
/* Answers the message. A front-end that does not read its answers is an error. 0 or -errno. */
int wire_reply(struct wire *wire, const void *payload, uint32_t bytes);

/* When to call wire_receive() again even if nothing arrives. UINT64_MAX: no need. */
uint64_t wire_deadline_ns(const struct wire *wire);
