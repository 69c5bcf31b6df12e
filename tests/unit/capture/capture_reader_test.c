/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of capture/capture_reader*.c: every form of both formats, and what is damaged. */
#include "capture/capture_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/capture/rig.h"

#define MICROSECONDS 0xa1b2c3d4u
#define NANOSECONDS 0xa1b23c4du
#define NS_PER_S 1000000000ull

static const char frame[] = "fifteen bytes..";

static struct read read_whole(const struct made *made)
{
	return read_all(made->bytes, made->n, sizeof(made->bytes));
}

static void pcap_in_four_forms(void **state)
{
	for (int form = 0; form < 4; form++) {
		struct made made = {.is_swapped = form % 2 != 0};
		bool is_nano = form / 2 != 0;

		made_pcap(&made, is_nano ? NANOSECONDS : MICROSECONDS);
		made_record(&made, 3, 5, "first", 5);
		made_record(&made, 4000000000u, 123456, frame, sizeof(frame));
		/* However it is cut: the same. */
		for (size_t piece = 1; piece < 40; piece++) {
			struct read read = read_all(made.bytes, made.n, piece);

			assert_int_equal(read.result, 0);
			assert_int_equal(read.n, 2);
			assert_int_equal(read.last.time_ns,
					 4000000000u * NS_PER_S + (is_nano ? 123456 : 123456000));
			assert_int_equal(read.last.len, sizeof(frame));
			assert_memory_equal(read.last_bytes, frame, sizeof(frame));
			assert_int_equal(read.interface.link, CAPTURE_LINK_ETHERNET);
		}
	}
}

/* Block type 6, of interface 0. */
static void add_packet(struct made *made, uint64_t ticks, const char *comment)
{
	struct made body = {.is_swapped = made->is_swapped};

	made_u32(&body, 0);
	made_u32(&body, (uint32_t)(ticks >> 32));
	made_u32(&body, (uint32_t)ticks);
	made_u32(&body, sizeof(frame) - 2);
	made_u32(&body, 100);
	made_bytes(&body, frame, sizeof(frame) - 2);
	made_bytes(&body, "\0\0\0", (4 - body.n % 4) % 4);
	if (comment != NULL) {
		made_u16(&body, 1);
		made_u16(&body, (unsigned int)strlen(comment));
		made_bytes(&body, comment, strlen(comment));
		made_bytes(&body, "\0\0\0", (4 - body.n % 4) % 4);
		made_u16(&body, 2);
		made_u16(&body, 4);
		made_u32(&body, CAPTURE_DIRECTION_OUT);
		made_u32(&body, 0);
	}
	made_block(made, 6, &body);
}

static void add_interface(struct made *made, unsigned int link, int resolution, int64_t offset_s)
{
	struct made body = {.is_swapped = made->is_swapped};

	made_u16(&body, link);
	made_u16(&body, 0);
	made_u32(&body, 128);
	made_u16(&body, 2);
	made_u16(&body, 4);
	made_bytes(&body, "web0", 4);
	if (resolution >= 0) {
		made_u16(&body, 9);
		made_u16(&body, 1);
		made_bytes(&body, (uint8_t[4]){(uint8_t)resolution}, 4);
	}
	if (offset_s != 0) {
		uint64_t value = (uint64_t)offset_s;

		made_u16(&body, 14);
		made_u16(&body, 8);
		value = made->is_swapped ? __builtin_bswap64(value) : value;
		made_bytes(&body, &value, sizeof(value));
	}
	made_u32(&body, 0);
	made_block(made, 1, &body);
}

static void pcapng_in_both_orders(void **state)
{
	for (int is_swapped = 0; is_swapped < 2; is_swapped++) {
		struct made made = {.is_swapped = is_swapped != 0};
		struct made unknown = {.n = 8};

		made_section(&made);
		made_block(&made, 0x0bad, &unknown);
		add_interface(&made, CAPTURE_LINK_ETHERNET, 9, 0);
		add_packet(&made, 5000000000007ull, NULL);
		add_packet(&made, 5000000000008ull, "storm-broadcast");
		for (size_t piece = 1; piece < 50; piece++) {
			struct read read = read_all(made.bytes, made.n, piece);

			assert_int_equal(read.result, 0);
			assert_int_equal(read.n, 2);
			assert_int_equal(read.last.time_ns, 5000000000008ull);
			assert_int_equal(read.last.len, sizeof(frame) - 2);
			assert_int_equal(read.last.wire_len, 100);
			assert_int_equal(read.last.direction, CAPTURE_DIRECTION_OUT);
			assert_string_equal(read.comment, "storm-broadcast");
			assert_string_equal(read.interface.name, "web0");
			assert_int_equal(read.interface.snaplen, 128);
		}
	}
}

static uint64_t time_of(int resolution, int64_t offset_s, uint64_t ticks)
{
	struct made made = {.n = 0};

	made_section(&made);
	add_interface(&made, CAPTURE_LINK_ETHERNET, resolution, offset_s);
	add_packet(&made, ticks, NULL);
	struct read read = read_whole(&made);

	assert_int_equal(read.result, 0);
	assert_int_equal(read.n, 1);
	return read.last.time_ns;
}

static void resolutions_and_offsets(void **state)
{
	assert_int_equal(time_of(-1, 0, 1500000), 1500000000);
	assert_int_equal(time_of(6, 0, 1500001), 1500001000);
	assert_int_equal(time_of(0, 0, 7), 7 * NS_PER_S);
	assert_int_equal(time_of(3, 10, 7), 10007000000);
	assert_int_equal(time_of(12, 0, 1999), 1);
	assert_int_equal(time_of(0x80 | 10, 0, 1024 + 512), 1500000000);
	assert_int_equal(time_of(0x80 | 63, 0, 1ull << 62), 500000000);
	assert_int_equal(time_of(9, -2, 3 * NS_PER_S), NS_PER_S);
}

static void times_that_cannot_be(void **state)
{
	struct made made = {.n = 0};

	made_section(&made);
	add_interface(&made, CAPTURE_LINK_ETHERNET, 0, 0);
	add_packet(&made, UINT64_MAX / 1000, NULL);
	assert_non_null(strstr(read_whole(&made).why, "a time before 1970 or after 2554"));

	made = (struct made){.n = 0};
	made_section(&made);
	add_interface(&made, CAPTURE_LINK_ETHERNET, 9, -100);
	add_packet(&made, 99 * NS_PER_S, NULL);
	assert_non_null(strstr(read_whole(&made).why, "a time before 1970 or after 2554"));

	made = (struct made){.n = 0};
	made_section(&made);
	add_interface(&made, CAPTURE_LINK_ETHERNET, 20, 0);
	assert_non_null(strstr(read_whole(&made).why, "steps of 10^-20 s"));
}

/* The old packet block, and the simple one, which has no time of its own. */
static void old_and_simple_blocks(void **state)
{
	struct made made = {.n = 0}, old = {.n = 0}, simple = {.n = 0};

	made_section(&made);
	add_interface(&made, CAPTURE_LINK_ETHERNET, 9, 0);
	made_u16(&old, 0);
	made_u16(&old, 7);
	made_u32(&old, 0);
	made_u32(&old, 42);
	made_u32(&old, 4);
	made_u32(&old, 4);
	made_bytes(&old, "old.", 4);
	made_block(&made, 2, &old);
	made_u32(&simple, 500);
	/* snaplen is 128 */
	made_bytes(&simple, (uint8_t[128]){9}, 128);
	made_block(&made, 3, &simple);
	struct read read = read_whole(&made);

	assert_int_equal(read.result, 0);
	assert_int_equal(read.n, 2);
	assert_int_equal(read.last.time_ns, 42);
	assert_int_equal(read.last.len, 128);
	assert_int_equal(read.last.wire_len, 500);
	assert_int_equal(read.last_bytes[0], 9);
}

/* A second section starts anew, in its own byte order. */
static void sections_in_a_row(void **state)
{
	struct made made = {.n = 0};

	made_section(&made);
	add_interface(&made, 113, 9, 0);
	made.is_swapped = true;
	made_section(&made);
	add_interface(&made, CAPTURE_LINK_ETHERNET, 6, 0);
	add_packet(&made, 1, NULL);
	struct read read = read_whole(&made);

	assert_int_equal(read.n, 1);
	assert_int_equal(read.last.time_ns, 1000);
	assert_int_equal(read.interface.link, CAPTURE_LINK_ETHERNET);
	/* Interface 0 is the section's own: a packet cannot come before it. */
	made_section(&made);
	add_packet(&made, 1, NULL);
	read = read_whole(&made);
	assert_int_equal(read.result, -EINVAL);
	assert_non_null(strstr(read.why, "is of interface 0, but only 0 were described"));
}

static void cut_off_anywhere(void **state)
{
	struct made files[2] = {{.n = 0}, {.n = 0}};

	made_pcap(&files[0], NANOSECONDS);
	made_record(&files[0], 1, 2, frame, sizeof(frame));
	made_section(&files[1]);
	add_interface(&files[1], CAPTURE_LINK_ETHERNET, 9, 0);
	add_packet(&files[1], 1, "x");
	for (int i = 0; i < 2; i++) {
		unsigned int n_whole = 0;

		for (size_t n = 0; n <= files[i].n; n++) {
			struct read read = read_all(files[i].bytes, n, 7);

			assert_true(read.result == 0 || read.why[0] != '\0');
			assert_true(read.result == 0 || read.n == 0);
			n_whole += read.result == 0;
		}
		/* Only between records and blocks. */
		assert_int_equal(n_whole, i == 0 ? 2 : 3);
	}
}

static void damaged(void **state)
{
	struct made made = {.n = 0};

	made_pcap(&made, MICROSECONDS);
	made_record(&made, 1, 2, frame, sizeof(frame));
	made_u32(&made, 1);
	made_u32(&made, 1);
	made_u32(&made, CAPTURE_PACKET_BYTES_MAX + 1);
	made_u32(&made, 1);
	struct read read = read_whole(&made);

	assert_int_equal(read.result, -EINVAL);
	assert_int_equal(read.n, 1);
	assert_string_equal(read.why, "byte 56: packet 2 says that it has 262145 bytes, more than "
				      "262144: the file is damaged");

	made = (struct made){.n = 0};
	made_section(&made);
	add_interface(&made, CAPTURE_LINK_ETHERNET, 9, 0);
	made.bytes[made.n - 4] ^= 4;
	assert_non_null(strstr(read_whole(&made).why, "ends with another length"));

	made = (struct made){.n = 0};
	made_section(&made);
	made_u32(&made, 6);
	made_u32(&made, 13);
	assert_non_null(strstr(read_whole(&made).why, "a block that says it has 13 bytes"));
}

static void expect_refusal(const char *bytes, size_t n, const char *what)
{
	struct read read = read_all(bytes, n, n != 0 ? n : 1);

	assert_int_equal(read.result, -EINVAL);
	if (strstr(read.why, what) == NULL)
		fail_msg("'%s' does not say '%s'", read.why, what);
}

static void other_files(void **state)
{
	expect_refusal("", 0, "the file is empty");
	expect_refusal("abc", 3, "only 3 byte(s)");
	expect_refusal("\x1f\x8b\x08\0\0\0\0\0", 8, "gunzip");
	expect_refusal("\x28\xb5\x2f\xfd....", 8, "unzstd");
	expect_refusal("\xfd\x37zXZ...", 8, "unxz");
	expect_refusal("BZh91AY&", 8, "bunzip2");
	expect_refusal("snoop\0\0\0\0\0", 10, "editcap");
	expect_refusal("GMBU....", 8, "Network Monitor");
	expect_refusal("\x34\xcd\xb2\xa1\0\0\0\0", 8, "Kuznetzov");
	expect_refusal("#!/bin/sh\n", 10, "it begins with 23 21 2f 62");
}

static void old_versions(void **state)
{
	struct made made = {.n = 0};

	made_pcap(&made, MICROSECONDS);
	made.bytes[6] = 2;
	assert_non_null(strstr(read_whole(&made).why, "pcap of version 2.2"));
	made = (struct made){.n = 0};
	made_section(&made);
	made.bytes[12] = 2;
	assert_non_null(strstr(read_whole(&made).why, "pcapng of version 2.0"));
}

/* After an error it stays, however often one asks. */
static void an_error_stays(void **state)
{
	struct capture_reader *reader;
	struct capture_packet packet;

	assert_int_equal(capture_reader_create(&reader), 0);
	assert_int_equal(capture_reader_push(reader, "no capture", 10), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(capture_reader_next(reader, &packet), -EINVAL);
	assert_int_equal(capture_reader_finish(reader), -EINVAL);
	assert_null(capture_reader_interface(reader, 0));
	capture_reader_destroy(reader);
}

static void names_of_links(void **state)
{
	assert_string_equal(capture_link_name(CAPTURE_LINK_ETHERNET), "Ethernet");
	assert_string_equal(capture_link_name(113), "Linux cooked");
	assert_string_equal(capture_link_name(60000), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_in_four_forms),
		cmocka_unit_test(pcapng_in_both_orders),
		cmocka_unit_test(resolutions_and_offsets),
		cmocka_unit_test(times_that_cannot_be),
		cmocka_unit_test(old_and_simple_blocks),
		cmocka_unit_test(sections_in_a_row),
		cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(damaged),
		cmocka_unit_test(other_files),
		cmocka_unit_test(old_versions),
		cmocka_unit_test(an_error_stays),
		cmocka_unit_test(names_of_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
