/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is at the other end of a connection. Runs on weftd's thread. */
#include "control/http_peer.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "control/http_tls.h"

struct http_peer *http_peer_create(bool is_remote)
{
	struct http_peer *peer = calloc(1, sizeof(*peer));

	if (peer != NULL)
		*peer = (struct http_peer){.seat.fd = -1, .is_remote = is_remote, .uid = -1};
	return peer;
}

void http_peer_destroy(struct http_peer *peer)
{
	free(peer);
}

/* The supplementary groups, up to 65,536 (NGROUPS_MAX), of which the kernel tells all or none, and
 * the primary one. NULL and none: no memory. The caller's to free. */
static gid_t *list_groups(int fd, gid_t primary, size_t *n_groups)
{
	socklen_t bytes = 0;

	/* Room for none: how much it takes comes back, unless that is enough. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &bytes) < 0 && errno != ERANGE)
		bytes = 0;
	gid_t *groups = malloc(bytes + sizeof(groups[0]));

	*n_groups = 0;
	if (groups == NULL)
		return NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) == 0)
		*n_groups = bytes / sizeof(groups[0]);
	groups[(*n_groups)++] = primary;
	return groups;
}

static void find_local(struct http_peer *peer, int fd, const struct roles *roles)
{
	struct ucred cred;
	socklen_t bytes = sizeof(cred);

	snprintf(peer->who, sizeof(peer->who), "the caller");
	snprintf(peer->grantee, sizeof(peer->grantee), "user:NAME");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &bytes) < 0)
		return;
	size_t n_groups;
	gid_t *groups = list_groups(fd, cred.gid, &n_groups);

	peer->role = roles_of_user(roles, cred.uid, groups, n_groups);
	free(groups);
	const struct passwd *user = getpwuid(cred.uid);
	peer->uid = cred.uid;
	snprintf(peer->who, sizeof(peer->who), "uid %u", cred.uid);
	if (user != NULL)
		snprintf(peer->name, sizeof(peer->name), "%s", user->pw_name);
	else
		snprintf(peer->name, sizeof(peer->name), "%u", cred.uid);
	if (user != NULL)
		snprintf(peer->grantee, sizeof(peer->grantee), "user:%s", user->pw_name);
}

static void find_remote(struct http_peer *peer, struct MHD_Connection *connection,
			const struct roles *roles)
{
	char name[ROLES_NAME_BYTES];

	snprintf(peer->who, sizeof(peer->who), "a certificate without a common name");
	snprintf(peer->grantee, sizeof(peer->grantee), "cert:NAME");
	if (!http_tls_name(connection, name))
		return;
	peer->role = roles_of_cert(roles, name);
	memcpy(peer->name, name, sizeof(peer->name));
	snprintf(peer->who, sizeof(peer->who), "certificate '%s'", name);
	snprintf(peer->grantee, sizeof(peer->grantee), "cert:%s", name);
}

int64_t http_peer_uid(int fd)
{
	struct ucred cred;
	socklen_t bytes = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &bytes) < 0)
		return HTTP_LIMITS_REMOTE;
	return cred.uid;
}

struct http_peer *http_peer_at(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

struct http_peer *http_peer_of(struct MHD_Connection *connection, const struct roles *roles)
{
	struct http_peer *peer = http_peer_at(connection);

	if (peer == NULL || peer->is_known)
		return peer;
	peer->is_known = true;
	if (peer->is_remote) {
		find_remote(peer, connection, roles);
		return peer;
	}
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	find_local(peer, info->connect_fd, roles);
	return peer;
}
