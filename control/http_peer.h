/* SPDX-License-Identifier: BSD-3-Clause */
/* The other end of a connection: who it is, and which role that gives. Runs on weftd's thread. */
#pragma once

#include <stdbool.h>

#include <microhttpd.h>

#include "control/http_limits.h"
#include "control/roles.h"

struct http_peer {
	struct http_seat seat;
	bool is_remote; /* behind TLS: named by its certificate */
	bool is_known;	/* the rest is filled in */
	enum roles_role role;
	int64_t uid;		     /* -1: remote */
	char name[ROLES_NAME_BYTES]; /* user or common name; without one, the uid */
	char who[96];		     /* "uid 1000", "certificate 'monitor'" */
	char grantee[96];	     /* as --grant names it: "user:NAME" */
};

/* NULL: no memory. */
struct http_peer *http_peer_create(bool is_remote);
void http_peer_destroy(struct http_peer *peer); /* NULL is legal */

/* The user at the other end of a local connection, 0 or higher; HTTP_LIMITS_REMOTE if unknown. */
int64_t http_peer_uid(int fd);

/* The peer of a connection as far as it is known. NULL if it has none. */
struct http_peer *http_peer_at(struct MHD_Connection *connection);

/* The peer of a connection that was kept as its socket context; found out at the first request,
 * since a certificate is there only then. NULL if it has none. */
struct http_peer *http_peer_of(struct MHD_Connection *connection, const struct roles *roles);
