/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How front-ends come to a port. In server mode weft listens and they connect; in client mode they
 * listen and weft connects, again and again, without ever waiting. Either way the peer's user is
 * checked before a byte is read. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/rate.h"
#include "dataplane/vhost/dialer.h"
#include "dataplane/vhost/listener.h"
#include "dataplane/vhost/peer.h"

/* Front-ends that connect, of one port. Each costs main 0.3 ms and a wait for the workers, so who
 * comes and goes all the time is let in more slowly; nobody is sent away for it, as a guest that
 * boots again and again is no attacker. */
#define DOOR_PER_S 20
#define DOOR_BURST 64

struct loop;
struct loop_watch;
struct reaper;

/* The choices of the option "mode", in its order. */
enum door_mode {
	DOOR_SERVER,
	DOOR_CLIENT,
};

struct door_config {
	enum door_mode mode;
	/* Neither needs to outlive door_open(). */
	const char *path;	/* of the socket */
	const char *owner;	/* user that a front-end must run as; NULL: none named */
	bool may_exist;		/* server: a live socket at path is the one to be replaced */
	struct loop *loop;
	struct reaper *reaper;	/* closes who is refused; may be NULL: see reaper.h */
	/* A front-end is there: the descriptor is the callee's. Or why none is, in one line. */
	void (*on_front_end)(void *ctx, int fd, uint64_t now_ns);
	void (*on_failure)(void *ctx, const char *why, uint64_t now_ns);
	void *ctx;
};

struct door {
	struct door_config config;
	struct peer_owner owner;
	struct dialer dialer;		/* client mode */
	struct listener listener;	/* server mode */
	struct loop_watch *watch;
	struct rate arrivals;		/* server mode */
	bool is_deaf;			/* no descriptor, or too many arrivals: accepts from its
					 * next turn on */
};

/* Does what can fail. 0, or -errno with one line in `why`; then it needs no close. */
int door_open(struct door *door, const struct door_config *config, char *why, size_t why_bytes);
/* From now on front-ends may come. 0 or -errno. */
int door_publish(struct door *door);
void door_close(struct door *door);

/* Now and then; wants_one: the port has no front-end and would take one. */
void door_turn(struct door *door, bool wants_one, uint64_t now_ns);
/* The present front-end works: when it goes, the next is tried for without a pause. */
void door_reset(struct door *door);

/* The path where it listens; NULL in client mode. */
const char *door_listens_at(const struct door *door);
