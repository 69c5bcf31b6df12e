/* SPDX-License-Identifier: BSD-3-Clause */
/* Starts, pauses and stops the rings of one front-end through the port's callbacks. Main thread. */
#include "dataplane/vhost/queues.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dataplane/vhost/dirty_log.h"

static int fail(struct queues *queues, int error, const char *why)
{
	queues->why = why;
	return error;
}

int queues_init(struct queues *queues, const struct session_config *config)
{
	*queues = (struct queues){
		.config = config,
		.why = "",
		.n_queues = 2 * config->n_queue_pairs,
	};
	queues->queue = calloc(queues->n_queues, sizeof(queues->queue[0]));
	if (queues->queue == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < queues->n_queues; i++) {
		queues->queue[i].kick_fd = -1;
		queues->queue[i].call_fd = -1;
	}
	return 0;
}

static void drop_memory(struct queues *queues)
{
	if (queues->memory == NULL)
		return;
	fault_unregister(queues->config->faults, queues->memory);
	memory_destroy(queues->memory);
	queues->memory = NULL;
}

void queues_fini(struct queues *queues)
{
	for (unsigned i = 0; i < queues->n_queues; i++) {
		queues_halt(queues, i);
		if (queues->queue[i].call_fd >= 0)
			close(queues->queue[i].call_fd);
	}
	drop_memory(queues);
	dirty_log_destroy(queues->log);
	free(queues->queue);
}

bool queues_is_complete(const struct queues *queues, unsigned index)
{
	const struct queue *queue = &queues->queue[index];
	bool needs_enable = queues->features & VIRTIO_FEATURE(VHOST_F_PROTOCOL_FEATURES);

	return queues->has_features && queues->memory != NULL && queue->size != 0 &&
	       queue->has_addr && queue->kick_fd >= 0 && (queue->is_enabled || !needs_enable);
}

static bool is_any_running(const struct queues *queues)
{
	for (unsigned i = 0; i < queues->n_queues; i++) {
		if (queues->queue[i].is_running)
			return true;
	}
	return false;
}

void queues_pause(struct queues *queues, unsigned index)
{
	struct queue *queue = &queues->queue[index];

	if (!queue->is_running)
		return;
	queue->base = queues->config->ops->ring_stop(queues->config->ctx, index);
	queue->is_running = false;
}

static void pause_all(struct queues *queues)
{
	for (unsigned i = 0; i < queues->n_queues; i++)
		queues_pause(queues, i);
}

void queues_halt(struct queues *queues, unsigned index)
{
	struct queue *queue = &queues->queue[index];

	queues_pause(queues, index);
	if (queue->kick_fd >= 0)
		close(queue->kick_fd);
	queue->kick_fd = -1;
}

/* One of a ring's three areas in this process; NULL unless it is whole and aligned. */
static void *find_area(const struct queues *queues, uint64_t uva, uint64_t bytes, uint64_t align)
{
	void *area = memory_at_uva(queues->memory, uva, bytes);

	return (uintptr_t)area % align == 0 ? area : NULL;
}

/* Sizes and alignments: VIRTIO 1.2, 2.7 and 2.8. The event index behind a split ring is there if
 * negotiated. */
static int find_areas(struct queues *queues, const struct queue *queue, struct session_ring *ring)
{
	uint64_t size = queue->size;
	uint64_t event = queues->features & VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) ? 2 : 0;

	ring->desc = find_area(queues, queue->addr.desc, 16 * size, 16);
	if (queues->features & VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)) {
		ring->avail = find_area(queues, queue->addr.avail, 4, 4);
		ring->used = find_area(queues, queue->addr.used, 4, 4);
		if ((ring->base & 0x7fff) >= size)
			return fail(queues, -EINVAL, "a ring's base is beyond its end");
	} else {
		ring->avail = find_area(queues, queue->addr.avail, 4 + 2 * size + event, 2);
		ring->used = find_area(queues, queue->addr.used, 4 + 8 * size + event, 4);
	}
	if (ring->desc == NULL || ring->avail == NULL || ring->used == NULL)
		return fail(queues, -EFAULT,
			    "a ring is not aligned or not wholly within a memory region");
	return 0;
}

/* Where calls go that nobody wants. A descriptor, or -errno. */
static int open_mute(struct queues *queues)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	return fd < 0 ? fail(queues, -errno, "no descriptor left for an eventfd") : fd;
}

int queues_resume(struct queues *queues, unsigned index)
{
	struct queue *queue = &queues->queue[index];
	struct session_ring ring = {
		.index = index,
		.size = queue->size,
		.base = queue->base,
		.features = queues->features & ~(VIRTIO_FEATURE(VHOST_F_PROTOCOL_FEATURES) |
						 VIRTIO_FEATURE(VHOST_F_LOG_ALL)),
		.memory = queues->memory,
		.kick_fd = queue->kick_fd,
	};
	int ret;

	if (queue->is_running || !queues_is_complete(queues, index))
		return 0;
	ret = find_areas(queues, queue, &ring);
	if (ret == 0 && queue->call_fd < 0)
		ret = queues_set_call(queues, index, -1);
	if (ret < 0)
		return ret;
	ring.call_fd = queue->call_fd;
	ret = queues->config->ops->ring_start(queues->config->ctx, &ring);
	if (ret < 0)
		return fail(queues, ret, "the port cannot run the ring");
	queue->is_running = true;
	return 0;
}

static int resume_all(struct queues *queues)
{
	int ret = 0;

	for (unsigned i = 0; i < queues->n_queues && ret == 0; i++)
		ret = queues_resume(queues, i);
	return ret;
}

/* dup3() puts the new eventfd behind the number that workers write to, in one step: a writer needs
 * no lock, and the ring does not have to stop each time a guest masks an interrupt. */
int queues_set_call(struct queues *queues, unsigned index, int fd)
{
	struct queue *queue = &queues->queue[index];
	bool is_wanted = fd >= 0;
	int ret = 0;

	if (!is_wanted)
		fd = open_mute(queues);
	if (fd < 0)
		return fd;
	if (queue->call_fd < 0) {
		queue->call_fd = fd;
		return 0;
	}
	if (dup3(fd, queue->call_fd, O_CLOEXEC) < 0)
		ret = fail(queues, -errno, "cannot swap the call descriptor");
	close(fd);
	if (ret == 0 && is_wanted && queue->is_running)
		queues->config->ops->ring_signal(queues->config->ctx, index);
	return ret;
}

/* No ring runs: workers see it when they start again. */
static void attach_log(struct queues *queues)
{
	bool is_wanted = (queues->features & VIRTIO_FEATURE(VHOST_F_LOG_ALL)) != 0;

	if (queues->memory != NULL)
		queues->memory->log = is_wanted ? queues->log : NULL;
}

int queues_set_features(struct queues *queues, uint64_t features)
{
	uint64_t changes = features ^ queues->features;

	/* QEMU repeats them for each pair of rings, while the first already runs. */
	if (is_any_running(queues) && changes == 0)
		return 0;
	if (is_any_running(queues) && changes != VIRTIO_FEATURE(VHOST_F_LOG_ALL))
		return fail(queues, -EBUSY, "features cannot change while a ring runs");
	pause_all(queues);
	queues->features = features;
	queues->has_features = true;
	attach_log(queues);
	return resume_all(queues);
}

int queues_set_log(struct queues *queues, int fd, uint64_t bytes, uint64_t offset)
{
	struct dirty_log *log, *old = queues->log;
	int ret = dirty_log_create(&log, fd, bytes, offset, &queues->why);

	if (ret < 0)
		return ret;
	pause_all(queues);
	queues->log = log;
	attach_log(queues);
	dirty_log_destroy(old);
	return resume_all(queues);
}

int queues_set_memory(struct queues *queues, const struct vhost_memory_table *table, const int *fds)
{
	int ret;

	pause_all(queues);
	drop_memory(queues);
	ret = memory_create(&queues->memory, table, fds, queues->config->max_memory_bytes,
			    &queues->why);
	if (ret < 0)
		return ret;
	ret = fault_register(queues->config->faults, queues->memory);
	if (ret < 0) {
		memory_destroy(queues->memory);
		queues->memory = NULL;
		return fail(queues, ret, "too many front-ends share memory");
	}
	attach_log(queues);
	return resume_all(queues);
}
