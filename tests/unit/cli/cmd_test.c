/* SPDX-License-Identifier: BSD-3-Clause */
/* Which words run what; help, suggestions, exit code 2. No weftd is needed for any of it. */
#include "cli/cmd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/cli/cli_rig.h"

/* Runs the words and checks the exit code and a part of what went to out or err. */
#define check(code_wanted, out_part, err_part, ...)                                                \
	do {                                                                                       \
		struct cli_rig_result result = cli_rig_run(NULL, __VA_ARGS__);                     \
		assert_int_equal(result.code, code_wanted);                                        \
		check_part(result.out, out_part);                                                  \
		check_part(result.err, err_part);                                                  \
		cli_rig_release(&result);                                                          \
	} while (0)

#define TEN "a234567890"

/* "" : nothing may have been printed. */
static void check_part(const char *text, const char *part)
{
	if (*part == '\0')
		assert_string_equal(text, "");
	else if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

static void no_words_print_help_as_an_error(void **state)
{
	struct cli_rig_result result = cli_rig_run_in(NULL, "", (const char *const[]){NULL});

	assert_int_equal(result.code, 2);
	assert_string_equal(result.out, "");
	check_part(result.err, "usage: weft");
	cli_rig_release(&result);
}

static void help_is_everywhere(void **state)
{
	check(0, "usage: weft", "", "help");
	check(0, "usage: weft", "", "--help");
	check(0, "usage: weft port add NAME", "", "help", "port", "add");
	check(0, "usage: weft port add NAME", "", "port", "add", "--help");
	check(0, "usage: weft apply -f", "", "-h", "apply");
	check(0, "weft port libvirt-xml NAME [accel=kvm|tcg]", "", "port", "--help");
	check(2, "", "unknown command 'nonsense'", "help", "nonsense");
	check(0, "add and change what a lab file declares\n", "", "help");
	check(0, "default 1G", "", "port", "qemu-args", "--help");
	check(0, "default: kvm if /dev/kvm can be opened", "", "port", "qemu-args", "--help");
	check(0, "exit 1 if the dataplane is not connected", "", "status", "--help");
}

static void mistyped_words_get_a_suggestion(void **state)
{
	check(2, "", "unknown command 'prot'; did you mean 'weft port'?\n", "prot", "list");
	check(2, "", "unknown command 'port lst'; did you mean 'weft port list'?\n", "port", "lst");
	check(2, "", "unknown command 'reboot'; known: apply, confirm,", "reboot");
	check(2, "", "unknown command 'fdb frobnicate'; known: list\n", "fdb", "frobnicate");
	check(2, "", "unknown command 'port ls'; did you mean 'weft port list'?\n", "port", "ls");
	check(2, "", "unknown command 'port rm'; did you mean 'weft port del'?\n", "port", "rm");
	check(2, "", "did you mean 'weft segment del'?\n", "segment", "delete", "ALPHA");
	check(2, "", "unknown command 'ls'; known: apply,", "ls");
	check(2, "", "unknown command 'fdb rm'; known: list\n", "fdb", "rm");
	check(2, "", "weft: segment what? add, list, show, set, del, keys\n", "segment");
}

static void too_few_and_too_many_words_show_the_usage(void **state)
{
	check(2, "", "weft: something is missing; usage: weft segment show NAME\n", "segment",
	      "show");
	check(2, "", "too much: 'b'; usage: weft segment show NAME\n", "segment", "show", "a", "b");
	check(2, "", "too much: 'now'", "status", "now");
	check(2, "", "usage: weft port set NAME KEY=VALUE", "port", "set", "web0");
}

static void options_that_mean_nothing_here_are_refused(void **state)
{
	check(2, "", "-f has no meaning here", "status", "-f", "lab.yaml");
	check(2, "", "--dry-run has no meaning here", "port", "list", "--dry-run");
	check(2, "", "--prune has no meaning here", "export", "--prune");
	check(2, "", "--wait has no meaning here", "port", "list", "--wait");
	check(2, "", "say which file with -f", "apply");
	check(2, "", "weft: did you mean -f lab.yaml?; usage: weft apply -f", "apply", "lab.yaml");
	check(2, "", "did you mean -f lab.yaml?; usage: weft diff -f", "diff", "lab.yaml");
	check(2, "", "too much: 'more.yaml'", "apply", "-f", "lab.yaml", "more.yaml");
	check(2, "", "a lab has no table", "export", "-o", "table");
}

static void words_that_are_no_name_or_no_pair_are_refused(void **state)
{
	check(2, "", "a name is expected, not ''", "port", "show", "");
	check(2, "", "a name is expected, not 'vni=1'", "segment", "add", "vni=1");
	check(2, "",
	      "weft: 'bad/name' is not a name: use 1 to 63 of A-Z a-z 0-9 . _ -, first a letter "
	      "or digit; usage: weft port show NAME\n",
	      "port", "show", "bad/name");
	check(2, "", "'..' is not a name", "segment", "del", "..");
	check(2, "", "'caf\xc3\xa9' is not a name", "port", "libvirt-xml", "caf\xc3\xa9");
	check(2, "", "is not a name", "port", "qemu-args", TEN TEN TEN TEN TEN TEN "abcd");
	check(3, "", "weftd does not run", "--run-dir", "/nonexistent", "port", "show",
	      TEN TEN TEN TEN TEN TEN "-._");
	check(2, "", "'vni' is not KEY=VALUE", "segment", "add", "A", "vni");
	check(2, "", "vni is given twice", "segment", "add", "A", "vni=1", "vni=2");
	check(2, "", "status cannot be set", "port", "add", "p", "status=up");
	check(2, "", "neither segment=SEGMENT nor port=PORT", "fdb", "list", "vm=a");
	check(2, "", "name a port", "port", "qemu-args", "memory=1G");
	check(2, "", "'accel=hvf' is neither", "port", "qemu-args", "gw0", "accel=hvf");
	check(2, "", "port gw0 is given twice", "port", "qemu-args", "gw0", "gw1", "gw0");
}

static void version_needs_no_daemon(void **state)
{
	check(0, "weft 0.", "", "version");
	check(0, "weft 0.", "", "--version");
	check(0, "\"version\": \"0.", "", "version", "-o", "json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_words_print_help_as_an_error),
		cmocka_unit_test(help_is_everywhere),
		cmocka_unit_test(mistyped_words_get_a_suggestion),
		cmocka_unit_test(too_few_and_too_many_words_show_the_usage),
		cmocka_unit_test(options_that_mean_nothing_here_are_refused),
		cmocka_unit_test(words_that_are_no_name_or_no_pair_are_refused),
		cmocka_unit_test(version_needs_no_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
