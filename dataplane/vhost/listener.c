/* SPDX-License-Identifier: BSD-3-Clause */
/* Socket files of vhost-user ports. Main thread. */
#include "dataplane/vhost/listener.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 8
#define TEMPORARY_FORMAT "%s.%08x"

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

/* Does somebody answer there? */
static bool is_alive(const char *path)
{
	struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = true;

	if (fd < 0)
		return true;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		alive = errno != ECONNREFUSED && errno != ENOENT;
	close(fd);
	return alive;
}

/* A socket that a weft of ours left behind may be taken over; anything else at the path stays. */
static int check_path(const char *path, bool may_exist, char *why, size_t why_bytes)
{
	struct stat there;

	if (lstat(path, &there) < 0)
		return 0;
	if (!S_ISSOCK(there.st_mode)) {
		snprintf(why, why_bytes,
			 "%s exists and is no socket; remove it or choose another socket=", path);
		return -EEXIST;
	}
	if (there.st_uid != geteuid()) {
		snprintf(why, why_bytes,
			 "socket %s belongs to user %u; remove it or choose another socket=", path,
			 (unsigned int)there.st_uid);
		return -EEXIST;
	}
	if (!may_exist && is_alive(path)) {
		snprintf(
			why, why_bytes,
			"socket %s is in use by another program; stop it or choose another socket=",
			path);
		return -EADDRINUSE;
	}
	return 0;
}

/* Binds so that the file has its mode from the first moment: it is the socket's own. */
static int bind_with_mode(int fd, const char *path, mode_t mode)
{
	struct sockaddr_un address = address_of(path);
	mode_t mask = umask(0);
	int error = 0;

	if (fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		error = -errno;
	umask(mask);
	return error;
}

static int bind_temporary(struct listener *listener)
{
	const struct group *kvm = getgrnam("kvm");
	int error = bind_with_mode(listener->fd, listener->temporary, 0660);

	if (error < 0)
		return error;
	/* No link is followed: the directory may be one that others write to. Without the group, or
	 * the right to give it, QEMU has to run as our own user. */
	if ((kvm != NULL && lchown(listener->temporary, (uid_t)-1, kvm->gr_gid) < 0 &&
	     errno != EPERM) ||
	    listen(listener->fd, BACKLOG) < 0 || lstat(listener->temporary, &listener->made) < 0) {
		error = -errno;
		unlink(listener->temporary);
	}
	return error;
}

int listener_open(struct listener *listener, const char *path, bool may_exist, char *why,
		  size_t why_bytes)
{
	memset(listener, 0, sizeof(*listener));
	listener->fd = -1;
	int path_len = snprintf(listener->path, sizeof(listener->path), "%s", path);
	uint32_t number = 0;

	/* A name that nobody has, so that nothing needs to be removed for it. */
	if (getrandom(&number, sizeof(number), 0) < 0)
		return -errno;
	int temporary_len = snprintf(listener->temporary, sizeof(listener->temporary),
				     TEMPORARY_FORMAT, path, number);

	if (path_len >= (int)sizeof(listener->path) ||
	    temporary_len >= (int)sizeof(listener->temporary)) {
		snprintf(why, why_bytes,
			 "socket path %.60s... is longer than %zu bytes; choose a shorter one",
			 path, sizeof(listener->path) - sizeof(".01234567"));
		return -ENAMETOOLONG;
	}
	int error = check_path(path, may_exist, why, why_bytes);

	if (error < 0)
		return error;
	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	error = listener->fd < 0 ? -errno : bind_temporary(listener);
	if (error < 0) {
		snprintf(why, why_bytes, "cannot make socket %s: %s", path, strerror(-error));
		if (listener->fd >= 0)
			close(listener->fd);
		listener->fd = -1;
	}
	return error;
}

int listener_publish(struct listener *listener)
{
	if (rename(listener->temporary, listener->path) < 0)
		return -errno;
	listener->is_published = true;
	return 0;
}

void listener_close(struct listener *listener)
{
	const char *path = listener->is_published ? listener->path : listener->temporary;
	struct stat there;

	if (listener->fd < 0)
		return;
	close(listener->fd);
	listener->fd = -1;
	if (lstat(path, &there) == 0 && there.st_ino == listener->made.st_ino &&
	    there.st_dev == listener->made.st_dev)
		unlink(path);
}
