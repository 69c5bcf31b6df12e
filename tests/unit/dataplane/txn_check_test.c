/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/txn_check.c: what is refused and why, and that it changes nothing. */
#include "dataplane/txn_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "dataplane/api/kinds.h"
#include "tests/unit/dataplane/txn_rig.h"

/* --- refusals: each stages a good port, a good segment and something that cannot be --- */

static struct dp_port bad_port(void)
{
	return rig_port_spec(9, ALPHA);
}

static void stage_no_segment(struct txn_rig *f)
{
	struct dp_port spec = rig_port_spec(9, 77);

	txn_rig_stage(f, &spec);
}

static void stage_deleted_segment(struct txn_rig *f)
{
	/* Port 1 stays in it. */
	assert_int_equal(txn_del_segment(f->txn, ALPHA), 0);
}

static void stage_name_twice(struct txn_rig *f)
{
	struct dp_port spec = bad_port();

	strcpy(spec.name, "p1");
	txn_rig_stage(f, &spec);
}

static void stage_port_twice(struct txn_rig *f)
{
	struct dp_port spec = bad_port();

	txn_rig_stage(f, &spec);
	strcpy(spec.name, "other");
	txn_rig_stage(f, &spec);
}

static void stage_segment_twice(struct txn_rig *f)
{
	struct dp_segment spec = rig_segment(9);

	assert_int_equal(txn_put_segment(f->txn, &spec), 0);
	assert_int_equal(txn_put_segment(f->txn, &spec), 0);
}

static void stage_port_deleted_and_put(struct txn_rig *f)
{
	struct dp_port spec = rig_port_spec(1, ALPHA);

	assert_int_equal(txn_del_port(f->txn, 1), 0);
	txn_rig_stage(f, &spec);
}

static void stage_port_deleted_twice(struct txn_rig *f)
{
	assert_int_equal(txn_del_port(f->txn, 1), 0);
	assert_int_equal(txn_del_port(f->txn, 1), 0);
}

static void stage_segment_deleted_twice(struct txn_rig *f)
{
	assert_int_equal(txn_del_segment(f->txn, BETA), 0);
	assert_int_equal(txn_del_segment(f->txn, BETA), 0);
}

static void stage_segment_deleted_and_put(struct txn_rig *f)
{
	struct dp_segment spec = rig_segment(BETA);

	assert_int_equal(txn_put_segment(f->txn, &spec), 0);
	assert_int_equal(txn_del_segment(f->txn, BETA), 0);
}

static void stage_prepare_fails(struct txn_rig *f)
{
	struct dp_port spec = bad_port();

	strcpy(spec.vm, RIG_CANNOT_PREPARE);
	txn_rig_stage(f, &spec);
}

static void stage_socket_is_a_file(struct txn_rig *f)
{
	struct dp_port spec = txn_rig_vhost_spec(9, "x", ALPHA);

	spec.n_options = 1;
	spec.options[0].kind = OPTION_TEXT;
	strcpy(spec.options[0].text, "/dev/null");
	txn_rig_stage(f, &spec);
}

static const struct refusal {
	void (*add)(struct txn_rig *f);
	int error;
	const char *why;
} refusals[] = {
	{stage_no_segment, -ENOENT, "port p9: its segment does not exist"},
	{stage_deleted_segment, -ENOENT, "its segment does not exist"},
	{stage_name_twice, -EEXIST, "port p1: two ports have this name"},
	{stage_port_twice, -EEXIST, "twice"},
	{stage_segment_twice, -EEXIST, "twice"},
	{stage_port_deleted_and_put, -EEXIST, "twice"},
	{stage_port_deleted_twice, -EEXIST, "twice"},
	{stage_segment_deleted_twice, -EEXIST, "twice"},
	{stage_segment_deleted_and_put, -EEXIST, "twice"},
	{stage_prepare_fails, -EIO, "port p9: cannot be prepared"},
	{stage_socket_is_a_file, -EEXIST, "port x: /dev/null exists and is no socket"},
};

/* What one message must not say; everything else of it is good. */
static const struct field {
	const char *why;
	size_t offset, bytes;
	uint64_t value;
} port_fields[] = {
#define FIELD(member, value, why)                                                                  \
	{                                                                                          \
		why, offsetof(struct dp_port, member), sizeof(((struct dp_port *)0)->member),      \
			value                                                                      \
	}
	FIELD(id, 0, "without an id"),
	FIELD(name[0], 0, "without a usable name"),
	FIELD(name[0], '.', "without a usable name"),
	FIELD(name[1], '/', "without a usable name"),
	FIELD(kind[0], 'T', "unknown type"),
	FIELD(n_members, 2, "impossible segments or tags"), /* two without a tag */
	FIELD(n_members, DP_MEMBERS_MAX + 1, "impossible segments or tags"),
	FIELD(n_members, 0xffff, "impossible segments or tags"),
	FIELD(members[0].vlan, 4095, "impossible segments or tags"),
	FIELD(n_options, DP_OPTIONS_MAX + 1, "too many options"),
	FIELD(n_options, 0xffff, "too many options"),
	FIELD(options[0].index, 0xfff, "unknown option"),
	FIELD(options[0].index, 1, "wrong kind"), /* netns is for weftd alone */
	FIELD(options[0].kind, OPTION_BOOL, "wrong kind"),
	FIELD(options[0].text[0], 0, "is no text"),
#undef FIELD
};

static void stage_good_changes(struct txn_rig *f)
{
	struct dp_segment gamma = rig_segment(3);
	struct dp_port fresh = txn_rig_vhost_spec(5, "fresh", 3), moved = rig_port_spec(2, BETA);
	int fd = eventfd(0, EFD_CLOEXEC);

	assert_int_equal(txn_put_segment(f->txn, &gamma), 0);
	assert_int_equal(txn_put_port(f->txn, &fresh, &fd, 1), 0);
	txn_rig_stage(f, &moved);
}

static void what_is_refused_changes_nothing_at_all(void **state)
{
	struct txn_rig *f = *state;

	rig_put_port(f->dp, 1, ALPHA);
	rig_put_port(f->dp, 2, ALPHA);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct txn_rig_snapshot *before = txn_rig_snapshot(f);

		txn_rig_begin(f);
		stage_good_changes(f);
		refusals[i].add(f);
		txn_rig_assert_refused(f, before, refusals[i].error, refusals[i].why);
	}
}

static void a_message_with_one_bad_field_is_refused(void **state)
{
	struct txn_rig *f = *state;

	rig_put_port(f->dp, 1, ALPHA);
	rig_put_port(f->dp, 2, ALPHA);
	for (size_t i = 0; i < sizeof(port_fields) / sizeof(port_fields[0]); i++) {
		struct txn_rig_snapshot *before = txn_rig_snapshot(f);
		struct dp_port spec = bad_port();

		spec.n_options = 1;
		spec.options[0].kind = OPTION_TEXT;
		strcpy(spec.options[0].text, "tap9");
		memcpy((char *)&spec + port_fields[i].offset, &port_fields[i].value,
		       port_fields[i].bytes);
		txn_rig_begin(f);
		stage_good_changes(f);
		txn_rig_stage(f, &spec);
		txn_rig_assert_refused(f, before, -EINVAL, port_fields[i].why);
	}
}

static void texts_without_an_end_are_refused(void **state)
{
	struct txn_rig *f = *state;

	for (int i = 0; i < 4; i++) {
		struct txn_rig_snapshot *before = txn_rig_snapshot(f);
		struct dp_port spec = bad_port();

		spec.n_options = 1;
		spec.options[0].kind = OPTION_TEXT;
		strcpy(spec.options[0].text, "tap9");
		if (i == 0)
			memset(spec.name, 'x', sizeof(spec.name));
		else if (i == 1)
			memset(spec.kind, 'x', sizeof(spec.kind));
		else if (i == 2)
			memset(spec.vm, 'x', sizeof(spec.vm));
		else
			memset(spec.options[0].text, 'x', sizeof(spec.options[0].text));
		txn_rig_begin(f);
		txn_rig_stage(f, &spec);
		txn_rig_assert_refused(f, before, -EINVAL, "port with");
	}
}

static void a_segment_with_one_bad_field_is_refused(void **state)
{
	struct txn_rig *f = *state;

	for (int i = 0; i < 7; i++) {
		struct txn_rig_snapshot *before = txn_rig_snapshot(f);
		struct dp_segment spec = rig_segment(9);

		if (i == 0)
			spec.id = 0;
		else if (i == 1)
			spec.vni = 0;
		else if (i == 2)
			spec.vni = 1 << 24;
		else if (i == 3)
			spec.vlan = 4095;
		else if (i == 4)
			spec.name[0] = '\0';
		else if (i == 5)
			memset(spec.name, 'x', sizeof(spec.name));
		else
			spec.age_s = (uint32_t)INT32_MAX + 1;
		txn_rig_begin(f);
		assert_int_equal(txn_put_segment(f->txn, &spec), 0);
		txn_rig_assert_refused(f, before, -EINVAL, "segment with");
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, txn_rig_set_up, txn_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_refused_changes_nothing_at_all),
		TEST(a_message_with_one_bad_field_is_refused),
		TEST(texts_without_an_end_are_refused),
		TEST(a_segment_with_one_bad_field_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
