/* SPDX-License-Identifier: BSD-3-Clause */
/* Socket files of vhost-user ports. Main thread. */
#include "dataplane/vhost/listener.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

static int bind_temporary(struct listener *listener)
{
	struct sockaddr_un address = address_of(listener->temporary);
	const struct group *kvm = getgrnam("kvm");

	unlink(listener->temporary);
	if (bind(listener->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	/* Nobody knows the temporary name, so there is no gap between bind and the right mode.
	 * Without the group, or the right to give it, QEMU has to run as our own user. */
	if (chmod(listener->temporary, 0660) < 0 ||
	    (kvm != NULL && chown(listener->temporary, (uid_t)-1, kvm->gr_gid) < 0 &&
	     errno != EPERM) ||
	    listen(listener->fd, 8) < 0 || stat(listener->temporary, &listener->made) < 0) {
		int error = -errno;

		unlink(listener->temporary);
		return error;
	}
	return 0;
}

int listener_open(struct listener *listener, const char *path, bool may_exist, char *why,
		  size_t why_bytes)
{
	memset(listener, 0, sizeof(*listener));
	listener->fd = -1;
	int path_len = snprintf(listener->path, sizeof(listener->path), "%s", path);
	int temporary_len =
		snprintf(listener->temporary, sizeof(listener->temporary), "%s.new", path);

	if (path_len >= (int)sizeof(listener->path) ||
	    temporary_len >= (int)sizeof(listener->temporary)) {
		snprintf(why, why_bytes,
			 "socket path %.60s... is longer than %zu bytes; choose a shorter one",
			 path, sizeof(listener->path) - sizeof(".new"));
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
