/* SPDX-License-Identifier: BSD-3-Clause */
/* The model in the store, against SQLite: it comes back as it was, any size fits the store's
 * limits, and one change writes little. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/lab.h"
#include "tests/unit/control/config_rig.h"

static void a_new_store_holds_an_empty_model(void **state)
{
	struct config_rig *fixture = *state;

	assert_int_equal(fixture->model->n_ports, 0);
	assert_int_equal(config_revision(fixture->config), 0);
}

static void what_was_written_comes_back_the_same(void **state)
{
	struct config_rig *fixture = *state;
	struct model *written;

	assert_int_equal(config_rig_write_ports(fixture, 3, "web"), 0);
	assert_int_equal(model_copy(fixture->model, &written), 0);
	store_rev rev = config_revision(fixture->config);
	config_rig_reopen(fixture);
	config_rig_assert_same(fixture->model, written);
	assert_int_equal(config_revision(fixture->config), rev);
	model_destroy(written);
}

static void two_thousand_ports_fit_the_limits_of_a_transaction(void **state)
{
	struct config_rig *fixture = *state;
	struct model *written;

	assert_int_equal(config_rig_write_ports(fixture, 2000, "web"), 0);
	assert_int_equal(model_copy(fixture->model, &written), 0);
	assert_true(fixture->flaky.max_ops <= STORE_OPS_MAX);
	assert_true(fixture->flaky.max_bytes <= STORE_TXN_BYTES_MAX);
	config_rig_reopen(fixture);
	config_rig_assert_same(fixture->model, written);
	model_destroy(written);
}

static void a_bucket_larger_than_a_chunk_is_several_chunks(void **state)
{
	struct config_rig *fixture = *state;
	struct model *written;

	/* About 110 bytes each, in 64 buckets of 48 KiB: beyond 30,000 every bucket overflows. */
	assert_int_equal(config_rig_write_ports(fixture, 32000, "a-name-of-some-length"), 0);
	assert_true(config_rig_count_keys(fixture, "/weft/v1/test/cfg/chunk/") > ROOT_BUCKETS);
	assert_true(fixture->flaky.max_bytes <= STORE_TXN_BYTES_MAX);
	assert_int_equal(model_copy(fixture->model, &written), 0);
	config_rig_reopen(fixture);
	config_rig_assert_same(fixture->model, written);
	model_destroy(written);
}

static void one_changed_port_is_one_small_transaction(void **state)
{
	struct config_rig *fixture = *state;

	assert_int_equal(config_rig_write_ports(fixture, 2000, "web"), 0);
	fixture->flaky.n_commits = 0;
	fixture->flaky.max_bytes = 0;
	assert_int_equal(config_rig_write_ports(fixture, 1, "other"), 0);
	assert_int_equal(fixture->flaky.n_commits, 1);
	assert_true(fixture->flaky.max_bytes < 16 * 1024);
}

static void replaced_chunks_are_deleted(void **state)
{
	struct config_rig *fixture = *state;

	assert_int_equal(config_rig_write_ports(fixture, 200, "a"), 0);
	assert_int_equal(config_rig_write_ports(fixture, 200, "b"), 0);
	size_t n = config_rig_count_keys(fixture, "/weft/v1/test/cfg/");
	for (int i = 0; i < 5; i++)
		assert_int_equal(config_rig_write_ports(fixture, 200, i % 2 ? "b" : "a"), 0);
	assert_int_equal(config_rig_count_keys(fixture, "/weft/v1/test/cfg/"), n);
}

/* The vm of port-0 at a revision: "r5" was written with revision 5. */
static void assert_revision(struct config_rig *fixture, uint64_t revision)
{
	struct problem problem = {0};
	struct model *model;
	char vm[24];

	if (config_read(fixture->config, revision, &model, &problem) < 0)
		fail_msg("%s", problem.detail);
	snprintf(vm, sizeof(vm), "r%u", (unsigned int)revision);
	assert_int_equal(model->n_ports, 300);
	assert_string_equal(model_port(model, "port-0")->vm, vm);
	model_destroy(model);
}

/* Port 0 changes with every revision, the others now and then. */
static void write_revisions(struct config_rig *fixture, unsigned int first, unsigned int last)
{
	char vm[24];

	for (unsigned int i = first; i <= last; i++) {
		snprintf(vm, sizeof(vm), "r%u", i);
		assert_int_equal(config_rig_write_ports(fixture, i % 7 == 1 ? 300 : 1, vm), 0);
		assert_int_equal(config_revision(fixture->config), i);
	}
}

static void every_revision_that_is_kept_can_be_read_again(void **state)
{
	struct config_rig *fixture = *state;
	struct problem problem = {0};
	struct model *model;

	fixture->keep = 10;
	config_rig_reopen(fixture);
	write_revisions(fixture, 1, 35);
	for (uint64_t i = 25; i <= 35; i++)
		assert_revision(fixture, i);
	assert_int_equal(config_read(fixture->config, 24, &model, &problem), -ENOENT);
	assert_string_equal(problem.code, "revision-unknown");
	assert_int_equal(config_read(fixture->config, 36, &model, &problem), -ENOENT);
	assert_int_equal(config_rig_count_keys(fixture, "/weft/v1/test/cfg/history/"), 10);
}

static void chunks_go_with_the_last_revision_that_names_them(void **state)
{
	struct config_rig *fixture = *state;

	fixture->keep = 10;
	config_rig_reopen(fixture);
	write_revisions(fixture, 1, 35);
	size_t n = config_rig_count_keys(fixture, "/weft/v1/test/cfg/");
	/* Whatever was forgotten would go here. */
	config_rig_reopen(fixture);
	assert_int_equal(config_rig_count_keys(fixture, "/weft/v1/test/cfg/"), n);
	write_revisions(fixture, 36, 70);
	assert_int_equal(config_rig_count_keys(fixture, "/weft/v1/test/cfg/"), n);
}

static void fewer_are_kept_after_a_start_that_says_so(void **state)
{
	struct config_rig *fixture = *state;
	struct problem problem = {0};
	struct model *model;

	fixture->keep = 20;
	config_rig_reopen(fixture);
	write_revisions(fixture, 1, 15);
	fixture->keep = 2;
	config_rig_reopen(fixture);
	assert_int_equal(config_rig_count_keys(fixture, "/weft/v1/test/cfg/history/"), 2);
	assert_revision(fixture, 13);
	assert_revision(fixture, 15);
	assert_int_equal(config_read(fixture->config, 12, &model, &problem), -ENOENT);
}

static void a_trial_is_stored_until_it_is_confirmed(void **state)
{
	struct config_rig *fixture = *state;
	struct problem problem = {0};
	struct root_trial trial;
	struct model *wanted;
	struct plan plan;

	assert_false(config_trial(fixture->config, &trial));
	assert_int_equal(model_copy(fixture->model, &wanted), 0);
	config_rig_add_segment(wanted, "A", 1);
	assert_int_equal(plan_make(fixture->model, wanted, &plan), 0);
	assert_int_equal(config_write(fixture->config, wanted, &plan, NULL, 60, &problem), 0);
	plan_fini(&plan);
	model_destroy(wanted);
	config_rig_reopen(fixture);
	assert_true(config_trial(fixture->config, &trial));
	assert_int_equal(trial.back_to, 0);
	assert_int_equal(trial.wait_s, 60);
	assert_int_equal(config_confirm(fixture->config, &problem), 0);
	assert_false(config_trial(fixture->config, &trial));
	config_rig_reopen(fixture);
	assert_false(config_trial(fixture->config, &trial));
	assert_int_equal(fixture->model->n_segments, 1);
}

static void a_change_by_someone_else_is_noticed(void **state)
{
	struct config_rig *fixture = *state;
	struct config_rig other = {.space = fixture->space, .flaky = fixture->flaky};
	struct problem problem = {0};

	assert_int_equal(config_rig_write_ports(fixture, 2, "a"), 0);
	other.flaky.store.backend = &config_rig_backend;
	assert_int_equal(
		config_open(&other.flaky.store, "test", 3, &other.config, &other.model, &problem),
		0);
	assert_int_equal(config_rig_write_ports(&other, 3, "b"), 0);
	assert_int_equal(config_rig_write_ports(fixture, 4, "c"), -EAGAIN);
	config_close(other.config);
	model_destroy(other.model);
	config_rig_reopen(fixture);
	assert_int_equal(fixture->model->n_ports, 3);
	assert_string_equal(fixture->model->ports[0]->vm, "b");
}

static void put_loan(struct model *model, const char *name, uint64_t rate_bps)
{
	struct model_loan loan = {.rate_bps = rate_bps,
				  .ways = 1 << DP_RX,
				  .end_ms = 1790000000250,
				  .span_ms = 600250,
				  .id = 77};

	snprintf(loan.name, sizeof(loan.name), "%s", name);
	snprintf(loan.from, sizeof(loan.from), "gold");
	snprintf(loan.to, sizeof(loan.to), "bronze");
	loan.generation = 3;
	assert_int_equal(model_put(model, MODEL_LOAN, &loan.object), 0);
}

/* Loans are there again after a start, and have no revision: none comes back with one. */
static void loans_are_kept_beside_the_revisions(void **state)
{
	struct config_rig *fixture = *state;
	struct problem problem = {0};
	struct model *former;

	assert_int_equal(config_rig_write_ports(fixture, 3, "a"), 0);
	uint64_t revision = config_revision(fixture->config);
	put_loan(fixture->model, "l1", 1000);
	fixture->model->next_id = 100;
	assert_int_equal(config_write_loans(fixture->config, fixture->model, &problem), 0);
	assert_int_equal(config_revision(fixture->config), revision);
	config_rig_reopen(fixture);
	assert_int_equal(config_revision(fixture->config), revision);
	assert_int_equal(fixture->model->n_ports, 3);
	assert_int_equal(fixture->model->next_id, 100);
	const struct model_loan *loan = model_loan(fixture->model, "l1");
	assert_non_null(loan);
	assert_string_equal(loan->from, "gold");
	assert_string_equal(loan->to, "bronze");
	assert_int_equal(loan->rate_bps, 1000);
	assert_int_equal(loan->ways, 1 << DP_RX);
	assert_int_equal(loan->end_ms, 1790000000250);
	assert_int_equal(loan->span_ms, 600250);
	assert_int_equal(loan->id, 77);
	assert_int_equal(loan->generation, 3);

	/* A change of something else keeps it; the revision before has none. */
	assert_int_equal(config_rig_write_ports(fixture, 3, "b"), 0);
	assert_int_equal(config_read(fixture->config, revision, &former, &problem), 0);
	assert_int_equal(former->n_loans, 0);
	model_destroy(former);
	config_rig_reopen(fixture);
	assert_int_equal(fixture->model->n_loans, 1);
	model_del(fixture->model, MODEL_LOAN, "l1");
	assert_int_equal(config_write_loans(fixture->config, fixture->model, &problem), 0);
	config_rig_reopen(fixture);
	assert_int_equal(fixture->model->n_loans, 0);
	assert_string_equal(fixture->model->ports[0]->vm, "b");
}

/* What stands for the span in the record of each loan; NULL: nothing. */
static void store_span(struct config_rig *fixture, json_t *span)
{
	struct store_op op = {.what = STORE_PUT, .key = "/weft/v1/test/cfg/root"};
	struct store_txn txn = {.ops = &op, .n_ops = 1};
	void *value;
	size_t bytes;
	store_rev rev;
	const char *name;
	json_t *record;
	bool is_done;

	assert_int_equal(store_get(fixture->flaky.below, op.key, &value, &bytes, &rev), 0);
	json_t *root = json_loadb(value, bytes, 0, NULL);
	json_object_foreach(json_object_get(root, "loans"), name, record) {
		assert_int_equal(json_object_del(record, "span_ms"), 0);
		json_object_set(record, "span_ms", span);
	}
	char *text = json_dumps(root, 0);
	op.value = text;
	op.value_bytes = strlen(text);
	assert_int_equal(store_commit(fixture->flaky.below, &txn, &is_done, &rev), 0);
	free(text);
	json_decref(root);
	json_decref(span);
	free(value);
}

/* Former versions kept none. Whatever stands there, no loan is longer than one may be. */
static void a_stored_loan_without_a_span_has_the_longest(void **state)
{
	struct config_rig *fixture = *state;
	struct problem problem = {0};
	json_t *const spans[] = {
		NULL,
		json_integer(0),
		json_integer(-1),
		json_integer(INT64_MAX),
		json_string("60000"),
	};

	put_loan(fixture->model, "l1", 1000);
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		assert_int_equal(config_write_loans(fixture->config, fixture->model, &problem), 0);
		store_span(fixture, spans[i]);
		config_rig_reopen(fixture);
		const struct model_loan *loan = model_loan(fixture->model, "l1");
		assert_non_null(loan);
		assert_int_equal(loan->end_ms, 1790000000250);
		assert_int_equal(loan->span_ms, MODEL_LOAN_S_MAX * INT64_C(1000));
	}
}

static void clusters_in_one_store_do_not_see_each_other(void **state)
{
	struct config_rig *fixture = *state;
	struct problem problem = {0};
	struct config *config;
	struct model *model;

	assert_int_equal(config_rig_write_ports(fixture, 2, "a"), 0);
	assert_int_equal(config_open(&fixture->flaky.store, "test2", 3, &config, &model, &problem),
			 0);
	assert_int_equal(model->n_ports, 0);
	config_close(config);
	model_destroy(model);
}

static void a_root_that_names_a_missing_chunk_is_refused(void **state)
{
	struct config_rig *fixture = *state;
	struct store_op op = {.what = STORE_DELETE_PREFIX, .key = "/weft/v1/test/cfg/chunk/"};
	struct store_txn txn = {.ops = &op, .n_ops = 1};
	struct problem problem = {0};
	struct config *config;
	struct model *model;
	bool is_done;
	store_rev rev;

	assert_int_equal(config_rig_write_ports(fixture, 2, "a"), 0);
	assert_int_equal(store_commit(fixture->flaky.below, &txn, &is_done, &rev), 0);
	assert_int_equal(config_open(&fixture->flaky.store, "test", 3, &config, &model, &problem),
			 -EBADMSG);
	assert_string_equal(problem.code, "store-failed");
	/* For the teardown: a store that opens. */
	op.key = "/weft/v1/test/";
	assert_int_equal(store_commit(fixture->flaky.below, &txn, &is_done, &rev), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_rig_set_up, config_rig_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_new_store_holds_an_empty_model),
		TEST(what_was_written_comes_back_the_same),
		TEST(two_thousand_ports_fit_the_limits_of_a_transaction),
		TEST(a_bucket_larger_than_a_chunk_is_several_chunks),
		TEST(one_changed_port_is_one_small_transaction),
		TEST(replaced_chunks_are_deleted),
		TEST(every_revision_that_is_kept_can_be_read_again),
		TEST(chunks_go_with_the_last_revision_that_names_them),
		TEST(fewer_are_kept_after_a_start_that_says_so),
		TEST(a_trial_is_stored_until_it_is_confirmed),
		TEST(a_change_by_someone_else_is_noticed),
		TEST(loans_are_kept_beside_the_revisions),
		TEST(a_stored_loan_without_a_span_has_the_longest),
		TEST(clusters_in_one_store_do_not_see_each_other),
		TEST(a_root_that_names_a_missing_chunk_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
