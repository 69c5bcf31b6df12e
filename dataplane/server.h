/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The control socket of the dataplane (api/dp_msg.h): accepts clients, checks messages, carries
 * requests out. Never waits for a client: what it cannot take at once is queued, and a client that
 * takes nothing is closed. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct dataplane;
struct server;

/* Listens at `path`; a dead socket of ours there is replaced, a live one refused. 0, or -errno with
 * one line in `why`. */
int server_create(struct dataplane *dp, const char *path, bool has_hugepages,
		  struct server **server, char *why, size_t why_bytes);
void server_destroy(struct server *server);	/* NULL is legal */
