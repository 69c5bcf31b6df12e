/* SPDX-License-Identifier: BSD-3-Clause */
/* See front.h. */
#include "tests/unit/dataplane/vhost/front.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

const struct vhost_memory_table front_table = {
	.n_regions = 2,
	.regions = {{.gpa = 0, .bytes = MIB, .uva = UVA, .offset = 0},
		    {.gpa = HIGH_GPA, .bytes = 2 * MIB, .uva = HIGH_UVA, .offset = MIB}},
};

static int ring_start(void *ctx, const struct session_ring *ring)
{
	struct front *front = ctx;
	struct front_seen *seen = &front->seen[ring->index];

	assert_false(seen->is_running);
	if (front->start_error != 0)
		return front->start_error;
	seen->n_starts++;
	seen->is_running = true;
	seen->ring = *ring;
	seen->next_base = ring->base;
	return 0;
}

static uint16_t ring_stop(void *ctx, unsigned index)
{
	struct front *front = ctx;
	struct front_seen *seen = &front->seen[index];

	assert_true(seen->is_running);
	/* The ring is there to the last moment. */
	memset(seen->ring.used, 0, 4);
	assert_true(fcntl(seen->ring.kick_fd, F_GETFD) >= 0);
	assert_true(fcntl(seen->ring.call_fd, F_GETFD) >= 0);
	seen->n_stops++;
	seen->is_running = false;
	return seen->next_base;
}

static void ring_forget(void *ctx, unsigned index)
{
	struct front *front = ctx;

	assert_false(front->seen[index].is_running);
	front->seen[index].n_forgets++;
}

static void ring_signal(void *ctx, unsigned index)
{
	struct front *front = ctx;

	assert_true(front->seen[index].is_running);
	front->seen[index].n_signals++;
}

static const struct session_ops ops = {ring_start, ring_stop, ring_forget, ring_signal};

int front_set_up(void **state)
{
	return front_set_up_offering(state, 0);
}

int front_set_up_offering(void **state, uint64_t more_features)
{
	struct front *front = calloc(1, sizeof(*front));
	struct session_config config = {
		.features = OFFERED | more_features,
		.n_queue_pairs = N_PAIRS,
		.max_mtu = 1500,
		.max_memory_bytes = 64 * MIB,
		.ops = &ops,
		.ctx = front,
	};
	int sockets[2];

	front->count = vhost_rig_count();
	front->faults = calloc(1, sizeof(*front->faults));
	config.faults = front->faults;
	front->now_ns = START;
	front->memory_fd = vhost_rig_memfd(4 * MIB);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
	front->socket = sockets[0];
	assert_int_equal(session_create(&front->session, sockets[1], &config, START), 0);
	*state = front;
	return 0;
}

int front_tear_down(void **state)
{
	struct front *front = *state;

	session_destroy(front->session);
	for (unsigned i = 0; i < 2 * N_PAIRS; i++) {
		assert_false(front->seen[i].is_running);
		assert_int_equal(front->seen[i].n_starts, front->seen[i].n_stops);
	}
	for (unsigned i = 0; i < FAULT_MAX_MEMORIES; i++)
		assert_null(atomic_load(&front->faults->memories[i]));
	close(front->socket);
	close(front->memory_fd);
	vhost_rig_assert_no_leak(front->count);
	free(front->faults);
	free(front);
	return 0;
}

int front_deliver(struct front *front)
{
	return session_readable(front->session, EPOLLIN, front->now_ns);
}

void front_accepted(struct front *front)
{
	if (front_deliver(front) != 0)
		fail_msg("%s", session_why(front->session));
}

void front_refused(struct front *front, int error, const char *text)
{
	assert_int_equal(front_deliver(front), error);
	if (strstr(session_why(front->session), text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, session_why(front->session));
}

void front_send_u64(struct front *front, uint32_t request, uint64_t value)
{
	vhost_rig_send(front->socket, request, &value, sizeof(value), NULL, 0);
}

void front_send_state(struct front *front, uint32_t request, uint32_t index, uint32_t num)
{
	struct vhost_ring_state state = {index, num};

	vhost_rig_send(front->socket, request, &state, sizeof(state), NULL, 0);
}

void front_send_nothing(struct front *front, uint32_t request)
{
	vhost_rig_send(front->socket, request, NULL, 0, NULL, 0);
}

void front_send_event(struct front *front, uint32_t request, uint64_t index)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	vhost_rig_send(front->socket, request, &index, sizeof(index), &fd, 1);
	close(fd);
}

void front_send_table(struct front *front, const struct vhost_memory_table *table)
{
	int fds[VHOST_MAX_REGIONS];

	for (unsigned i = 0; i < VHOST_MAX_REGIONS; i++)
		fds[i] = front->memory_fd;
	vhost_rig_send(front->socket, VHOST_SET_MEM_TABLE, table, 8 + 32 * table->n_regions, fds,
		       table->n_regions);
}

struct vhost_ring_addr front_addr(unsigned index)
{
	return (struct vhost_ring_addr){
		.index = index,
		.desc = HIGH_UVA + 65536 * index,
		.avail = HIGH_UVA + 65536 * index + 16384,
		.used = HIGH_UVA + 65536 * index + 32768,
	};
}

void front_send_addr(struct front *front, const struct vhost_ring_addr *addr)
{
	vhost_rig_send(front->socket, VHOST_SET_VRING_ADDR, addr, sizeof(*addr), NULL, 0);
}

void front_send_ring(struct front *front, unsigned index)
{
	struct vhost_ring_addr addr = front_addr(index);

	front_send_state(front, VHOST_SET_VRING_NUM, index, RING_SIZE);
	front_send_state(front, VHOST_SET_VRING_BASE, index, 0);
	front_send_addr(front, &addr);
	front_send_event(front, VHOST_SET_VRING_KICK, index);
}

void front_start(struct front *front)
{
	front_send_u64(front, VHOST_SET_FEATURES, WITH_PROTOCOL);
	front_send_table(front, &front_table);
	for (unsigned i = 0; i < 2; i++) {
		front_send_event(front, VHOST_SET_VRING_CALL, i);
		front_send_ring(front, i);
		front_send_state(front, VHOST_SET_VRING_ENABLE, i, 1);
	}
	front_accepted(front);
	assert_true(front->seen[0].is_running && front->seen[1].is_running);
}

uint32_t front_receive(struct front *front, uint32_t request, void *payload, size_t bytes)
{
	uint8_t reply[sizeof(struct vhost_header) + 264];
	struct vhost_header header;
	ssize_t n = recv(front->socket, reply, sizeof(header) + bytes, MSG_DONTWAIT);

	assert_int_equal(n, sizeof(header) + bytes);
	memcpy(&header, reply, sizeof(header));
	memcpy(payload, reply + sizeof(header), bytes);
	assert_int_equal(header.request, request);
	assert_int_equal(header.flags, VHOST_FLAGS_VERSION | VHOST_FLAGS_REPLY);
	return header.size;
}

uint64_t front_receive_u64(struct front *front, uint32_t request)
{
	uint64_t value;

	assert_int_equal(front_receive(front, request, &value, sizeof(value)), sizeof(value));
	return value;
}

void front_nothing_to_receive(struct front *front)
{
	char byte;

	assert_int_equal(recv(front->socket, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

uint32_t front_stop_ring(struct front *front, unsigned index)
{
	struct vhost_ring_state state;

	front_send_state(front, VHOST_GET_VRING_BASE, index, 0);
	front_accepted(front);
	assert_int_equal(front_receive(front, VHOST_GET_VRING_BASE, &state, sizeof(state)),
			 sizeof(state));
	assert_int_equal(state.index, index);
	return state.num;
}
