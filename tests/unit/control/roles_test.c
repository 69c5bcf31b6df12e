/* SPDX-License-Identifier: BSD-3-Clause */
/* Which role a caller has. */
#include "control/roles.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STRANGER 54321 /* neither root nor who runs the test */

static void grant(struct roles *roles, enum roles_role role, enum roles_who who, id_t id)
{
	roles->grants[roles->n_grants++] = (struct roles_grant){.role = role, .who = who, .id = id};
}

static void root_and_weftds_own_user_are_always_admin(void **state)
{
	struct roles roles = {0};

	grant(&roles, ROLES_READ, ROLES_USER, 0);
	grant(&roles, ROLES_READ, ROLES_USER, geteuid());
	assert_int_equal(roles_of_user(&roles, 0, NULL, 0), ROLES_ADMIN);
	assert_int_equal(roles_of_user(&roles, geteuid(), NULL, 0), ROLES_ADMIN);
}

static void a_stranger_has_no_role(void **state)
{
	struct roles roles = {0};
	gid_t groups[] = {STRANGER};

	grant(&roles, ROLES_ADMIN, ROLES_USER, STRANGER + 1);
	assert_int_equal(roles_of_user(&roles, STRANGER, groups, 1), ROLES_NONE);
}

static void a_users_own_grant_counts_before_its_groups(void **state)
{
	struct roles roles = {0};
	gid_t groups[] = {7, 8};

	grant(&roles, ROLES_ADMIN, ROLES_OF_GROUP, 7);
	grant(&roles, ROLES_READ, ROLES_USER, STRANGER);
	assert_int_equal(roles_of_user(&roles, STRANGER, groups, 2), ROLES_READ);
	assert_int_equal(roles_of_user(&roles, STRANGER + 1, groups, 2), ROLES_ADMIN);
}

static void of_several_groups_the_highest_role_counts(void **state)
{
	struct roles roles = {0};
	gid_t groups[] = {7, 8, 9};

	grant(&roles, ROLES_READ, ROLES_OF_GROUP, 7);
	grant(&roles, ROLES_OPERATE, ROLES_OF_GROUP, 9);
	assert_int_equal(roles_of_user(&roles, STRANGER, groups, 3), ROLES_OPERATE);
	/* An id alone is nothing: group 9 is not user 9. */
	assert_int_equal(roles_of_user(&roles, 9, NULL, 0), ROLES_NONE);
}

static void a_certificate_has_the_role_of_its_name(void **state)
{
	struct roles roles = {0};
	char why[256];

	assert_int_equal(roles_grant(&roles, "read=cert:monitor", why, sizeof(why)), 0);
	assert_int_equal(roles_of_cert(&roles, "monitor"), ROLES_READ);
	assert_int_equal(roles_of_cert(&roles, "Monitor"), ROLES_NONE);
	assert_int_equal(roles_of_cert(&roles, ""), ROLES_NONE);
	/* Its id is 0, as root's, and it is no user. */
	assert_int_equal(roles_of_user(&roles, STRANGER, (gid_t[]){0}, 1), ROLES_NONE);
}

static void grants_are_read_as_they_are_written(void **state)
{
	struct roles roles = {0};
	char why[256];

	assert_int_equal(roles_grant(&roles, "operate=user:root", why, sizeof(why)), 0);
	assert_int_equal(roles.grants[0].role, ROLES_OPERATE);
	assert_int_equal(roles.grants[0].who, ROLES_USER);
	assert_int_equal(roles_grant(&roles, "admin=cert:a=b:c", why, sizeof(why)), 0);
	assert_string_equal(roles.grants[1].name, "a=b:c");
}

static void what_is_no_grant_is_refused_in_one_line(void **state)
{
	static const char *const bad[] = {
		"",
		"read",
		"read=",
		"read=user:",
		"read=root",
		"user:root",
		"write=user:root",
		"read=uid:0",
		"READ=user:root",
		"no role=user:root",
	};
	struct roles roles = {0};
	char why[256], name[ROLES_NAME_BYTES + 16] = "read=cert:";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(roles_grant(&roles, bad[i], why, sizeof(why)), -EINVAL);
		assert_non_null(strstr(why, "user:NAME"));
	}
	assert_int_equal(roles_grant(&roles, "read=user:weft no such user", why, sizeof(why)),
			 -ENOENT);
	memset(name + 10, 'x', ROLES_NAME_BYTES);
	assert_int_equal(roles_grant(&roles, name, why, sizeof(why)), -EINVAL);
	assert_int_equal(roles.n_grants, 0);
	for (int i = 0; i < ROLES_GRANTS_MAX; i++)
		assert_int_equal(roles_grant(&roles, "read=cert:x", why, sizeof(why)), 0);
	assert_int_equal(roles_grant(&roles, "read=cert:x", why, sizeof(why)), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_and_weftds_own_user_are_always_admin),
		cmocka_unit_test(a_stranger_has_no_role),
		cmocka_unit_test(a_users_own_grant_counts_before_its_groups),
		cmocka_unit_test(of_several_groups_the_highest_role_counts),
		cmocka_unit_test(a_certificate_has_the_role_of_its_name),
		cmocka_unit_test(grants_are_read_as_they_are_written),
		cmocka_unit_test(what_is_no_grant_is_refused_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
