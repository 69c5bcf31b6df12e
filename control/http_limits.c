/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits of the API's callers. Runs on weftd's thread. */
#include "control/http_limits.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COST_NS (UINT64_C(1000000000) / HTTP_LIMITS_PER_S)
#define BURST_NS (COST_NS * HTTP_LIMITS_BURST)

bool http_limits_is_counted(int64_t uid)
{
	return uid != 0 && uid != (int64_t)geteuid();
}

bool http_limits_enter(struct http_limits *limits, struct http_seat *seat, int fd, int64_t uid,
		       uint64_t now_ns)
{
	unsigned int n = 0, n_same = 0;

	*seat = (struct http_seat){.fd = -1};
	for (const struct http_seat *other = limits->seats; other != NULL; other = other->next) {
		n += http_limits_is_counted(other->uid);
		n_same += other->uid == uid && uid != HTTP_LIMITS_REMOTE;
	}
	if (http_limits_is_counted(uid) &&
	    (n >= HTTP_LIMITS_CONNECTIONS || n_same >= HTTP_LIMITS_OF_ONE))
		return false;
	*seat = (struct http_seat){
		.next = limits->seats,
		.fd = fd,
		.uid = uid,
		.deadline_ns = now_ns + HTTP_LIMITS_FIRST_NS,
	};
	if (seat->next != NULL)
		seat->next->previous = seat;
	limits->seats = seat;
	return true;
}

void http_limits_leave(struct http_limits *limits, struct http_seat *seat)
{
	if (seat->fd < 0)
		return;
	if (seat->next != NULL)
		seat->next->previous = seat->previous;
	if (seat->previous != NULL)
		seat->previous->next = seat->next;
	else
		limits->seats = seat->next;
	seat->fd = -1;
}

void http_limits_await_body(struct http_seat *seat, uint64_t now_ns)
{
	seat->deadline_ns = now_ns + HTTP_LIMITS_BODY_NS;
}

void http_limits_await_nothing(struct http_seat *seat)
{
	seat->deadline_ns = UINT64_MAX;
}

void http_limits_await_request(struct http_seat *seat, uint64_t now_ns)
{
	seat->deadline_ns = now_ns + HTTP_LIMITS_IDLE_NS;
}

unsigned int http_limits_enforce(struct http_limits *limits, uint64_t now_ns)
{
	unsigned int n = 0;

	for (struct http_seat *seat = limits->seats; seat != NULL; seat = seat->next) {
		if (now_ns < seat->deadline_ns)
			continue;
		/* The server reads the end of the connection and closes it. */
		shutdown(seat->fd, SHUT_RDWR);
		seat->deadline_ns = UINT64_MAX;
		n++;
	}
	return n;
}

/* Its own place, or that of who has been silent for longest. */
static struct http_caller *find(struct http_limits *limits, const char *who)
{
	struct http_caller *oldest = &limits->callers[0];

	for (unsigned int i = 0; i < HTTP_LIMITS_CALLERS; i++) {
		struct http_caller *caller = &limits->callers[i];

		if (strcmp(caller->who, who) == 0)
			return caller;
		if (caller->paid_ns < oldest->paid_ns)
			oldest = caller;
	}
	*oldest = (struct http_caller){.paid_ns = 0};
	snprintf(oldest->who, sizeof(oldest->who), "%s", who);
	return oldest;
}

bool http_limits_take(struct http_limits *limits, const char *who, int64_t uid, uint64_t now_ns)
{
	if (!http_limits_is_counted(uid))
		return true;
	struct http_caller *caller = find(limits, who);

	if (caller->paid_ns < now_ns)
		caller->paid_ns = now_ns;
	if (caller->paid_ns + COST_NS > now_ns + BURST_NS)
		return false;
	caller->paid_ns += COST_NS;
	return true;
}
