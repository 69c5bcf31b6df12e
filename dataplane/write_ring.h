/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many frames written to a descriptor in one system call, by io_uring. A worker's own, no locks.
 *
 * Nothing is left on its way: write_ring_run() returns when all is written. Writes are marked as
 * ones that may not wait (RWF_NOWAIT), so the kernel carries each out within the call, in order, on
 * this thread. Chosen at run time: a kernel without io_uring, or one that is told to refuse it
 * (kernel.io_uring_disabled, a system call filter), gives no ring, and a driver that does not
 * know such writes is found out at the first; then the ring does nothing any more.
 *
 * From its first write on the ring holds the descriptor's file, so the kernel need not look it up
 * for each: before a descriptor is closed, write_ring_let_go() must be called.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "dataplane/frame.h"

#define WRITE_RING_ENTRIES BURST_FRAMES

struct write_ring;

/* NULL: there is none to be had, errno says why. Any thread; then one thread at a time, but for
 * write_ring_let_go(). */
struct write_ring *write_ring_create(void);
void write_ring_destroy(struct write_ring *ring); /* NULL is legal */

/* Main, a grace period after the last write to fd: its file is free once it is closed. The ring's
 * thread may write to others meanwhile: each descriptor has a place of its own here, and the kernel
 * a lock. NULL is legal. */
void write_ring_let_go(struct write_ring *ring, int fd);

/* One more write: `first`, and after it the pieces `iov`, n_iov of at most FRAME_IOV_MAX; what
 * these point to stays until write_ring_run(). false: no room, run first; or nothing will do. */
bool write_ring_add(struct write_ring *ring, int fd, struct iovec first, const struct iovec *iov,
		    unsigned int n_iov);

/* Carries out what was added, all to one descriptor. Returns how many writes the kernel took:
 * `results` has its answers, bytes or -errno. The rest, the last ones, were not tried. */
unsigned int write_ring_run(struct write_ring *ring, int32_t results[WRITE_RING_ENTRIES]);
