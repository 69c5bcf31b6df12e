/* SPDX-License-Identifier: BSD-3-Clause */
/* See ring_rig.h. */
#include "tests/unit/dataplane/vhost/ring_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void map(struct ring_rig *rig)
{
	const struct vhost_memory_table table = {
		.n_regions = 2,
		.regions = {{.gpa = RING_RIG_GPA, .bytes = RING_RIG_SEAM, .uva = 0x7f0000000000},
			    {.gpa = RING_RIG_GPA + RING_RIG_SEAM,
			     .bytes = RING_RIG_BYTES - RING_RIG_SEAM,
			     .uva = 0x7f0000000000 + RING_RIG_SEAM,
			     .offset = RING_RIG_SEAM}},
	};
	const char *why = "";

	rig->fd = memfd_create("ring-rig", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(rig->fd >= 0);
	assert_int_equal(ftruncate(rig->fd, RING_RIG_BYTES), 0);
	rig->guest = mmap(NULL, RING_RIG_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, rig->fd, 0);
	assert_ptr_not_equal(rig->guest, MAP_FAILED);
	const int fds[2] = {rig->fd, rig->fd};

	if (memory_create(&rig->memory, &table, fds, RING_RIG_BYTES, &why) != 0)
		fail_msg("%s", why);
}

static void *device_view(struct ring_rig *rig, uint32_t offset, uint32_t bytes)
{
	unsigned int hint = 0;
	void *at = guest_memory_at(rig->memory, RING_RIG_GPA + offset, bytes, &hint);

	assert_non_null(at);
	return at;
}

struct ring_rig *ring_rig_create(uint64_t features, uint32_t caps, uint16_t base)
{
	struct ring_rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	map(rig);
	rig->before = malloc(RING_RIG_BYTES);
	rig->may_change = calloc(RING_RIG_BYTES, sizeof(bool));
	rig->burst = aligned_alloc(64, sizeof(*rig->burst));
	assert_true(rig->before != NULL && rig->may_change != NULL && rig->burst != NULL);
	memset(rig->burst, 0, sizeof(*rig->burst));
	rig->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(rig->call_fd >= 0);
	rig->desc = (struct vring_desc *)rig->guest;
	rig->avail = (struct vring_avail *)(rig->guest + RING_RIG_AVAIL);
	rig->used = (struct vring_used *)(rig->guest + RING_RIG_USED);
	rig->avail->idx = base;
	const struct session_ring config = {
		.size = RING_RIG_SIZE,
		.base = base,
		.desc = device_view(rig, 0, RING_RIG_SIZE * sizeof(struct vring_desc)),
		.avail = device_view(rig, RING_RIG_AVAIL, 6 + 2 * RING_RIG_SIZE),
		.used = device_view(rig, RING_RIG_USED, 6 + 8 * RING_RIG_SIZE),
		.features = features,
		.memory = rig->memory,
		.kick_fd = -1,
		.call_fd = rig->call_fd,
	};

	ring_init(&rig->ring, &config, caps, NULL);
	return rig;
}

void ring_rig_destroy(struct ring_rig *rig)
{
	memory_destroy(rig->memory);
	munmap(rig->guest, RING_RIG_BYTES);
	close(rig->fd);
	close(rig->call_fd);
	free(rig->before);
	free(rig->may_change);
	free(rig->burst);
	free(rig);
}

void ring_rig_desc(struct vring_desc *table, unsigned int i, uint64_t gpa, uint32_t bytes,
		   unsigned int flags, unsigned int next)
{
	table[i] = (struct vring_desc){
		.addr = gpa, .len = bytes, .flags = (uint16_t)flags, .next = (uint16_t)next};
}

struct vring_desc *ring_rig_table(struct ring_rig *rig)
{
	return (struct vring_desc *)(rig->guest + RING_RIG_TABLE);
}

void ring_rig_offer(struct ring_rig *rig, uint16_t head)
{
	rig->avail->ring[rig->avail->idx % RING_RIG_SIZE] = head;
	rig->avail->idx++;
}

uint8_t ring_rig_pattern(uint32_t start, uint32_t i)
{
	return (uint8_t)(start + i % 251);
}

uint64_t ring_rig_calls(struct ring_rig *rig)
{
	eventfd_t value = 0;

	return eventfd_read(rig->call_fd, &value) == 0 ? value : 0;
}

void ring_rig_remember(struct ring_rig *rig)
{
	memcpy(rig->before, rig->guest, RING_RIG_BYTES);
	memset(rig->may_change, 0, RING_RIG_BYTES);
	ring_rig_allow(rig, RING_RIG_USED, 6 + 8 * RING_RIG_SIZE);
}

void ring_rig_allow(struct ring_rig *rig, uint32_t offset, uint32_t bytes)
{
	memset(rig->may_change + offset, true, bytes);
}

void ring_rig_assert_untouched(struct ring_rig *rig)
{
	for (uint32_t i = 0; i < RING_RIG_BYTES; i++) {
		if (rig->guest[i] != rig->before[i] && !rig->may_change[i])
			fail_msg("byte 0x%x of guest memory was written", i);
	}
}

void ring_rig_assert_broken(struct ring_rig *rig, const char *text)
{
	const char *broken = atomic_load(&rig->ring.broken);

	if (text == NULL)
		assert_null(broken);
	else if (broken == NULL || strstr(broken, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, broken != NULL ? broken : "(it runs)");
}
