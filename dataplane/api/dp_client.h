/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Client of weft-dataplane's socket (dp_msg.h): used by weftd and by tests. Blocks, but never
 * longer than the deadline that the caller gives; one request at a time; one thread.
 *
 * Two kinds of failure. The dataplane refuses: the call returns the error of its DP_DONE with its
 * text in `why`, and the conversation goes on. The conversation itself fails (closed, silent beyond
 * the deadline, malformed): dp_client_is_broken() is true from then on, and all that is left to do
 * is to close; a transaction that was open is gone with the socket.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct dp_client;

/* Connects to the socket at `path`. 0 or -errno (-ENOENT, -ECONNREFUSED: nobody is there). */
int dp_client_open(struct dp_client **client, const char *path);
void dp_client_close(struct dp_client *client); /* NULL is legal */

/* For an event loop: readable while no request runs means that the dataplane has gone. */
int dp_client_fd(const struct dp_client *client);
bool dp_client_is_broken(const struct dp_client *client);

/* Says DP_HELLO. *counters_fd becomes the caller's. -EPROTONOSUPPORT: other version. */
int dp_client_hello(struct dp_client *client, int timeout_ms, struct dp_welcome *welcome,
		    int *counters_fd, char why[DP_TEXT_BYTES]);

/* The same in two steps, for who has other things to do while the dataplane is silent. */
int dp_client_greet(struct dp_client *client, char why[DP_TEXT_BYTES]);
int dp_client_welcome(struct dp_client *client, int timeout_ms, struct dp_welcome *welcome,
		      int *counters_fd, char why[DP_TEXT_BYTES]);

/* Sends one of the staged messages; fills in its header. The descriptors stay the caller's. */
int dp_client_stage(struct dp_client *client, enum dp_type type, void *message, size_t bytes,
		    const int *fds, unsigned int n_fds, int timeout_ms);

/* A data message before DP_DONE, its size and strings checked. A descriptor that the callee wants
 * to keep it replaces in fds[] by -1; the rest is closed. */
typedef void (*dp_client_fn)(void *ctx, const struct dp_header *message, int *fds,
			     unsigned int n_fds);

/* Sends a request and waits for its DP_DONE. `message` NULL: the header alone. fn may be NULL if
 * the request has no data messages. 0 or -errno; `why` says why in one line. */
int dp_client_request(struct dp_client *client, enum dp_type type, void *message, size_t bytes,
		      int timeout_ms, dp_client_fn fn, void *ctx, char why[DP_TEXT_BYTES]);

/* The same in two steps: asks with the header alone, without waiting; then takes what has come of
 * the answer. -EAGAIN: the end has not come within timeout_ms, and nothing is lost; call again. No
 * other request in between. */
int dp_client_ask(struct dp_client *client, enum dp_type type, char why[DP_TEXT_BYTES]);
int dp_client_take(struct dp_client *client, int timeout_ms, dp_client_fn fn, void *ctx,
		   char why[DP_TEXT_BYTES]);

/*
 * A walk through the forwarding table, page by page: DP_FDB_DUMP is asked with `page`, which begins
 * as {0}, and with dp_client_walk_fdb() and the walk as fn and ctx, until page.from is 0 again.
 */
struct dp_fdb_walk {
	struct dp_fdb_page page;
	dp_client_fn fn; /* for each batch */
	void *ctx;
};

void dp_client_walk_fdb(void *walk, const struct dp_header *message, int *fds, unsigned int n_fds);
