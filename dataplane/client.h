/* SPDX-License-Identifier: BSD-3-Clause */
/* One connected client of the control socket: its output queue. Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/dp_msg.h"

struct loop_watch;
struct server;
struct txn;

struct client {
	struct client *next;
	struct server *server;
	int fd;
	uint16_t version;		/* of its last message, and of what it is sent */
	struct loop_watch *watch;
	struct txn *txn;		/* open transaction, NULL: none */
	bool is_prepared;
	bool has_failed;		/* to be closed after this turn */
	int stage_error;		/* first error of a staged message, told at DP_PREPARE */
	struct client_message *queue, **queue_end;
	size_t queued_bytes;
};

/* Sends a message whose header is filled in but for size, type and version. fd: goes along, stays
 * the caller's; -1: none. Marks the client failed if it cannot be queued. */
void client_send(struct client *client, void *message, size_t bytes, enum dp_type type, int fd);

/* The answer that ends a request. */
void client_done(struct client *client, uint64_t cookie, int error, const char *text);

/* Sends what is queued, as far as the socket takes it. */
void client_flush(struct client *client);

/* Frees what is queued. */
void client_drop_queue(struct client *client);
