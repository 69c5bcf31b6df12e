/* SPDX-License-Identifier: BSD-3-Clause */
/* Closes descriptors whose close may wait on threads of their own. Called by main. */
#include "dataplane/vhost/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024)

/* Neither question asks a file system. */
static bool is_quick(int fd)
{
	static const char eventfd[] = "anon_inode:[eventfd]";
	char path[40], name[sizeof(eventfd)];

	if (fcntl(fd, F_GET_SEALS) >= 0)
		return true;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, name, sizeof(name)) == sizeof(eventfd) - 1 &&
	       memcmp(name, eventfd, sizeof(eventfd) - 1) == 0;
}

static void *close_slowly(void *fd)
{
	close((int)(intptr_t)fd);
	return NULL;
}

void reaper_close(int fd)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int error = -1;

	if (!is_quick(fd) && pthread_attr_init(&attr) == 0) {
		/* Signals are for the threads that wait for them. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
		pthread_attr_setstacksize(&attr, STACK_BYTES);
		pthread_attr_setguardsize(&attr, 0);
		error = pthread_create(&thread, &attr, close_slowly, (void *)(intptr_t)fd);
		pthread_attr_destroy(&attr);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (error != 0)
		close(fd);
}
