/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may do what. A caller has one role; each route of the API asks for one, and a higher role
 * may do all that a lower one may. Local callers are known by the kernel's word for the other end
 * of the socket (SO_PEERCRED), remote ones by the name in their certificate.
 *
 * A grant for a user counts before grants for its groups; of the groups' the highest counts. Root
 * and the user that weftd runs as are always admin; so is group weft, unless a grant names it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define ROLES_GROUP "weft" /* owns the socket */
#define ROLES_GRANTS_MAX 64
#define ROLES_NAME_BYTES 65 /* of a common name, RFC 5280 */

enum roles_role {
	ROLES_NONE,
	ROLES_READ,    /* look at everything */
	ROLES_OPERATE, /* and plug ports in and out */
	ROLES_ADMIN,   /* and everything else */
};

enum roles_who {
	ROLES_USER,
	ROLES_OF_GROUP,
	ROLES_CERT, /* common name of a client's certificate */
};

struct roles_grant {
	enum roles_role role;
	enum roles_who who;
	id_t id;		     /* user, group */
	char name[ROLES_NAME_BYTES]; /* certificate */
};

/* All zero: nothing but what is always so. */
struct roles {
	struct roles_grant grants[ROLES_GRANTS_MAX];
	size_t n_grants;
};

/* Adds "ROLE=user:NAME", "ROLE=group:NAME" or "ROLE=cert:NAME". -EINVAL, -ENOENT (no such user or
 * group), -ENOSPC, with one line in `why`. */
int roles_grant(struct roles *roles, const char *text, char *why, size_t why_bytes);

enum roles_role roles_of_user(const struct roles *roles, uid_t uid, const gid_t *groups,
			      size_t n_groups);
enum roles_role roles_of_cert(const struct roles *roles, const char *name);

/* "read", "operate", "admin"; "no role". */
const char *roles_name(enum roles_role role);
