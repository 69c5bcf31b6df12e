/* SPDX-License-Identifier: BSD-3-Clause */
/* weft port types, qemu-args, libvirt-xml. What ports share with segments is in object_test.c. */
#include "cli/cmds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/cli/cli_rig.h"

static void check_result(struct cli_rig_result *result, int code, const char *out, const char *err)
{
	assert_string_equal(result->err, err);
	assert_string_equal(result->out, out);
	assert_int_equal(result->code, code);
	cli_rig_release(result);
}

static void types_print_the_options_of_each(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(
		room, "200 OK",
		"{\"types\":[{\"name\":\"tap\",\"help\":\"a device\",\"options\":[{\"key\":\"ip\","
		"\"kind\":\"text\",\"unit\":\"\",\"default\":null,\"help\":\"address\","
		"\"live\":true}]},{\"name\":\"none\",\"help\":\"h\",\"options\":[]}],"
		"\"common\":[{\"key\":\"isolated\",\"kind\":\"bool\",\"unit\":\"\","
		"\"default\":\"off\",\"help\":\"alone\",\"live\":true}]}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "types");

	check_result(&result, 0,
		     "tap: a device\n"
		     "KEY  KIND  UNIT  DEFAULT  LIVE  MEANING\n"
		     "ip   text  -     -        yes   address\n"
		     "\n"
		     "none: h\n"
		     "KEY  KIND  UNIT  DEFAULT  LIVE  MEANING\n"
		     "\n"
		     "every type:\n"
		     "KEY       KIND  UNIT  DEFAULT  LIVE  MEANING\n"
		     "isolated  bool  -     off      yes   alone\n",
		     "");
	cli_rig_destroy(rig);
}

static void qemu_args_of_several_ports_are_one_line_when_not_on_a_terminal(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(rooms[0], "200 OK",
			       "{\"args\":[\"-m\",\"256M\",\"-device\",\"a\"]}"),
		cli_rig_answer(rooms[1], "200 OK", "{\"args\":[\"-device\",\"b\"]}"),
	};
	struct cli_rig *rig = cli_rig_create(answers, 2);
	struct cli_rig_result result =
		cli_rig_run(rig, "port", "qemu-args", "gw0", "memory=256M", "gw1", "accel=tcg");

	check_result(&result, 0, "-m 256M -device a -device b\n", "");
	assert_non_null(strstr(cli_rig_request(rig, 0),
			       "GET /v1/ports/gw0/qemu-args?memory=256M&tcg=1 HTTP"));
	assert_non_null(strstr(cli_rig_request(rig, 1),
			       "GET /v1/ports/gw1/qemu-args?memory=256M&tcg=1&nic_only=1 HTTP"));
	cli_rig_destroy(rig);
}

static void qemu_args_as_json_are_an_array(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(room, "200 OK", "{\"args\":[\"-m\",\"1G\"]}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result =
		cli_rig_run(rig, "port", "qemu-args", "gw0", "accel=kvm", "-o", "json");

	check_result(&result, 0, "[\n  \"-m\",\n  \"1G\"\n]\n", "");
	cli_rig_destroy(rig);
}

static void accel_is_what_dev_kvm_allows_unless_said_otherwise(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	const char *const expected[] = {fd < 0 ? "/qemu-args?tcg=1 HTTP" : "/qemu-args HTTP",
					"/qemu-args?tcg=1 HTTP", "/qemu-args HTTP"};
	const char *const words[] = {NULL, "accel=tcg", "accel=kvm"};

	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *const answers[] = {
			cli_rig_answer(room, "200 OK", "{\"args\":[\"-m\",\"1G\"]}")};
		struct cli_rig *rig = cli_rig_create(answers, 1);
		struct cli_rig_result result =
			cli_rig_run(rig, "port", "qemu-args", "gw0", words[i]);

		check_result(&result, 0, "-m 1G\n", "");
		assert_non_null(strstr(cli_rig_request(rig, 0), expected[i]));
		cli_rig_destroy(rig);
	}
}

static void ports_of_two_machines_in_one_guest_are_warned_of(void **state)
{
	char rooms[3][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(rooms[0], "200 OK", "{\"args\":[\"-a\"],\"vm\":\"gw\"}"),
		cli_rig_answer(rooms[1], "200 OK", "{\"args\":[\"-b\"],\"vm\":\"\"}"),
		cli_rig_answer(rooms[2], "200 OK", "{\"args\":[\"-c\"],\"vm\":\"web\"}"),
	};
	struct cli_rig *rig = cli_rig_create(answers, 3);
	struct cli_rig_result result = cli_rig_run(rig, "port", "qemu-args", "gw0", "x0", "web0");

	check_result(&result, 0, "-a -b -c\n",
		     "weft: warning: port web0 is of vm web, a port before it of gw\n");
	cli_rig_destroy(rig);
}

static void nothing_is_printed_if_one_of_the_ports_is_refused(void **state)
{
	char rooms[2][CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {
		cli_rig_answer(rooms[0], "200 OK", "{\"args\":[\"-m\",\"256M\"]}"),
		cli_rig_answer(rooms[1], "404 No", "{\"detail\":\"no port gw9\"}"),
	};
	struct cli_rig *rig = cli_rig_create(answers, 2);
	struct cli_rig_result result = cli_rig_run(rig, "port", "qemu-args", "gw0", "gw9");

	check_result(&result, 4, "", "weft: no port gw9\n");
	cli_rig_destroy(rig);
}

static void libvirt_xml_is_printed_as_text(void **state)
{
	char room[CLI_RIG_REQUEST_BYTES];
	const char *const answers[] = {cli_rig_answer(
		room, "200 OK", "{\"xml\":\"<interface type='vhostuser'>\\n</x>\"}")};
	struct cli_rig *rig = cli_rig_create(answers, 1);
	struct cli_rig_result result = cli_rig_run(rig, "port", "libvirt-xml", "gw0", "accel=tcg");

	check_result(&result, 0, "<interface type='vhostuser'>\n</x>\n", "");
	assert_non_null(
		strstr(cli_rig_request(rig, 0), "GET /v1/ports/gw0/libvirt-xml?tcg=1 HTTP"));
	cli_rig_destroy(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_print_the_options_of_each),
		cmocka_unit_test(qemu_args_of_several_ports_are_one_line_when_not_on_a_terminal),
		cmocka_unit_test(qemu_args_as_json_are_an_array),
		cmocka_unit_test(accel_is_what_dev_kvm_allows_unless_said_otherwise),
		cmocka_unit_test(ports_of_two_machines_in_one_guest_are_warned_of),
		cmocka_unit_test(nothing_is_printed_if_one_of_the_ports_is_refused),
		cmocka_unit_test(libvirt_xml_is_printed_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
