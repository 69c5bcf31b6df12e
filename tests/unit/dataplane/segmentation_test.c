/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/segmentation.c: every piece that leaves is judged by a reader of its own,
 * which shares no code with what made it. */
#include "dataplane/segmentation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/offload.h"
#include "tests/unit/dataplane/segmentation_rig.h"

#define FIN 0x01
#define PSH 0x08
#define ACK 0x10
#define CWR 0x80

static int set_up(void **state)
{
	*state = segmentation_rig_create();
	return 0;
}

static int tear_down(void **state)
{
	segmentation_rig_destroy(*state);
	return 0;
}

/* --- the independent reader --- */

static uint32_t wrap_sum(uint32_t sum, const uint8_t *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? at[i] * 256u : at[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The sum over pseudo-header and TCP segment: 0xffff if the checksum is right. */
static uint32_t tcp_sum(const struct tcp_shape *shape, const struct sent *out)
{
	const uint8_t *ip = out->bytes + ip_at(shape);
	uint32_t tcp_bytes = out->len - tcp_at(shape);
	uint32_t sum = 6 + tcp_bytes;

	sum = shape->is_ipv6 ? wrap_sum(sum, ip + 8, 32) : wrap_sum(sum, ip + 12, 8);
	return wrap_sum(sum, out->bytes + tcp_at(shape), tcp_bytes);
}

static void assert_ip_is_sound(const struct tcp_shape *shape, const struct sent *out,
			       const uint8_t *before, unsigned int index)
{
	const uint8_t *ip = out->bytes + ip_at(shape);
	unsigned int header = tcp_at(shape) - ip_at(shape);
	uint8_t like[128];

	memcpy(like, before + ip_at(shape), header);
	if (shape->is_ipv6) {
		assert_int_equal(get16(ip + 4), out->len - ip_at(shape) - 40);
		memcpy(like + 4, ip + 4, 2);
	} else {
		assert_int_equal(get16(ip + 2), out->len - ip_at(shape));
		assert_int_equal(get16(ip + 4), (0xfffe + index) & 0xffff);
		assert_int_equal(wrap_sum(0, ip, header), 0xffff);
		memcpy(like + 2, ip + 2, 4);
		memcpy(like + 10, ip + 10, 2);
	}
	/* All else is as it was. */
	assert_memory_equal(ip, like, header);
	assert_memory_equal(out->bytes, before, ip_at(shape));
}

static void assert_tcp_is_sound(const struct tcp_shape *shape, const struct sent *out,
				const uint8_t *before, unsigned int offset)
{
	const uint8_t *tcp = out->bytes + tcp_at(shape), *was = before + tcp_at(shape);
	uint8_t flags = shape->tcp_flags;
	uint32_t sequence = 0xffffff00u + offset;
	uint32_t payload = out->len - payload_at(shape);

	if (offset + payload < shape->payload)
		flags &= (uint8_t) ~(FIN | PSH);
	if (offset != 0)
		flags &= (uint8_t)~CWR;
	assert_int_equal(tcp[13], flags);
	assert_int_equal((uint32_t)get16(tcp + 4) << 16 | get16(tcp + 6), sequence);
	assert_memory_equal(tcp, was, 4);
	assert_memory_equal(tcp + 8, was + 8, 5);
	assert_memory_equal(tcp + 14, was + 14, 2);
	assert_memory_equal(tcp + 18, was + 18, 2 + shape->tcp_options);
	assert_memory_equal(tcp + 20 + shape->tcp_options, before + payload_at(shape) + offset,
			    payload);
}

static void assert_is_plain(const struct sent *out)
{
	static const struct virtio_net_hdr none;

	assert_memory_equal(&out->vnet.hdr, &none, sizeof(none));
	assert_int_equal(le16toh(out->vnet.num_buffers), 1);
}

/* Pieces out[0 .. n) are the frame that was cut, and nothing else. */
static void assert_pieces(const struct segmentation_rig *rig, const struct tcp_shape *shape,
			  const uint8_t *before)
{
	unsigned int offset = 0, index = 0;

	do {
		const struct sent *out = &rig->out[index];
		unsigned int left = shape->payload - offset;

		assert_true(index < rig->n_out);
		assert_int_equal(out->len - payload_at(shape),
				 left < shape->mss ? left : shape->mss);
		assert_is_plain(out);
		assert_ip_is_sound(shape, out, before, index);
		assert_tcp_is_sound(shape, out, before, offset);
		assert_int_equal(tcp_sum(shape, out), 0xffff);
		offset += out->len - payload_at(shape);
		index++;
	} while (offset < shape->payload);
	assert_int_equal(index, rig->n_out);
}

/* --- cutting --- */

static const struct tcp_shape shapes[] = {
	{"IPv4", false, 0, 0, 12, 5000, 1448, ACK},
	{"IPv6", true, 0, 0, 12, 5000, 1428, ACK},
	{"end of a stream", false, 0, 0, 12, 5000, 1448, ACK | PSH | FIN},
	{"window reduced", false, 0, 0, 12, 5000, 1448, ACK | PSH | CWR},
	{"one tag", false, 1, 0, 12, 5000, 1448, ACK | PSH},
	{"two tags", true, 2, 0, 12, 5000, 1428, ACK | PSH},
	{"no options", false, 0, 0, 0, 5000, 1460, ACK},
	{"all options of IPv4", false, 2, 40, 12, 5000, 1400, ACK | FIN},
	{"headers longer than a head", false, 2, 40, 40, 5000, 1400, ACK | FIN},
	{"headers that nearly fill a head", false, 0, 36, 36, 5000, 1400, ACK},
	{"hop-by-hop options", true, 0, 16, 12, 5000, 1400, ACK | PSH},
	{"64 KiB", false, 0, 0, 12, 65535 - 52, 1448, ACK | PSH},
	{"64 KiB of IPv6, two tags", true, 2, 0, 12, 65535 - 32, 1428, ACK | PSH},
	{"exactly three", false, 0, 0, 12, 3 * 1448, 1448, ACK | PSH},
	{"one byte more than three", false, 0, 0, 12, 3 * 1448 + 1, 1448, ACK | PSH},
	{"odd sizes", false, 0, 0, 12, 2999, 333, ACK | PSH},
	{"jumbo segments", false, 0, 0, 12, 60001, 8948, ACK | PSH},
	{"as many pieces as there may be", false, 0, 0, 12, 256 * 100, 100, ACK | PSH},
	{"smaller than a segment", false, 0, 0, 12, 700, 1448, ACK | PSH | CWR},
	{"segments smaller than a head", true, 0, 0, 12, 500, 48, ACK},
	{"no payload at all", false, 0, 0, 12, 0, 1448, ACK | FIN | PSH},
};

static void every_piece_is_the_packet_that_the_sender_would_have_sent(void **state)
{
	struct segmentation_rig *rig = *state;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		segmentation_rig_add_tcp(rig, &shapes[i]);
		segmentation_rig_transmit(rig, 0);
		if (rig->n_out == 0)
			fail_msg("%s: nothing came out", shapes[i].what);
		assert_pieces(rig, &shapes[i], rig->sent[0]);
		segmentation_rig_forget(rig);
	}
}

static void a_receiver_that_sums_itself_gets_pieces_with_open_checksums(void **state)
{
	struct segmentation_rig *rig = *state;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		segmentation_rig_add_tcp(rig, &shapes[i]);
		segmentation_rig_transmit(rig, OFFLOAD_CSUM);
		for (unsigned int k = 0; k < rig->n_out; k++) {
			struct sent *out = &rig->out[k];
			const struct virtio_net_hdr *hdr = &out->vnet.hdr;
			unsigned int field = le16toh(hdr->csum_start) + le16toh(hdr->csum_offset);

			assert_int_equal(hdr->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
			assert_int_equal(hdr->gso_type, VIRTIO_NET_HDR_GSO_NONE);
			assert_int_equal(hdr->gso_size, 0);
			assert_int_equal(field, tcp_at(&shapes[i]) + 16);
			/* What the receiver does: sum from csum_start, store the complement. */
			put16(out->bytes + field, ~wrap_sum(0, out->bytes + tcp_at(&shapes[i]),
							    out->len - tcp_at(&shapes[i])));
			assert_int_equal(tcp_sum(&shapes[i], out), 0xffff);
		}
		assert_true(rig->n_out != 0);
		segmentation_rig_forget(rig);
	}
}

static void what_the_receiver_takes_passes_whole(void **state)
{
	struct segmentation_rig *rig = *state;

	segmentation_rig_add_tcp(rig, &shapes[0]);
	segmentation_rig_add_tcp(rig, &shapes[1]);
	segmentation_rig_transmit(rig, OFFLOAD_CSUM | OFFLOAD_TSO4);
	assert_int_equal(rig->out[0].len, rig->burst->frames[0].len);
	assert_memory_equal(&rig->out[0].vnet, &rig->burst->frames[0].vnet, 12);
	assert_int_equal(rig->n_out, 1 + 4);
	assert_int_equal(rig->count.segments, 3);
}

static void a_reduced_window_is_cut_for_who_does_not_know_of_it(void **state)
{
	struct segmentation_rig *rig = *state;
	struct frame *frame = segmentation_rig_add_tcp(rig, &shapes[3]);

	frame->vnet.hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	segmentation_rig_transmit(rig, OFFLOAD_ALL & ~OFFLOAD_ECN);
	assert_int_equal(rig->n_out, 4);
	assert_int_equal(rig->out[0].bytes[tcp_at(&shapes[3]) + 13] & CWR, CWR);
	assert_int_equal(rig->out[1].bytes[tcp_at(&shapes[3]) + 13] & CWR, 0);
}

static void a_sender_that_rewrites_its_buffers_changes_nothing(void **state)
{
	struct segmentation_rig *rig = *state;
	uint8_t *before = malloc(FRAME_BYTES_MAX);

	segmentation_rig_add_tcp(rig, &shapes[17]); /* pieces for four bursts */
	assert_non_null(before);
	memcpy(before, rig->sent[0], rig->burst->frames[0].len);
	rig->scribble = true;
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->n_tx, 4);
	assert_pieces(rig, &shapes[17], before);
	free(before);
}

static void frames_keep_their_order(void **state)
{
	struct segmentation_rig *rig = *state;
	uint8_t plain[60] = {2};

	for (unsigned int i = 0; i < 30; i++) {
		plain[30] = (uint8_t)i;
		segmentation_rig_add(rig, plain, sizeof(plain));
		segmentation_rig_add_tcp(rig, &shapes[0]);
	}
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->n_out, 30 * 5);
	for (unsigned int i = 0; i < 30; i++) {
		assert_int_equal(rig->out[5 * i].len, 60);
		assert_int_equal(rig->out[5 * i].bytes[30], i);
		for (unsigned int k = 0; k < 4; k++)
			assert_memory_equal(rig->out[5 * i + 1 + k].bytes + payload_at(&shapes[0]),
					    rig->sent[1] + payload_at(&shapes[0]) + k * 1448,
					    k < 3 ? 1448 : 5000 - 3 * 1448);
	}
}

static void a_full_burst_of_the_largest_frames_is_cut_whole(void **state)
{
	struct segmentation_rig *rig = *state;

	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		segmentation_rig_add_tcp(rig, &shapes[11]);
	rig->is_wanted = true;
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->n_out, BURST_FRAMES * 46);
	for (unsigned int i = 0; i < rig->n_out; i++)
		assert_int_equal(tcp_sum(&shapes[11], &rig->out[i]), 0xffff);
	assert_true(rig->burst->attention);
}

/* --- what cannot be cut --- */

static void headers_that_are_not_what_they_claim_are_dropped(void **state)
{
	static const struct {
		const char *what;
		unsigned int shape, at;
		uint8_t value;
	} lies[] = {
		{"IPv6 in an IPv4 frame", 0, 14, 0x65},
		{"IPv4 header too short", 0, 14, 0x44},
		{"IPv4 header longer than up to TCP", 0, 14, 0x46},
		{"UDP", 0, 14 + 9, 17},
		{"first fragment", 0, 14 + 6, 0x20},
		{"later fragment", 0, 14 + 7, 1},
		{"TCP header too short", 0, 34 + 12, 0x40},
		{"IPv4 in an IPv6 frame", 1, 14, 0x45},
		{"UDP over IPv6", 1, 14 + 6, 17},
		{"routing header", 1, 14 + 6, 43},
		{"fragment header", 1, 14 + 6, 44},
		{"options longer than up to TCP", 10, 14 + 41, 2},
		{"options shorter than up to TCP", 10, 14 + 41, 0},
		{"something else behind the options", 10, 14 + 40, 17},
		{"ethertype behind the tag", 4, 17, 0x06},
		{"a third tag", 5, 20, 0x81},
	};
	struct segmentation_rig *rig = *state;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct frame *frame = segmentation_rig_add_tcp(rig, &shapes[lies[i].shape]);

		frame->head[lies[i].at] = lies[i].value;
		segmentation_rig_transmit(rig, 0);
		if (rig->n_out != 0)
			fail_msg("%s: was cut", lies[i].what);
		assert_int_equal(rig->count.drops[DROP_NO_OFFLOAD], 1);
		assert_int_equal(rig->count.segments, 0);
		segmentation_rig_forget(rig);
	}
}

static void a_tcp_header_beyond_the_frame_is_dropped(void **state)
{
	static const struct tcp_shape tiny = {"", false, 0, 0, 0, 3, 1448, ACK};
	struct segmentation_rig *rig = *state;
	struct frame *frame = segmentation_rig_add_tcp(rig, &tiny);

	frame->head[34 + 12] = 0x60;
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->count.drops[DROP_NO_OFFLOAD], 1);
}

static void headers_too_far_inside_are_dropped(void **state)
{
	static const struct tcp_shape far = {"", true, 0, 80, 0, 3000, 1400, ACK};
	struct segmentation_rig *rig = *state;

	segmentation_rig_add_tcp(rig, &far);
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->count.drops[DROP_NO_OFFLOAD], 1);
}

static void more_pieces_than_anyone_needs_are_dropped(void **state)
{
	static const struct tcp_shape dust = {"", false, 0, 0, 12, 256 * 100 + 1, 100, ACK};
	struct segmentation_rig *rig = *state;

	segmentation_rig_add_tcp(rig, &dust);
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->count.drops[DROP_NO_OFFLOAD], 1);
}

static void a_piece_longer_than_ip_can_say_is_dropped(void **state)
{
	static const struct tcp_shape large = {"", false, 2, 0, 12, 65535 - 51, 65530, ACK};
	struct segmentation_rig *rig = *state;

	segmentation_rig_add_tcp(rig, &large);
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->count.drops[DROP_NO_OFFLOAD], 1);
}

static void a_refused_frame_does_not_hold_up_its_neighbours(void **state)
{
	struct segmentation_rig *rig = *state;

	segmentation_rig_add_tcp(rig, &shapes[0]);
	segmentation_rig_add_tcp(rig, &shapes[0])->head[14] = 0x44;
	segmentation_rig_add_tcp(rig, &shapes[0]);
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->n_out, 8);
	assert_int_equal(rig->count.drops[DROP_NO_OFFLOAD], 1);
}

/* --- checksums alone --- */

static void open_checksums_are_completed_wherever_they_lie(void **state)
{
	struct segmentation_rig *rig = *state;
	uint8_t bytes[1514], patched[1514];

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 13 + i / 256);
	/* Across the end of the head (128), behind it, at the end; even and odd lengths. */
	for (unsigned int start = 14; start < 300; start++) {
		uint32_t len = 400 + start * 3;
		struct frame *frame = segmentation_rig_add(rig, bytes, len);

		segmentation_rig_open(frame, start, 16);
		assert_true(offload_check(frame, OFFLOAD_ALL));
		segmentation_rig_transmit(rig, 0);
		assert_int_equal(rig->n_out, 1);
		assert_is_plain(&rig->out[0]);
		assert_int_equal(rig->out[0].len, len);
		memcpy(patched, bytes, len);
		put16(patched + start + 16, ~wrap_sum(0, bytes + start, len - start));
		if (get16(patched + start + 16) == 0)
			put16(patched + start + 16, 0xffff);
		assert_memory_equal(rig->out[0].bytes, patched, len);
		segmentation_rig_forget(rig);
	}
}

static void small_frames_still_leave_in_one_burst(void **state)
{
	struct segmentation_rig *rig = *state;
	uint8_t bytes[1514] = {2};

	for (unsigned int i = 0; i < BURST_FRAMES; i++)
		segmentation_rig_open(segmentation_rig_add(rig, bytes, i % 2 == 0 ? 1514 : 66), 34,
				      16);
	segmentation_rig_transmit(rig, 0);
	assert_int_equal(rig->n_out, BURST_FRAMES);
	assert_int_equal(rig->n_tx, 1);
	assert_false(rig->burst->attention);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_piece_is_the_packet_that_the_sender_would_have_sent),
		TEST(a_receiver_that_sums_itself_gets_pieces_with_open_checksums),
		TEST(what_the_receiver_takes_passes_whole),
		TEST(a_reduced_window_is_cut_for_who_does_not_know_of_it),
		TEST(a_sender_that_rewrites_its_buffers_changes_nothing),
		TEST(frames_keep_their_order),
		TEST(a_full_burst_of_the_largest_frames_is_cut_whole),
		TEST(headers_that_are_not_what_they_claim_are_dropped),
		TEST(a_tcp_header_beyond_the_frame_is_dropped),
		TEST(headers_too_far_inside_are_dropped),
		TEST(more_pieces_than_anyone_needs_are_dropped),
		TEST(a_piece_longer_than_ip_can_say_is_dropped),
		TEST(a_refused_frame_does_not_hold_up_its_neighbours),
		TEST(open_checksums_are_completed_wherever_they_lie),
		TEST(small_frames_still_leave_in_one_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
