/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tests of the fast half of a front-end (tests/lib/frontend_bulk.h) over packed rings, with sizes
 * that change and frames that are written as they go out. A wire between its two rings stands for
 * the switch; it gives the chains of a pair back in the other order.
 */
#include "tests/lib/frontend_bulk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "tests/lib/frontend_ring.h"

#define RING 16
#define N_FRAMES 24u
#define HEADER_BYTES 12u
#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED (1u << VRING_PACKED_DESC_F_USED)

static const uint16_t sizes[] = {60, 200, 61};

/* The device's side of a packed ring. */
struct device {
	const struct packed_ring *ring;
	uint16_t at;   /* the next chain to take */
	uint16_t used; /* the next to give back */
};

struct rig {
	struct frontend frontend;
	struct frontend_bulk bulk;
	struct device tx, rx;
	uint32_t n_written, n_arrived;
};

static void build(void *ctx, unsigned int i, unsigned char *frame)
{
	memset(frame, (int)i, sizes[i % 3]);
}

static void sending(void *ctx, unsigned char *frame)
{
	struct rig *rig = ctx;

	memcpy(frame, &rig->n_written, sizeof(rig->n_written));
	rig->n_written++;
}

static void arrived(void *ctx, const unsigned char *frame, uint32_t n_bytes)
{
	struct rig *rig = ctx;
	uint32_t number;

	memcpy(&number, frame, sizeof(number));
	assert_int_equal(number, rig->n_arrived);
	assert_int_equal(n_bytes, sizes[number % 3]);
	assert_int_equal(frame[n_bytes - 1], number % N_FRAMES);
	rig->n_arrived++;
}

static void start(struct rig *rig)
{
	struct frontend *f = &rig->frontend;
	uint64_t features = FRONTEND_ALL | FRONTEND_BIT(VIRTIO_F_RING_PACKED);
	struct frontend_memory_options options = {.n_regions = 1, .bytes = 1 << 20};
	struct frontend_bulk_load load = {
		.n_frames = N_FRAMES,
		.n_bytes = 200,
		.sizes = sizes,
		.n_sizes = 3,
		.touch = true,
		.build = build,
		.sending = sending,
		.arrived = arrived,
		.ctx = rig,
	};

	*rig = (struct rig){.tx = {&f->tx[0].packed, PACKED_RING_WRAP, PACKED_RING_WRAP},
			    .rx = {&f->rx[0].packed, PACKED_RING_WRAP, PACKED_RING_WRAP}};
	f->handshake.features = features;
	f->header_bytes = HEADER_BYTES;
	f->rx[0].kick_fd = f->tx[0].kick_fd = -1;
	assert_int_equal(frontend_memory_init(&f->memory, &options), 0);
	assert_int_equal(frontend_ring_init(&f->rx[0], &f->memory, RING, features), 0);
	assert_int_equal(frontend_ring_init(&f->tx[0], &f->memory, RING, features), 0);
	/* Nobody wants to be kicked. */
	f->rx[0].packed.device->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	f->tx[0].packed.device->flags = VRING_PACKED_EVENT_FLAG_DISABLE;
	assert_int_equal(frontend_bulk_init(&rig->bulk, f, 0, &load), 0);
}

static void stop(struct rig *rig)
{
	frontend_ring_fini(&rig->frontend.rx[0]);
	frontend_ring_fini(&rig->frontend.tx[0]);
	frontend_memory_fini(&rig->frontend.memory);
}

/* The next available chain, or false. */
static bool take(struct device *device, struct vring_packed_desc *desc)
{
	const struct vring_packed_desc *slot = packed_ring_slot(device->ring, device->at);
	unsigned int mine = (device->at & PACKED_RING_WRAP) != 0 ? AVAIL : USED;

	if ((slot->flags & (AVAIL | USED)) != mine)
		return false;
	*desc = *slot;
	device->at = packed_ring_step(device->ring, device->at, 1);
	return true;
}

static void give_back(struct device *device, uint16_t id, uint32_t n_bytes)
{
	struct vring_packed_desc *slot = packed_ring_slot(device->ring, device->used);

	slot->id = id;
	slot->len = n_bytes;
	slot->flags = (device->used & PACKED_RING_WRAP) != 0 ? AVAIL | USED : 0;
	device->used = packed_ring_step(device->ring, device->used, 1);
}

/* Carries two frames, whose transmit chains come back in the other order. */
static void carry_two(struct rig *rig)
{
	const struct frontend_memory *memory = &rig->frontend.memory;
	struct vring_packed_desc from[2] = {0}, to = {0};

	assert_true(take(&rig->tx, &from[0]) && take(&rig->tx, &from[1]));
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(take(&rig->rx, &to));
		assert_int_equal(to.len, HEADER_BYTES + 200);
		unsigned char *bytes = frontend_memory_pointer(memory, to.addr, to.len);

		memcpy(bytes, frontend_memory_pointer(memory, from[i].addr, from[i].len),
		       from[i].len);
		((struct virtio_net_hdr_mrg_rxbuf *)bytes)->num_buffers = 1;
		give_back(&rig->rx, to.id, from[i].len);
	}
	give_back(&rig->tx, from[1].id, 0);
	give_back(&rig->tx, from[0].id, 0);
}

static void packed_frames_keep_order_size_and_bytes(void **state)
{
	struct rig rig;
	uint64_t n_bytes = 0;

	start(&rig);
	for (unsigned int i = 0; i < 10000; i++) {
		while (frontend_bulk_in_flight(&rig.bulk) < 2)
			assert_true(frontend_bulk_send(&rig.bulk, 1 + i % 20) > 0);
		carry_two(&rig);
		assert_int_equal(frontend_bulk_receive(&rig.bulk, 64), 2);
	}
	assert_int_equal(rig.n_arrived, 20000);
	assert_int_equal(rig.bulk.n_received, 20000);
	assert_int_equal(rig.bulk.n_sent, rig.n_written);
	for (unsigned int i = 0; i < 20000; i++)
		n_bytes += sizes[i % 3];
	assert_int_equal(rig.bulk.received_bytes, n_bytes);
	assert_int_equal(rig.bulk.n_bad, 0);
	stop(&rig);
}

static void packed_ring_takes_no_more_than_it_has(void **state)
{
	struct rig rig;

	start(&rig);
	assert_int_equal(frontend_bulk_send(&rig.bulk, 64), RING);
	assert_int_equal(frontend_bulk_send(&rig.bulk, 64), 0);
	assert_int_equal(frontend_bulk_in_flight(&rig.bulk), RING);
	carry_two(&rig);
	assert_int_equal(frontend_bulk_in_flight(&rig.bulk), RING - 2);
	assert_int_equal(frontend_bulk_send(&rig.bulk, 64), 2);
	stop(&rig);
}

static void packed_ids_that_cannot_be_are_bad(void **state)
{
	struct vring_packed_desc to = {0};
	struct rig rig;

	start(&rig);
	assert_true(take(&rig.rx, &to));
	give_back(&rig.rx, RING, 72);
	assert_int_equal(frontend_bulk_receive(&rig.bulk, 64), 1);
	assert_int_equal(rig.bulk.n_bad, 1);
	stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_frames_keep_order_size_and_bytes),
		cmocka_unit_test(packed_ring_takes_no_more_than_it_has),
		cmocka_unit_test(packed_ids_that_cannot_be_are_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
