/* SPDX-License-Identifier: BSD-3-Clause */
/* Files that go with the process that needs them. Main thread. */
#include "dataplane/vhost/leftover.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "dataplane/base/loop.h"

struct leftover {
	struct leftover *next;
	struct leftover **list; /* that it is on */
	int pid_fd;		/* readable once the process has ended */
	struct loop_watch *watch;
	char path[PATH_MAX];
};

static void drop(struct leftover *leftover)
{
	struct leftover **link = leftover->list;

	while (*link != leftover)
		link = &(*link)->next;
	*link = leftover->next;
	loop_remove(leftover->watch);
	close(leftover->pid_fd);
	free(leftover);
}

static void on_end(void *ctx, uint32_t events, uint64_t now_ns)
{
	struct leftover *leftover = ctx;

	unlink(leftover->path);
	drop(leftover);
}

/* NULL: it cannot be watched, or has gone already. */
static struct leftover *watch(struct leftover **list, struct loop *loop, pid_t pid)
{
	struct leftover *leftover = calloc(1, sizeof(*leftover));

	if (leftover == NULL)
		return NULL;
	leftover->list = list;
	leftover->pid_fd = pidfd_open(pid, 0);
	if (leftover->pid_fd >= 0 &&
	    loop_add(loop, leftover->pid_fd, EPOLLIN, on_end, leftover, &leftover->watch) == 0)
		return leftover;
	if (leftover->pid_fd >= 0)
		close(leftover->pid_fd);
	free(leftover);
	return NULL;
}

void leftover_add(struct leftover **list, struct loop *loop, const char *path, pid_t pid)
{
	if (access(path, F_OK) < 0)
		return;
	struct leftover *leftover = pid > 0 ? watch(list, loop, pid) : NULL;

	if (leftover == NULL) {
		unlink(path);
		return;
	}
	snprintf(leftover->path, sizeof(leftover->path), "%s", path);
	leftover->next = *list;
	*list = leftover;
}

void leftover_return(struct leftover **list, const char *path)
{
	for (struct leftover *leftover = *list; leftover != NULL; leftover = leftover->next) {
		if (strcmp(leftover->path, path) == 0) {
			drop(leftover);
			return;
		}
	}
}

void leftover_free_all(struct leftover **list)
{
	while (*list != NULL)
		drop(*list);
}
