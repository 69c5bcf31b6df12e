/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread that closes descriptors whose close may wait. Main hands them over through a pipe. */
#include "dataplane/vhost/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define JOIN_S 1

struct reaper {
	int pipe[2];
	pthread_t thread;
};

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

static void *close_all(void *arg)
{
	int source = *(int *)arg;
	int fd;

	while (read(source, &fd, sizeof(fd)) == sizeof(fd))
		close(fd);
	return NULL;
}

/* Signals are for the threads that wait for them. */
static int start_thread(struct reaper *reaper)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&reaper->thread, NULL, close_all, &reaper->pipe[0]);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int reaper_create(struct reaper **out)
{
	struct reaper *reaper = calloc(1, sizeof(*reaper));

	if (reaper == NULL)
		return -ENOMEM;
	int error = pipe2(reaper->pipe, O_CLOEXEC) < 0 ? -errno : 0;

	if (error == 0) {
		error = start_thread(reaper);
		if (error < 0) {
			close(reaper->pipe[0]);
			close(reaper->pipe[1]);
		}
	}
	if (error < 0) {
		free(reaper);
		return error;
	}
	/* Ours alone: the thread waits for the pipe, main must not. */
	fcntl(reaper->pipe[1], F_SETFL, O_NONBLOCK);
	*out = reaper;
	return 0;
}

void reaper_destroy(struct reaper *reaper)
{
	struct timespec until;

	if (reaper == NULL)
		return;
	close(reaper->pipe[1]);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += JOIN_S;
	/* A thread that somebody keeps waiting is left behind with what it uses: the process
	 * ends. */
	if (pthread_timedjoin_np(reaper->thread, NULL, &until) != 0)
		return;
	close(reaper->pipe[0]);
	free(reaper);
}

void reaper_close(struct reaper *reaper, int fd)
{
	/* A full pipe holds more descriptors than a process may have. */
	if (reaper == NULL || is_quick(fd) || write(reaper->pipe[1], &fd, sizeof(fd)) != sizeof(fd))
		close(fd);
}
