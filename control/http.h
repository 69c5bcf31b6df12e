/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * HTTP: libmicrohttpd inside weftd's loop, a table of routes with the role that each asks for,
 * bodies collected up to a limit, answers as JSON or text. Handlers run to the end; there is no
 * other thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "control/problem.h"
#include "control/roles.h"

#define HTTP_BODY_BYTES_MAX (8u * 1024 * 1024)
#define HTTP_TIMEOUT_S 30 /* without a byte either way; http_limits.h has more */

struct http;
struct http_call; /* the library's side of a request */
struct http_tls;
struct loop;

struct http_request {
	const char *method;
	const char *name; /* what stands for {name} in the route's path; "" if it has none */
	unsigned int tag; /* the route's */
	const char *body; /* NUL-terminated */
	size_t body_bytes;
	const char *who;  /* the caller, as "uid 1000" */
	const char *user; /* its name: a user's, or a certificate's */
	int64_t uid;	  /* -1: it has none */
	struct http_call *call;
};

/* An answer without an end, made as the client takes it. read(): bytes copied; 0: nothing now, ask
 * again after http_wake(); -ENODATA: the end; another -errno: it breaks off, which the client sees.
 * close() comes once, whatever happens. */
struct http_stream {
	const char *type;
	void *ctx;
	int (*read)(void *ctx, char *buffer, size_t buffer_bytes);
	void (*close)(void *ctx);
};

/* An answer: a stream if it can be read, else `text`, else `json`. Both become the server's. */
struct http_reply {
	int status; /* 0: 200 */
	json_t *json;
	char *text;
	const char *text_type; /* Content-Type of `text` */
	uint64_t etag;	       /* revision; 0: none */
	struct http_stream stream;
};

/* Returns 0 with *reply filled, or -errno with *problem filled. */
typedef int (*http_fn)(void *ctx, const struct http_request *request, struct http_reply *reply,
		       struct problem *problem);

struct http_route {
	const char *method;
	const char *path; /* "/v1/ports/{name}/qemu-args" */
	http_fn fn;
	const char *query; /* the parameters it takes, as "dry_run, prune"; "" : none */
	enum roles_role role;
	const char *body, *answer; /* schemas in the OpenAPI file; NULL: none */
	const char *help;	   /* one line */
	const char *type;	   /* Content-Type of an answer without a schema */
	unsigned int tag;	   /* for the handler */
};

/* A parameter of the query, NULL if absent, "" without a value; whether it is there and means yes
 * (neither 0 nor false); a header. */
const char *http_query(const struct http_request *request, const char *key);
bool http_query_is_on(const struct http_request *request, const char *key);
const char *http_header(const struct http_request *request, const char *key);

struct http_config {
	const struct http_route *routes; /* routes and roles must outlive the server */
	size_t n_routes;
	const struct roles *roles;
	void *ctx;		    /* of the handlers */
	const struct http_tls *tls; /* NULL: a Unix socket, whose callers the kernel names */
};

/* Serves on a listening socket, which becomes ours, also on an error. */
int http_create(struct loop *loop, int listen_fd, const struct http_config *config,
		struct http **http);
void http_destroy(struct http *http); /* NULL is legal */

/* Does what is due. Returns ms until it wants to be called again, at most; -1: no hurry. */
int http_run(struct http *http);

/* Streams that had nothing are asked again. */
void http_wake(struct http *http);
