/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a ring under a guest that writes anything. The input is a program for that guest:
 * descriptors, entries, indices, raw bytes, and in between the device takes and puts frames. Rings
 * and tables end where a region ends, so that a step too far meets an unmapped page.
 *
 *	input: features u8 | base u8 | { operation u8 | its operands } ...
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/api/counters.h"
#include "dataplane/offload.h"
#include "dataplane/recorder.h"
#include "dataplane/vhost/ring_packed.h"

#define REGION_BYTES 0x10000u
#define GPA UINT64_C(0x40000000)
#define SIZE 8u
#define DESC_AT (REGION_BYTES - SIZE * 16)	/* the ring: end of the first region */
#define TABLE_AT (2 * REGION_BYTES - SIZE * 16) /* an indirect table: end of the second */
#define AVAIL_AT 0x1000u
#define USED_AT 0x2000u
#define STEPS_MAX 400u

struct input {
	const uint8_t *at;
	size_t left;
};

/* One guest for all inputs: mapping it anew each time would cost more than the rest. */
struct scene {
	struct guest_memory *memory;
	struct burst *burst;
	struct counters_block count;
	struct ring ring;
	struct ring_journal journal;
	struct session_ring config;
	uint16_t avail_idx;
	int call_fd;
};

/* Nobody records here: bursts have no recorder. */
void recorder_drop(struct recorder *recorder, const struct counters_block *count,
		   const struct frame *frame, enum drop_reason reason)
{
	abort();
}

static uint64_t number(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	for (; bytes != 0 && in->left != 0; bytes--, in->left--)
		value = value << 8 | *in->at++;
	return value;
}

static uint8_t *at(const struct scene *scene, uint32_t offset)
{
	const struct guest_region *region = &scene->memory->regions[offset / REGION_BYTES];

	return region->host + offset % REGION_BYTES;
}

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static struct scene *open_scene(void)
{
	static struct scene scene;
	const struct vhost_memory_table table = {
		.n_regions = 2,
		.regions = {{.gpa = GPA, .bytes = REGION_BYTES, .uva = GPA},
			    {.gpa = GPA + REGION_BYTES,
			     .bytes = REGION_BYTES,
			     .uva = GPA + REGION_BYTES,
			     .offset = REGION_BYTES}},
	};
	const char *why;

	if (scene.memory != NULL)
		return &scene;
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const int fds[2] = {fd, fd};

	check(ftruncate(fd, 2 * REGION_BYTES) == 0);
	check(memory_create(&scene.memory, &table, fds, 2 * REGION_BYTES, &why) == 0);
	close(fd);
	scene.burst = aligned_alloc(64, sizeof(*scene.burst));
	check(scene.burst != NULL);
	memset(scene.burst, 0, sizeof(*scene.burst));
	scene.call_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return &scene;
}

static void start(struct scene *scene, struct input *in)
{
	static const uint64_t bits[] = {VIRTIO_F_VERSION_1, VIRTIO_NET_F_MRG_RXBUF,
					VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED};
	uint64_t choice = number(in, 1);

	scene->config = (struct session_ring){
		.size = SIZE,
		.base = (uint16_t)number(in, 1),
		.desc = at(scene, DESC_AT),
		.avail = at(scene, AVAIL_AT),
		.used = at(scene, USED_AT),
		.memory = scene->memory,
		.kick_fd = -1,
		.call_fd = scene->call_fd,
	};
	for (unsigned int i = 0; i < 4; i++)
		scene->config.features |= (choice >> i & 1) != 0 ? VIRTIO_FEATURE(bits[i]) : 0;
	if ((choice >> 3 & 1) != 0) /* the session checks the slot */
		scene->config.base = (uint16_t)(scene->config.base % SIZE | choice >> 4 << 15);
	memset(at(scene, 0), 0, REGION_BYTES);
	memset(at(scene, REGION_BYTES), 0, REGION_BYTES);
	scene->avail_idx = scene->config.base;
	((struct vring_avail *)scene->config.avail)->idx = scene->config.base;
	ring_init(&scene->ring, &scene->config, OFFLOAD_ALL, &scene->journal);
}

/* A kill: the next process starts on the same ring, with a journal as it may have been left. */
static void start_again(struct scene *scene, struct input *in)
{
	uint32_t n = (uint32_t)number(in, 1) % RING_JOURNAL_ENTRIES;
	uint64_t spoilt = number(in, 1);

	if (!scene->ring.is_packed)
		return;
	if (spoilt != 0)
		scene->journal.entries[spoilt % 8].slots = (uint16_t)number(in, 2);
	atomic_store(&scene->journal.state, scene->ring.packed.used | n << 16);
	ring_init(&scene->ring, &scene->config, OFFLOAD_ALL, &scene->journal);
}

/* A descriptor that mostly points into memory: its place in a table, address, length, flags. */
static void write_desc(struct scene *scene, uint32_t table, struct input *in)
{
	uint64_t slot = number(in, 1), flags = number(in, 1);
	struct vring_desc desc = {
		.addr = flags & 0x80 ? number(in, 8) : GPA + number(in, 3) % (2 * REGION_BYTES),
		.len = (uint32_t)(flags & 0x40 ? number(in, 4) : number(in, 2)),
		.flags = (uint16_t)(flags & 0x3f),
		.next = (uint16_t)number(in, 2),
	};
	/* Offered in one lap or the other; the guest's name for it where the flags were. */
	if (scene->ring.is_packed && table == DESC_AT)
		desc.next = (uint16_t)(desc.flags | (flags & 0x20 ? 1u << 15 : 1u << 7));

	memcpy(at(scene, table) + slot % SIZE * sizeof(desc), &desc, sizeof(desc));
}

static void offer(struct scene *scene, struct input *in)
{
	struct vring_avail *avail = (struct vring_avail *)at(scene, AVAIL_AT);

	avail->ring[scene->avail_idx++ % SIZE] = (uint16_t)number(in, 1);
	avail->idx = scene->avail_idx;
}

/* What a stage or another port would do with a frame: read all of it. */
static void read_frame(const struct scene *scene, const struct frame *frame)
{
	uint64_t left = frame->len - frame->head_len;
	unsigned int sum = 0;

	check(frame->head_len <= FRAME_HEAD_BYTES && frame->head_len <= frame->len);
	check(frame->len <= FRAME_BYTES_MAX);
	for (unsigned int i = 0; i < frame->n_iov; i++) {
		const uint8_t *bytes = frame->iov[i].iov_base;
		size_t n = frame->iov[i].iov_len;
		bool is_inside = false;

		for (unsigned int r = 0; r < 2; r++) {
			const uint8_t *host = scene->memory->regions[r].host;

			is_inside |= bytes >= host && bytes + n <= host + REGION_BYTES;
		}
		check(is_inside && n <= left);
		left -= n;
		for (size_t k = 0; k < n; k += 61)
			sum += bytes[k];
	}
	check(left == 0);
	__asm__ volatile("" ::"r"(sum));
}

static void take(struct scene *scene)
{
	scene->burst->n = scene->burst->n_pieces = 0;
	ring_take(&scene->ring, scene->burst);
	check(scene->burst->n <= BURST_FRAMES && scene->burst->n_pieces <= BURST_PIECES);
	for (unsigned int i = 0; i < scene->burst->n; i++) {
		if (scene->burst->frames[i].drop == DROP_NONE)
			read_frame(scene, &scene->burst->frames[i]);
	}
	ring_complete(&scene->ring);
}

static void put(struct scene *scene, struct input *in)
{
	static uint8_t payload[FRAME_BYTES_MAX];
	static const uint8_t order[4] = {0, 1, 2, 3};
	unsigned int n = (unsigned int)number(in, 1) % 4 + 1;
	struct iovec iov[4];

	for (unsigned int i = 0; i < n; i++) {
		struct frame *frame = &scene->burst->frames[i];
		uint32_t len = (uint32_t)number(in, 2);

		*frame = (struct frame){.len = len, .vnet = {.num_buffers = htole16(1)}};
		frame->head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
		iov[i] = (struct iovec){payload, len - frame->head_len};
		frame->iov = &iov[i];
		frame->n_iov = iov[i].iov_len != 0;
	}
	uint64_t before = scene->count.tx_frames;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		before += scene->count.drops[i];
	if (ring_put(&scene->ring, scene->burst, order, n, &scene->count))
		ring_call(&scene->ring);
	uint64_t after = scene->count.tx_frames;

	for (unsigned int i = 0; i < DROP_COUNT; i++)
		after += scene->count.drops[i];
	check(after == before + n);
}

static void write_raw(struct scene *scene, struct input *in)
{
	uint32_t offset = (uint32_t)number(in, 3) % (2 * REGION_BYTES);

	*at(scene, offset) = (uint8_t)number(in, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	struct scene *scene = open_scene();
	struct input in = {bytes, n_bytes};

	start(scene, &in);
	for (unsigned int i = 0; i < STEPS_MAX && in.left != 0; i++) {
		switch (number(&in, 1) % 9) {
		case 0:
			write_desc(scene, DESC_AT, &in);
			break;
		case 1:
			write_desc(scene, TABLE_AT, &in);
			break;
		case 2:
			offer(scene, &in);
			break;
		case 3:
			take(scene);
			break;
		case 4:
			put(scene, &in);
			break;
		case 5:
			ring_arm(&scene->ring);
			ring_disarm(&scene->ring);
			break;
		case 6:
			start_again(scene, &in);
			break;
		case 7:
			write_raw(scene, &in);
			break;
		default:
			((struct vring_avail *)at(scene, AVAIL_AT))->idx = scene->avail_idx =
				(uint16_t)number(&in, 2);
		}
	}
	return 0;
}
