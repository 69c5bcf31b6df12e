/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's side of a split ring, against a fake device. */
#include "tests/lib/split_ring.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/lib/fake_device.h"

#define RING_SIZE 8u

struct rig {
	struct frontend_memory memory;
	struct split_ring ring;
	struct fake_device device;
	unsigned char *data;
	uint64_t data_address;
};

static void start(struct rig *rig, bool event_idx)
{
	struct frontend_memory_options options = {.bytes = 1 << 16, .n_regions = 2};

	assert_int_equal(frontend_memory_init(&rig->memory, &options), 0);
	assert_int_equal(split_ring_init(&rig->ring, &rig->memory, 0, RING_SIZE, event_idx), 0);
	rig->data = frontend_memory_take(&rig->memory, 1, 4096, 64);
	assert_non_null(rig->data);
	rig->data_address = frontend_memory_address(&rig->memory, rig->data);
	rig->device = (struct fake_device){.memory = &rig->memory, .ring = &rig->ring};
}

static void stop(struct rig *rig)
{
	split_ring_fini(&rig->ring);
	frontend_memory_fini(&rig->memory);
}

static int add(struct rig *rig, unsigned int n)
{
	struct split_ring_piece pieces[RING_SIZE];

	for (unsigned int i = 0; i < n; i++)
		pieces[i] = (struct split_ring_piece){rig->data_address + i * 16, 8, false};
	return split_ring_add(&rig->ring, pieces, n, NULL, 0);
}

static void chain_arrives_in_order(void **state)
{
	struct rig rig;
	unsigned char bytes[64];
	unsigned int n;

	start(&rig, false);
	memcpy(rig.data, "first...", 8);
	memcpy(rig.data + 16, "second..", 8);
	memcpy(rig.data + 32, "third...", 8);
	assert_true(add(&rig, 3) >= 0);
	assert_int_equal(fake_device_waiting(&rig.device), 0);
	split_ring_publish(&rig.ring);
	assert_int_equal(fake_device_take(&rig.device, bytes, sizeof(bytes), &n), 24);
	assert_int_equal(n, 3);
	assert_memory_equal(bytes, "first...second..third...", 24);
	stop(&rig);
}

static void descriptors_come_back_for_ever(void **state)
{
	struct rig rig;
	unsigned char bytes[64];
	unsigned int n;
	uint16_t head;
	uint32_t n_bytes;

	start(&rig, false);
	/* Past the end of the 16-bit indices. */
	for (unsigned int i = 0; i < 70000; i++) {
		int added = add(&rig, 1 + i % RING_SIZE);

		assert_true(added >= 0);
		split_ring_publish(&rig.ring);
		fake_device_take(&rig.device, bytes, sizeof(bytes), &n);
		assert_int_equal(n, 1 + i % RING_SIZE);
		assert_int_equal(split_ring_take_used(&rig.ring, &head, &n_bytes), 0);
		assert_int_equal(head, added);
		assert_int_equal(rig.ring.n_free, RING_SIZE);
	}
	stop(&rig);
}

static void full_ring_refuses(void **state)
{
	struct rig rig;

	start(&rig, false);
	assert_true(add(&rig, 5) >= 0);
	assert_int_equal(add(&rig, 4), -ENOSPC);
	assert_true(add(&rig, 3) >= 0);
	assert_int_equal(add(&rig, 1), -ENOSPC);
	stop(&rig);
}

static void foreign_used_entry_is_refused(void **state)
{
	struct rig rig;
	uint16_t head;
	uint32_t n_bytes;

	start(&rig, false);
	assert_int_equal(add(&rig, 1), 0);
	split_ring_publish(&rig.ring);
	assert_int_equal(split_ring_take_used(&rig.ring, &head, &n_bytes), -EAGAIN);
	rig.ring.used->ring[0].id = 5; /* free, not with the device */
	fake_device_publish(&rig.device, 1);
	assert_int_equal(split_ring_take_used(&rig.ring, &head, &n_bytes), -EPROTO);
	rig.ring.used->ring[0].id = RING_SIZE;
	assert_int_equal(split_ring_take_used(&rig.ring, &head, &n_bytes), -EPROTO);
	rig.ring.used->ring[0].id = 0;
	fake_device_publish(&rig.device, RING_SIZE); /* more than the ring holds */
	assert_int_equal(split_ring_take_used(&rig.ring, &head, &n_bytes), -EPROTO);
	stop(&rig);
}

static void flag_suppresses_kicks(void **state)
{
	struct rig rig;

	start(&rig, false);
	add(&rig, 1);
	assert_true(split_ring_publish(&rig.ring));
	assert_false(split_ring_publish(&rig.ring)); /* nothing new */
	rig.ring.used->flags = VRING_USED_F_NO_NOTIFY;
	add(&rig, 1);
	assert_false(split_ring_publish(&rig.ring));
	stop(&rig);
}

static void event_index_suppresses_kicks(void **state)
{
	struct rig rig;
	uint16_t *avail_event;

	start(&rig, true);
	avail_event = (uint16_t *)&rig.ring.used->ring[RING_SIZE];
	*avail_event = 1; /* kick when the second chain is there */
	add(&rig, 1);
	assert_false(split_ring_publish(&rig.ring));
	add(&rig, 1);
	assert_true(split_ring_publish(&rig.ring));
	add(&rig, 1);
	assert_false(split_ring_publish(&rig.ring));
	*avail_event = 4;
	add(&rig, 1);
	add(&rig, 1);
	assert_true(split_ring_publish(&rig.ring));
	stop(&rig);
}

static void indirect_chain_takes_one_descriptor(void **state)
{
	struct rig rig;
	unsigned char bytes[64];
	unsigned int n;

	start(&rig, false);
	struct vring_desc *table = frontend_memory_take(&rig.memory, 0, 1024, 16);
	struct split_ring_piece pieces[20];

	for (unsigned int i = 0; i < 20; i++)
		pieces[i] = (struct split_ring_piece){rig.data_address + i, 1, false};
	memcpy(rig.data, "twenty single bytes.", 20);
	assert_int_equal(split_ring_add(&rig.ring, pieces, 20, table,
					frontend_memory_address(&rig.memory, table)),
			 0);
	assert_int_equal(rig.ring.n_free, RING_SIZE - 1);
	split_ring_publish(&rig.ring);
	assert_int_equal(fake_device_take(&rig.device, bytes, sizeof(bytes), &n), 20);
	assert_int_equal(n, 20);
	assert_memory_equal(bytes, "twenty single bytes.", 20);
	stop(&rig);
}

static void odd_sizes_are_refused(void **state)
{
	struct frontend_memory_options options = {.bytes = 1 << 16};
	struct frontend_memory memory;
	struct split_ring ring;

	assert_int_equal(frontend_memory_init(&memory, &options), 0);
	assert_int_equal(split_ring_init(&ring, &memory, 0, 0, false), -EINVAL);
	assert_int_equal(split_ring_init(&ring, &memory, 0, 100, false), -EINVAL);
	assert_int_equal(split_ring_init(&ring, &memory, 0, 65536, false), -EINVAL);
	assert_int_equal(split_ring_init(&ring, &memory, 0, 32768, false), -ENOMEM);
	frontend_memory_fini(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_arrives_in_order),
		cmocka_unit_test(descriptors_come_back_for_ever),
		cmocka_unit_test(full_ring_refuses),
		cmocka_unit_test(foreign_used_entry_is_refused),
		cmocka_unit_test(flag_suppresses_kicks),
		cmocka_unit_test(event_index_suppresses_kicks),
		cmocka_unit_test(indirect_chain_takes_one_descriptor),
		cmocka_unit_test(odd_sizes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
