/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A control socket, in a folder of its own: a thread is the dataplane's main, the test is weftd, or
 * somebody who is not.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dataplane/api/dp_client.h"
#include "dataplane/api/dp_msg.h"

#define SERVER_RIG_TIMEOUT_MS 10000

struct dataplane;
struct server;

struct server_rig {
	char dir[32], path[64];
	char why[DP_TEXT_BYTES];
	struct dataplane *dp; /* the test's */
	struct server *server;
	struct dp_client *client;
	pthread_t thread;
	_Atomic bool is_over;
};

struct server_rig *server_rig_open(struct dataplane *dp);
/* Main ends: its tables can be looked at. Twice is legal. */
void server_rig_stop(struct server_rig *rig);
/* With all but the dataplane. */
void server_rig_close(struct server_rig *rig);

/* The client's. */
int server_rig_ask(struct server_rig *rig, enum dp_type type);
void server_rig_stage(struct server_rig *rig, enum dp_type type, void *message, size_t bytes);

/* --- raw messages --- */

int server_rig_connect(const struct server_rig *rig);
/* Bytes of the next message; 0: closed. */
ssize_t server_rig_receive(int fd, void *message, size_t bytes);
void server_rig_assert_done(int fd, uint64_t cookie, int error);
/* And closes this end. */
void server_rig_assert_closed(int fd);
