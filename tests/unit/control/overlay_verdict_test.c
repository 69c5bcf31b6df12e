/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of control/overlay_verdict.c: what probes have shown, and what is said of it. */
#include "control/overlay_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "control/doctor.h"

/* All is well: every probe is answered, the last after 128 us. */
static struct overlay_test_result healthy(void)
{
	struct overlay_test_result result = {
		.spec = {.way = {.from = {.family = AF_INET}, .overhead_bytes = 50},
			 .vxlan_port = 4789,
			 .needed_bytes = 1500,
			 .has_bare = true},
		.path_bytes = 1500,
		.ttl = 64,
	};

	for (unsigned int i = 0; i < OVERLAY_TEST_SMALL; i++) {
		result.ports[i % OVERLAY_TEST_PORTS] = (uint16_t)(50000 + i % OVERLAY_TEST_PORTS);
		result.probes[i] = (struct overlay_test_probe){
			.sent_ns = 1,
			.delay_ns = (OVERLAY_TEST_SMALL - i) * 1000,
			.seen_port = (uint16_t)(50000 + i % OVERLAY_TEST_PORTS),
			.had_checksum = i < OVERLAY_TEST_PORTS,
			.seen_checksum = i < OVERLAY_TEST_PORTS,
		};
	}
	return result;
}

/* The line of the check is this, and all is healthy if no line fails. */
static void assert_says(const struct overlay_test_result *result, const char *check,
			const char *verdict, const char *words, const char *fix)
{
	json_t *list = overlay_verdict(result);
	json_t *line;
	size_t i, n = 0;

	json_array_foreach(list, i, line) {
		if (strcmp(json_string_value(json_object_get(line, "check")), check) != 0)
			continue;
		n++;
		assert_string_equal(json_string_value(json_object_get(line, "result")), verdict);
		assert_non_null(strstr(json_string_value(json_object_get(line, "detail")), words));
		assert_non_null(strstr(json_string_value(json_object_get(line, "fix")), fix));
	}
	assert_int_equal(n, 1);
	assert_int_equal(doctor_is_healthy(list), strcmp(verdict, "fail") != 0);
	json_decref(list);
}

static void lose(struct overlay_test_result *result, unsigned int from, unsigned int n,
		 unsigned int stride)
{
	for (unsigned int i = 0; i < n; i++)
		result->probes[from + i * stride].delay_ns = 0;
}

static void a_good_way_is_told_in_numbers(void **state)
{
	struct overlay_test_result result = healthy();

	assert_says(&result, "reach", "ok", "128 of 128 probes answered; they arrive with TTL 64",
		    "");
	assert_says(&result, "path-mtu", "ok", "1500 bytes pass, segments need 1500", "");
	assert_says(&result, "checksum", "ok", "64 with outer checksum verified, and as good", "");
	assert_says(&result, "loss", "ok", "0 of 128 probes lost", "");
	assert_says(&result, "delay", "ok", "least 1 us, median 65 us, p99 127 us", "");
	assert_says(&result, "entropy", "ok", "all of 64 source ports arrive as sent", "");
}

static void silence_has_a_cause(void **state)
{
	struct overlay_test_result result = healthy();

	lose(&result, 0, OVERLAY_TEST_SMALL, 1);
	assert_says(&result, "reach", "fail", "the peer is no weft", "pass UDP to port 4789");
	result.error = -ECONNREFUSED;
	assert_says(&result, "reach", "fail", "nobody takes UDP port 4789", "weft uplink list");
	result.error = -EPERM;
	assert_says(&result, "reach", "fail", "this host cannot send: Operation not permitted",
		    "firewall");
}

static void a_narrow_way_fails_with_its_number(void **state)
{
	struct overlay_test_result result = healthy();

	result.path_bytes = 1499;
	assert_says(&result, "path-mtu", "fail", "packets of 1499 bytes pass", "mtu=1449");
	/* Narrower than the interface is no fault if segments need no more. */
	result.spec.needed_bytes = 1499;
	assert_says(&result, "path-mtu", "ok", "segments need 1499", "");
	result.spec.needed_bytes = 0;
	assert_says(&result, "path-mtu", "ok", "packets of 1499 bytes pass", "");
}

static void loss_warns_then_fails(void **state)
{
	struct overlay_test_result result = healthy();

	lose(&result, 0, 6, 1);
	assert_says(&result, "loss", "warn", "6 of 128", "again");
	lose(&result, 0, 7, 1);
	assert_says(&result, "loss", "fail", "7 of 128", "again");
}

static void ports_that_lead_nowhere_are_named(void **state)
{
	struct overlay_test_result result = healthy();

	/* Once of twice is loss. */
	lose(&result, 3, 1, 1);
	assert_says(&result, "entropy", "ok", "all of 64", "");
	lose(&result, 3, 2, OVERLAY_TEST_PORTS);
	assert_says(&result, "entropy", "fail", "1 of 64 source ports lead nowhere (50003)",
		    "dead");
	lose(&result, 10, 5, 1);
	lose(&result, 10 + OVERLAY_TEST_PORTS, 5, 1);
	assert_says(&result, "entropy", "fail",
		    "6 of 64 source ports lead nowhere (50003, 50010, "
		    "50011, 50012 ...)",
		    "dead");
}

static void a_nat_is_seen(void **state)
{
	struct overlay_test_result result = healthy();

	result.probes[9].seen_port = 1;
	assert_says(&result, "entropy", "warn", "1 of 128 probes", "NAT");
}

static void checksums_that_do_not_pass_are_seen(void **state)
{
	struct overlay_test_result result = healthy();

	result.probes[5].seen_checksum = false;
	assert_says(&result, "checksum", "warn", "1 outer UDP checksums were taken off",
		    "rewrites");
	lose(&result, 0, OVERLAY_TEST_PORTS, 1);
	assert_says(&result, "checksum", "fail", "packets with outer", "checksum=off");
	result = healthy();
	lose(&result, OVERLAY_TEST_PORTS, OVERLAY_TEST_PORTS, 1);
	assert_says(&result, "checksum", "fail", "packets without outer", "checksum=on");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_way_is_told_in_numbers),
		cmocka_unit_test(silence_has_a_cause),
		cmocka_unit_test(a_narrow_way_fails_with_its_number),
		cmocka_unit_test(loss_warns_then_fails),
		cmocka_unit_test(ports_that_lead_nowhere_are_named),
		cmocka_unit_test(a_nat_is_seen),
		cmocka_unit_test(checksums_that_do_not_pass_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
