/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weftd dies in the middle of a change: at every message to the dataplane, at every transaction of
 * the store, and when devices are let go, before it and after it. The linker puts this file between
 * control and those calls (--wrap). A child makes the change and exits at point 0, 1, 2 ... until
 * it comes through; after each the next weftd must find the old configuration or the new one,
 * whole, with nothing left to do and nothing left over.
 */
#include "tests/unit/control/rig.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/store.h"
#include "control/taps.h"
#include "dataplane/api/dp_client.h"

#define POINTS_MAX 400
#define DIED 42
#define N_SEGMENTS 300

/* Shared with the child. */
struct plot {
	int points_left; /* until it dies; -1: not armed */
	bool is_coarse;	 /* staged messages do not count */
	char last[64];	 /* where it died */
};

static struct plot *plot;

static void point(const char *when, const char *what)
{
	if (plot->points_left < 0)
		return;
	snprintf(plot->last, sizeof(plot->last), "%s %s", when, what);
	if (plot->points_left-- == 0)
		_exit(DIED);
}

int __real_store_commit(struct store *store, const struct store_txn *txn, bool *done,
			store_rev *rev);
int __wrap_store_commit(struct store *store, const struct store_txn *txn, bool *done,
			store_rev *rev);
int __wrap_store_commit(struct store *store, const struct store_txn *txn, bool *done,
			store_rev *rev)
{
	point("before", "store commit");
	int error = __real_store_commit(store, txn, done, rev);
	point("after", "store commit");
	return error;
}

int __real_dp_client_stage(struct dp_client *client, enum dp_type type, void *message,
			   size_t bytes, const int *fds, unsigned int n_fds, int timeout_ms);
int __wrap_dp_client_stage(struct dp_client *client, enum dp_type type, void *message,
			   size_t bytes, const int *fds, unsigned int n_fds, int timeout_ms);
int __wrap_dp_client_stage(struct dp_client *client, enum dp_type type, void *message,
			   size_t bytes, const int *fds, unsigned int n_fds, int timeout_ms)
{
	if (!plot->is_coarse)
		point("before", "stage");
	int error = __real_dp_client_stage(client, type, message, bytes, fds, n_fds, timeout_ms);
	if (!plot->is_coarse)
		point("after", "stage");
	return error;
}

static const char *name_of(enum dp_type type)
{
	switch (type) {
	case DP_PREPARE:
		return "prepare";
	case DP_COMMIT:
		return "publish";
	default:
		return "request";
	}
}

int __real_dp_client_request(struct dp_client *client, enum dp_type type, void *message,
			     size_t bytes, int timeout_ms, dp_client_fn fn, void *ctx,
			     char why[DP_TEXT_BYTES]);
int __wrap_dp_client_request(struct dp_client *client, enum dp_type type, void *message,
			     size_t bytes, int timeout_ms, dp_client_fn fn, void *ctx,
			     char why[DP_TEXT_BYTES]);
int __wrap_dp_client_request(struct dp_client *client, enum dp_type type, void *message,
			     size_t bytes, int timeout_ms, dp_client_fn fn, void *ctx,
			     char why[DP_TEXT_BYTES])
{
	point("before", name_of(type));
	int error = __real_dp_client_request(client, type, message, bytes, timeout_ms, fn, ctx,
					     why);
	point("after", name_of(type));
	return error;
}

void __real_taps_commit(struct taps *taps);
void __wrap_taps_commit(struct taps *taps);
void __wrap_taps_commit(struct taps *taps)
{
	point("before", "release");
	__real_taps_commit(taps);
	point("after", "release");
}

/* What is made, changed, replaced, deleted: one of each kind. */
static const char old_lab[] =
	"{\"segments\": {\"A\": {\"vni\": 1}, \"B\": {\"vni\": 2}, \"OLD\": {\"vni\": 3}},"
	" \"ports\": {\"web0\": {\"type\": \"vhost-user\", \"segment\": \"A\"},"
	" \"moved\": {\"type\": \"tap\", \"segment\": \"A\"},"
	" \"renamed\": {\"type\": \"tap\", \"segment\": \"A\", \"ifname\": \"r-old\"},"
	" \"gone\": {\"type\": \"tap\", \"segment\": \"OLD\"}}}";
static const char new_lab[] =
	"{\"segments\": {\"A\": {\"vni\": 1, \"mtu\": 1400}, \"B\": {\"vni\": 2},"
	" \"NEW\": {\"vni\": 4}},"
	" \"ports\": {\"web0\": {\"type\": \"vhost-user\", \"segment\": \"B\"},"
	" \"moved\": {\"type\": \"tap\", \"segment\": \"B\"},"
	" \"renamed\": {\"type\": \"tap\", \"segment\": \"A\", \"ifname\": \"r-new\"},"
	" \"fresh\": {\"type\": \"tap\", \"segment\": \"NEW\"}}}";

/* As many segments as it takes to need several transactions, also to delete what is replaced. */
static char *many_segments(unsigned int mtu)
{
	json_t *segments = json_object();

	for (int i = 0; i < N_SEGMENTS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "S%d", i);
		json_object_set_new(segments, name,
				    json_pack("{s:i, s:i}", "vni", i + 1, "mtu", (int)mtu));
	}
	json_t *lab = json_pack("{s:o}", "segments", segments);
	char *text = json_dumps(lab, 0);
	json_decref(lab);
	return text;
}

static void apply_in_child(struct rig *rig, const char *lab, int n_points)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		rig_start_control(rig);
		rig_await_connected(rig, true);
		plot->points_left = n_points;
		json_decref(rig_call_as(rig, "POST", "/v1/apply?prune=1", "", lab, &status));
		_exit(status == 200 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	plot->points_left = -1;
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != DIED)
		fail_msg("the child failed at %s", plot->last);
	if (WEXITSTATUS(status) == 0)
		plot->last[0] = '\0';
}

static bool is_same(struct rig *rig, const char *lab)
{
	return rig_count_changes(rig, "POST", "/v1/diff?prune=1", lab) == 0;
}

/* Each device of the model is there and up, and nothing of the other lab's. */
static void assert_devices(struct rig *rig, bool is_new)
{
	static const char *const ports[][4] = {{"web0", "moved", "renamed", "gone"},
					       {"web0", "moved", "renamed", "fresh"}};

	for (size_t i = 1; i < 4; i++)
		rig_assert_link(rig, ports[is_new][i], "up");
	assert_true((if_nametoindex("r-old") != 0) == !is_new);
	assert_true((if_nametoindex("r-new") != 0) == is_new);
	assert_true((if_nametoindex("gone") != 0) == !is_new);
	assert_true((if_nametoindex("fresh") != 0) == is_new);
}

/* Dies at every point of the change in turn. Returns how many points there were. */
static unsigned int die_everywhere(struct rig *rig, const char *from, const char *to,
				   bool has_devices)
{
	unsigned int n_old = 0, n_new = 0;

	for (int i = 0; i < POINTS_MAX; i++) {
		rig_call_only(rig, "POST", "/v1/apply?prune=1", from, 200);
		control_destroy(rig->control);
		apply_in_child(rig, to, i);
		rig_start_control(rig);
		rig_await_connected(rig, true);
		bool is_new = is_same(rig, to);
		if (!is_new && !is_same(rig, from))
			fail_msg("neither the old nor the new configuration, died %s", plot->last);
		if (has_devices)
			assert_devices(rig, is_new);
		if (plot->last[0] == '\0') {
			assert_true(is_new);
			printf("died at %d points: %u times all was old, %u times all was new\n",
			       i, n_old, n_new);
			assert_true(n_old > 0 && n_new > 0);
			return (unsigned int)i;
		}
		/* Once the new is there, no later point may bring the old back. */
		assert_false(n_new > 0 && !is_new);
		n_old += !is_new;
		n_new += is_new;
	}
	fail_msg("more than %d points", POINTS_MAX);
	return 0;
}

static void death_at_any_point_leaves_all_or_nothing(void **state)
{
	plot->is_coarse = false;
	/* Begin, some ten staged messages, prepare, commit, publish, release, claims. */
	assert_true(die_everywhere(*state, old_lab, new_lab, true) > 20);
}

static void death_between_transactions_of_a_large_change_too(void **state)
{
	struct rig *rig = *state;
	char *from = many_segments(1500), *to = many_segments(1400);

	/* With one former revision each change deletes chunks too, in their own transactions. */
	control_destroy(rig->control);
	rig->history = 1;
	rig_start_control(rig);
	rig_await_connected(rig, true);
	plot->is_coarse = true;
	assert_true(die_everywhere(rig, from, to, false) > 8);
	free(from);
	free(to);
}

int main(int argc, char **argv)
{
	struct rig rig = {0};
	const struct CMUnitTest tests[] = {
		RIG_TEST(death_at_any_point_leaves_all_or_nothing, &rig),
		RIG_TEST(death_between_transactions_of_a_large_change_too, &rig),
	};

	plot = mmap(NULL, sizeof(*plot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plot == MAP_FAILED)
		return 1;
	plot->points_left = -1;
	return rig_run(&rig, argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
