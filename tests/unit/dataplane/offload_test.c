/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/offload.c: virtio-net headers, good and hostile, from a table. */
#include "dataplane/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <endian.h>
#include <string.h>

#define CSUM VIRTIO_NET_HDR_F_NEEDS_CSUM
#define VALID VIRTIO_NET_HDR_F_DATA_VALID
#define NONE VIRTIO_NET_HDR_GSO_NONE
#define TSO4 VIRTIO_NET_HDR_GSO_TCPV4
#define TSO6 VIRTIO_NET_HDR_GSO_TCPV6
#define UFO VIRTIO_NET_HDR_GSO_UDP
#define ECN VIRTIO_NET_HDR_GSO_ECN
#define EVERYTHING OFFLOAD_ALL

struct row {
	const char *what;
	unsigned int caps;
	uint32_t len;
	uint8_t flags, gso_type;
	uint16_t hdr_len, gso_size, start, offset;
	bool is_sound;
};

static const struct row rows[] = {
	{"plain", 0, 60, 0, NONE, 0, 0, 0, 0, true},
	{"plain with nonsense beside it", 0, 60, 0, NONE, 9999, 9999, 9999, 9999, true},
	{"checksum verified by the guest", 0, 60, VALID, NONE, 0, 0, 0, 0, true},
	{"unknown flags", 0, 60, 0xfc, NONE, 0, 0, 0, 0, true},

	{"checksum", OFFLOAD_CSUM, 60, CSUM, NONE, 0, 0, 34, 16, true},
	{"checksum not negotiated", OFFLOAD_ALL & ~OFFLOAD_CSUM, 60, CSUM, NONE, 0, 0, 34, 16,
	 false},
	{"checksum in the last two bytes", EVERYTHING, 60, CSUM, NONE, 0, 0, 34, 24, true},
	{"checksum one byte beyond", EVERYTHING, 60, CSUM, NONE, 0, 0, 34, 25, false},
	{"checksum right behind the header", EVERYTHING, 60, CSUM, NONE, 0, 0, 14, 0, true},
	{"checksum inside the Ethernet header", EVERYTHING, 60, CSUM, NONE, 0, 0, 13, 6, false},
	{"start beyond the frame", EVERYTHING, 60, CSUM, NONE, 0, 0, 61, 0, false},
	{"start and offset that wrap in 16 bits", EVERYTHING, 60, CSUM, NONE, 0, 0, 0xfff0, 0x20,
	 false},
	{"everything 0xffff", EVERYTHING, 60, CSUM, NONE, 0, 0, 0xffff, 0xffff, false},
	{"checksum of an empty frame", EVERYTHING, 0, CSUM, NONE, 0, 0, 0, 0, false},

	{"TSO over IPv4", EVERYTHING, 3000, CSUM, TSO4, 54, 1448, 34, 16, true},
	{"TSO over IPv6", EVERYTHING, 3000, CSUM, TSO6, 74, 1428, 54, 16, true},
	{"TSO with ECN", EVERYTHING, 3000, CSUM, TSO4 | ECN, 54, 1448, 34, 16, true},
	{"64 KiB", EVERYTHING, 65549, CSUM, TSO4, 54, 1448, 34, 16, true},
	{"TSO4 not negotiated", OFFLOAD_CSUM | OFFLOAD_TSO6, 3000, CSUM, TSO4, 54, 1448, 34, 16,
	 false},
	{"TSO6 not negotiated", OFFLOAD_CSUM | OFFLOAD_TSO4, 3000, CSUM, TSO6, 74, 1428, 54, 16,
	 false},
	{"ECN not negotiated", OFFLOAD_CSUM | OFFLOAD_TSO4, 3000, CSUM, TSO4 | ECN, 54, 1448, 34,
	 16, false},
	{"UFO", EVERYTHING, 3000, CSUM, UFO, 42, 1448, 34, 6, false},
	{"ECN of nothing", EVERYTHING, 3000, CSUM, ECN, 54, 1448, 34, 16, false},
	{"unknown kind of segments", EVERYTHING, 3000, CSUM, 5, 54, 1448, 34, 16, false},
	{"TSO without a checksum", EVERYTHING, 3000, 0, TSO4, 54, 1448, 34, 16, false},
	{"TSO with the checksum of UDP", EVERYTHING, 3000, CSUM, TSO4, 54, 1448, 34, 6, false},
	{"segments of no bytes", EVERYTHING, 3000, CSUM, TSO4, 54, 0, 34, 16, false},
	{"header length beyond the frame", EVERYTHING, 3000, CSUM, TSO4, 3001, 1448, 34, 16, true},
	{"no room for a TCP header", EVERYTHING, 53, CSUM, TSO4, 53, 48, 34, 16, false},
	{"room for a TCP header and nothing else", EVERYTHING, 54, CSUM, TSO4, 54, 48, 34, 16,
	 true},
	{"segments smaller than any TCP makes", EVERYTHING, 3000, CSUM, TSO4, 54, 47, 34, 16,
	 false},
	{"the smallest segments", EVERYTHING, 3000, CSUM, TSO4, 54, 48, 34, 16, true},
	{"segment size that means something else", EVERYTHING, 3000, CSUM, TSO4, 54, 0xffff, 34, 16,
	 false},
};

static struct frame frame_of(const struct row *row)
{
	bool is_ipv6 = (row->gso_type & ~ECN) == TSO6;

	return (struct frame){
		.head = {[12] = is_ipv6 ? 0x86 : 0x08, [13] = is_ipv6 ? 0xdd : 0x00},
		.len = row->len,
		.vnet = {.hdr = {.flags = row->flags,
				 .gso_type = row->gso_type,
				 .hdr_len = htole16(row->hdr_len),
				 .gso_size = htole16(row->gso_size),
				 .csum_start = htole16(row->start),
				 .csum_offset = htole16(row->offset)},
			 .num_buffers = 0xabcd},
	};
}

static void each_header_is_judged_as_the_table_says(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame frame = frame_of(&rows[i]);

		if (offload_check(&frame, rows[i].caps) != rows[i].is_sound)
			fail_msg("%s: %s", rows[i].what, rows[i].is_sound ? "refused" : "taken");
	}
}

static void what_receivers_must_not_see_is_gone(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame frame = frame_of(&rows[i]);
		const struct virtio_net_hdr *hdr = &frame.vnet.hdr;

		if (!offload_check(&frame, rows[i].caps))
			continue;
		assert_int_equal(le16toh(frame.vnet.num_buffers), 1);
		assert_int_equal(hdr->flags & ~CSUM, 0);
		if (hdr->gso_type == NONE) {
			assert_int_equal(hdr->gso_size, 0);
			assert_int_equal(hdr->hdr_len, 0);
		}
		if (hdr->flags == 0) {
			assert_int_equal(hdr->csum_start, 0);
			assert_int_equal(hdr->csum_offset, 0);
		}
	}
}

static void segments_of_another_protocol_are_refused(void **state)
{
	const struct row row = {"", EVERYTHING, 3000, CSUM, TSO4, 54, 1448, 34, 16, true};
	struct frame frame = frame_of(&row);

	frame.head[13] = 0x06;
	assert_false(offload_check(&frame, EVERYTHING));
	frame.head[12] = 0x86;
	frame.head[13] = 0xdd;
	assert_false(offload_check(&frame, EVERYTHING));
}

static void the_length_of_headers_is_ours(void **state)
{
	const struct row row = {"", EVERYTHING, 3000, CSUM, TSO4, 9, 1448, 34, 16, true};
	struct frame frame = frame_of(&row);

	assert_true(offload_check(&frame, EVERYTHING));
	assert_int_equal(le16toh(frame.vnet.hdr.hdr_len), 34 + 20);
}

static void a_sound_header_arrives_as_it_was(void **state)
{
	const struct row row = {"", EVERYTHING, 3000, CSUM, TSO4 | ECN, 54, 1448, 34, 16, true};
	struct frame before = frame_of(&row), after = before;

	assert_true(offload_check(&after, EVERYTHING));
	assert_memory_equal(&after.vnet.hdr, &before.vnet.hdr, sizeof(before.vnet.hdr));
}

static void a_receiver_gets_only_what_it_can_take(void **state)
{
	static const struct {
		uint8_t flags, gso_type;
		unsigned int need;
	} kinds[] = {
		{0, NONE, 0},
		{CSUM, NONE, OFFLOAD_CSUM},
		{CSUM, TSO4, OFFLOAD_CSUM | OFFLOAD_TSO4},
		{CSUM, TSO6, OFFLOAD_CSUM | OFFLOAD_TSO6},
		{CSUM, TSO4 | ECN, OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_ECN},
		{CSUM, TSO6 | ECN, OFFLOAD_CSUM | OFFLOAD_TSO6 | OFFLOAD_ECN},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct frame frame = {
			.vnet = {.hdr = {.flags = kinds[i].flags, .gso_type = kinds[i].gso_type}}};

		for (unsigned int caps = 0; caps <= OFFLOAD_ALL; caps++)
			assert_int_equal(offload_fits(&frame, caps), (kinds[i].need & ~caps) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_header_is_judged_as_the_table_says),
		cmocka_unit_test(what_receivers_must_not_see_is_gone),
		cmocka_unit_test(segments_of_another_protocol_are_refused),
		cmocka_unit_test(the_length_of_headers_is_ours),
		cmocka_unit_test(a_sound_header_arrives_as_it_was),
		cmocka_unit_test(a_receiver_gets_only_what_it_can_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
