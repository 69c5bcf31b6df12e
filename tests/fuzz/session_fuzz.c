/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a session under a front-end that says anything. The input is a program for that
 * front-end: well-formed messages with any content and any descriptors, raw bytes, time that
 * passes. A ring that the session starts must be wholly there; when the session has ended, every
 * descriptor is closed.
 *
 *	input: { operation u8 | its operands } ...
 *
 * Operation: request in the low 5 bits, 0x20: an answer is asked for; then number of descriptors
 * and their kinds u8, payload bytes u8, payload. 0x40: raw bytes (length u8). 0x80: half a second
 * passes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/vhost/dirty_log.h"
#include "dataplane/vhost/session.h"

#define MEMORY_BYTES 0x20000u
#define STEPS_MAX 200u
#define N_PAIRS 2u
#define FDS_MAX 128 /* of one session: far fewer */
#define FEATURES                                                                                   \
	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_F_INDIRECT_DESC) |             \
	 VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) | VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF) |             \
	 VIRTIO_FEATURE(VIRTIO_NET_F_MTU) | VIRTIO_FEATURE(VIRTIO_NET_F_CSUM) |                    \
	 VIRTIO_FEATURE(VIRTIO_F_RING_PACKED) | VIRTIO_FEATURE(VHOST_F_LOG_ALL))

struct input {
	const uint8_t *at;
	size_t left;
};

/* The front-end's side, and what it hands out; the same descriptors for all inputs. */
struct scene {
	struct fault_registry *faults;
	int sealed_fd, open_fd, event_fd, pipe_fds[2];
	struct session *session;
	int socket;
	uint64_t now_ns;
	bool is_running[2 * N_PAIRS];
};

static void check(bool is_true)
{
	if (!is_true)
		abort();
}

static uint8_t byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

static void touch(const void *area, size_t bytes)
{
	const volatile uint8_t *at = area;

	for (size_t i = 0; i < bytes; i += 16)
		(void)at[i];
	(void)at[bytes - 1];
}

static int start_ring(void *ctx, const struct session_ring *ring)
{
	struct scene *scene = ctx;

	check(ring->index < 2 * N_PAIRS && !scene->is_running[ring->index]);
	check(ring->size != 0 && (ring->size & (ring->size - 1)) == 0);
	check(ring->size <= VHOST_MAX_RING_SIZE && (ring->features & ~FEATURES) == 0);
	touch(ring->desc, (size_t)ring->size * 16);
	if ((ring->features & VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)) == 0) {
		touch(ring->avail, 4 + 2 * (size_t)ring->size);
		touch(ring->used, 4 + 8 * (size_t)ring->size);
	} else {
		touch(ring->avail, 4);
		touch(ring->used, 4);
		check((ring->base & 0x7fff) < ring->size);
	}
	dirty_log_mark(ring->memory, ring->desc, (size_t)ring->size * 16);
	check(ring->call_fd >= 0);
	scene->is_running[ring->index] = true;
	return 0;
}

static uint16_t stop_ring(void *ctx, unsigned int index)
{
	struct scene *scene = ctx;

	check(index < 2 * N_PAIRS && scene->is_running[index]);
	scene->is_running[index] = false;
	return 0;
}

static void forget_ring(void *ctx, unsigned int index)
{
	check(!((struct scene *)ctx)->is_running[index]);
}

static void signal_ring(void *ctx, unsigned int index)
{
	check(((struct scene *)ctx)->is_running[index]);
}

static const struct session_ops ops = {start_ring, stop_ring, forget_ring, signal_ring};

static struct scene *open_scene(void)
{
	static struct scene scene;

	if (scene.faults != NULL)
		return &scene;
	scene.faults = calloc(1, sizeof(*scene.faults));
	scene.sealed_fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	scene.open_fd = memfd_create("open", MFD_CLOEXEC);
	scene.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	check(scene.faults != NULL && pipe(scene.pipe_fds) == 0);
	check(ftruncate(scene.sealed_fd, MEMORY_BYTES) == 0);
	check(fcntl(scene.sealed_fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	check(ftruncate(scene.open_fd, MEMORY_BYTES) == 0);
	return &scene;
}

/* Descriptors that are open: as many before as after if nothing was left. */
static unsigned int count_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < FDS_MAX; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void connect_session(struct scene *scene)
{
	struct session_config config = {
		.features = FEATURES,
		.n_queue_pairs = N_PAIRS,
		.max_mtu = 9000,
		.max_memory_bytes = 1 << 30,
		.ops = &ops,
		.ctx = scene,
		.faults = scene->faults,
	};
	int sockets[2];

	scene->now_ns = 1000000000;
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets) == 0);
	scene->socket = sockets[0];
	check(session_create(&scene->session, sockets[1], &config, scene->now_ns) == 0);
}

static void send_bytes(const struct scene *scene, const void *bytes, size_t n, const int *fds,
		       unsigned int n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 16)];
	} control;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n_fds != 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS,
					   .cmsg_len = CMSG_LEN(sizeof(int) * n_fds)};
		memcpy(CMSG_DATA(header), fds, sizeof(int) * n_fds);
	}
	/* A session that has ended does not read: that is for the caller to notice. */
	if (sendmsg(scene->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void send_message(struct scene *scene, uint8_t operation, struct input *in)
{
	uint32_t request = operation & 0x1f;
	uint8_t choice = byte(in);
	const int kinds[4] = {scene->sealed_fd, scene->event_fd, scene->open_fd,
			      scene->pipe_fds[0]};
	unsigned int n_fds = choice & 0xf;
	int fds[16];
	struct {
		struct vhost_header header;
		uint8_t payload[8 + 32 * 9];
	} message = {.header = {request, VHOST_FLAGS_VERSION, byte(in)}};

	/* Two bits say of what kind the first is, two the others. */
	for (unsigned int i = 0; i < n_fds; i++)
		fds[i] = kinds[(i == 0 ? choice >> 4 : choice >> 6) & 3];
	if ((operation & 0x20) != 0)
		message.header.flags |= VHOST_FLAGS_NEED_REPLY;
	/* A table of regions is longer than a byte can say. */
	if (request == VHOST_SET_MEM_TABLE)
		message.header.size = 8 + 32 * (message.header.size % 10);
	for (uint32_t i = 0; i < message.header.size && i < sizeof(message.payload); i++)
		message.payload[i] = byte(in);
	send_bytes(scene, &message, sizeof(message.header) + message.header.size, fds, n_fds);
}

static void step(struct scene *scene, struct input *in)
{
	uint8_t operation = byte(in), raw[256];
	uint8_t n = 0;

	if ((operation & 0x80) != 0) {
		scene->now_ns += 500000000;
	} else if ((operation & 0x40) != 0) {
		n = byte(in);
		for (unsigned int i = 0; i < n; i++)
			raw[i] = byte(in);
		send_bytes(scene, raw, n, NULL, 0);
	} else {
		send_message(scene, operation, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
	struct scene *scene = open_scene();
	struct input in = {bytes, n_bytes};
	unsigned int before = count_fds();
	int error = 0;
	uint8_t answers[512];

	connect_session(scene);
	for (unsigned int i = 0; i < STEPS_MAX && in.left != 0 && error == 0; i++) {
		step(scene, &in);
		error = session_readable(scene->session, EPOLLIN, scene->now_ns);
		if (error == 0)
			error = session_tick(scene->session, scene->now_ns);
		while (recv(scene->socket, answers, sizeof(answers), MSG_DONTWAIT) > 0)
			continue;
	}
	check(error == 0 || session_why(scene->session)[0] != '\0');
	session_destroy(scene->session);
	for (unsigned int i = 0; i < 2 * N_PAIRS; i++)
		check(!scene->is_running[i]);
	close(scene->socket);
	check(count_fds() == before);
	return 0;
}
