/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks with what is said on the vhost-user socket: sizes, descriptors, memory tables, order.
 * Also memory that is taken away afterwards. See attack.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/attack.h"
#include "tests/lib/deadline.h"

#define PAGE_BYTES 4096ULL
#define SOME_BYTES (64 * PAGE_BYTES)
#define N_FLOOD 20000u
#define TRICKLE_MS 150

static int say(struct frontend *f, uint32_t request, const void *payload, size_t n_bytes,
	       const int *fds, unsigned int n_fds)
{
	struct vhu_message message = {
		.header = {.request = request, .flags = VHU_VERSION, .bytes = (uint32_t)n_bytes},
	};

	memcpy(&message.payload, payload, n_bytes);
	return frontend_send_raw(f, &message, sizeof(message.header) + n_bytes, fds, n_fds);
}

static int say_number(struct frontend *f, uint32_t request, uint64_t number)
{
	return say(f, request, &number, sizeof(number), NULL, 0);
}

static int say_state(struct frontend *f, uint32_t request, uint32_t index, uint32_t number)
{
	struct vhu_ring_state state = {.index = index, .number = number};

	return say(f, request, &state, sizeof(state), NULL, 0);
}

static int say_with_fd(struct frontend *f, uint32_t request, uint64_t number, int fd)
{
	if (fd < 0)
		return -errno;
	int err = say(f, request, &number, sizeof(number), &fd, 1);

	close(fd);
	return err;
}

/* ---- shape of messages ---- */

/* A header that promises `bytes`, and only as much of it as given. */
static int send_part(struct frontend *f, uint32_t bytes, size_t n_sent)
{
	struct vhu_message message = {
		.header = {.request = VHU_SET_MEM_TABLE, .flags = VHU_VERSION, .bytes = bytes},
	};

	return frontend_send_raw(f, &message, n_sent, NULL, 0);
}

static int half_message(struct attack_scene *scene, uint64_t detail)
{
	return send_part(scene->attacker, 40, detail);
}

static int promise_much(struct attack_scene *scene, uint64_t detail)
{
	return send_part(scene->attacker, (uint32_t)detail, sizeof(struct vhu_header));
}

/* One byte at a time: always about to be whole. */
static int trickle(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_message message = {
		.header = {.request = VHU_SET_FEATURES, .flags = VHU_VERSION, .bytes = 8},
	};
	int err = 0;

	for (size_t i = 0; i < 20 && err == 0; i++) {
		err = frontend_send_raw(scene->attacker, (const char *)&message + i, 1, NULL, 0);
		poll(NULL, 0, TRICKLE_MS);
	}
	return err;
}

static int wrong_size(struct attack_scene *scene, uint64_t detail)
{
	static const uint64_t zeros[8];

	return say(scene->attacker, VHU_SET_FEATURES, zeros, detail, NULL, 0);
}

static int wrong_flags(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_header header = {.request = VHU_GET_FEATURES, .flags = (uint32_t)detail};

	return frontend_send_raw(scene->attacker, &header, sizeof(header), NULL, 0);
}

static int bare_request(struct attack_scene *scene, uint64_t detail)
{
	return say_number(scene->attacker, (uint32_t)detail, 0);
}

/* Never reads an answer. */
static int flood(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_header header = {.request = (uint32_t)detail, .flags = VHU_VERSION};
	uint64_t deadline_ns = deadline_in_ms(1000);
	int err = 0;

	for (unsigned int i = 0; i < N_FLOOD && err == 0; i++)
		err = vhu_send(scene->attacker->handshake.fd, &header, sizeof(header), NULL, 0,
			       deadline_ns);
	/* Not read any more: the back-end makes us wait, which is fine. */
	return err == -ETIMEDOUT ? 0 : err;
}

/* ---- descriptors ---- */

static int surplus_fds(struct attack_scene *scene, uint64_t detail)
{
	int fds[VHU_FDS_MAX];

	for (unsigned int i = 0; i < VHU_FDS_MAX; i++)
		fds[i] = scene->attacker->rx[0].call_fd;
	return say(scene->attacker, VHU_SET_OWNER, "", 0, fds, (unsigned int)detail);
}

static int surplus_kicks(struct attack_scene *scene, uint64_t detail)
{
	int fds[8];
	uint64_t ring = 0;

	for (unsigned int i = 0; i < 8; i++)
		fds[i] = scene->attacker->rx[0].call_fd;
	return say(scene->attacker, VHU_SET_VRING_KICK, &ring, sizeof(ring), fds, 8);
}

static int device_as_kick(struct attack_scene *scene, uint64_t detail)
{
	return say_with_fd(scene->attacker, (uint32_t)detail, 1,
			   open("/dev/zero", O_RDWR | O_CLOEXEC));
}

static int pipe_as_call(struct attack_scene *scene, uint64_t detail)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	int err = say_with_fd(scene->attacker, VHU_SET_VRING_CALL, 0, ends[1]);

	close(ends[0]);
	return err;
}

/* A blocking eventfd that is full: whoever writes to it waits for ever. */
static int full_call(struct attack_scene *scene, uint64_t detail)
{
	uint64_t nearly = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0 || write(fd, &nearly, sizeof(nearly)) < 0)
		return -errno;
	int err = say_with_fd(scene->attacker, VHU_SET_VRING_CALL, 1, fd);

	for (unsigned int i = 0; i < 64 && err == 0; i++) {
		split_ring_want_call(&scene->attacker->tx[0].ring, true);
		attack_broadcast(scene->attacker);
	}
	if (err < 0)
		return err;
	/* Back to one that works: how it ends is seen through it. */
	return say_with_fd(scene->attacker, VHU_SET_VRING_CALL, 1,
			   fcntl(scene->attacker->tx[0].call_fd, F_DUPFD_CLOEXEC, 0));
}

/* ---- memory ---- */

static int say_table(struct frontend *f, const struct vhu_memory *table, unsigned int n_fds, int fd)
{
	struct {
		uint32_t n_regions;
		uint32_t padding;
		struct vhu_region regions[VHU_REGIONS_MAX + 1];
	} long_table = {0};
	struct vhu_message message = {
		.header = {.request = VHU_SET_MEM_TABLE, .flags = VHU_VERSION},
	};
	unsigned char bytes[sizeof(message.header) + sizeof(long_table)];
	uint32_t n =
		table->n_regions < VHU_REGIONS_MAX + 1 ? table->n_regions : VHU_REGIONS_MAX + 1;
	int fds[VHU_REGIONS_MAX + 1];

	memcpy(&long_table, table, sizeof(*table));
	message.header.bytes = 8 + n * (uint32_t)sizeof(struct vhu_region);
	for (unsigned int i = 0; i < n_fds; i++)
		fds[i] = fd;
	memcpy(bytes, &message.header, sizeof(message.header));
	memcpy(bytes + sizeof(message.header), &long_table, sizeof(long_table));
	return frontend_send_raw(f, bytes, sizeof(message.header) + message.header.bytes, fds,
				 n_fds);
}

/* A good table of our memory, both regions. */
static struct vhu_memory good_table(const struct frontend *f)
{
	struct vhu_memory table;

	frontend_memory_table(&f->memory, &table);
	return table;
}

static int wrong_count(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_memory table = good_table(scene->attacker);

	table.n_regions = (uint32_t)detail;
	return say_table(scene->attacker, &table, detail > 8 ? 8 : (unsigned int)detail,
			 scene->attacker->memory.fd);
}

static int few_fds(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_memory table = good_table(scene->attacker);

	return say_table(scene->attacker, &table, (unsigned int)detail, scene->attacker->memory.fd);
}

enum region_fault {
	REGION_OVERLAPS,
	REGION_OVERLAPS_USER,
	REGION_WRAPS,
	REGION_WRAPS_FILE,
	REGION_EMPTY,
	REGION_BEYOND_FILE,
	REGION_HUGE,
	REGION_CROOKED,
};

static int bad_region(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_memory table = good_table(scene->attacker);
	struct vhu_region *first = &table.regions[0];
	struct vhu_region *second = &table.regions[1];

	switch ((enum region_fault)detail) {
	case REGION_OVERLAPS:
		second->guest_address = first->guest_address + first->bytes - PAGE_BYTES;
		break;
	case REGION_OVERLAPS_USER:
		second->user_address = first->user_address;
		break;
	case REGION_WRAPS:
		second->guest_address = UINT64_MAX - PAGE_BYTES + 1;
		break;
	case REGION_WRAPS_FILE:
		second->file_offset = UINT64_MAX - PAGE_BYTES + 1;
		break;
	case REGION_EMPTY:
		second->bytes = 0;
		break;
	case REGION_BEYOND_FILE:
		second->bytes += PAGE_BYTES;
		break;
	case REGION_HUGE:
		second->bytes = 1ULL << 62;
		break;
	case REGION_CROOKED:
		second->file_offset += 1;
		second->bytes -= 1;
		break;
	}
	return say_table(scene->attacker, &table, 2, scene->attacker->memory.fd);
}

/* A memfd so large that the addresses of it fit nowhere; it costs nothing to make. */
static int giant_file(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_memory table = good_table(scene->attacker);
	int fd = memfd_create("giant", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)detail) < 0)
		return -errno;
	table.n_regions = 1;
	table.regions[0].bytes = detail;
	int err = say_table(scene->attacker, &table, 1, fd);

	close(fd);
	return err;
}

static int no_memory_file(struct attack_scene *scene, uint64_t detail)
{
	static const char *const paths[] = {"/dev/zero", "/proc/self/mem", "/etc/passwd", "/"};
	struct vhu_memory table = good_table(scene->attacker);
	int fd = open(paths[detail], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int err = say_table(scene->attacker, &table, 2, fd);

	close(fd);
	return err;
}

/* The same file, but opened for reading only. */
static int read_only_file(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_memory table = good_table(scene->attacker);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", scene->attacker->memory.fd);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int err = say_table(scene->attacker, &table, 2, fd);

	close(fd);
	return err;
}

/* While the rings run: the same memory once more, `detail` times. */
static int repeat_table(struct attack_scene *scene, uint64_t detail)
{
	int err = 0;

	for (uint64_t i = 0; i < detail && err == 0; i++)
		err = handshake_share_memory(&scene->attacker->handshake, &scene->attacker->memory);
	return err;
}

/* While the rings run: memory in which they do not lie. */
static int swap_memory(struct attack_scene *scene, uint64_t detail)
{
	struct vhu_memory table = {.n_regions = 1};
	int fd = memfd_create("other", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)SOME_BYTES) < 0)
		return -errno;
	table.regions[0] = (struct vhu_region){
		.guest_address = 0, .bytes = SOME_BYTES, .user_address = PAGE_BYTES};
	int err = say_table(scene->attacker, &table, 1, fd);

	close(fd);
	return err;
}

/* The file shrinks under the back-end's mapping, then the rings are kicked: a fault there. detail:
 * whether the rings go, too, or only what the descriptors lead to. */
static int truncate_memory(struct attack_scene *scene, uint64_t detail)
{
	struct frontend *f = scene->attacker;
	struct split_ring *ring = &f->tx[0].ring;
	uint64_t gone = frontend_memory_address(&f->memory, f->memory.base) +
			f->memory.stride; /* the second region */

	for (unsigned int i = 0; i < 32; i++) {
		struct split_ring_piece piece = {.address = gone + i * PAGE_BYTES, .n_bytes = 2000};

		split_ring_add(ring, &piece, 1, NULL, 0);
	}
	if (ftruncate(f->memory.fd, detail != 0 ? 0 : (off_t)f->memory.region_bytes) < 0)
		return -errno;
	if (detail == 0)
		split_ring_publish(ring);
	frontend_kick(&f->tx[0]);
	frontend_kick(&f->rx[0]);
	return 0;
}

/* ---- rings ---- */

static int bad_ring_size(struct attack_scene *scene, uint64_t detail)
{
	return say_state(scene->attacker, VHU_SET_VRING_NUM, 0, (uint32_t)detail);
}

static int bad_ring_index(struct attack_scene *scene, uint64_t detail)
{
	return say_state(scene->attacker, VHU_SET_VRING_NUM, (uint32_t)detail, 256);
}

static int resize_running(struct attack_scene *scene, uint64_t detail)
{
	return say_state(scene->attacker, VHU_SET_VRING_NUM, 1, (uint32_t)detail);
}

static int move_ring(struct attack_scene *scene, uint64_t detail)
{
	const struct split_ring *ring = &scene->attacker->tx[0].ring;
	uint64_t desc = (uint64_t)(uintptr_t)ring->desc;
	struct vhu_ring_addr addr = {
		.index = 1,
		.desc = detail < PAGE_BYTES ? desc + detail : detail,
		.avail = (uint64_t)(uintptr_t)ring->avail,
		.used = (uint64_t)(uintptr_t)ring->used,
	};

	return say(scene->attacker, VHU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
}

static int enable_early(struct attack_scene *scene, uint64_t detail)
{
	return say_state(scene->attacker, VHU_SET_VRING_ENABLE, (uint32_t)detail, 1);
}

static int toggle_ring(struct attack_scene *scene, uint64_t detail)
{
	int err = 0;

	for (uint64_t i = 0; i < detail && err == 0; i++)
		err = handshake_enable_ring(&scene->attacker->handshake, 1, (i & 1) != 0);
	return err;
}

static int take_feature(struct attack_scene *scene, uint64_t detail)
{
	return say_number(scene->attacker, VHU_SET_FEATURES, 1ULL << detail);
}

static int take_protocol_feature(struct attack_scene *scene, uint64_t detail)
{
	return say_number(scene->attacker, VHU_SET_PROTOCOL_FEATURES, 1ULL << detail);
}

/* A second front-end on the same socket must not disturb the first. */
static int connect_twice(struct attack_scene *scene, uint64_t detail)
{
	int fd = handshake_connect(scene->attacker->config.path, deadline_in_ms(100));

	if (fd >= 0)
		close(fd);
	return 0;
}

#define ROW(row, text, end, where, fn, number)                                                     \
	{                                                                                          \
		.name = row, .what = text, .ends = end, .stage = where, .run = fn,                 \
		.detail = number                                                                   \
	}
#define BYE ATTACK_DISCONNECTED
#define SHRUG (ATTACK_HARMLESS | ATTACK_DISCONNECTED)

const struct attack attack_message_rows[] = {
	ROW("half-header", "6 bytes of a header, then silence", BYE, FRONTEND_CONNECTED,
	    half_message, 6),
	ROW("half-payload", "half a payload, then silence", BYE, FRONTEND_CONNECTED, half_message,
	    30),
	ROW("half-running", "the same while rings run", BYE, FRONTEND_RUNNING, half_message, 30),
	ROW("trickle", "one byte every 150 ms", BYE, FRONTEND_CONNECTED, trickle, 0),
	ROW("promise-4g", "a payload of 4 GiB is announced", BYE, FRONTEND_CONNECTED, promise_much,
	    0xffffffff),
	ROW("promise-4k", "a payload of 4 KiB is announced", BYE, FRONTEND_CONNECTED, promise_much,
	    4096),
	ROW("size-short", "a payload of 4 bytes in place of 8", BYE, FRONTEND_CONNECTED, wrong_size,
	    4),
	ROW("size-long", "a payload of 16 bytes in place of 8", BYE, FRONTEND_CONNECTED, wrong_size,
	    16),
	ROW("size-none", "no payload in place of 8 bytes", BYE, FRONTEND_CONNECTED, wrong_size, 0),
	ROW("version-0", "version 0 of the protocol", BYE, FRONTEND_CONNECTED, wrong_flags, 0),
	ROW("version-3", "version 3 of the protocol", BYE, FRONTEND_CONNECTED, wrong_flags, 3),
	ROW("reply-unasked", "a reply that nobody asked for", SHRUG, FRONTEND_CONNECTED,
	    wrong_flags, VHU_VERSION | VHU_REPLY),
	ROW("request-0", "request 0", SHRUG, FRONTEND_CONNECTED, bare_request, 0),
	ROW("request-99", "request 99", SHRUG, FRONTEND_CONNECTED, bare_request, 99),
	ROW("request-far", "request 2^32 - 1", SHRUG, FRONTEND_CONNECTED, bare_request, 0xffffffff),
	ROW("log-base", "a dirty log without its memory", BYE, FRONTEND_NEGOTIATED, bare_request,
	    VHU_SET_LOG_BASE),
	ROW("inflight", "in-flight memory that was not offered", SHRUG, FRONTEND_NEGOTIATED,
	    bare_request, VHU_GET_INFLIGHT_FD),
	ROW("iotlb", "an IOTLB message that was not offered", SHRUG, FRONTEND_NEGOTIATED,
	    bare_request, VHU_IOTLB_MSG),
	ROW("postcopy-advise", "postcopy, which was not offered", SHRUG, FRONTEND_NEGOTIATED,
	    bare_request, VHU_POSTCOPY_ADVISE),
	ROW("postcopy-listen", "the same while rings run", SHRUG, FRONTEND_RUNNING, bare_request,
	    VHU_POSTCOPY_LISTEN),
	ROW("memory-slots", "one more region, which was not offered", SHRUG, FRONTEND_NEGOTIATED,
	    bare_request, VHU_ADD_MEM_REG),
	ROW("flood-answers", "20,000 requests, no answer read", SHRUG, FRONTEND_CONNECTED, flood,
	    VHU_GET_FEATURES),
	ROW("flood-running", "the same while rings run", SHRUG, FRONTEND_RUNNING, flood,
	    VHU_GET_FEATURES),
	ROW("fds-1", "one descriptor that has no place", BYE, FRONTEND_CONNECTED, surplus_fds, 1),
	ROW("fds-64", "64 of them", BYE, FRONTEND_CONNECTED, surplus_fds, 64),
	ROW("fds-kick", "8 kick descriptors for one ring", BYE, FRONTEND_RUNNING, surplus_kicks, 0),
	ROW("fd-none-kick", "no kick descriptor", BYE, FRONTEND_NEGOTIATED, bare_request,
	    VHU_SET_VRING_KICK),
	ROW("fd-none-call", "no call descriptor", BYE, FRONTEND_NEGOTIATED, bare_request,
	    VHU_SET_VRING_CALL),
	ROW("fd-zero-kick", "/dev/zero as kick", BYE, FRONTEND_RUNNING, device_as_kick,
	    VHU_SET_VRING_KICK),
	ROW("fd-zero-call", "/dev/zero as call", BYE, FRONTEND_RUNNING, device_as_kick,
	    VHU_SET_VRING_CALL),
	ROW("fd-pipe-call", "a pipe as call", BYE, FRONTEND_RUNNING, pipe_as_call, 0),
	ROW("call-full", "a call descriptor on which a writer waits for ever", ATTACK_HARMLESS,
	    FRONTEND_RUNNING, full_call, 0),
	ROW("memory-0", "a table of no regions", BYE, FRONTEND_NEGOTIATED, wrong_count, 0),
	ROW("memory-9", "a table of 9 regions", BYE, FRONTEND_NEGOTIATED, wrong_count, 9),
	ROW("memory-no-fds", "regions without descriptors", BYE, FRONTEND_NEGOTIATED, few_fds, 0),
	ROW("memory-few-fds", "two regions, one descriptor", BYE, FRONTEND_NEGOTIATED, few_fds, 1),
	ROW("memory-more-fds", "two regions, three descriptors", BYE, FRONTEND_NEGOTIATED, few_fds,
	    3),
	ROW("memory-overlap", "regions overlap", BYE, FRONTEND_NEGOTIATED, bad_region,
	    REGION_OVERLAPS),
	ROW("memory-overlap-user", "regions overlap in user addresses", BYE, FRONTEND_NEGOTIATED,
	    bad_region, REGION_OVERLAPS_USER),
	ROW("memory-wrap", "a region wraps around", BYE, FRONTEND_NEGOTIATED, bad_region,
	    REGION_WRAPS),
	ROW("memory-wrap-file", "a region's place in the file wraps around", BYE,
	    FRONTEND_NEGOTIATED, bad_region, REGION_WRAPS_FILE),
	ROW("memory-empty", "a region of 0 bytes", BYE, FRONTEND_NEGOTIATED, bad_region,
	    REGION_EMPTY),
	ROW("memory-short-file", "a region longer than its file", BYE, FRONTEND_NEGOTIATED,
	    bad_region, REGION_BEYOND_FILE),
	ROW("memory-huge", "a region of 4 EiB", BYE, FRONTEND_NEGOTIATED, bad_region, REGION_HUGE),
	ROW("memory-crooked", "a region that begins within a page", SHRUG, FRONTEND_NEGOTIATED,
	    bad_region, REGION_CROOKED),
	ROW("memory-giant", "a file of 1 PiB", BYE, FRONTEND_NEGOTIATED, giant_file, 1ULL << 50),
	ROW("memory-zero", "/dev/zero as memory", BYE, FRONTEND_NEGOTIATED, no_memory_file, 0),
	ROW("memory-proc", "/proc/self/mem as memory", BYE, FRONTEND_NEGOTIATED, no_memory_file, 1),
	ROW("memory-disk", "a file on disk as memory", BYE, FRONTEND_NEGOTIATED, no_memory_file, 2),
	ROW("memory-directory", "a directory as memory", BYE, FRONTEND_NEGOTIATED, no_memory_file,
	    3),
	ROW("memory-read-only", "memory that may not be written", BYE, FRONTEND_NEGOTIATED,
	    read_only_file, 0),
	ROW("memory-again", "the same table 100 times while rings run", ATTACK_HARMLESS,
	    FRONTEND_RUNNING, repeat_table, 100),
	ROW("memory-swap", "memory without the rings, while they run", ATTACK_STOPPED,
	    FRONTEND_RUNNING, swap_memory, 0),
	{.name = "truncate-frames",
	 .what = "the file shrinks: frames are gone",
	 .ends = ATTACK_STOPPED,
	 .unsealed = true,
	 .memory_gone = true,
	 .run = truncate_memory},
	{.name = "truncate-all",
	 .what = "the file shrinks to nothing: rings are gone",
	 .ends = ATTACK_STOPPED,
	 .unsealed = true,
	 .memory_gone = true,
	 .run = truncate_memory,
	 .detail = 1},
	ROW("ring-size-0", "a ring of 0 descriptors", BYE, FRONTEND_SHARED, bad_ring_size, 0),
	ROW("ring-size-3", "a ring of 3 descriptors", BYE, FRONTEND_SHARED, bad_ring_size, 3),
	ROW("ring-size-64k", "a ring of 65536 descriptors", BYE, FRONTEND_SHARED, bad_ring_size,
	    65536),
	ROW("ring-index-2", "a ring beyond the port's queues", BYE, FRONTEND_SHARED, bad_ring_index,
	    2),
	ROW("ring-index-far", "ring 2^32 - 1", BYE, FRONTEND_SHARED, bad_ring_index, 0xffffffff),
	ROW("ring-resize", "a running ring becomes larger", BYE, FRONTEND_RUNNING, resize_running,
	    32768),
	ROW("ring-outside", "a ring outside memory", ATTACK_STOPPED, FRONTEND_RUNNING, move_ring,
	    0x1000),
	ROW("ring-crooked", "a ring that is not aligned", ATTACK_STOPPED, FRONTEND_RUNNING,
	    move_ring, 4),
	ROW("ring-early", "a ring is enabled that has no memory", ATTACK_HARMLESS,
	    FRONTEND_NEGOTIATED, enable_early, 0),
	ROW("ring-toggle", "a ring is disabled and enabled 500 times", ATTACK_HARMLESS,
	    FRONTEND_RUNNING, toggle_ring, 500),
	ROW("feature-63", "feature 63, never offered", BYE, FRONTEND_CONNECTED, take_feature, 63),
	ROW("protocol-feature-63", "protocol feature 63, never offered", BYE, FRONTEND_NEGOTIATED,
	    take_protocol_feature, 63),
	ROW("connect-twice", "a second front-end connects", ATTACK_HARMLESS, FRONTEND_RUNNING,
	    connect_twice, 0),
	{.name = NULL},
};
