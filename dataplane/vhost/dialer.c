/* SPDX-License-Identifier: BSD-3-Clause */
/* Connecting to a front-end that listens. Main thread. */
#include "dataplane/vhost/dialer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int dialer_init(struct dialer *dialer, const char *path, char *why, size_t why_bytes)
{
	*dialer = (struct dialer){.pause_ns = DIALER_PAUSE_NS_MIN};
	if (snprintf(dialer->path, sizeof(dialer->path), "%s", path) < (int)sizeof(dialer->path))
		return 0;
	snprintf(why, why_bytes,
		 "socket path %.60s... is longer than %zu bytes; choose a shorter one", path,
		 sizeof(dialer->path) - 1);
	return -ENAMETOOLONG;
}

static int explain(const struct dialer *dialer, int error, char *why, size_t why_bytes)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		snprintf(why, why_bytes,
			 "nobody listens at %s; start the guest: QEMU makes that socket "
			 "(server=on,wait=off)",
			 dialer->path);
		break;
	case -EACCES:
		snprintf(why, why_bytes,
			 "no permission to connect to %s; let weft-dataplane's user write to it",
			 dialer->path);
		break;
	case -EAGAIN:
		snprintf(why, why_bytes, "%s is busy: is another program connected to that QEMU?",
			 dialer->path);
		break;
	default:
		snprintf(why, why_bytes, "cannot connect to %s: %s", dialer->path,
			 strerror(-error));
	}
	return error;
}

static int open_connected(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

int dialer_try(struct dialer *dialer, uint64_t now_ns, char *why, size_t why_bytes)
{
	if (now_ns < dialer->next_try_ns)
		return -EINPROGRESS;
	dialer->next_try_ns = now_ns + dialer->pause_ns;
	dialer->pause_ns *= 2;
	if (dialer->pause_ns > DIALER_PAUSE_NS_MAX)
		dialer->pause_ns = DIALER_PAUSE_NS_MAX;
	int fd = open_connected(dialer->path);

	return fd < 0 ? explain(dialer, fd, why, why_bytes) : fd;
}

void dialer_reset(struct dialer *dialer)
{
	dialer->next_try_ns = 0;
	dialer->pause_ns = DIALER_PAUSE_NS_MIN;
}
