/* SPDX-License-Identifier: BSD-3-Clause */
/* See packed_rig.h. */
#include "tests/unit/dataplane/vhost/packed_rig.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "dataplane/offload.h"

#define TABLE_ENTRIES 128

/* Where the device sees what the driver made. */
static void *device_view(struct packed_rig *rig, const void *driver_view)
{
	unsigned int hint = 0;
	uint64_t gpa = frontend_memory_address(&rig->frontend, driver_view);
	void *at = guest_memory_at(rig->memory, gpa, 4, &hint);

	assert_non_null(at);
	return at;
}

static void share(struct packed_rig *rig)
{
	const struct frontend_memory_options options = {.bytes = PACKED_RIG_BUFFERS + (1u << 20),
							.n_regions = 1};
	struct vhu_memory wire;
	struct vhost_memory_table table;
	const char *why = "";

	assert_int_equal(frontend_memory_init(&rig->frontend, &options), 0);
	frontend_memory_table(&rig->frontend, &wire);
	table = (struct vhost_memory_table){
		.n_regions = 1,
		.regions = {{.gpa = wire.regions[0].guest_address,
			     .bytes = wire.regions[0].bytes,
			     .uva = wire.regions[0].user_address,
			     .offset = wire.regions[0].file_offset}},
	};
	if (memory_create(&rig->memory, &table, &rig->frontend.fd, MEMORY_MAX_BYTES, &why) != 0)
		fail_msg("%s", why);
}

struct packed_rig *packed_rig_create(uint64_t features, unsigned int size)
{
	struct packed_rig *rig = calloc(1, sizeof(*rig));
	bool event_idx = (features & PACKED_RIG_EVENT_IDX) != 0;

	assert_non_null(rig);
	share(rig);
	rig->features = features;
	assert_int_equal(packed_ring_init(&rig->driver, &rig->frontend, 0, size, event_idx), 0);
	rig->table =
		frontend_memory_take(&rig->frontend, 0, TABLE_ENTRIES * sizeof(*rig->table), 64);
	rig->buffers = frontend_memory_take(&rig->frontend, 0, PACKED_RIG_BUFFERS, 64);
	assert_true(rig->table != NULL && rig->buffers != NULL);
	rig->address = frontend_memory_address(&rig->frontend, rig->buffers);
	rig->burst = aligned_alloc(64, sizeof(*rig->burst));
	assert_non_null(rig->burst);
	memset(rig->burst, 0, sizeof(*rig->burst));
	rig->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(rig->call_fd >= 0);
	packed_rig_start(rig, PACKED_RIG_BASE);
	return rig;
}

void packed_rig_destroy(struct packed_rig *rig)
{
	packed_ring_fini(&rig->driver);
	memory_destroy(rig->memory);
	frontend_memory_fini(&rig->frontend);
	close(rig->call_fd);
	free(rig->burst);
	free(rig);
}

void packed_rig_start(struct packed_rig *rig, uint16_t base)
{
	const struct session_ring config = {
		.size = rig->driver.size,
		.base = base,
		.desc = device_view(rig, rig->driver.desc),
		.avail = device_view(rig, rig->driver.driver),
		.used = device_view(rig, rig->driver.device),
		.features = rig->features,
		.memory = rig->memory,
		.kick_fd = -1,
		.call_fd = rig->call_fd,
	};

	ring_init(&rig->ring, &config, OFFLOAD_ALL, &rig->journal);
}

uint16_t packed_rig_add(struct packed_rig *rig, uint32_t offset, const uint32_t *bytes,
			unsigned int n, bool device_writes, bool indirect)
{
	struct split_ring_piece pieces[TABLE_ENTRIES];
	uint64_t address = rig->address + offset;

	for (unsigned int i = 0; i < n; i++) {
		pieces[i] = (struct split_ring_piece){address, bytes[i], device_writes};
		address += bytes[i] + 16;
	}
	int id = packed_ring_add(&rig->driver, pieces, n, indirect ? rig->table : NULL,
				 frontend_memory_address(&rig->frontend, rig->table));

	assert_true(id >= 0);
	return (uint16_t)id;
}

uint16_t packed_rig_offer(struct packed_rig *rig, uint32_t offset, uint32_t bytes,
			  bool device_writes)
{
	uint16_t id = packed_rig_add(rig, offset, &bytes, 1, device_writes, false);

	packed_ring_publish(&rig->driver);
	return id;
}

unsigned int packed_rig_take(struct packed_rig *rig)
{
	rig->burst->n = rig->burst->n_pieces = 0;
	rig->burst->attention = false;
	ring_take(&rig->ring, rig->burst);
	return rig->burst->n;
}

void packed_rig_put(struct packed_rig *rig, const uint32_t *lens, unsigned int n)
{
	uint8_t *bytes = malloc(FRAME_BYTES_MAX), order[BURST_FRAMES];
	struct iovec iov[BURST_FRAMES];

	assert_true(bytes != NULL && n <= BURST_FRAMES);
	for (uint32_t i = 0; i < FRAME_BYTES_MAX; i++)
		bytes[i] = (uint8_t)(i % 251);
	for (unsigned int i = 0; i < n; i++) {
		struct frame *frame = &rig->burst->frames[i];
		uint16_t head = (uint16_t)(lens[i] < FRAME_HEAD_BYTES ? lens[i] : FRAME_HEAD_BYTES);

		*frame = (struct frame){
			.len = lens[i], .head_len = head, .vnet = {.num_buffers = htole16(1)}};
		memcpy(frame->head, bytes, head);
		iov[i] = (struct iovec){bytes + head, lens[i] - head};
		order[i] = (uint8_t)i;
		frame->iov = &iov[i];
		frame->n_iov = lens[i] > head;
	}
	if (ring_put(&rig->ring, rig->burst, order, n, &rig->count))
		ring_call(&rig->ring);
	free(bytes);
}

uint64_t packed_rig_drops(const struct packed_rig *rig)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		sum += rig->count.drops[i];
	return sum;
}

uint32_t packed_rig_assert_used(struct packed_rig *rig, int id)
{
	uint32_t n_bytes = 0;
	uint16_t used = 0;
	int err = packed_ring_take_used(&rig->driver, &used, &n_bytes);

	assert_int_equal(err, id < 0 ? -EAGAIN : 0);
	if (id >= 0)
		assert_int_equal(used, id);
	return n_bytes;
}

uint64_t packed_rig_calls(struct packed_rig *rig)
{
	eventfd_t value = 0;

	return eventfd_read(rig->call_fd, &value) == 0 ? value : 0;
}

void packed_rig_assert_broken(const struct packed_rig *rig, const char *text)
{
	const char *broken = atomic_load(&rig->ring.broken);

	if (text == NULL && broken != NULL)
		fail_msg("broken: %s", broken);
	if (text != NULL && (broken == NULL || strstr(broken, text) == NULL))
		fail_msg("\"%s\" is not in \"%s\"", text, broken != NULL ? broken : "(it runs)");
}
