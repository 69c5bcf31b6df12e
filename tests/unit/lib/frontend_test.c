/* SPDX-License-Identifier: BSD-3-Clause */
/* The front-end over its own memory: no back-end, a fake device that plays both rings. */
#include "tests/lib/frontend.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/frontend_bulk.h"
#include "tests/unit/lib/fake_device.h"

struct rig {
	char folder[32];
	char path[64];
	int listener;
	struct frontend *f;
	struct fake_device tx;
	struct fake_device rx;
};

/* The front-end connects to a socket that nobody answers, and stops there. */
static void start(struct rig *rig, struct frontend_config config)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strcpy(rig->folder, "/tmp/weft-test-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->path, sizeof(rig->path), "%s/s", rig->folder);
	strcpy(address.sun_path, rig->path);
	rig->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(rig->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(rig->listener, 1), 0);
	config.path = rig->path;
	config.stage = FRONTEND_CONNECTED;
	assert_int_equal(frontend_create(&config, &rig->f), 0);
	rig->tx = (struct fake_device){.memory = &rig->f->memory, .ring = &rig->f->tx[0].ring};
	rig->rx = (struct fake_device){.memory = &rig->f->memory, .ring = &rig->f->rx[0].ring};
}

static void stop(struct rig *rig)
{
	frontend_destroy(rig->f);
	close(rig->listener);
	unlink(rig->path);
	rmdir(rig->folder);
}

static void fill_pattern(unsigned char *bytes, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++)
		bytes[i] = (unsigned char)(i * 7 + (i >> 8));
}

/* Every layout of every size arrives as it was sent, with the header in front. */
static void frames_survive_every_layout(void **state)
{
	static const size_t sizes[] = {1, 14, 60, 1514, 9000, 65550};
	static unsigned char bytes[FRONTEND_FRAME_MAX];
	static unsigned char seen[FRONTEND_FRAME_MAX + 12];
	struct rig rig;

	start(&rig, (struct frontend_config){.n_regions = 3});
	fill_pattern(bytes, sizeof(bytes));
	for (unsigned int i = 0; i < 6 * 4 * 4; i++) {
		struct frontend_frame frame = {
			.header = {.gso_size = 1234},
			.bytes = bytes,
			.n_bytes = sizes[i % 6],
			.chain = {.n_pieces = (const unsigned int[]){0, 1, 7, 62}[i / 6 % 4],
				  .header_apart = (i / 24 & 1) != 0,
				  .indirect = (i / 48 & 1) != 0},
		};
		unsigned int n_expected = frame.chain.n_pieces == 0 ? 1 : frame.chain.n_pieces;
		struct virtio_net_hdr header;
		unsigned int n;

		if (n_expected > frame.n_bytes)
			n_expected = (unsigned int)frame.n_bytes;
		assert_int_equal(frontend_send(rig.f, 0, &frame), 0);
		assert_int_equal(fake_device_take(&rig.tx, seen, sizeof(seen), &n),
				 12 + frame.n_bytes);
		assert_int_equal(n, n_expected + frame.chain.header_apart);
		memcpy(&header, seen, sizeof(header));
		assert_int_equal(header.gso_size, 1234);
		assert_memory_equal(seen + 12, bytes, frame.n_bytes);
	}
	assert_int_equal(frontend_flush(rig.f, 0, 0), 0);
	stop(&rig);
}

static void full_ring_asks_to_wait(void **state)
{
	struct rig rig;
	unsigned char seen[100];
	unsigned int n;
	struct frontend_frame frame = {.bytes = "0123456789abcd", .n_bytes = 14};

	start(&rig, (struct frontend_config){.ring_size = 4});
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(frontend_send(rig.f, 0, &frame), 0);
	assert_int_equal(frontend_send(rig.f, 0, &frame), -EAGAIN);
	assert_int_equal(frontend_flush(rig.f, 0, 0), -ETIMEDOUT);
	fake_device_take(&rig.tx, seen, sizeof(seen), &n);
	assert_int_equal(frontend_send(rig.f, 0, &frame), 0);
	frame.n_bytes = FRONTEND_FRAME_MAX + 1;
	assert_int_equal(frontend_send(rig.f, 0, &frame), -EMSGSIZE);
	stop(&rig);
}

/* Gives the guest a frame of n bytes over as many buffers as it takes. */
static unsigned int deliver(struct rig *rig, unsigned char *frame, size_t n_bytes, int n_claimed)
{
	struct virtio_net_hdr_mrg_rxbuf header = {0};
	uint16_t first = rig->rx.next_avail;
	unsigned int n_buffers = 0;

	memcpy(frame, &header, sizeof(header));
	for (size_t done = 0; done < 12 + n_bytes; n_buffers++)
		done += fake_device_fill(&rig->rx, frame + done, 12 + n_bytes - done);
	/* The number of buffers is known only now: it goes into the first one. */
	header.num_buffers = (uint16_t)((int)n_buffers + n_claimed);
	uint16_t head = rig->f->rx[0].ring.avail->ring[first & (rig->f->rx[0].ring.size - 1)];
	uint64_t address = rig->f->rx[0].ring.desc[head].addr;

	memcpy(frontend_memory_pointer(&rig->f->memory, address, sizeof(header)), &header,
	       sizeof(header));
	fake_device_publish(&rig->rx, n_buffers);
	return n_buffers;
}

static void mergeable_buffers_become_one_frame(void **state)
{
	static unsigned char frame[FRONTEND_FRAME_MAX];
	struct frontend_received received;
	struct rig rig;

	start(&rig, (struct frontend_config){.n_regions = 2, .rx_chain = {.n_pieces = 3}});
	fill_pattern(frame, sizeof(frame));
	for (size_t n = 60; n < 60000; n = n * 3 / 2) {
		unsigned int n_buffers = deliver(&rig, frame, n, 0);

		assert_int_equal(frontend_receive(rig.f, 0, 0, &received), 0);
		assert_int_equal(received.n_buffers, n_buffers);
		assert_int_equal(received.n_bytes, n);
		assert_memory_equal(received.bytes, frame + 12, n);
	}
	assert_int_equal(fake_device_waiting(&rig.rx), 256 / 3); /* all posted again */
	assert_int_equal(frontend_receive(rig.f, 0, 0, &received), -ETIMEDOUT);
	stop(&rig);
}

static void wrong_number_of_buffers_is_an_error(void **state)
{
	static unsigned char frame[2048];
	struct frontend_received received;
	struct rig rig;

	start(&rig, (struct frontend_config){0});
	deliver(&rig, frame, 60, 1); /* promises two, gives one */
	assert_int_equal(frontend_receive(rig.f, 0, 0, &received), -EPROTO);
	deliver(&rig, frame, 60, -1); /* promises none */
	assert_int_equal(frontend_receive(rig.f, 0, 0, &received), -EPROTO);
	deliver(&rig, frame, 60, 0);
	assert_int_equal(frontend_receive(rig.f, 0, 0, &received), 0);
	stop(&rig);
}

/* Plays a device that delivers when the front-end sleeps, with or without the call it waits for. */
struct sleeper {
	struct rig *rig;
	bool calls;
};

static void *deliver_to_sleeper(void *arg)
{
	static unsigned char frame[2048];
	const struct sleeper *sleeper = arg;
	const struct split_ring *ring = &sleeper->rig->f->rx[0].ring;
	const uint16_t *used_event = &ring->avail->ring[ring->size];
	uint64_t one = 1;

	while (__atomic_load_n(used_event, __ATOMIC_ACQUIRE) != ring->used->idx)
		;
	deliver(sleeper->rig, frame, 60, 0);
	if (sleeper->calls)
		assert_int_equal(write(sleeper->rig->f->rx[0].call_fd, &one, sizeof(one)),
				 sizeof(one));
	return NULL;
}

static int receive_asleep(bool calls)
{
	struct frontend_received received;
	struct rig rig;
	struct sleeper sleeper = {.rig = &rig, .calls = calls};
	pthread_t thread;

	start(&rig, (struct frontend_config){0});
	assert_int_equal(pthread_create(&thread, NULL, deliver_to_sleeper, &sleeper), 0);
	int err = frontend_receive(rig.f, 0, calls ? 10000 : 500, &received);

	pthread_join(thread, NULL);
	stop(&rig);
	return err;
}

static void call_wakes_a_receiver(void **state)
{
	assert_int_equal(receive_asleep(true), 0);
}

static void missing_call_is_an_error(void **state)
{
	assert_int_equal(receive_asleep(false), -EPROTO);
}

static void closed_connection_ends_a_wait(void **state)
{
	struct frontend_received received;
	struct rig rig;

	start(&rig, (struct frontend_config){0});
	close(accept(rig.listener, NULL, NULL));
	assert_int_equal(frontend_wait_closed(rig.f, 10000), 0);
	assert_int_equal(frontend_receive(rig.f, 0, 10000, &received), -ECONNRESET);
	stop(&rig);
}

static void seals_are_as_asked(void **state)
{
	struct rig rig;

	start(&rig, (struct frontend_config){0});
	assert_int_equal(fcntl(rig.f->memory.fd, F_GET_SEALS),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	stop(&rig);
	start(&rig, (struct frontend_config){.unsealed = true});
	assert_int_equal(fcntl(rig.f->memory.fd, F_GET_SEALS), 0);
	assert_int_equal(ftruncate(rig.f->memory.fd, 4096), 0);
	stop(&rig);
}

static void silent_back_end_ends_the_handshake(void **state)
{
	struct frontend *f;
	struct rig rig;
	char why[FRONTEND_WHY_BYTES] = "";

	start(&rig, (struct frontend_config){0});
	struct frontend_config config = {.path = rig.path, .timeout_ms = 20, .why = why};

	assert_int_equal(frontend_create(&config, &f), -ETIMEDOUT);
	assert_non_null(strstr(why, "negotiating"));
	config.path = "/nonexistent/s";
	assert_int_equal(frontend_create(&config, &f), -ETIMEDOUT);
	assert_non_null(strstr(why, "/nonexistent/s"));
	stop(&rig);
}

static void build_numbered(void *ctx, unsigned int i, unsigned char *frame)
{
	memset(frame, 0, 60);
	memcpy(frame, &i, sizeof(i));
}

static void bulk_sends_every_frame_in_turn(void **state)
{
	struct frontend_bulk_load load = {
		.n_frames = 100, .n_bytes = 60, .touch = true, .build = build_numbered};
	struct frontend_bulk bulk;
	struct rig rig;
	unsigned char seen[128];
	unsigned int n;

	start(&rig, (struct frontend_config){.ring_size = 16,
					     .manual_post = true,
					     .extra_bytes = frontend_bulk_bytes(100, 60, 16)});
	assert_int_equal(frontend_bulk_init(&bulk, rig.f, 0, &load), 0);
	for (unsigned int i = 0; i < 70000; i++) {
		unsigned int number;

		if (fake_device_waiting(&rig.tx) == 0)
			assert_true(frontend_bulk_send(&bulk, 1 + i % 20) > 0);
		assert_int_equal(fake_device_take(&rig.tx, seen, sizeof(seen), &n), 72);
		memcpy(&number, seen + 12, sizeof(number));
		assert_int_equal(number, i % 100);
	}
	assert_int_equal(frontend_bulk_in_flight(&bulk), fake_device_waiting(&rig.tx));
	assert_int_equal(bulk.n_bad, 0);
	stop(&rig);
}

static void bulk_counts_and_posts_again(void **state)
{
	struct frontend_bulk_load load = {
		.n_frames = 1, .n_bytes = 60, .touch = true, .build = build_numbered};
	static unsigned char frame[2048];
	struct frontend_bulk bulk;
	struct rig rig;

	start(&rig, (struct frontend_config){.ring_size = 16,
					     .manual_post = true,
					     .extra_bytes = frontend_bulk_bytes(1, 60, 16)});
	assert_int_equal(frontend_bulk_init(&bulk, rig.f, 0, &load), 0);
	for (unsigned int i = 0; i < 70000; i++) {
		deliver(&rig, frame, 60, 0);
		assert_int_equal(frontend_bulk_receive(&bulk, 64), 1);
	}
	assert_int_equal(bulk.n_received, 70000);
	assert_int_equal(bulk.received_bytes, 70000 * 60);
	assert_int_equal(bulk.n_bad, 0);
	deliver(&rig, frame, 60, 5);
	frontend_bulk_receive(&bulk, 64);
	assert_int_equal(bulk.n_bad, 1);
	stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_survive_every_layout),
		cmocka_unit_test(full_ring_asks_to_wait),
		cmocka_unit_test(mergeable_buffers_become_one_frame),
		cmocka_unit_test(wrong_number_of_buffers_is_an_error),
		cmocka_unit_test(call_wakes_a_receiver),
		cmocka_unit_test(missing_call_is_an_error),
		cmocka_unit_test(closed_connection_ends_a_wait),
		cmocka_unit_test(seals_are_as_asked),
		cmocka_unit_test(silent_back_end_ends_the_handshake),
		cmocka_unit_test(bulk_sends_every_frame_in_turn),
		cmocka_unit_test(bulk_counts_and_posts_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
