/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/server_channel.c and of the versions of the messages, over the control socket:
 * a thread is the dataplane's main, the test is weftd, or a weftd of before there were channels. */
#include "dataplane/server_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/api/dp_client.h"
#include "dataplane/channel/loan.h"
#include "tests/unit/dataplane/server_rig.h"
#include "tests/unit/dataplane/txn_channels_rig.h"

#define TIMEOUT_MS SERVER_RIG_TIMEOUT_MS

static void *txn_rig;

/* What txn_channels_rig.h makes is there: without the loan, whose time would run. */
static int set_up(void **state)
{
	txn_channels_rig_set_up(&txn_rig);

	struct dataplane *dp = ((const struct txn_rig *)txn_rig)->dp;

	loan_end_all(dp);
	*state = server_rig_open(dp);
	return 0;
}

static int tear_down(void **state)
{
	server_rig_close(*state);
	return txn_rig_tear_down(&txn_rig);
}

static void delete (struct server_rig *f, enum dp_type type, uint64_t id)
{
	struct dp_object object = {.id = id};

	server_rig_stage(f, type, &object, sizeof(object));
}

static void commit(struct server_rig *f)
{
	if (server_rig_ask(f, DP_PREPARE) != 0 || server_rig_ask(f, DP_COMMIT) != 0)
		fail_msg("%s", f->why);
}

/* --- version 2 --- */

/* What a dump told. */
struct seen {
	unsigned int n_pools, n_channels, n_loans, n_before_channels;
	struct dp_pool pool;
	struct dp_channel channel;
	struct dp_loan loan;
	uint32_t port_channel, segment_channel;
};

static void note(void *ctx, const struct dp_header *message, int *fds, unsigned int n_fds)
{
	struct seen *seen = ctx;

	if (message->type == DP_POOL_PUT) {
		seen->pool = *(const struct dp_pool *)message;
		seen->n_pools++;
	} else if (message->type == DP_CHANNEL_PUT) {
		seen->channel = *(const struct dp_channel *)message;
		seen->n_channels++;
	} else if (message->type == DP_LOAN_PUT) {
		seen->loan = *(const struct dp_loan *)message;
		seen->n_loans++;
	} else if (message->type == DP_PORT_PUT) {
		seen->port_channel = ((const struct dp_port *)message)->channel_id;
		seen->n_before_channels += seen->n_channels == 0;
	} else if (message->type == DP_SEGMENT_PUT) {
		seen->segment_channel |= ((const struct dp_segment *)message)->channel_id;
		seen->n_before_channels += seen->n_channels == 0;
	}
}

static struct seen dump(struct server_rig *f)
{
	struct seen seen = {0};

	assert_int_equal(
		dp_client_request(f->client, DP_DUMP, NULL, 0, TIMEOUT_MS, note, &seen, f->why), 0);
	return seen;
}

static void what_is_put_is_dumped_and_deleted(void **state)
{
	struct server_rig *f = *state;
	struct dp_pool pool = channel_rig_pool(50, 3 * G);
	struct dp_channel channel = channel_rig_channel(51, 50, 10 * M, 20 * M, 7);

	channel.generation = 9;
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	server_rig_stage(f, DP_POOL_PUT, &pool, sizeof(pool));
	server_rig_stage(f, DP_CHANNEL_PUT, &channel, sizeof(channel));
	commit(f);
	struct seen seen = dump(f);

	assert_int_equal(seen.n_pools, 3);
	assert_int_equal(seen.n_channels, 5);
	assert_int_equal(seen.n_before_channels, 0);
	assert_int_equal(seen.port_channel, GOLD);
	assert_int_equal(seen.segment_channel, BRONZE);
	/* The last of each is the new one; but for the header, as it was put. */
	pool.header = seen.pool.header;
	channel.header = seen.channel.header;
	assert_memory_equal(&seen.pool, &pool, sizeof(pool));
	assert_memory_equal(&seen.channel, &channel, sizeof(channel));
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	delete (f, DP_CHANNEL_DEL, 51);
	delete (f, DP_POOL_DEL, 50);
	commit(f);
	seen = dump(f);
	assert_int_equal(seen.n_pools, 2);
	assert_int_equal(seen.n_channels, 4);
}

static void a_loan_says_what_is_left_and_is_called_back(void **state)
{
	struct server_rig *f = *state;
	struct dp_loan loan = txn_channels_rig_loan();
	struct seen seen;

	loan.remaining_ms = 3600000;
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	server_rig_stage(f, DP_LOAN_PUT, &loan, sizeof(loan));
	commit(f);
	do {
		seen = dump(f);
		assert_int_equal(seen.n_loans, 1);
	} while (seen.loan.remaining_ms == 3600000);
	assert_in_range(seen.loan.remaining_ms, 3600000 - TIMEOUT_MS, 3600000 - 1);
	assert_int_equal(seen.loan.rate_bps, loan.rate_bps);
	assert_int_equal(seen.loan.id, loan.id);
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	delete (f, DP_LOAN_DEL, loan.id);
	commit(f);
	assert_int_equal(dump(f).n_loans, 0);
}

static void a_loan_ends_without_anybody(void **state)
{
	struct server_rig *f = *state;
	struct dp_loan loan = txn_channels_rig_loan();

	loan.remaining_ms = 1;
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	server_rig_stage(f, DP_LOAN_PUT, &loan, sizeof(loan));
	commit(f);
	while (dump(f).n_loans != 0)
		;
	server_rig_stop(f);
	assert_int_equal(atomic_load(&channel_find(f->dp, GOLD)->ways[DP_TX].assured_bps), 500 * M);
}

static void a_refusal_says_why(void **state)
{
	struct server_rig *f = *state;
	struct dp_channel channel = channel_rig_channel(51, 77, 0, 0, 1);

	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	server_rig_stage(f, DP_CHANNEL_PUT, &channel, sizeof(channel));
	assert_int_equal(server_rig_ask(f, DP_PREPARE), -ENOENT);
	assert_string_equal(f->why, "channel channel51: its pool does not exist");
	assert_int_equal(server_rig_ask(f, DP_BEGIN), 0);
	assert_int_equal(server_rig_ask(f, DP_ABORT), 0);
}

/* --- version 1 --- */

static void send_as(int fd, uint16_t version, enum dp_type type, void *message, size_t bytes)
{
	struct dp_header *header = message;

	header->bytes = (uint32_t)bytes;
	header->type = (uint16_t)type;
	header->version = version;
	assert_int_equal(send(fd, message, bytes, MSG_NOSIGNAL), bytes);
}

static void ask_as(int fd, uint16_t version, enum dp_type type)
{
	struct dp_plain plain = {{0}};

	send_as(fd, version, type, &plain, sizeof(plain));
}

/* The next message; its type. */
static unsigned int receive(int fd, char message[DP_MESSAGE_BYTES])
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&pollfd, 1, TIMEOUT_MS), 1);
	assert_true(recv(fd, message, DP_MESSAGE_BYTES, 0) >= (ssize_t)sizeof(struct dp_header));
	return ((const struct dp_header *)(const void *)message)->type;
}

static void assert_done(int fd, uint16_t version, int error)
{
	_Alignas(8) char message[DP_MESSAGE_BYTES];
	const struct dp_done *done = (const void *)message;

	while (receive(fd, message) != DP_DONE)
		;
	assert_int_equal(done->header.version, version);
	if (done->error != error)
		fail_msg("%d: %s", done->error, done->text);
}

static void a_client_of_version_1_sees_nothing_of_version_2(void **state)
{
	struct server_rig *f = *state;
	_Alignas(8) char message[DP_MESSAGE_BYTES];
	const struct dp_header *header = (const void *)message;
	unsigned int n_ports = 0, n_segments = 0;
	int fd = server_rig_connect(f);

	ask_as(fd, 1, DP_HELLO);
	assert_done(fd, 1, 0);
	ask_as(fd, 1, DP_DUMP);
	while (receive(fd, message) != DP_DONE) {
		assert_int_equal(header->version, 1);
		assert_true(header->type < DP_POOL_PUT);
		if (header->type == DP_PORT_PUT) {
			assert_int_equal(((struct dp_port *)(void *)message)->channel_id, 0);
			n_ports++;
		} else if (header->type == DP_SEGMENT_PUT) {
			assert_int_equal(((struct dp_segment *)(void *)message)->channel_id, 0);
			n_segments++;
		}
	}
	assert_int_equal(n_ports, 1);
	assert_int_equal(n_segments, 2);
	close(fd);
}

static void what_version_1_had_reserved_names_no_channel(void **state)
{
	struct server_rig *f = *state;
	struct dp_port port = rig_port_spec(2, ALPHA);
	struct dp_segment segment = rig_segment(BETA);
	int fd = server_rig_connect(f);

	port.channel_id = segment.channel_id = 77;
	ask_as(fd, 1, DP_BEGIN);
	assert_done(fd, 1, 0);
	send_as(fd, 1, DP_PORT_PUT, &port, sizeof(port));
	send_as(fd, 1, DP_SEGMENT_PUT, &segment, sizeof(segment));
	ask_as(fd, 1, DP_PREPARE);
	assert_done(fd, 1, 0);
	ask_as(fd, 1, DP_COMMIT);
	assert_done(fd, 1, 0);
	close(fd);
	server_rig_stop(f);
	assert_int_equal(port_find(f->dp, 2)->spec.channel_id, 0);
	assert_null(atomic_load(&port_find(f->dp, 2)->channel));
}

static void messages_of_version_2_in_version_1_end_the_conversation(void **state)
{
	struct server_rig *f = *state;
	static const struct {
		enum dp_type type;
		size_t bytes;
	} rows[] = {
		{DP_POOL_PUT, sizeof(struct dp_pool)},
		{DP_POOL_DEL, sizeof(struct dp_object)},
		{DP_CHANNEL_PUT, sizeof(struct dp_channel)},
		{DP_CHANNEL_DEL, sizeof(struct dp_object)},
		{DP_LOAN_PUT, sizeof(struct dp_loan)},
		{DP_LOAN_DEL, sizeof(struct dp_object)},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_Alignas(8) char message[DP_MESSAGE_BYTES] = {0};
		int fd = server_rig_connect(f);

		send_as(fd, 1, rows[i].type, message, rows[i].bytes);
		assert_done(fd, 1, -EPROTO);
		assert_int_equal(recv(fd, message, 1, 0), 0);
		close(fd);
		/* And of another size they are not understood in any version. */
		fd = server_rig_connect(f);
		send_as(fd, 2, rows[i].type, message, rows[i].bytes - 1);
		assert_done(fd, DP_VERSION, -EPROTO);
		close(fd);
	}
}

static void versions_before_and_after_are_refused(void **state)
{
	struct server_rig *f = *state;

	for (uint16_t version = 0; version < 5; version++) {
		int fd = server_rig_connect(f);
		bool is_known = version == DP_VERSION || version == DP_VERSION - 1;

		ask_as(fd, version, DP_HELLO);
		assert_done(fd, is_known ? version : DP_VERSION, is_known ? 0 : -EPROTONOSUPPORT);
		close(fd);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_dumped_and_deleted),
		TEST(a_loan_says_what_is_left_and_is_called_back),
		TEST(a_loan_ends_without_anybody),
		TEST(a_refusal_says_why),
		TEST(a_client_of_version_1_sees_nothing_of_version_2),
		TEST(what_version_1_had_reserved_names_no_channel),
		TEST(messages_of_version_2_in_version_1_end_the_conversation),
		TEST(versions_before_and_after_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
