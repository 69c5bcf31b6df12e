/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is at the other end of a Unix socket, by what the kernel says of it (SO_PEERCRED): of one
 * that connected, who it is; of one that listens, who made it listen. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The user that a port is for; zero: none was named. */
struct peer_owner {
	bool is_named;
	uid_t uid;
};

/* By name or number. 0, or -ENOENT with one line in `why`. */
int peer_find_owner(struct peer_owner *owner, const char *name, char *why, size_t why_bytes);

/* Its process id as we see it; 0: it has none here. */
pid_t peer_pid(int fd);

/* May this peer be a front-end? Root always; else the owner, if one was named; else our own user or
 * somebody of group kvm. 0, or -EPERM with one line in `why`. */
int peer_check(int fd, const struct peer_owner *owner, char *why, size_t why_bytes);
