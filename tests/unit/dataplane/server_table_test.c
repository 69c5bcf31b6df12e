/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/server_table.c: the forwarding table in pages, as a client gets it. */
#include "dataplane/server_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/base/loop.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1
#define NOW_S 100

struct fixture {
	struct dataplane *dp;
	struct client client;
	int peer_fd;
	unsigned int n_messages, n_entries; /* of the last page */
	uint64_t sum;			    /* of the entries' MAC numbers, of all pages */
	uint64_t next;
};

static void ignore(void *ctx, uint32_t events, uint64_t now_ns)
{
}

static void no_readers(void *ctx)
{
}

/* The rig's is small. */
static void make_large_fdb(struct dataplane *dp)
{
	const struct fdb_config config = {.memory = dp->config.memory,
					  .capacity = UINT32_MAX,
					  .seed = dp->config.hash_seed,
					  .synchronize = no_readers};

	fdb_destroy(dp->fdb);
	assert_int_equal(fdb_create(&config, &dp->fdb), 0);
}

static int setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	int fds[2];

	*f = (struct fixture){.dp = rig_create(1)};
	rig_put_segment(f->dp, ALPHA);
	rig_put_port(f->dp, 7, ALPHA);
	make_large_fdb(f->dp);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0)
		return -1;
	f->client.fd = fds[0];
	f->peer_fd = fds[1];
	f->client.queue_end = &f->client.queue;
	*state = f;
	return loop_add(f->dp->loop, fds[0], EPOLLIN, ignore, NULL, &f->client.watch);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	client_drop_queue(&f->client);
	loop_remove(f->client.watch);
	close(f->client.fd);
	close(f->peer_fd);
	dataplane_destroy(f->dp);
	return 0;
}

/* Addresses of the port, numbered from `from` on. */
static void learn(struct fixture *f, uint32_t from, uint32_t n)
{
	uint16_t old, port = port_find(f->dp, 7)->index;
	uint16_t segment = segment_find(f->dp, ALPHA)->index;

	for (uint32_t i = from; i < from + n; i++) {
		uint8_t mac[6];

		rig_mac(mac, i);
		assert_int_equal(fdb_learn(f->dp->fdb, fdb_key(segment, mac), port, NOW_S, &old),
				 FDB_LEARNED_NEW);
	}
}

static void take(struct fixture *f, const struct dp_fdb *batch, size_t bytes)
{
	assert_int_equal(bytes, sizeof(*batch) + batch->n_entries * sizeof(batch->entries[0]));
	f->n_messages++;
	f->n_entries += batch->n_entries;
	f->next = batch->next;
	for (uint32_t i = 0; i < batch->n_entries; i++) {
		const struct dp_fdb_entry *entry = &batch->entries[i];

		assert_int_equal(entry->port_id, 7);
		assert_int_equal(entry->segment_id, ALPHA);
		f->sum += (uint64_t)entry->mac[3] << 16 | entry->mac[4] << 8 | entry->mac[5];
	}
}

/* One page; the error that ended it. */
static int read_page(struct fixture *f, uint64_t from)
{
	static uint8_t bytes[DP_MESSAGE_BYTES] __attribute__((aligned(8)));
	const struct dp_fdb_page page = {.header.cookie = 5, .from = from};
	const struct dp_done *done = (const void *)bytes;

	f->n_messages = f->n_entries = 0;
	server_table_fdb_page(f->dp, &f->client, &page, NOW_S);
	for (;;) {
		ssize_t n = recv(f->peer_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		/* The socket is full and was emptied: the rest waits with the client. */
		if (n < 0) {
			assert_non_null(f->client.queue);
			client_flush(&f->client);
			continue;
		}
		assert_int_equal(done->header.cookie, 5);
		if (done->header.type == DP_DONE)
			return done->error;
		take(f, (const void *)bytes, (size_t)n);
	}
}

static void an_empty_table_is_one_page(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_page(f, 0), 0);
	assert_int_equal(f->n_messages, 1);
	assert_int_equal(f->n_entries, 0);
	assert_int_equal(f->next, 0);
}

static void a_page_comes_in_several_messages(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 1000);
	assert_int_equal(read_page(f, 0), 0);
	assert_int_equal(f->n_entries, 1000);
	assert_int_equal(f->sum, 999 * 1000 / 2);
	assert_true(f->n_messages > 1);
	assert_int_equal(f->next, 0);
}

static void pages_have_each_entry_once_whatever_changes_between_them(void **state)
{
	const uint32_t n = 5 * DP_FDB_PAGE_MAX;
	struct fixture *f = *state;
	unsigned int n_pages = 0, n_entries = 0;
	uint64_t buckets, from = 0;
	uint16_t old;

	/* Room for some more, so that the table does not grow under the walk. */
	learn(f, 0, n);
	buckets = fdb_buckets(f->dp->fdb);
	do {
		uint8_t mac[6];

		assert_int_equal(read_page(f, from), 0);
		assert_true(f->n_entries <= DP_FDB_PAGE_MAX + 512);
		n_entries += f->n_entries;
		n_pages++;
		from = f->next;
		/* An address of another segment, which the page does not have. */
		rig_mac(mac, n_pages);
		fdb_learn(f->dp->fdb, fdb_key(4000, mac), 1, NOW_S, &old);
	} while (from != 0);
	assert_int_equal(fdb_buckets(f->dp->fdb), buckets);
	assert_int_equal(n_entries, n);
	assert_int_equal(f->sum, (uint64_t)n * (n - 1) / 2);
	assert_true(n_pages >= 5);
}

static void a_position_is_of_no_use_once_the_table_has_grown(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 2 * DP_FDB_PAGE_MAX);
	assert_int_equal(read_page(f, 0), 0);
	uint64_t next = f->next;

	assert_int_not_equal(next, 0);
	learn(f, 2 * DP_FDB_PAGE_MAX, 20 * DP_FDB_PAGE_MAX);
	assert_int_equal(read_page(f, next), -ESTALE);
	assert_int_equal(f->n_messages, 0);
	/* Nor is one that never was. */
	assert_int_equal(read_page(f, 77), -ESTALE);
	assert_int_equal(read_page(f, UINT64_MAX), -ESTALE);
}

static void what_is_old_is_left_out(void **state)
{
	struct fixture *f = *state;

	learn(f, 0, 10);
	atomic_store(&segment_find(f->dp, ALPHA)->age_s, 0);
	const struct dp_fdb_page page = {.from = 0};

	server_table_fdb_page(f->dp, &f->client, &page, NOW_S + 1);
	struct dp_fdb batch;

	assert_int_equal(recv(f->peer_fd, &batch, sizeof(batch), 0), sizeof(batch));
	assert_int_equal(batch.n_entries, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_table_is_one_page),
		TEST(a_page_comes_in_several_messages),
		TEST(pages_have_each_entry_once_whatever_changes_between_them),
		TEST(a_position_is_of_no_use_once_the_table_has_grown),
		TEST(what_is_old_is_left_out),
	};

	return cmocka_run_group_tests_name("server_table", tests, NULL, NULL);
}
