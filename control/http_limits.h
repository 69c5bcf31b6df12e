/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one caller may take of the API: connections, time to say what it wants, requests a second.
 * Root and the user that weftd runs as are not counted: they must get in when all else is full. The
 * clock is passed in. Runs on weftd's thread.
 *
 *	accepted --5 s--> header whole --30 s--> body whole --> answered --30 s--> next header whole
 *
 * Where the time is over the connection is shut down, however often a byte comes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HTTP_LIMITS_CONNECTIONS 64 /* of all who are counted */
#define HTTP_LIMITS_OF_ONE 32	   /* of one user; remote callers are not known yet */
#define HTTP_LIMITS_SPARE 8	   /* more of them, for root */
#define HTTP_LIMITS_FIRST_NS UINT64_C(5000000000)
#define HTTP_LIMITS_BODY_NS UINT64_C(30000000000)
#define HTTP_LIMITS_IDLE_NS UINT64_C(30000000000)
#define HTTP_LIMITS_PER_S 100 /* requests of one caller */
#define HTTP_LIMITS_BURST 200
#define HTTP_LIMITS_CALLERS 64	/* that are told apart at a time */
#define HTTP_LIMITS_REMOTE (-1) /* uid of who comes with a certificate */

/* A connection's place. */
struct http_seat {
	struct http_seat *next, *previous;
	int fd;
	int64_t uid;
	uint64_t deadline_ns; /* UINT64_MAX: none while it is answered */
};

struct http_caller {
	char who[96];	  /* "" : free */
	uint64_t paid_ns; /* up to then its requests are paid for */
};

struct http_limits {
	struct http_seat *seats;
	struct http_caller callers[HTTP_LIMITS_CALLERS];
};

/* Is the user held to limits? Neither root nor who weftd runs as is. */
bool http_limits_is_counted(int64_t uid);

/* A connection comes. false: there are too many, hang up; it has no seat then. */
bool http_limits_enter(struct http_limits *limits, struct http_seat *seat, int fd, int64_t uid,
		       uint64_t now_ns);
void http_limits_leave(struct http_limits *limits,
		       struct http_seat *seat); /* also without a seat */

/* What it waits for from now on: the rest of the body, nothing, the next request. */
void http_limits_await_body(struct http_seat *seat, uint64_t now_ns);
void http_limits_await_nothing(struct http_seat *seat);
void http_limits_await_request(struct http_seat *seat, uint64_t now_ns);

/* Shuts down the connections whose time is over. Returns how many. */
unsigned int http_limits_enforce(struct http_limits *limits, uint64_t now_ns);

/* May the caller have one more request? If so it is counted. */
bool http_limits_take(struct http_limits *limits, const char *who, int64_t uid, uint64_t now_ns);
