/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One attempt to reach the dataplane: connects, says hello and lets the loop wait for the welcome,
 * since a process that hangs still has a socket that takes connections. Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/api/dp_client.h"

#define HELLO_TIMEOUT_MS 1000

struct loop;
struct loop_watch;

/* All zero: nothing is under way. */
struct hello {
	struct dp_client *client;
	struct loop_watch *watch;
	bool is_answered;
	uint64_t said_ns;
};

/* 0, or -errno with one line in `why`. */
int hello_say(struct hello *hello, struct loop *loop, const char *path, uint64_t now_ns,
	      char why[DP_TEXT_BYTES]);

/* 0: the welcome can be read, *client is the caller's and nothing is under way any more. -EAGAIN:
 * not yet. -ETIMEDOUT with one line in `why`. */
int hello_check(struct hello *hello, uint64_t now_ns, struct dp_client **client,
		char why[DP_TEXT_BYTES]);

void hello_end(struct hello *hello);
