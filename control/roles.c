/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may do what. Runs on weftd's thread. */
#include "control/roles.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {
	[ROLES_NONE] = "no role",
	[ROLES_READ] = "read",
	[ROLES_OPERATE] = "operate",
	[ROLES_ADMIN] = "admin",
};

static const char *const whos[] = {
	[ROLES_USER] = "user:",
	[ROLES_OF_GROUP] = "group:",
	[ROLES_CERT] = "cert:",
};

const char *roles_name(enum roles_role role)
{
	return names[role];
}

/* The role before '='; *rest is what comes after it. */
static enum roles_role read_role(const char *text, const char **rest)
{
	size_t len = strcspn(text, "=");

	for (enum roles_role role = ROLES_READ; role <= ROLES_ADMIN && text[len] == '='; role++) {
		if (strlen(names[role]) == len && memcmp(names[role], text, len) == 0) {
			*rest = text + len + 1;
			return role;
		}
	}
	return ROLES_NONE;
}

static bool read_who(const char *text, enum roles_who *who, const char **name)
{
	for (size_t i = 0; i < sizeof(whos) / sizeof(whos[0]); i++) {
		size_t len = strlen(whos[i]);

		if (strncmp(text, whos[i], len) == 0 && text[len] != '\0') {
			*who = (enum roles_who)i;
			*name = text + len;
			return true;
		}
	}
	return false;
}

/* Turns the name into what the kernel will say: now, so that a misspelt one is noticed now. */
static int find_id(struct roles_grant *grant, const char *name)
{
	const struct passwd *user = grant->who == ROLES_USER ? getpwnam(name) : NULL;
	const struct group *group = grant->who == ROLES_OF_GROUP ? getgrnam(name) : NULL;

	if (user == NULL && group == NULL)
		return -ENOENT;
	grant->id = user != NULL ? user->pw_uid : group->gr_gid;
	return 0;
}

int roles_grant(struct roles *roles, const char *text, char *why, size_t why_bytes)
{
	struct roles_grant grant = {0};
	const char *rest = "", *name = "";

	grant.role = read_role(text, &rest);
	if (grant.role == ROLES_NONE || !read_who(rest, &grant.who, &name)) {
		snprintf(why, why_bytes,
			 "--grant %.100s: write read=, operate= or admin= and then user:NAME, "
			 "group:NAME or cert:NAME",
			 text);
		return -EINVAL;
	}
	if (roles->n_grants == ROLES_GRANTS_MAX) {
		snprintf(why, why_bytes, "--grant: %d at most; use groups", ROLES_GRANTS_MAX);
		return -ENOSPC;
	}
	if (grant.who != ROLES_CERT && find_id(&grant, name) < 0) {
		snprintf(why, why_bytes, "--grant %.100s: there is no %s on this host", text, rest);
		return -ENOENT;
	}
	if ((size_t)snprintf(grant.name, sizeof(grant.name), "%s", name) >= sizeof(grant.name)) {
		snprintf(why, why_bytes, "--grant %.100s: a name has %d bytes at most", text,
			 ROLES_NAME_BYTES - 1);
		return -EINVAL;
	}
	roles->grants[roles->n_grants++] = grant;
	return 0;
}

static enum roles_role highest(const struct roles *roles, enum roles_who who, id_t id, bool *found)
{
	enum roles_role role = ROLES_NONE;

	for (size_t i = 0; i < roles->n_grants; i++) {
		const struct roles_grant *grant = &roles->grants[i];

		if (grant->who != who || grant->id != id)
			continue;
		*found = true;
		role = grant->role > role ? grant->role : role;
	}
	return role;
}

enum roles_role roles_of_user(const struct roles *roles, uid_t uid, const gid_t *groups,
			      size_t n_groups)
{
	const struct group *weft = getgrnam(ROLES_GROUP);
	bool is_user_named = false;
	enum roles_role role = highest(roles, ROLES_USER, uid, &is_user_named);

	if (uid == 0 || uid == geteuid())
		return ROLES_ADMIN;
	for (size_t i = 0; i < n_groups && !is_user_named; i++) {
		bool is_named = false;
		enum roles_role other = highest(roles, ROLES_OF_GROUP, groups[i], &is_named);

		if (!is_named && weft != NULL && weft->gr_gid == groups[i])
			other = ROLES_ADMIN;
		role = other > role ? other : role;
	}
	return role;
}

enum roles_role roles_of_cert(const struct roles *roles, const char *name)
{
	enum roles_role role = ROLES_NONE;

	for (size_t i = 0; i < roles->n_grants; i++) {
		const struct roles_grant *grant = &roles->grants[i];

		if (grant->who == ROLES_CERT && strcmp(grant->name, name) == 0)
			role = grant->role > role ? grant->role : role;
	}
	return role;
}
