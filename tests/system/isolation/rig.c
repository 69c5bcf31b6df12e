/* SPDX-License-Identifier: BSD-3-Clause */
/* The ports of the isolation test. See rig.h. One thread. */
#include "tests/system/isolation/rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/lib/deadline.h"
#include "tests/lib/mark.h"

#define SOCKET_BYTES (8 * 1024 * 1024)
#define UP_MS 20000

static int find_or_add_segment(struct rig *rig, const char *name)
{
	for (unsigned int i = 0; i < rig->n_segments; i++) {
		if (strcmp(rig->segments[i], name) == 0)
			return (int)i;
	}
	if (rig->n_segments == RIG_SEGMENTS_MAX)
		return -ENOSPC;
	snprintf(rig->segments[rig->n_segments], DP_NAME_BYTES, "%s", name);
	return (int)rig->n_segments++;
}

int rig_add(struct rig *rig, const char *words)
{
	struct rig_port *port = &rig->ports[rig->n_ports];
	char segment[DP_NAME_BYTES], kind[16];

	if (rig->n_ports == RIG_PORTS_MAX)
		return -ENOSPC;
	*port = (struct rig_port){.index = rig->n_ports, .fd = -1};
	int n = sscanf(words, "%15[^:]:%63[^:]:%15[^:]:%63s", port->name, segment, kind,
		       port->netns);

	if (n < 3)
		return -EINVAL;
	if (strcmp(kind, "tap") == 0 && n == 4)
		port->kind = RIG_TAP;
	else if (strcmp(kind, "plain") == 0)
		port->kind = RIG_PLAIN;
	else if (strcmp(kind, "vhost") == 0)
		port->kind = RIG_VHOST;
	else
		return -EINVAL;
	int index = find_or_add_segment(rig, segment);

	if (index < 0)
		return index;
	port->segment = (uint8_t)index;
	mark_source((uint16_t)(index + 1), (uint16_t)rig->n_ports, port->mac);
	port->received = malloc(FRONTEND_FRAME_MAX + sizeof(struct virtio_net_hdr));
	if (port->received == NULL)
		return -ENOMEM;
	rig->n_ports++;
	return 0;
}

/* ---- the far side ---- */

static int open_frontend(const struct rig *rig, struct rig_port *port)
{
	char path[256], why[FRONTEND_WHY_BYTES] = "";
	struct frontend_config config = {
		.path = path,
		.features = port->kind == RIG_PLAIN ? FRONTEND_BASIC : FRONTEND_ALL,
		.n_regions = 2,
		.why = why,
	};

	snprintf(path, sizeof(path), "%s/vhost/%s.sock", rig->run_dir, port->name);
	int err = frontend_create(&config, &port->frontend);

	if (err < 0)
		fprintf(stderr, "port %s: %s\n", port->name, why);
	return err;
}

/* A packet socket in another network namespace stays there when we come back. */
static int open_socket_in(const char *netns)
{
	char path[128];
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	int away = open(path, O_RDONLY | O_CLOEXEC);
	int fd = -1;
	int err = home < 0 || away < 0 || setns(away, CLONE_NEWNET) < 0 ? -errno : 0;

	if (err == 0) {
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		err = fd < 0 ? -errno : 0;
		if (setns(home, CLONE_NEWNET) < 0)
			abort();
	}
	if (home >= 0)
		close(home);
	if (away >= 0)
		close(away);
	return err < 0 ? err : fd;
}

static int set_up_socket(int fd, const char *ifname)
{
	struct ifreq request = {0};
	const int one = 1, bytes = SOCKET_BYTES;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = request.ifr_ifindex,
	};

	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

static bool is_link_up(int fd, const char *ifname)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

static int open_tap(struct rig_port *port)
{
	uint64_t deadline_ns = deadline_in_ms(UP_MS);
	int err = port->fd = open_socket_in(port->netns);

	if (err >= 0)
		err = set_up_socket(port->fd, port->name);
	while (err == 0 && !is_link_up(port->fd, port->name)) {
		if (deadline_passed(deadline_ns))
			err = -ENETDOWN;
	}
	if (err < 0)
		fprintf(stderr, "port %s: packet socket: %s\n", port->name, strerror(-err));
	return err;
}

int rig_open_port(struct rig *rig, struct rig_port *port)
{
	return port->kind == RIG_TAP ? open_tap(port) : open_frontend(rig, port);
}

void rig_close_port(struct rig_port *port)
{
	frontend_destroy(port->frontend);
	port->frontend = NULL;
	if (port->fd >= 0)
		close(port->fd);
	port->fd = -1;
}

/* ---- what the host says ---- */

static int check_port(const struct rig *rig, struct rig_port *port)
{
	const struct host_port *seen = host_find_port(&rig->view, port->name);
	const struct host_segment *segment =
		host_find_segment(&rig->view, rig->segments[port->segment]);

	if (seen == NULL || segment == NULL || seen->segment_id != segment->id) {
		fprintf(stderr, "port %s is not in segment %s\n", port->name,
			rig->segments[port->segment]);
		return -ENOENT;
	}
	port->slot = seen->slot;
	return seen->link == DP_LINK_UP ? 0 : -EAGAIN;
}

int rig_look(struct rig *rig)
{
	uint64_t deadline_ns = deadline_in_ms(UP_MS);
	int err;

	do {
		err = host_look(&rig->host, &rig->view);
		for (unsigned int i = 0; i < rig->n_ports && err == 0; i++)
			err = check_port(rig, &rig->ports[i]);
	} while (err == -EAGAIN && !deadline_passed(deadline_ns));
	if (err < 0)
		fprintf(stderr, "looking at the host: %s\n",
			err == -EAGAIN ? "a port does not come up" : strerror(-err));
	return err;
}

/* ---- frames ---- */

int rig_send(struct rig_port *port, const struct rig_frame *frame)
{
	if (port->kind != RIG_TAP) {
		struct frontend_frame out = {
			.header = frame->header, .bytes = frame->bytes, .n_bytes = frame->n_bytes};

		return frontend_send(port->frontend, 0, &out);
	}
	union {
		const void *from;
		void *to;
	} bytes = {.from = frame->bytes};
	struct virtio_net_hdr header = frame->header;
	struct iovec iov[2] = {{&header, sizeof(header)}, {bytes.to, frame->n_bytes}};

	return writev(port->fd, iov, 2) < 0 ? -errno : 0;
}

static int receive_packet(struct rig_port *port, struct rig_frame *frame)
{
	struct iovec iov[2] = {{&frame->header, sizeof(frame->header)},
			       {port->received, FRONTEND_FRAME_MAX}};
	ssize_t n = readv(port->fd, iov, 2);

	if (n < (ssize_t)sizeof(frame->header))
		return n < 0 ? -errno : -EPROTO;
	frame->bytes = port->received;
	frame->n_bytes = (size_t)n - sizeof(frame->header);
	return 0;
}

int rig_receive(struct rig_port *port, struct rig_frame *frame)
{
	struct frontend_received received;

	if (port->kind == RIG_TAP)
		return receive_packet(port, frame);
	if (split_ring_waiting(&port->frontend->rx[0].ring) == 0)
		return -EAGAIN;
	int err = frontend_receive(port->frontend, 0, 0, &received);

	if (err < 0)
		return err;
	frame->header = received.header.hdr;
	frame->bytes = received.bytes;
	frame->n_bytes = received.n_bytes;
	return 0;
}
