/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's side of a split ring. See fake_device.h. */
#include "tests/unit/lib/fake_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CHAIN_MAX 64u

unsigned int fake_device_waiting(const struct fake_device *device)
{
	return (uint16_t)(device->ring->avail->idx - device->next_avail);
}

static uint16_t next_head(struct fake_device *device)
{
	assert_true(fake_device_waiting(device) > 0);
	assert_true(fake_device_waiting(device) <= device->ring->size);
	uint16_t slot = device->next_avail++ & (device->ring->size - 1);
	uint16_t head = device->ring->avail->ring[slot];

	assert_true(head < device->ring->size);
	return head;
}

/* The descriptors of a chain, an indirect table unfolded. */
static unsigned int collect(const struct fake_device *device, uint16_t head,
			    struct vring_desc *chain)
{
	const struct vring_desc *table = device->ring->desc;
	unsigned int size = device->ring->size;
	unsigned int index = head;
	unsigned int n = 0;

	if ((table[head].flags & VRING_DESC_F_INDIRECT) != 0) {
		size = table[head].len / (unsigned int)sizeof(*table);
		table = frontend_memory_pointer(device->memory, table[head].addr, table[head].len);
		assert_non_null(table);
		index = 0;
	}
	for (;;) {
		assert_true(index < size && n < CHAIN_MAX);
		chain[n] = table[index];
		assert_int_equal(chain[n].flags & VRING_DESC_F_INDIRECT, 0);
		if ((chain[n++].flags & VRING_DESC_F_NEXT) == 0)
			return n;
		index = table[index].next;
	}
}

static void give_back(struct fake_device *device, uint16_t head, size_t n_bytes, uint16_t at)
{
	device->ring->used->ring[at & (device->ring->size - 1)] = (struct vring_used_elem){
		.id = head,
		.len = (uint32_t)n_bytes,
	};
}

size_t fake_device_take(struct fake_device *device, unsigned char *bytes, size_t n_bytes_max,
			unsigned int *n_descriptors)
{
	struct vring_desc chain[CHAIN_MAX];
	uint16_t head = next_head(device);
	size_t n_bytes = 0;

	*n_descriptors = collect(device, head, chain);
	for (unsigned int i = 0; i < *n_descriptors; i++) {
		const void *from =
			frontend_memory_pointer(device->memory, chain[i].addr, chain[i].len);

		assert_non_null(from);
		assert_int_equal(chain[i].flags & VRING_DESC_F_WRITE, 0);
		assert_true(chain[i].len <= n_bytes_max - n_bytes);
		memcpy(bytes + n_bytes, from, chain[i].len);
		n_bytes += chain[i].len;
	}
	give_back(device, head, 0, device->ring->used->idx);
	fake_device_publish(device, 1);
	return n_bytes;
}

size_t fake_device_fill(struct fake_device *device, const unsigned char *bytes, size_t n_bytes)
{
	struct vring_desc chain[CHAIN_MAX];
	uint16_t head = next_head(device);
	unsigned int n = collect(device, head, chain);
	size_t done = 0;

	for (unsigned int i = 0; i < n && done < n_bytes; i++) {
		size_t part = n_bytes - done < chain[i].len ? n_bytes - done : chain[i].len;
		void *to = frontend_memory_pointer(device->memory, chain[i].addr, part);

		assert_non_null(to);
		assert_int_equal(chain[i].flags & VRING_DESC_F_WRITE, VRING_DESC_F_WRITE);
		memcpy(to, bytes + done, part);
		done += part;
	}
	give_back(device, head, done, (uint16_t)(device->next_avail - 1));
	return done;
}

void fake_device_publish(struct fake_device *device, unsigned int n)
{
	uint16_t idx = device->ring->used->idx;

	__atomic_store_n(&device->ring->used->idx, (uint16_t)(idx + n), __ATOMIC_RELEASE);
}
