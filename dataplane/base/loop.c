/* SPDX-License-Identifier: BSD-3-Clause */
/* epoll with a callback per descriptor. Runs on the thread that calls loop_turn(). */
#include "dataplane/base/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_TURN 64

struct loop_watch {
	struct loop *loop;
	int fd;
	loop_fn fn;		/* NULL: removed, waits to be freed */
	void *ctx;
	struct loop_watch *next, **link;	/* all watches, or all removed ones */
};

struct loop {
	int epoll_fd;
	bool is_running;	/* inside the callbacks of a turn */
	struct loop_watch *watches;
	struct loop_watch *removed;
};

static void list_push(struct loop_watch **head, struct loop_watch *watch)
{
	watch->next = *head;
	watch->link = head;
	if (watch->next != NULL)
		watch->next->link = &watch->next;
	*head = watch;
}

static void list_take(struct loop_watch *watch)
{
	*watch->link = watch->next;
	if (watch->next != NULL)
		watch->next->link = watch->link;
}

static void free_all(struct loop_watch **head)
{
	while (*head != NULL) {
		struct loop_watch *watch = *head;

		list_take(watch);
		free(watch);
	}
}

int loop_create(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		int error = -errno;

		free(loop);
		return error;
	}
	*out = loop;
	return 0;
}

void loop_destroy(struct loop *loop)
{
	if (loop == NULL)
		return;
	free_all(&loop->watches);
	free_all(&loop->removed);
	close(loop->epoll_fd);
	free(loop);
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn fn, void *ctx,
	     struct loop_watch **out)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return -ENOMEM;
	*watch = (struct loop_watch){.loop = loop, .fd = fd, .fn = fn, .ctx = ctx};
	struct epoll_event event = {.events = events, .data.ptr = watch};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int error = -errno;

		free(watch);
		return error;
	}
	list_push(&loop->watches, watch);
	*out = watch;
	return 0;
}

int loop_modify(struct loop_watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0 ? -errno : 0;
}

void loop_remove(struct loop_watch *watch)
{
	if (watch == NULL || watch->fn == NULL)
		return;
	epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fn = NULL;
	list_take(watch);
	if (watch->loop->is_running)
		list_push(&watch->loop->removed, watch);
	else
		free(watch);
}

int loop_turn(struct loop *loop, int timeout_ms, uint64_t (*clock)(void))
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	uint64_t now_ns = clock();

	loop->is_running = true;
	for (int i = 0; i < n; i++) {
		struct loop_watch *watch = events[i].data.ptr;

		if (watch->fn != NULL)
			watch->fn(watch->ctx, events[i].events, now_ns);
	}
	loop->is_running = false;
	free_all(&loop->removed);
	return n;
}

uint64_t loop_clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}
