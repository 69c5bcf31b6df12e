/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop of a main thread: epoll with a callback per descriptor, nothing else. Time is read
 * once per turn by the caller and handed to every callback. Used by weft-dataplane's main and
 * weftd.
 *
 * A callback may remove any watch, its own too: watches are freed only after the turn.
 */
#pragma once

#include <stdint.h>

struct loop;
struct loop_watch;

/* events: EPOLLIN, EPOLLOUT, ... that are set. */
typedef void (*loop_fn)(void *ctx, uint32_t events, uint64_t now_ns);

/* 0 or -errno. */
int loop_create(struct loop **loop);
void loop_destroy(struct loop *loop);	/* NULL is legal; descriptors stay open */

/* Watches fd for `events` (EPOLL*). The descriptor stays the caller's. 0 or -errno. */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn fn, void *ctx,
	     struct loop_watch **watch);
int loop_modify(struct loop_watch *watch, uint32_t events);
void loop_remove(struct loop_watch *watch);	/* NULL is legal; call before closing the fd */

/* Waits at most timeout_ms (-1: for ever, 0: not at all), then runs the callbacks of what is ready.
 * clock: read after the wait. Returns the number of callbacks, or -errno. */
int loop_turn(struct loop *loop, int timeout_ms, uint64_t (*clock)(void));

/* CLOCK_MONOTONIC in ns: the one place where the program's loops read the time. */
uint64_t loop_clock_ns(void);
