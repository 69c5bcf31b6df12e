/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of cli/replay_rewrite.c. */
#include "cli/replay_rewrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static struct replay_rewrite rules(const char *key, const char *value)
{
	struct replay_rewrite rewrite = {.vlan = REPLAY_VLAN_KEEP};

	assert_int_equal(replay_rewrite_parse(&rewrite, key, value), 0);
	return rewrite;
}

static uint16_t sum_of(const uint8_t *bytes, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* IPv4 and UDP with 4 bytes, both checksums right. */
static uint32_t make_udp(uint8_t frame[64])
{
	static const uint8_t bytes[] = {
		2,  0, 0, 0,  0, 2, 2, 0,  0, 0, 0, 1, 8,  0, 0x45, 0, 0,  32, 0, 0, 0, 0, 64,
		17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 53, 0, 53,   0, 12, 0,  0, 1, 2, 3, 4,
	};
	uint16_t sum;

	memcpy(frame, bytes, sizeof(bytes));
	sum = (uint16_t)~sum_of(frame + 14, 20, 0);
	frame[24] = (uint8_t)(sum >> 8);
	frame[25] = (uint8_t)sum;
	sum = (uint16_t)~sum_of(frame + 26, 20, 17 + 12);
	frame[40] = (uint8_t)(sum >> 8);
	frame[41] = (uint8_t)sum;
	return sizeof(bytes);
}

static void addresses_change_with_their_checksums(void **state)
{
	struct replay_rewrite rewrite = rules("src_ip", "192.168.250.251");
	uint8_t frame[68];
	uint32_t len = make_udp(frame);

	assert_int_equal(sum_of(frame + 26, 20, 17 + 12), 0xffff);
	assert_int_equal(replay_rewrite_parse(&rewrite, "dst_ip", "1.2.3.4"), 0);
	assert_int_equal(replay_rewrite_frame(&rewrite, frame, len), len);
	assert_int_equal(frame[26], 192);
	assert_int_equal(frame[33], 4);
	assert_int_equal(sum_of(frame + 14, 20, 0), 0xffff);
	assert_int_equal(sum_of(frame + 26, 20, 17 + 12), 0xffff);
}

static void a_tag_is_put_in_changed_and_taken_off(void **state)
{
	struct replay_rewrite rewrite = rules("vlan", "100"), none = rules("vlan", "none");
	uint8_t frame[68], before[68];
	uint32_t len = make_udp(frame);

	make_udp(before);
	assert_int_equal(replay_rewrite_frame(&rewrite, frame, len), len + 4);
	assert_memory_equal(frame + 12, "\x81\x00\x00\x64\x08\x00", 6);
	frame[14] = 0xe0;
	rewrite = rules("vlan", "4094");
	assert_int_equal(replay_rewrite_frame(&rewrite, frame, len + 4), len + 4);
	assert_memory_equal(frame + 12, "\x81\x00\xef\xfe", 4);
	assert_int_equal(replay_rewrite_frame(&none, frame, len + 4), len);
	assert_memory_equal(frame, before, len);
	assert_int_equal(replay_rewrite_frame(&none, frame, len), len);
}

static void macs_change(void **state)
{
	struct replay_rewrite rewrite = rules("src_mac", "02:00:00:00:00:77");
	uint8_t frame[68];
	uint32_t len = make_udp(frame);

	replay_rewrite_frame(&rewrite, frame, len);
	assert_memory_equal(frame, "\2\0\0\0\0\2\2\0\0\0\0\x77", 12);
}

static void what_is_cut_off_anywhere_stays(void **state)
{
	struct replay_rewrite rewrite = rules("src_ip", "1.2.3.4");
	uint8_t frame[68];
	uint32_t len = make_udp(frame);

	rewrite.vlan = 5;
	for (uint32_t n = 0; n <= len; n++) {
		make_udp(frame);
		frame[14] = 0x4f; /* a header that is longer than all */
		uint32_t now = replay_rewrite_frame(&rewrite, frame, n);

		assert_true(now == n || now == n + 4);
	}
}

static void words_that_are_none_are_refused(void **state)
{
	struct replay_rewrite rewrite = {0};

	assert_int_equal(replay_rewrite_parse(&rewrite, "vlan", "4095"), -EINVAL);
	assert_int_equal(replay_rewrite_parse(&rewrite, "vlan", "x"), -EINVAL);
	assert_int_equal(replay_rewrite_parse(&rewrite, "src_mac", "02:00"), -EINVAL);
	assert_int_equal(replay_rewrite_parse(&rewrite, "src_mac", "02:00:00:00:00:01x"), -EINVAL);
	assert_int_equal(replay_rewrite_parse(&rewrite, "dst_ip", "1.2.3"), -EINVAL);
	assert_int_equal(replay_rewrite_parse(&rewrite, "colour", "red"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_change_with_their_checksums),
		cmocka_unit_test(a_tag_is_put_in_changed_and_taken_off),
		cmocka_unit_test(macs_change),
		cmocka_unit_test(what_is_cut_off_anywhere_stays),
		cmocka_unit_test(words_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
