/* SPDX-License-Identifier: BSD-3-Clause */
/* Credentials of the peer of a Unix socket. Main thread. */
#include "dataplane/vhost/peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GROUPS_MAX 1024 /* who is in more is not looked up */

int peer_find_owner(struct peer_owner *owner, const char *name, char *why, size_t why_bytes)
{
	const struct passwd *user;
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	*owner = (struct peer_owner){.is_named = true, .uid = (uid_t)number};
	if (*end == '\0' && name[0] >= '0' && name[0] <= '9' && number < (uid_t)-1)
		return 0;
	user = getpwnam(name);
	if (user == NULL) {
		snprintf(why, why_bytes, "owner: this host has no user %.32s", name);
		return -ENOENT;
	}
	owner->uid = user->pw_uid;
	return 0;
}

static bool is_of_group(int fd, const struct ucred *peer, const char *name)
{
	const struct group *group = getgrnam(name);
	gid_t groups[GROUPS_MAX];
	socklen_t bytes = sizeof(groups);

	if (group == NULL)
		return false;
	if (peer->gid == group->gr_gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes) < 0)
		return false;
	for (size_t i = 0; i < bytes / sizeof(groups[0]); i++) {
		if (groups[i] == group->gr_gid)
			return true;
	}
	return false;
}

pid_t peer_pid(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 ? peer.pid : 0;
}

int peer_check(int fd, const struct peer_owner *owner, char *why, size_t why_bytes)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) < 0) {
		snprintf(why, why_bytes, "cannot tell who the front-end is: %s", strerror(errno));
		return -EPERM;
	}
	if (peer.uid == 0 || (owner->is_named && peer.uid == owner->uid))
		return 0;
	if (!owner->is_named && (peer.uid == geteuid() || is_of_group(fd, &peer, "kvm")))
		return 0;
	if (owner->is_named)
		snprintf(why, why_bytes,
			 "the front-end (process %d) belongs to user %u, not to the port's owner "
			 "%u: it was refused",
			 peer.pid, peer.uid, owner->uid);
	else
		snprintf(why, why_bytes,
			 "the front-end (process %d) belongs to user %u, who is not in group kvm: "
			 "it was refused; add the user to kvm or set owner=",
			 peer.pid, peer.uid);
	return -EPERM;
}
