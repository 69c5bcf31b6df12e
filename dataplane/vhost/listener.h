/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Unix socket at which a front-end finds its port. Made under a temporary name and renamed when
 * the port is published: so a port can be replaced by one at the same path without a gap, and an
 * aborted transaction leaves the path as it was. Main thread.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LISTENER_PATH_BYTES (sizeof(((struct sockaddr_un *)0)->sun_path))

struct listener {
	int fd;
	bool is_published;
	char path[LISTENER_PATH_BYTES];
	char temporary[LISTENER_PATH_BYTES];
	struct stat made;	/* what we bound, to know it again before we remove it */
};

/* Binds and listens beside `path`. may_exist: a live socket at path is the one to be replaced.
 * Group kvm may connect (mode 0660). 0, or -errno with one line in `why`. */
int listener_open(struct listener *listener, const char *path, bool may_exist, char *why,
		  size_t why_bytes);
int listener_publish(struct listener *listener);
/* Removes the socket file if it is still ours. */
void listener_close(struct listener *listener);
