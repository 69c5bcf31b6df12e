/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-tap-machine: a kernel behind a front-end, in place of a guest's.
 *
 *     programs  ===  tap DEVICE  ---  this  ---  switch
 *
 *     weft-tap-machine [--listen] SOCKET DEVICE
 *
 * Makes the device in its network namespace. What the kernel sends lies in the transmit ring after
 * one copy, and what is in the receive ring goes to the kernel after one: as much as a guest's
 * kernel copies from and to its programs. The device has the offloads that the switch agrees to.
 * --listen: the switch connects to the socket. Runs until the switch closes the connection; sleeps
 * while there is nothing to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/lib/frontend.h"

#define RING 256u
#define BATCH 16u /* frames before the switch is told */
#define HEADER_BYTES 12u
#define BUFFER_BYTES (HEADER_BYTES + FRONTEND_FRAME_MAX)
#define STRIDE ((BUFFER_BYTES / 64 | 1) * 64 + 128) /* an odd number of lines */

struct machine {
	struct frontend *frontend;
	struct split_ring *tx, *rx;
	unsigned char *tx_buffers, *rx_buffers; /* of each descriptor */
	unsigned int n_sent;			/* descriptors that were sent at all */
	int tap;
};

static int fail(const char *what, int error)
{
	fprintf(stderr, "weft-tap-machine: %s: %s\n", what, strerror(-error));
	return error;
}

static int open_tap(struct machine *m, const char *device)
{
	uint64_t agreed = m->frontend->handshake.features;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int header_bytes = HEADER_BYTES, is_little_endian = 1;
	unsigned long offloads = 0;

	if ((agreed & FRONTEND_BIT(VIRTIO_NET_F_CSUM)) != 0)
		offloads |= TUN_F_CSUM;
	if ((agreed & FRONTEND_BIT(VIRTIO_NET_F_HOST_TSO4)) != 0)
		offloads |= TUN_F_TSO4;
	if ((agreed & FRONTEND_BIT(VIRTIO_NET_F_HOST_TSO6)) != 0)
		offloads |= TUN_F_TSO6;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	m->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (m->tap < 0 || ioctl(m->tap, TUNSETIFF, &request) < 0 ||
	    ioctl(m->tap, TUNSETVNETHDRSZ, &header_bytes) < 0 ||
	    ioctl(m->tap, TUNSETVNETLE, &is_little_endian) < 0 ||
	    ioctl(m->tap, TUNSETOFFLOAD, offloads) < 0)
		return fail(device, -errno);
	return 0;
}

static void fill_rings(struct machine *m)
{
	const struct frontend_memory *memory = &m->frontend->memory;

	for (unsigned int i = 0; i < RING; i++) {
		m->tx->desc[i].addr = frontend_memory_address(memory, m->tx_buffers + i * STRIDE);
		m->rx->desc[i] = (struct vring_desc){
			.addr = frontend_memory_address(memory, m->rx_buffers + i * STRIDE),
			.len = BUFFER_BYTES,
			.flags = VRING_DESC_F_WRITE,
		};
		m->rx->avail->ring[i] = (uint16_t)i;
	}
	m->rx->avail_idx = RING;
	if (split_ring_publish(m->rx))
		frontend_kick(&m->frontend->rx[0]);
}

static int open_frontend(struct machine *m, const char *path, bool listens)
{
	char why[FRONTEND_WHY_BYTES] = "";
	struct frontend_config c = {
		.path = path,
		.listen = listens,
		.ring_size = RING,
		/* Buffers that take a whole frame, as without mergeable ones. */
		.features = FRONTEND_BASIC | FRONTEND_OFFLOADS,
		.required = FRONTEND_BIT(VIRTIO_F_VERSION_1),
		.extra_bytes = 2 * RING * STRIDE + 128,
		.frame_bytes_max = 64, /* slots of the library's own stay unused */
		.rx_bytes = 64,
		.manual_post = true,
		.why = why,
	};
	int error = frontend_create(&c, &m->frontend);

	if (error < 0) {
		fprintf(stderr, "weft-tap-machine: %s\n", why);
		return error;
	}
	m->tx = &m->frontend->tx[0].ring;
	m->rx = &m->frontend->rx[0].ring;
	m->tx_buffers = frontend_memory_take(&m->frontend->memory, 0, RING * STRIDE, 64);
	m->rx_buffers = frontend_memory_take(&m->frontend->memory, 0, RING * STRIDE, 64);
	if (m->tx_buffers == NULL || m->rx_buffers == NULL)
		return fail("memory", -ENOMEM);
	fill_rings(m);
	return 0;
}

/* A descriptor that the switch is done with, or -1. */
static int next_free(struct machine *m)
{
	if (m->n_sent < RING)
		return (int)m->n_sent;
	if (split_ring_waiting(m->tx) == 0)
		return -1;
	return (int)(m->tx->used->ring[m->tx->used_idx & (RING - 1)].id & (RING - 1));
}

static void take_free(struct machine *m)
{
	if (m->n_sent < RING)
		m->n_sent++;
	else
		m->tx->used_idx++;
}

/* What the kernel sends. How many frames; is_full: it may have more, but the ring has no room. */
static unsigned int send_some(struct machine *m, bool *is_full)
{
	unsigned int n = 0;

	*is_full = false;
	for (; n < BATCH; n++) {
		int id = next_free(m);

		*is_full = id < 0;
		if (id < 0)
			break;
		ssize_t bytes =
			read(m->tap, m->tx_buffers + (unsigned int)id * STRIDE, BUFFER_BYTES);

		if (bytes <= (ssize_t)HEADER_BYTES)
			break;
		take_free(m);
		m->tx->desc[id].len = (uint32_t)bytes;
		m->tx->avail->ring[m->tx->avail_idx++ & (RING - 1)] = (uint16_t)id;
	}
	if (n != 0 && split_ring_publish(m->tx))
		frontend_kick(&m->frontend->tx[0]);
	return n;
}

/* What comes for the kernel. A frame that it refuses is lost, as on a wire. */
static unsigned int receive_some(struct machine *m)
{
	unsigned int n = split_ring_waiting(m->rx);

	if (n > BATCH)
		n = BATCH;
	for (unsigned int i = 0; i < n; i++) {
		struct vring_used_elem used = m->rx->used->ring[m->rx->used_idx++ & (RING - 1)];
		unsigned int id = used.id & (RING - 1);
		unsigned int bytes = used.len < BUFFER_BYTES ? used.len : BUFFER_BYTES;

		if (write(m->tap, m->rx_buffers + id * STRIDE, bytes) < 0 && errno == EBADFD)
			break;
		m->rx->avail->ring[m->rx->avail_idx++ & (RING - 1)] = (uint16_t)id;
	}
	if (n != 0 && split_ring_publish(m->rx))
		frontend_kick(&m->frontend->rx[0]);
	return n;
}

static void clear(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

/* Until there is something to do. 0, or -ECONNRESET: the switch is gone. */
static int sleep_for_work(struct machine *m, bool is_full)
{
	struct pollfd ready[] = {
		{.fd = m->frontend->handshake.fd, .events = POLLRDHUP},
		{.fd = m->frontend->rx[0].call_fd, .events = POLLIN},
		{.fd = m->frontend->tx[0].call_fd, .events = POLLIN},
		{.fd = m->tap, .events = is_full ? 0 : POLLIN},
	};
	int error = 0;

	split_ring_want_call(m->rx, true);
	split_ring_want_call(m->tx, is_full);
	if (split_ring_waiting(m->rx) == 0 && (!is_full || split_ring_waiting(m->tx) == 0)) {
		poll(ready, sizeof(ready) / sizeof(*ready), -1);
		error = ready[0].revents != 0 ? -ECONNRESET : 0;
		clear(m->frontend->rx[0].call_fd);
		clear(m->frontend->tx[0].call_fd);
	}
	split_ring_want_call(m->rx, false);
	split_ring_want_call(m->tx, false);
	return error;
}

int main(int argc, char **argv)
{
	static struct machine m = {.tap = -1};

	bool listens = argc > 1 && strcmp(argv[1], "--listen") == 0;
	char **words = argv + 1 + listens;

	if (argc - 1 - listens != 2) {
		fprintf(stderr, "usage: weft-tap-machine [--listen] SOCKET DEVICE\n");
		return 2;
	}
	if (open_frontend(&m, words[0], listens) < 0 || open_tap(&m, words[1]) < 0)
		return 1;
	for (int error = 0; error == 0;) {
		bool is_full;
		unsigned int n = send_some(&m, &is_full);

		n += receive_some(&m);
		if (n == 0)
			error = sleep_for_work(&m, is_full);
	}
	frontend_destroy(m.frontend);
	return 0;
}
