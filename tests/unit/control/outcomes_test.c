/* SPDX-License-Identifier: BSD-3-Clause */
/* What became of the frames of a replay: sums of what the dataplane writes, and nothing that it
 * writes is believed. */
#include "control/outcomes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/model.h"

#define RINGS 2
#define IN_NS 1000

/* The dataplane's side, ours, and a model with the ports p1 and p2, of the ids 1 and 2. */
struct rig {
	int fd;
	struct record_map theirs;
	struct record_writer writers[RINGS];
	struct outcomes_source source;
	struct outcomes outcomes;
	struct model *model;
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_int_equal(record_create(RINGS, RECORD_RING_BYTES_MIN, &rig->theirs, &rig->fd), 0);
	for (unsigned int i = 0; i < RINGS; i++)
		record_writer_begin(&rig->writers[i], &rig->theirs, i);
	assert_int_equal(outcomes_source_open(&rig->source, rig->fd), 0);
	assert_int_equal(model_create(&rig->model), 0);
	for (unsigned int i = 1; i <= 2; i++) {
		struct model_port port = {.object = {.id = i}};

		snprintf(port.name, sizeof(port.name), "p%u", i);
		assert_int_equal(model_put(rig->model, MODEL_PORT, &port.object), 0);
	}
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	struct rig *rig = *state;

	model_destroy(rig->model);
	outcomes_fini(&rig->outcomes);
	outcomes_source_close(&rig->source);
	record_close(&rig->theirs);
	close(rig->fd);
	free(rig);
	return 0;
}

static void put_bytes(struct record_writer *writer, uint64_t port_id, unsigned int reason,
		      const void *bytes, uint32_t len)
{
	struct record *record = record_writer_reserve(writer, len);

	assert_non_null(record);
	record->way = RECORD_TX;
	record->reason = (uint8_t)reason;
	record->port_id = port_id;
	record->time_ns = IN_NS + 5;
	memcpy(record + 1, bytes, len);
	record_writer_commit(writer, record);
}

static void put(struct rig *rig, unsigned int ring, uint64_t port_id, unsigned int kind,
		unsigned int reason)
{
	const struct fate fate = {.in_ns = IN_NS, .number = 9, .kind = (uint8_t)kind};

	put_bytes(&rig->writers[ring], port_id, reason, &fate, sizeof(fate));
}

static int take(struct rig *rig)
{
	return outcomes_take(&rig->outcomes, &rig->source, rig->model, SIZE_MAX, NULL, NULL);
}

/* "PORT FATE REASON FRAMES;" of each row. */
static void assert_told(const struct rig *rig, const char *expected)
{
	json_t *rows = outcomes_describe(&rig->outcomes), *row;
	char text[512] = "";
	size_t i, n = 0;

	json_array_foreach(rows, i, row) {
		const char *port, *fate, *reason;
		json_int_t frames;

		assert_int_equal(json_unpack(row, "{s:s, s:s, s:s, s:I}", "port", &port, "fate",
					     &fate, "reason", &reason, "frames", &frames),
				 0);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s %s %d;", port, fate,
				      reason, (int)frames);
		assert_true(n < sizeof(text));
	}
	assert_string_equal(text, expected);
	json_decref(rows);
}

static void fates_are_summed_by_port_and_reason(void **state)
{
	struct rig *rig = *state;
	char expected[256];

	assert_int_equal(take(rig), 0);
	assert_told(rig, "");
	put(rig, 0, 2, FATE_DELIVERED, DROP_NONE);
	put(rig, 1, 1, FATE_DROPPED, DROP_MAC_SPOOF);
	put(rig, 1, 2, FATE_DELIVERED, DROP_NONE);
	put(rig, 0, 1, FATE_DROPPED, DROP_VLAN);
	put(rig, 0, 1, FATE_DROPPED, DROP_MAC_SPOOF);
	assert_int_equal(take(rig), 5);
	assert_int_equal(take(rig), 0);
	/* In the order in which ports were heard of, and reasons have. */
	put(rig, 0, 1, FATE_DROPPED, DROP_COUNT - 1);
	assert_int_equal(take(rig), 1);
	snprintf(expected, sizeof(expected),
		 "p2 delivered  2;p1 dropped mac-spoof 2;p1 dropped vlan 1;p1 dropped %s 1;",
		 drop_reason_name(DROP_COUNT - 1));
	assert_told(rig, expected);
}

static void what_still_waits_is_queued(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 3; i++)
		put(rig, 0, 1, FATE_QUEUED, DROP_NONE);
	assert_int_equal(take(rig), 3);
	assert_told(rig, "p1 queued  3;");
	put(rig, 1, 1, FATE_LEFT, DROP_NONE);
	put(rig, 1, 1, FATE_DELIVERED, DROP_NONE);
	assert_int_equal(take(rig), 2);
	assert_told(rig, "p1 delivered  1;p1 queued  2;");
	/* That they came to wait was lost: never below nothing. */
	for (int i = 0; i < 5; i++)
		put(rig, 1, 1, FATE_LEFT, DROP_NONE);
	assert_int_equal(take(rig), 5);
	assert_told(rig, "p1 delivered  1;");
}

static void a_port_keeps_the_name_it_was_heard_of_by(void **state)
{
	struct rig *rig = *state;

	put(rig, 0, 77, FATE_DELIVERED, DROP_NONE);
	put(rig, 0, 1, FATE_DELIVERED, DROP_NONE);
	assert_int_equal(take(rig), 2);
	model_del(rig->model, MODEL_PORT, "p1");
	put(rig, 0, 1, FATE_DELIVERED, DROP_NONE);
	put(rig, 0, 77, FATE_DELIVERED, DROP_NONE);
	assert_int_equal(take(rig), 2);
	assert_told(rig, "(gone) delivered  2;p1 delivered  2;");
}

/* Events as they were told. */
struct heard {
	unsigned int n;
	struct outcomes_event last;
};

static void hear(void *ctx, const struct outcomes_event *event)
{
	struct heard *heard = ctx;

	heard->n++;
	heard->last = *event;
}

static void no_more_is_taken_than_was_asked_for(void **state)
{
	struct rig *rig = *state;
	struct heard heard = {.n = 0};

	for (unsigned int i = 0; i < 6; i++)
		put(rig, i % RINGS, 2, FATE_DROPPED, DROP_VLAN);
	assert_int_equal(outcomes_take(&rig->outcomes, &rig->source, rig->model, 0, hear, &heard),
			 0);
	assert_int_equal(outcomes_take(&rig->outcomes, &rig->source, rig->model, 4, hear, &heard),
			 4);
	assert_int_equal(heard.n, 4);
	assert_string_equal(heard.last.port, "p2");
	assert_int_equal(heard.last.in_ns, IN_NS);
	assert_int_equal(heard.last.at_ns, IN_NS + 5);
	assert_int_equal(heard.last.number, 9);
	assert_int_equal(heard.last.kind, FATE_DROPPED);
	assert_int_equal(heard.last.reason, DROP_VLAN);
	assert_string_equal(outcomes_kind_name(heard.last.kind), "dropped");
	assert_int_equal(outcomes_take(&rig->outcomes, &rig->source, rig->model, 4, hear, &heard),
			 2);
}

static void what_is_damaged_is_refused(void **state)
{
	static const struct {
		unsigned int kind, reason;
	} bad[] = {{0, DROP_NONE},
		   {FATE_LEFT + 1, DROP_NONE},
		   {255, DROP_NONE},
		   {FATE_DROPPED, DROP_NONE},
		   {FATE_DROPPED, DROP_COUNT},
		   {FATE_DROPPED, 255}};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(rig, 1, 1, bad[i].kind, bad[i].reason);
		assert_int_equal(take(rig), -EBADMSG);
		assert_told(rig, "");
	}
}

static void what_is_of_another_size_is_refused(void **state)
{
	struct rig *rig = *state;
	uint8_t bytes[2 * sizeof(struct fate)] = {0};

	bytes[offsetof(struct fate, kind)] = FATE_DELIVERED;
	put_bytes(&rig->writers[1], 1, DROP_NONE, bytes, sizeof(bytes));
	assert_int_equal(take(rig), -EBADMSG);
	/* Nothing behind it is read. */
	assert_int_equal(take(rig), -EBADMSG);
	put_bytes(&rig->writers[0], 1, DROP_NONE, bytes, sizeof(struct fate) - 1);
	assert_int_equal(take(rig), -EBADMSG);
	assert_told(rig, "");
}

static void what_found_no_room_is_counted(void **state)
{
	struct rig *rig = *state;
	unsigned int lost = 0;

	while (lost < 3) {
		struct record *record =
			record_writer_reserve(&rig->writers[1], sizeof(struct fate));

		if (record != NULL)
			record_writer_commit(&rig->writers[1], record);
		else
			lost++;
	}
	assert_int_equal(outcomes_source_lost(&rig->source), 3);
	outcomes_source_close(&rig->source);
	assert_int_equal(outcomes_source_lost(&rig->source), 0);
	assert_int_equal(take(rig), 0);
}

static void memory_that_is_none_is_refused(void **state)
{
	struct outcomes_source source = {0};
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(outcomes_source_open(&source, fds[0]) < 0);
	outcomes_source_close(&source);
	close(fds[0]);
	close(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fates_are_summed_by_port_and_reason),
		TEST(what_still_waits_is_queued),
		TEST(a_port_keeps_the_name_it_was_heard_of_by),
		TEST(no_more_is_taken_than_was_asked_for),
		TEST(what_is_damaged_is_refused),
		TEST(what_is_of_another_size_is_refused),
		TEST(what_found_no_room_is_counted),
		TEST(memory_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
