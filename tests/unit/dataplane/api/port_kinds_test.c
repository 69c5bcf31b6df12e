/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/api/port_kinds.c: kinds by name, and what is a replace. */
#include "dataplane/api/port_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "dataplane/api/kinds.h"

static void kinds_are_found_by_name(void **state)
{
	for (size_t i = 0; port_kinds[i] != NULL; i++) {
		assert_ptr_equal(port_kinds_find(port_kinds[i]->name), port_kinds[i]);
		assert_true(strlen(port_kinds[i]->name) < sizeof(((struct dp_port *)0)->kind));
	}
	assert_null(port_kinds_find("carrier-pigeon"));
	assert_null(port_kinds_find(""));
}

static void every_kind_has_the_common_rows(void **state)
{
	for (size_t i = 0; port_kinds[i] != NULL; i++)
		assert_int_equal(port_kinds_option(port_kinds[i], "isolated"), OPTIONS_COMMON);
	assert_int_equal(port_kinds_option(&kind_tap, "ifname"), 0);
	assert_int_equal(port_kinds_option(&kind_tap, "socket"), -ENOENT);
}

static struct dp_port tap_port(void)
{
	struct dp_port port = {.id = 1, .name = "c1", .kind = "tap", .n_options = 1};

	port.options[0].index = (uint16_t)port_kinds_option(&kind_tap, "netns");
	port.options[0].kind = OPTION_TEXT;
	strcpy(port.options[0].text, "tap1");
	return port;
}

static void members_label_and_live_options_change_in_place(void **state)
{
	struct dp_port from = tap_port(), to = from;

	to.n_members = 1;
	to.members[0].segment_id = 5;
	strcpy(to.vm, "web");
	to.generation = 9;
	to.n_options = 3;
	to.options[2].index = OPTIONS_COMMON;
	to.options[2].number = 1;
	to.options[1].index = (uint16_t)port_kinds_option(&kind_tap, "ip");
	to.options[1].kind = OPTION_TEXT;
	strcpy(to.options[1].text, "10.0.0.1/24");
	assert_false(port_kinds_is_replace(&from, &to));
	assert_false(port_kinds_is_replace(&to, &from));
}

static void name_kind_and_other_options_are_a_replace(void **state)
{
	struct dp_port from = tap_port(), to = from;

	strcpy(to.name, "c2");
	assert_true(port_kinds_is_replace(&from, &to));
	to = from;
	strcpy(to.kind, "vhost-user");
	assert_true(port_kinds_is_replace(&from, &to));
	to = from;
	strcpy(to.options[0].text, "tap2");
	assert_true(port_kinds_is_replace(&from, &to));
	to = from;
	to.n_options = 0;
	assert_true(port_kinds_is_replace(&from, &to));
	assert_true(port_kinds_is_replace(&to, &from));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_found_by_name),
		cmocka_unit_test(every_kind_has_the_common_rows),
		cmocka_unit_test(members_label_and_live_options_change_in_place),
		cmocka_unit_test(name_kind_and_other_options_are_a_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
