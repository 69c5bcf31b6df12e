/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of capture/capture_writer.c: what it makes is read back, by weft and by libpcap. */
#include "capture/capture_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/capture/rig.h"

#define TIME_NS 1700000000123456789ull

static int into_made(void *ctx, const void *bytes, size_t n)
{
	made_bytes(ctx, bytes, n);
	return 0;
}

static int full(void *ctx, const void *bytes, size_t n)
{
	return -ENOSPC;
}

static struct capture_packet packet_of(uint32_t len)
{
	static const uint8_t bytes[2048] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};

	return (struct capture_packet){
		.time_ns = TIME_NS, .len = len, .wire_len = len + 3, .bytes = bytes};
}

static void write_some(enum capture_format format, uint32_t len, struct made *made)
{
	struct capture_interface interface = {.link = CAPTURE_LINK_ETHERNET, .name = "web0"};
	struct capture_packet packet = packet_of(len);
	struct capture_writer writer;

	assert_int_equal(capture_writer_begin(&writer, format, into_made, made), 0);
	if (format == CAPTURE_PCAPNG)
		assert_int_equal(capture_writer_add_interface(&writer, &interface), 0);
	assert_int_equal(capture_writer_put(&writer, &packet), 0);
	packet.comment = "blocked";
	packet.direction = CAPTURE_DIRECTION_IN;
	assert_int_equal(capture_writer_put(&writer, &packet), 0);
}

/* libpcap: the second opinion. */
static unsigned int read_by_libpcap(const struct made *made, uint32_t len)
{
	char error[PCAP_ERRBUF_SIZE];
	FILE *file = tmpfile();
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	unsigned int n = 0;

	assert_non_null(file);
	assert_int_equal(fwrite(made->bytes, 1, made->n, file), made->n);
	rewind(file);
	pcap_t *pcap =
		pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error);

	assert_non_null(pcap);
	assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
	while (pcap_next_ex(pcap, &header, &bytes) == 1) {
		assert_int_equal(header->ts.tv_sec, TIME_NS / 1000000000);
		assert_int_equal(header->ts.tv_usec, TIME_NS % 1000000000);
		assert_int_equal(header->caplen, len);
		assert_int_equal(header->len, len + 3);
		n++;
	}
	pcap_close(pcap);
	return n;
}

static void is_read_back(void **state)
{
	for (int format = CAPTURE_PCAP; format <= CAPTURE_PCAPNG; format++) {
		for (uint32_t len = 60; len < 68; len++) {
			struct made made = {.n = 0};

			write_some((enum capture_format)format, len, &made);
			struct read read = read_all(made.bytes, made.n, 100);

			assert_int_equal(read.result, 0);
			assert_int_equal(read.n, 2);
			assert_int_equal(read.last.time_ns, TIME_NS);
			assert_int_equal(read.last.len, len);
			assert_int_equal(read.last.wire_len, len + 3);
			if (format == CAPTURE_PCAPNG) {
				assert_string_equal(read.comment, "blocked");
				assert_int_equal(read.last.direction, CAPTURE_DIRECTION_IN);
				assert_string_equal(read.interface.name, "web0");
			}
			assert_int_equal(read_by_libpcap(&made, len), 2);
		}
	}
}

static void what_it_does_not_take(void **state)
{
	struct capture_interface interface = {.link = CAPTURE_LINK_ETHERNET};
	struct capture_packet packet = packet_of(60);
	struct capture_writer writer;
	struct made made = {.n = 0};

	assert_int_equal(capture_writer_begin(&writer, CAPTURE_PCAP, into_made, &made), 0);
	assert_int_equal(capture_writer_add_interface(&writer, &interface), -EINVAL);
	packet.interface = 1;
	assert_int_equal(capture_writer_put(&writer, &packet), -EINVAL);
	packet.interface = 0;
	packet.len = CAPTURE_PACKET_BYTES_MAX + 1;
	assert_int_equal(capture_writer_put(&writer, &packet), -EINVAL);
	assert_int_equal(capture_writer_begin(&writer, CAPTURE_PCAPNG, into_made, &made), 0);
	packet.len = 60;
	assert_int_equal(capture_writer_put(&writer, &packet), -EINVAL);
	assert_int_equal(capture_writer_begin(&writer, CAPTURE_PCAPNG, full, NULL), -ENOSPC);
	assert_int_equal(capture_writer_add_interface(&writer, &interface), -ENOSPC);
	assert_int_equal(capture_writer_put(&writer, &packet), -ENOSPC);
}

/* A comment about all of it, of every length, is passed over by who only wants packets. */
static void section_comment(void **state)
{
	struct capture_interface interface = {.link = CAPTURE_LINK_ETHERNET, .name = "web0"};
	struct capture_packet packet = packet_of(60);
	char comment[2 * CAPTURE_SECTION_COMMENT_BYTES];

	for (size_t n = 0; n < sizeof(comment); n += 1 + n / 8) {
		struct capture_writer writer;
		struct made made = {.n = 0};

		memset(comment, 'c', n);
		comment[n] = '\0';
		assert_int_equal(capture_writer_begin_section(&writer, comment, into_made, &made),
				 0);
		assert_int_equal(made.n % 4, 0);
		assert_int_equal(memmem(made.bytes, made.n, "cccc", 4) != NULL, n >= 4);
		assert_int_equal(capture_writer_add_interface(&writer, &interface), 0);
		assert_int_equal(capture_writer_put(&writer, &packet), 0);
		struct read read = read_all(made.bytes, made.n, 100);

		assert_int_equal(read.result, 0);
		assert_int_equal(read.n, 1);
		assert_int_equal(read_by_libpcap(&made, 60), 1);
	}
}

/* Names and comments longer than there is room for are cut. */
static void long_texts(void **state)
{
	struct capture_interface interface = {.link = CAPTURE_LINK_ETHERNET};
	struct capture_packet packet = packet_of(61);
	struct capture_writer writer;
	struct made made = {.n = 0};
	char comment[2 * CAPTURE_COMMENT_BYTES];

	memset(interface.name, 'n', sizeof(interface.name));
	memset(comment, 'c', sizeof(comment));
	comment[sizeof(comment) - 1] = '\0';
	packet.comment = comment;
	assert_int_equal(capture_writer_begin(&writer, CAPTURE_PCAPNG, into_made, &made), 0);
	assert_int_equal(capture_writer_add_interface(&writer, &interface), 0);
	assert_int_equal(capture_writer_put(&writer, &packet), 0);
	struct read read = read_all(made.bytes, made.n, 4096);

	assert_int_equal(read.result, 0);
	assert_int_equal(strlen(read.comment), CAPTURE_COMMENT_BYTES - 1);
	assert_int_equal(strlen(read.interface.name), CAPTURE_NAME_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_read_back),
		cmocka_unit_test(what_it_does_not_take),
		cmocka_unit_test(section_comment),
		cmocka_unit_test(long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
