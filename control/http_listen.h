/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening sockets for weftd's API. 0 or more: the descriptor, else -errno. */
#pragma once

#include <stddef.h>

/* A Unix socket at `path`, mode 0660, of group `group` if there is such a group. A stale socket of
 * a dead server is removed. -EADDRINUSE: someone answers there. */
int http_listen_unix(const char *path, const char *group);

/* TCP at "10.0.0.1:8443" or "[::1]:8443": numbers, so that nothing is looked up. On an error one
 * line in `why`. */
int http_listen_tcp(const char *address, char *why, size_t why_bytes);
