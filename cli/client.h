/* SPDX-License-Identifier: BSD-3-Clause */
/* One HTTP request to weftd over its Unix socket. No retries, redirects or proxies. */
#pragma once

#include <stddef.h>

#define CLIENT_PATH_BYTES 2048
#define CLIENT_WHY_BYTES 512
#define CLIENT_ETAG_BYTES 128

struct client_request {
	const char *method;
	const char *path;	  /* with its query; what users typed escaped */
	const char *accept;	  /* NULL: JSON */
	const char *if_match;	  /* an ETag; NULL or "": none */
	const char *content_type; /* NULL: JSON */
	const void *body;	  /* NULL: none */
	size_t body_bytes;
	long timeout_ms; /* for all of it; 0: 30 s, and 5 s to connect */
	/* For an answer without an end: gets the body of a success piece by piece, for as long as
	 * something comes at least every 15 s. NULL: the body goes to the answer. */
	int (*take)(void *ctx, const char *data, size_t bytes); /* not 0: stop */
	void *take_ctx;
};

struct client_answer {
	long status;
	char *body; /* with a NUL after it; free with client_release() */
	size_t body_bytes;
	char etag[CLIENT_ETAG_BYTES]; /* "" if there was none */
};

/*
 * 0 whenever an HTTP answer came, whatever its status. Otherwise -errno and one line in `why`:
 * -ECONNREFUSED nobody there (or no permission, or no answer in time), -EPROTO an answer that is
 * not HTTP or too large, -ENOMEM.
 */
int client_run(const char *run_dir, const struct client_request *request,
	       struct client_answer *answer, char *why, size_t why_bytes);

void client_release(struct client_answer *answer);

/* Appends text, or user's text percent-encoded, to a path. 0, or -ENAMETOOLONG. */
int client_path_add(char *path, const char *text);
int client_path_add_escaped(char *path, const char *text);
