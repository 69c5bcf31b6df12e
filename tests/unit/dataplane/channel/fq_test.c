/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/channel/fq.c, in virtual time: a link that sends one frame after another at a
 * fixed rate takes them out. */
#include "dataplane/channel/fq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/flow.h"

#define MS 1000000ULL
#define FULL 1514u
#define NS_OF_FULL 121120ULL /* at 100 Mbit/s */
#define TARGET_NS (MS / 2)

struct rig {
	struct buffers *buffers;
	struct fq fq;
	struct burst burst;
	uint8_t body[FRAME_BYTES_MAX];
	struct iovec iov[3];
	uint64_t now_ns;
	uint32_t serial; /* written into each frame, at the end of its head */
};

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	assert_int_equal(buffers_create(16 << 20, &rig->buffers), 0);
	fq_init(&rig->fq, rig->buffers, 7);
	fq_set(&rig->fq, TARGET_NS, 4 << 20);
	for (uint32_t i = 0; i < sizeof(rig->body); i++)
		rig->body[i] = (uint8_t)(i * 7 + i / 256);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	fq_clear(&rig->fq);
	assert_int_equal(rig->fq.n_frames, 0);
	assert_int_equal(rig->fq.n_bytes, 0);
	assert_int_equal(rig->fq.n_blocks, 0);
	assert_int_equal(buffers_n_free(rig->buffers), rig->buffers->n);
	buffers_destroy(rig->buffers);
	free(rig);
	return 0;
}

/* UDP of a flow, by its source port; tos as given. */
static void make(struct rig *rig, struct frame *frame, uint16_t flow, uint32_t len, uint8_t tos)
{
	uint8_t *head = frame->head;

	*frame = (struct frame){.len = len, .segment = 3};
	frame->head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	head[12] = 0x08;
	head[14] = 0x45;
	head[15] = tos;
	head[23] = 17;
	head[34] = (uint8_t)(flow >> 8);
	head[35] = (uint8_t)flow;
	memcpy(head + 44, &rig->serial, sizeof(rig->serial));
	rig->serial++;
	if (len > FRAME_HEAD_BYTES) {
		rig->iov[0] = (struct iovec){rig->body, len - FRAME_HEAD_BYTES};
		frame->iov = rig->iov;
		frame->n_iov = 1;
	}
}

static bool put(struct rig *rig, uint16_t flow, uint32_t len, uint8_t tos)
{
	struct frame frame;

	make(rig, &frame, flow, len, tos);
	return fq_put(&rig->fq, &frame, 0, rig->now_ns);
}

/* The next frame; 0: there is none. Else its flow. */
static uint16_t take(struct rig *rig, uint64_t *waited_ns)
{
	rig->burst.n = rig->burst.n_pieces = 0;
	struct fq_taken taken;

	if (!fq_take(&rig->fq, &rig->burst, rig->now_ns, &taken))
		return 0;
	*waited_ns = taken.waited_ns;
	buffers_give(rig->buffers, taken.block);
	const struct frame *frame = &rig->burst.frames[0];

	return (uint16_t)(frame->head[34] << 8 | frame->head[35]);
}

static void assert_same(const struct rig *rig, const struct frame *out, const struct frame *in)
{
	uint32_t at = out->head_len;

	assert_int_equal(out->len, in->len);
	assert_int_equal(out->segment, in->segment);
	assert_int_equal(out->has_tag, in->has_tag);
	assert_memory_equal(&out->vnet, &in->vnet, sizeof(in->vnet));
	assert_memory_equal(out->head, in->head, in->head_len);
	for (unsigned int i = 0; i < out->n_iov; i++) {
		assert_memory_equal(out->iov[i].iov_base, rig->body + at - FRAME_HEAD_BYTES,
				    out->iov[i].iov_len);
		at += (uint32_t)out->iov[i].iov_len;
	}
	assert_int_equal(at, out->len);
}

static void a_frame_of_any_length_comes_out_as_it_went_in(void **state)
{
	static const uint32_t lens[] = {14,   60,   127,  128,	129,  1514, 1983,
					1984, 1985, 2048, 4031, 4032, 4033, FRAME_BYTES_MAX};
	struct rig *rig = *state;
	struct fq_taken taken;

	for (unsigned int i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct frame frame;

		make(rig, &frame, 1, lens[i], 0);
		frame.has_tag = i % 2 == 0;
		frame.vnet.hdr.gso_size = (uint16_t)i;
		if (lens[i] > 1000) { /* in pieces, and with a short head */
			rig->iov[0].iov_len = 100;
			rig->iov[1] = (struct iovec){rig->body + 100, 1};
			rig->iov[2] = (struct iovec){rig->body + 101, lens[i] - 128 - 101};
			frame.n_iov = 3;
		}
		assert_true(fq_put(&rig->fq, &frame, 77 + i, 5));
		assert_int_equal(rig->fq.n_blocks, fq_n_blocks(lens[i]));
		rig->burst.n = rig->burst.n_pieces = 0;
		rig->now_ns = 9;
		assert_true(fq_take(&rig->fq, &rig->burst, 9, &taken));
		assert_int_equal(taken.waited_ns, 4);
		assert_int_equal(taken.word, 77 + i);
		assert_same(rig, &rig->burst.frames[0], &frame);
		buffers_give(rig->buffers, taken.block);
	}
}

static void frames_of_a_flow_stay_in_order(void **state)
{
	struct rig *rig = *state;
	uint32_t last[4] = {0, UINT32_MAX - 2, UINT32_MAX - 1, UINT32_MAX};
	uint64_t waited_ns;
	uint16_t flow;

	for (unsigned int i = 0; i < 300; i++)
		put(rig, (uint16_t)(1 + i % 3), 60 + i, 0);
	while ((flow = take(rig, &waited_ns)) != 0) {
		uint32_t serial;

		memcpy(&serial, rig->burst.frames[0].head + 44, sizeof(serial));
		assert_int_equal(serial, last[flow] + 3);
		last[flow] = serial;
	}
	assert_int_equal(last[3], 299);
}

/* One of 1,500 bytes, one of 100: each gets half of the bytes. */
static void flows_share_by_bytes(void **state)
{
	struct rig *rig = *state;
	uint64_t bytes[3] = {0}, waited_ns;

	fq_set(&rig->fq, 0, 4 << 20);
	for (unsigned int i = 0; i < 100; i++)
		put(rig, 1, FULL, 0);
	for (unsigned int i = 0; i < 1400; i++)
		put(rig, 2, 100, 0);
	while (bytes[1] + bytes[2] < 200000) {
		uint16_t flow = take(rig, &waited_ns);

		bytes[flow] += rig->burst.frames[0].len;
	}
	assert_true(llabs((long long)(bytes[1] - bytes[2])) <= 2 * (long long)FULL);
}

/* A flow of full frames at twice the rate, and a frame of another now and then: it waits for what
 * is being sent, and one turn. */
static void a_sparse_flow_does_not_wait_for_a_fat_one(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns, worst_ns = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		put(rig, 1, FULL, 0);
		put(rig, 1, FULL, 0);
		if (i % 50 == 25)
			put(rig, 2, 60, 0);
		rig->now_ns += NS_OF_FULL;
		if (take(rig, &waited_ns) == 2) {
			worst_ns = waited_ns > worst_ns ? waited_ns : worst_ns;
			take(rig, &waited_ns);
		}
	}
	assert_true(worst_ns != 0 && worst_ns <= 2 * NS_OF_FULL);
	assert_true(rig->fq.account.late != 0);
}

/* Twenty fat flows: it need not wait for a turn of each. */
static void a_sparse_flow_does_not_wait_for_many(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns;

	fq_set(&rig->fq, 0, 4 << 20);
	for (unsigned int i = 0; i < 200; i++)
		put(rig, (uint16_t)(1 + i % 20), FULL, 0);
	for (unsigned int i = 0; i < 30; i++)
		take(rig, &waited_ns);
	put(rig, 100, 60, 0);
	assert_int_equal(take(rig, &waited_ns), 100);
}

/* Sends at a rate that follows what CoDel says: half as much for each loss or mark seen, else one
 * frame more each time. Returns the delay at the end. */
static uint64_t adapt(struct rig *rig, uint8_t tos)
{
	uint64_t waited_ns = 0, window = 1, in_flight = 0, seen = 0;

	for (unsigned int i = 0; i < 40000; i++) {
		uint64_t said = rig->fq.account.late + rig->fq.account.marks;

		if (said != seen) {
			window = window / 2 > 2 ? window / 2 : 2;
			seen = said;
		} else if (i % 40 == 0) {
			window++;
		}
		for (in_flight = rig->fq.n_frames; in_flight < window; in_flight++)
			put(rig, 1, FULL, tos);
		rig->now_ns += NS_OF_FULL;
		take(rig, &waited_ns);
	}
	return waited_ns;
}

static void a_sender_that_knows_marks_loses_nothing(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns = adapt(rig, 2);

	assert_true(rig->fq.account.marks > 10);
	assert_int_equal(rig->fq.account.late + rig->fq.account.full, 0);
	assert_true(waited_ns < 8 * MS);
}

static void one_that_does_not_is_slowed_by_losses(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns = adapt(rig, 0);

	assert_int_equal(rig->fq.account.marks + rig->fq.account.full, 0);
	assert_true(rig->fq.account.late > 10);
	assert_true(waited_ns < 8 * MS);
}

static void a_short_burst_is_neither_marked_nor_dropped(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns;

	/* 9 ms of frames, each 100 ms: shorter than an interval, however often. */
	for (unsigned int i = 0; i < 50; i++) {
		for (unsigned int k = 0; k < 74; k++)
			put(rig, 1, FULL, (uint8_t)(i % 4));
		for (unsigned int k = 0; k < 74; k++) {
			rig->now_ns += NS_OF_FULL;
			assert_int_equal(take(rig, &waited_ns), 1);
		}
		rig->now_ns += 91 * MS;
	}
	assert_int_equal(rig->fq.account.marks + rig->fq.account.late, 0);
}

static void without_a_target_nothing_is_late(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns;

	fq_set(&rig->fq, 0, UINT64_MAX);
	for (unsigned int i = 0; i < 1000; i++)
		assert_true(put(rig, 1, FULL, 2));
	for (unsigned int i = 0; i < 1000; i++) {
		rig->now_ns += 10 * MS;
		assert_int_equal(take(rig, &waited_ns), 1);
	}
	assert_int_equal(rig->fq.account.marks + rig->fq.account.late + rig->fq.account.full, 0);
}

static void beyond_its_limit_the_fattest_flow_loses_its_oldest(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns;

	fq_set(&rig->fq, TARGET_NS, 64 * BUFFERS_BLOCK_BYTES);
	put(rig, 2, 60, 0);
	for (unsigned int i = 0; i < 100; i++)
		assert_true(put(rig, 1, FULL, 0));
	assert_int_equal(rig->fq.n_blocks, 64);
	assert_int_equal(rig->fq.account.full, 37);
	assert_int_equal(rig->fq.account.full_bytes, 37 * FULL);
	assert_int_equal(take(rig, &waited_ns), 2);
	assert_int_equal(take(rig, &waited_ns), 1);
	uint32_t serial;

	memcpy(&serial, rig->burst.frames[0].head + 44, sizeof(serial));
	assert_int_equal(serial, 38); /* of 1 .. 100, the oldest 37 are gone */
}

/* Two queues that want all there is: neither takes what a third needs. */
static void a_queue_takes_at_most_what_it_leaves_free(void **state)
{
	struct rig *rig = *state;
	struct fq *other = malloc(sizeof(*other));
	struct frame frame;

	assert_non_null(other);
	fq_init(other, rig->buffers, 8);
	fq_set(&rig->fq, TARGET_NS, UINT64_MAX);
	fq_set(other, TARGET_NS, UINT64_MAX);
	for (unsigned int i = 0; i < 12000; i++) {
		assert_true(put(rig, 1, FULL, 0));
		make(rig, &frame, 1, FULL, 0);
		assert_true(fq_put(other, &frame, 0, 0));
	}
	assert_true(buffers_n_free(rig->buffers) > rig->buffers->n / 3 - 10);
	assert_true(rig->fq.n_blocks > rig->buffers->n / 3 - 10);
	fq_clear(other);
	free(other);
}

static void without_memory_a_frame_is_refused_or_takes_the_place_of_an_older_one(void **state)
{
	struct rig *rig = *state;
	uint32_t all = buffers_take(rig->buffers, rig->buffers->n);

	assert_false(put(rig, 1, FULL, 0));
	assert_int_equal(rig->fq.account.full, 0);
	buffers_give(rig->buffers, all);
	assert_true(put(rig, 1, FULL, 0));
	all = buffers_take(rig->buffers, buffers_n_free(rig->buffers));
	assert_true(put(rig, 1, FULL, 0));
	assert_int_equal(rig->fq.account.full, 1);
	assert_false(put(rig, 1, FRAME_BYTES_MAX, 0));
	assert_int_equal(rig->fq.account.full, 2);
	buffers_give(rig->buffers, all);
}

/* Sixty flows that are always there: each of them gets its part. */
static void a_queue_that_nobody_uses_has_nothing(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns;

	assert_int_equal(buffers_n_free(rig->buffers), rig->buffers->n);
	put(rig, 1, FULL, 0);
	fq_rest(&rig->fq);
	assert_int_equal(buffers_n_free(rig->buffers), rig->buffers->n - 1 - FQ_FLOWS / FQ_PART);
	assert_int_equal(take(rig, &waited_ns), 1);
	fq_rest(&rig->fq);
	assert_int_equal(buffers_n_free(rig->buffers), rig->buffers->n);
	assert_int_equal(take(rig, &waited_ns), 0);
	assert_true(sizeof(rig->fq) <= 256);
}

static void many_flows_have_a_place_each(void **state)
{
	struct rig *rig = *state;
	unsigned int n[61] = {0};
	uint64_t waited_ns;

	fq_set(&rig->fq, 0, 4 << 20);
	for (unsigned int i = 0; i < 60 * 20; i++)
		put(rig, (uint16_t)(1 + i % 60), FULL, 0);
	for (unsigned int i = 0; i < 60 * 10; i++)
		n[take(rig, &waited_ns)]++;
	for (unsigned int i = 1; i <= 60; i++)
		assert_in_range(n[i], 9, 11);
}

static void large_frames_take_turns_with_small_ones_by_bytes(void **state)
{
	struct rig *rig = *state;
	uint64_t bytes[3] = {0}, waited_ns;

	fq_set(&rig->fq, 0, 4 << 20);
	for (unsigned int i = 0; i < 20; i++)
		put(rig, 1, 60000, 0);
	for (unsigned int i = 0; i < 600; i++)
		put(rig, 2, FULL, 0);
	while (bytes[1] + bytes[2] < 1200000) {
		uint16_t flow = take(rig, &waited_ns);

		bytes[flow] += rig->burst.frames[0].len;
	}
	assert_true(llabs((long long)(bytes[1] - bytes[2])) <= 130000);
}

/* Others take all memory meanwhile. */
static void what_is_set_aside_is_there(void **state)
{
	struct rig *rig = *state;
	uint64_t waited_ns;

	fq_set(&rig->fq, 0, UINT64_MAX);
	assert_false(fq_reserve(&rig->fq, rig->buffers->n));
	assert_true(fq_reserve(&rig->fq, 3));
	unsigned int n_free = buffers_n_free(rig->buffers);
	uint32_t others = buffers_take(rig->buffers, n_free);

	assert_int_not_equal(others, BUFFERS_NONE);
	assert_true(put(rig, 1, FULL, 0) && put(rig, 1, FULL, 0));
	fq_end_reserve(&rig->fq);
	assert_int_equal(buffers_n_free(rig->buffers), 1);
	assert_int_equal(rig->fq.account.full, 0);
	buffers_give(rig->buffers, others);
	assert_int_equal(take(rig, &waited_ns), 1);
	assert_int_equal(take(rig, &waited_ns), 1);
}

/* Of many flows some share a hash; with another seed it is others that do. */
static void who_does_not_know_the_seed_finds_no_flow_with_the_same_hash(void **state)
{
	struct rig *rig = *state;
	static uint32_t places[2][1000];
	struct frame frame;
	unsigned int n_both = 0;

	for (uint16_t flow = 0; flow < 1000; flow++) {
		make(rig, &frame, flow, FULL, 0);
		for (unsigned int s = 0; s < 2; s++)
			places[s][flow] = flow_hash(&frame, 7 + s) % FQ_FLOWS;
	}
	for (unsigned int a = 0; a < 1000; a++) {
		for (unsigned int b = a + 1; b < 1000; b++)
			n_both += places[0][a] == places[0][b] && places[1][a] == places[1][b];
	}
	/* By chance some dozens of pairs share both; 3,900 share one. */
	assert_true(n_both < 300);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_frame_of_any_length_comes_out_as_it_went_in),
		TEST(frames_of_a_flow_stay_in_order),
		TEST(flows_share_by_bytes),
		TEST(a_sparse_flow_does_not_wait_for_a_fat_one),
		TEST(a_sparse_flow_does_not_wait_for_many),
		TEST(a_sender_that_knows_marks_loses_nothing),
		TEST(one_that_does_not_is_slowed_by_losses),
		TEST(a_short_burst_is_neither_marked_nor_dropped),
		TEST(without_a_target_nothing_is_late),
		TEST(beyond_its_limit_the_fattest_flow_loses_its_oldest),
		TEST(a_queue_takes_at_most_what_it_leaves_free),
		TEST(without_memory_a_frame_is_refused_or_takes_the_place_of_an_older_one),
		TEST(a_queue_that_nobody_uses_has_nothing),
		TEST(many_flows_have_a_place_each),
		TEST(large_frames_take_turns_with_small_ones_by_bytes),
		TEST(what_is_set_aside_is_there),
		TEST(who_does_not_know_the_seed_finds_no_flow_with_the_same_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
