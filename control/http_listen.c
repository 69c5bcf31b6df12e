/* SPDX-License-Identifier: BSD-3-Clause */
/* Listening sockets for weftd's API. Runs on weftd's thread. */
#include "control/http_listen.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64

static bool is_answered(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_alive =
		fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	if (fd >= 0)
		close(fd);
	return is_alive;
}

int http_listen_unix(const char *path, const char *group)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat stat;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (is_answered(&address))
		return -EADDRINUSE;
	if (lstat(path, &stat) == 0) {
		if (!S_ISSOCK(stat.st_mode))
			return -EEXIST;
		unlink(path);
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mode_t mask = umask(0117);
	int failed = bind(fd, (struct sockaddr *)&address, sizeof(address));
	int error = failed < 0 ? -errno : 0;
	umask(mask);
	const struct group *entry = getgrnam(group);
	if (error == 0 && entry != NULL && chown(path, (uid_t)-1, entry->gr_gid) < 0)
		error = -errno;
	if (error == 0 && listen(fd, BACKLOG) < 0)
		error = -errno;
	if (error < 0) {
		close(fd);
		return error;
	}
	return fd;
}

/* "[::1]:8443" to "::1" and "8443". */
static bool split_address(const char *address, char host[64], const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon != NULL ? (size_t)(colon - address) : 0;
	bool is_bracketed = len >= 2 && address[0] == '[' && colon[-1] == ']';

	if (len == 0 || len >= 64 || colon[1] == '\0' ||
	    (memchr(address, ':', len) != NULL && !is_bracketed))
		return false;
	snprintf(host, 64, "%.*s", (int)len - 2 * is_bracketed, address + is_bracketed);
	*port = colon + 1;
	return true;
}

int http_listen_tcp(const char *address, char *why, size_t why_bytes)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	const char *port = NULL;
	char host[64];
	int on = 1;

	if (!split_address(address, host, &port) || getaddrinfo(host, port, &hints, &found) != 0) {
		snprintf(why, why_bytes,
			 "--listen %.100s: write an address and a port, as 10.0.0.1:8443 or "
			 "[::1]:8443",
			 address);
		return -EINVAL;
	}
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = fd < 0 ? -errno : 0;
	if (error == 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (error == 0 && (bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG)))
		error = -errno;
	freeaddrinfo(found);
	if (error == 0)
		return fd;
	snprintf(why, why_bytes, "--listen %.100s: %s", address, strerror(-error));
	if (fd >= 0)
		close(fd);
	return error;
}
