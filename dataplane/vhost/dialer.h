/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other way round: the front-end listens (QEMU: server=on,wait=off) and weft connects. Tries
 * again with growing pauses and never waits: on a Unix socket connect() succeeds or fails at once.
 * Main thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#define DIALER_PATH_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path))
#define DIALER_PAUSE_NS_MIN UINT64_C(100000000)
#define DIALER_PAUSE_NS_MAX UINT64_C(1000000000)

struct dialer {
	char path[DIALER_PATH_BYTES];
	uint64_t next_try_ns;
	uint64_t pause_ns;	/* before the try after that */
};

/* 0, or -ENAMETOOLONG with one line in `why`. */
int dialer_init(struct dialer *dialer, const char *path, char *why, size_t why_bytes);

/* A connected, non-blocking socket; -EINPROGRESS: it is not time for a try yet; or -errno with one
 * line in `why`, and the next try comes later. */
int dialer_try(struct dialer *dialer, uint64_t now_ns, char *why, size_t why_bytes);

/* The front-end proved to be one: when it goes, the pauses begin from the shortest again. */
void dialer_reset(struct dialer *dialer);
