/* SPDX-License-Identifier: BSD-3-Clause */
/* The vhost-user conversation, front-end side. See handshake.h. Owned by one thread. */
#include "tests/lib/handshake.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/deadline.h"

#define BIT(n) (1ULL << (n))
#define RETRY_MS 5

static int unix_address(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, strlen(path));
	return 0;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	return fd;
}

int handshake_connect(const char *path, uint64_t deadline_ns)
{
	struct sockaddr_un address;
	int err = unix_address(path, &address);
	int fd = err < 0 ? err : open_socket();

	if (fd < 0)
		return fd;
	while (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		bool not_yet = errno == ENOENT || errno == ECONNREFUSED || errno == EAGAIN;

		err = not_yet && deadline_passed(deadline_ns) ? -ETIMEDOUT : -errno;
		if (!not_yet || err == -ETIMEDOUT) {
			close(fd);
			return err;
		}
		poll(NULL, 0, RETRY_MS);
	}
	return fd;
}

int handshake_accept(const char *path, uint64_t deadline_ns)
{
	struct sockaddr_un address;
	int err = unix_address(path, &address);
	int listener = err < 0 ? err : open_socket();

	if (listener < 0)
		return listener;
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	int fd = -ETIMEDOUT;

	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 1) < 0) {
		fd = -errno;
	} else {
		if (poll(&ready, 1, deadline_left_ms(deadline_ns)) > 0) {
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
			fd = fd < 0 ? -errno : fd;
		}
		unlink(path);
	}
	close(listener);
	return fd;
}

static bool has_answer(uint32_t request)
{
	return request == VHU_GET_FEATURES || request == VHU_GET_PROTOCOL_FEATURES ||
	       request == VHU_GET_QUEUE_NUM || request == VHU_GET_VRING_BASE;
}

int handshake_request(struct handshake *h, struct vhu_message *message, const int *fds,
		      unsigned int n_fds)
{
	uint64_t deadline_ns = deadline_in_ms(h->step_ms);
	uint32_t request = message->header.request;
	bool answer = has_answer(request);
	bool ack = !answer && (h->protocol & BIT(VHU_PROTOCOL_REPLY_ACK)) != 0;

	message->header.flags = ack ? VHU_NEED_REPLY : 0;
	int err = vhu_request(h->fd, message, fds, n_fds, deadline_ns);

	if (err < 0 || (!answer && !ack))
		return err;
	err = vhu_receive(h->fd, message, deadline_ns);
	if (err < 0)
		return err;
	if (message->header.request != request || message->header.bytes != sizeof(uint64_t))
		return -EPROTO;
	return ack && message->payload.number != 0 ? -EREMOTEIO : 0;
}

static int get_number(struct handshake *h, uint32_t request, uint64_t *number)
{
	struct vhu_message message = {.header = {.request = request}};
	int err = handshake_request(h, &message, NULL, 0);

	if (err == 0)
		*number = message.payload.number;
	return err;
}

static int set_number(struct handshake *h, uint32_t request, uint64_t number)
{
	struct vhu_message message = {
		.header = {.request = request, .bytes = sizeof(number)},
		.payload.number = number,
	};

	return handshake_request(h, &message, NULL, 0);
}

static int negotiate_protocol(struct handshake *h)
{
	uint64_t known = BIT(VHU_PROTOCOL_MQ) | BIT(VHU_PROTOCOL_REPLY_ACK);
	uint64_t offered = 0;
	int err = get_number(h, VHU_GET_PROTOCOL_FEATURES, &offered);

	if (err < 0)
		return err;
	/* The request that agrees on REPLY_ACK is itself not acknowledged. */
	err = set_number(h, VHU_SET_PROTOCOL_FEATURES, offered & known);
	h->protocol = offered & known;
	if (err == 0 && (h->protocol & BIT(VHU_PROTOCOL_MQ)) != 0)
		err = get_number(h, VHU_GET_QUEUE_NUM, &h->n_pairs_max);
	return err;
}

int handshake_negotiate(struct handshake *h, uint64_t wanted, uint64_t required)
{
	struct vhu_message owner = {.header = {.request = VHU_SET_OWNER}};

	h->protocol = 0;
	h->n_pairs_max = 1;
	int err = get_number(h, VHU_GET_FEATURES, &h->offered);

	if (err < 0)
		return err;
	h->features = h->offered & (wanted | required);
	if ((h->features & required) != required)
		return -ENOTSUP;
	if ((h->features & BIT(VHU_F_PROTOCOL_FEATURES)) != 0)
		err = negotiate_protocol(h);
	if (err == 0)
		err = handshake_request(h, &owner, NULL, 0);
	if (err == 0)
		err = set_number(h, VHU_SET_FEATURES, h->features);
	return err;
}

int handshake_share_memory(struct handshake *h, const struct frontend_memory *memory)
{
	struct vhu_message message = {.header = {.request = VHU_SET_MEM_TABLE}};
	struct vhu_memory table;
	int fds[VHU_REGIONS_MAX];

	frontend_memory_table(memory, &table);
	message.payload.memory = table;
	message.header.bytes = (uint32_t)(offsetof(struct vhu_memory, regions) +
					  table.n_regions * sizeof(table.regions[0]));
	for (unsigned int i = 0; i < table.n_regions; i++)
		fds[i] = memory->fd;
	return handshake_request(h, &message, fds, table.n_regions);
}

static int set_state(struct handshake *h, uint32_t request, unsigned int index, uint32_t number)
{
	struct vhu_message message = {
		.header = {.request = request, .bytes = sizeof(struct vhu_ring_state)},
		.payload.state = {.index = index, .number = number},
	};

	return handshake_request(h, &message, NULL, 0);
}

static int set_addresses(struct handshake *h, unsigned int index, const struct handshake_ring *ring)
{
	struct vhu_message message = {
		.header = {.request = VHU_SET_VRING_ADDR, .bytes = sizeof(struct vhu_ring_addr)},
		.payload.addr =
			{
				.index = index,
				.desc = (uint64_t)(uintptr_t)ring->desc,
				.used = (uint64_t)(uintptr_t)ring->device,
				.avail = (uint64_t)(uintptr_t)ring->driver,
			},
	};

	return handshake_request(h, &message, NULL, 0);
}

static int set_event(struct handshake *h, uint32_t request, unsigned int index, int fd)
{
	struct vhu_message message = {
		.header = {.request = request, .bytes = sizeof(uint64_t)},
		.payload.number = index,
	};

	return handshake_request(h, &message, &fd, 1);
}

int handshake_start_ring(struct handshake *h, unsigned int index, const struct handshake_ring *ring,
			 int kick_fd, int call_fd)
{
	int err = set_state(h, VHU_SET_VRING_NUM, index, ring->size);

	if (err == 0)
		err = set_state(h, VHU_SET_VRING_BASE, index, ring->base);
	if (err == 0)
		err = set_addresses(h, index, ring);
	if (err == 0)
		err = set_event(h, VHU_SET_VRING_CALL, index, call_fd);
	if (err == 0)
		err = set_event(h, VHU_SET_VRING_KICK, index, kick_fd);
	/* Without protocol features a ring is enabled by its kick descriptor. */
	if (err == 0 && (h->features & BIT(VHU_F_PROTOCOL_FEATURES)) != 0)
		err = handshake_enable_ring(h, index, true);
	return err;
}

int handshake_stop_ring(struct handshake *h, unsigned int index, uint32_t *base)
{
	struct vhu_message message = {
		.header = {.request = VHU_GET_VRING_BASE, .bytes = sizeof(struct vhu_ring_state)},
		.payload.state = {.index = index},
	};
	int err = handshake_request(h, &message, NULL, 0);

	if (err == 0)
		*base = message.payload.state.number;
	return err;
}

int handshake_enable_ring(struct handshake *h, unsigned int index, bool enabled)
{
	return set_state(h, VHU_SET_VRING_ENABLE, index, enabled);
}
