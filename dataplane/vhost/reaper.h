/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Closes descriptors that a front-end sent. close() of somebody else's descriptor can wait: a TCP
 * socket lingers, a file on FUSE asks its server, a Unix socket drops what was sent over it. What
 * is known not to wait (eventfds, shared memory) is closed at once, the rest by a thread that may
 * wait as long as it likes. Whoever makes it wait keeps others' odd descriptors open, nothing more.
 */
#pragma once

struct reaper;

/* With its thread. 0 or -errno. Main, as all here. */
int reaper_create(struct reaper **reaper);
void reaper_destroy(struct reaper *reaper);	/* NULL is legal */

/* The descriptor is the reaper's. reaper NULL: closes at once whatever it is. */
void reaper_close(struct reaper *reaper, int fd);
