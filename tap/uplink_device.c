/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets of an uplink: packet(7), step by step, with errors put into words. */
#include "tap/uplink_device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap/link.h"
#include "tap/uplink_filter.h"

/* Large frames of a queue that wait to be read whole; and what the interface has not sent yet. */
#define RECEIVE_BYTES (8 << 20)
#define SEND_BYTES (4 << 20)

/* One call of this file. */
struct job {
	const struct uplink_device_spec *spec;
	struct uplink_vtep vtep; /* family 0: none */
	int ifindex;
	char *why;
	size_t why_bytes;
};

static int refuse(const struct job *job, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Returns the error, after saying why. */
static int refuse(const struct job *job, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(job->why, job->why_bytes, format, args);
	va_end(args);
	return error;
}

unsigned int uplink_device_count_fds(const struct uplink_device_spec *spec)
{
	return spec->n_queues + (spec->vtep != NULL ? 1u : 0u);
}

static int parse_vtep(struct job *job)
{
	const struct uplink_device_spec *spec = job->spec;

	if (spec->vtep == NULL)
		return 0;
	job->vtep.family = strchr(spec->vtep, ':') != NULL ? AF_INET6 : AF_INET;
	job->vtep.udp_port = spec->vxlan_port;
	if (inet_pton(job->vtep.family, spec->vtep, job->vtep.address) == 1)
		return 0;
	return refuse(job, -EINVAL, "vtep %.45s is no address: write it as 10.0.0.1 or fd00::1",
		      spec->vtep);
}

static int check_spec(struct job *job)
{
	const struct uplink_device_spec *spec = job->spec;

	if (!link_name_is_valid(spec->ifname))
		return refuse(job, -EINVAL, "ifname %.32s cannot name a network interface",
			      spec->ifname);
	if (spec->n_queues == 0 || spec->n_queues > UPLINK_QUEUES_MAX)
		return refuse(job, -EINVAL, "%u queues: an uplink takes 1 to %u", spec->n_queues,
			      UPLINK_QUEUES_MAX);
	return parse_vtep(job);
}

/* --- the interface --- */

static int ask(int fd, const char *ifname, unsigned long what, struct ifreq *request)
{
	*request = (struct ifreq){0};
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", ifname);
	return ioctl(fd, what, request) < 0 ? -errno : 0;
}

/* By any socket: the interface is of its namespace. */
static int find_interface(struct job *job, int fd)
{
	const char *ifname = job->spec->ifname;
	struct ifreq request;

	if (ask(fd, ifname, SIOCGIFINDEX, &request) < 0)
		return refuse(job, -ENODEV,
			      "interface %s does not exist: ip link shows those that do", ifname);
	job->ifindex = request.ifr_ifindex;
	if (ask(fd, ifname, SIOCGIFHWADDR, &request) < 0 ||
	    request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return refuse(job, -EINVAL, "interface %s is no Ethernet: choose another one",
			      ifname);
	return 0;
}

static bool is_address(const struct sockaddr *shown, int family, const uint8_t *address)
{
	const void *any = shown;

	if (shown == NULL || shown->sa_family != family)
		return false;
	if (family == AF_INET)
		return memcmp(&((const struct sockaddr_in *)any)->sin_addr, address, 4) == 0;
	return memcmp(&((const struct sockaddr_in6 *)any)->sin6_addr, address, 16) == 0;
}

int uplink_device_has_address(const char *ifname, const char *address)
{
	int family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET, has = 0;
	struct ifaddrs *all;
	uint8_t bytes[16];

	if (inet_pton(family, address, bytes) != 1)
		return -EINVAL;
	if (getifaddrs(&all) < 0)
		return -errno;
	for (const struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next)
		has |= strcmp(entry->ifa_name, ifname) == 0 &&
		       is_address(entry->ifa_addr, family, bytes);
	freeifaddrs(all);
	return has;
}

static int check_address(struct job *job)
{
	const struct uplink_device_spec *spec = job->spec;
	int has = job->vtep.family != 0 ? uplink_device_has_address(spec->ifname, spec->vtep) : 1;

	if (has < 0)
		return refuse(job, has, "cannot read the addresses of %s: %s", spec->ifname,
			      strerror(-has));
	if (has == 0)
		return refuse(job, -EADDRNOTAVAIL,
			      "vtep %s is no address of interface %s: ip address add %s/%s dev %s",
			      spec->vtep, spec->ifname, spec->vtep,
			      job->vtep.family == AF_INET ? "24" : "64", spec->ifname);
	return 0;
}

/* --- packet sockets --- */

static int set_number(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int attach_filter(int fd, struct sock_filter *code, unsigned int n)
{
	struct sock_fprog program = {.len = (unsigned short)n, .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

/* Beyond what the host allows to everyone, if we may. */
static void set_buffer(int fd, int force, int plain, int bytes)
{
	if (set_number(fd, SOL_SOCKET, force, bytes) < 0)
		set_number(fd, SOL_SOCKET, plain, bytes);
}

/* Frames to others as well: guests of other hosts, that is. Goes with the socket. */
static int listen_to_all(int fd, int ifindex)
{
	struct packet_mreq request = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};

	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) < 0
		       ? -errno
		       : 0;
}

/*
 * All but what makes frames come. Before the bind, so that none comes past the filter, and none
 * without its header.
 */
static int set_shape(const struct job *job, int fd)
{
	struct sock_filter code[UPLINK_FILTER_MAX];
	int error = set_number(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2);

	if (error == 0)
		error = set_number(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
	if (error == 0)
		error = set_number(fd, SOL_PACKET, PACKET_COPY_THRESH, 1);
	if (error == 0)
		error = set_number(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (error == 0 && job->vtep.family != 0)
		error = attach_filter(fd, code, uplink_filter_vxlan(&job->vtep, code));
	if (error == 0 && job->vtep.family == 0)
		error = listen_to_all(fd, job->ifindex);
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BYTES);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BYTES);
	return error;
}

/* An underlay asks for IP alone: what else the host sends and receives costs it nothing then. */
static int start(const struct job *job, int fd)
{
	int protocol = job->vtep.family == 0	     ? ETH_P_ALL
		       : job->vtep.family == AF_INET ? ETH_P_IP
						     : ETH_P_IPV6;
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons((uint16_t)protocol),
		.sll_ifindex = job->ifindex,
	};
	const void *any = &address;

	return bind(fd, any, sizeof(address)) < 0 ? -errno : 0;
}

/*
 * Spreads flows over the sockets. The first takes a number that nobody has, the others join it.
 * Until they have, each of them gets every frame: who polls throws away what came before it did.
 */
static int join_group(int fd, int first_fd)
{
	int value = (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID) << 16;
	socklen_t bytes = sizeof(value);

	if (fd != first_fd && getsockopt(first_fd, SOL_PACKET, PACKET_FANOUT, &value, &bytes) < 0)
		return -errno;
	return set_number(fd, SOL_PACKET, PACKET_FANOUT, value);
}

static int open_packet_socket(struct job *job)
{
	/* Protocol 0: nothing comes before the bind. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? -errno : 0;

	if (error == -EPERM)
		return refuse(job, error,
			      "packet sockets are not permitted: run weftd as root or with "
			      "CAP_NET_RAW");
	if (error < 0)
		return refuse(job, error, "cannot open a packet socket: %s", strerror(-error));
	error = find_interface(job, fd);
	if (error == 0) {
		error = set_shape(job, fd);
		if (error == 0)
			error = start(job, fd);
		if (error < 0)
			refuse(job, error, "cannot listen on interface %s: %s", job->spec->ifname,
			       strerror(-error));
	}
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

/* --- the holder of the UDP port --- */

static int bind_holder(const struct job *job, int fd)
{
	struct sockaddr_in address4 = {.sin_family = AF_INET,
				       .sin_port = htons(job->vtep.udp_port)};
	struct sockaddr_in6 address6 = {.sin6_family = AF_INET6,
					.sin6_port = htons(job->vtep.udp_port)};
	bool is_ipv4 = job->vtep.family == AF_INET;
	const void *any = is_ipv4 ? (const void *)&address4 : (const void *)&address6;
	struct sock_filter code[UPLINK_FILTER_MAX];
	int error = attach_filter(fd, code, uplink_filter_none(code));

	memcpy(&address4.sin_addr, job->vtep.address, sizeof(address4.sin_addr));
	memcpy(&address6.sin6_addr, job->vtep.address, sizeof(address6.sin6_addr));
	if (error == 0 && bind(fd, any, is_ipv4 ? sizeof(address4) : sizeof(address6)) < 0)
		error = -errno;
	return error;
}

static int refuse_holder(struct job *job, int error)
{
	const struct uplink_device_spec *spec = job->spec;

	if (error == -EADDRINUSE)
		return refuse(
			job, error,
			"UDP port %u of %s is taken, by a VXLAN device of the kernel (ip link "
			"show type vxlan) or another program (ss -ulnp): remove that, or use "
			"another vxlan_port on all hosts",
			spec->vxlan_port, spec->vtep);
	if (error == -EACCES)
		return refuse(
			job, error,
			"UDP port %u is not permitted: run weftd as root, or use a vxlan_port "
			"of 1024 or more on all hosts",
			spec->vxlan_port);
	return refuse(job, error, "cannot hold UDP port %u of %s: %s", spec->vxlan_port, spec->vtep,
		      strerror(-error));
}

static int open_holder(struct job *job)
{
	int fd = job->spec->holder_fd >= 0
			 ? fcntl(job->spec->holder_fd, F_DUPFD_CLOEXEC, 0)
			 : socket(job->vtep.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? -errno : 0;

	if (error == 0 && job->spec->holder_fd < 0)
		error = bind_holder(job, fd);
	if (error == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return refuse_holder(job, error);
}

/* --- all of it --- */

static int open_all(struct job *job, int *fds, unsigned int *n_fds)
{
	int fd, error;

	for (unsigned int i = 0; i < job->spec->n_queues; i++) {
		fd = open_packet_socket(job);
		if (fd < 0)
			return fd;
		fds[(*n_fds)++] = fd;
		error = job->spec->n_queues > 1 ? join_group(fd, fds[0]) : 0;
		if (error < 0)
			return refuse(job, error,
				      "cannot spread %s over %u queues: %s; use queues=1, or bring "
				      "it up first",
				      job->spec->ifname, job->spec->n_queues, strerror(-error));
	}
	error = check_address(job);
	if (error < 0 || job->vtep.family == 0)
		return error;
	fd = open_holder(job);
	if (fd < 0)
		return fd;
	fds[(*n_fds)++] = fd;
	return 0;
}

int uplink_device_create(const struct uplink_device_spec *spec, int *fds, char *why,
			 size_t why_bytes)
{
	struct job job = {.spec = spec, .why = why, .why_bytes = why_bytes};
	unsigned int n_fds = 0;
	int error = check_spec(&job);

	if (error == 0)
		error = open_all(&job, fds, &n_fds);
	for (unsigned int i = 0; error < 0 && i < n_fds; i++)
		close(fds[i]);
	return error;
}

int uplink_device_look(int fd, struct uplink_device_info *info)
{
	struct sockaddr_ll address = {0};
	socklen_t bytes = sizeof(address);
	void *any = &address;
	struct ifreq request = {0};

	*info = (struct uplink_device_info){0};
	/* Of an interface that has gone the kernel says -1, for good. */
	if (getsockname(fd, any, &bytes) < 0 || address.sll_family != AF_PACKET ||
	    address.sll_ifindex <= 0)
		return -ENODEV;
	request.ifr_ifindex = address.sll_ifindex;
	if (ioctl(fd, SIOCGIFNAME, &request) < 0)
		return -ENODEV;
	memcpy(info->ifname, request.ifr_name, sizeof(info->ifname));
	if (ask(fd, info->ifname, SIOCGIFFLAGS, &request) < 0)
		return -ENODEV;
	info->is_up = (request.ifr_flags & IFF_UP) != 0;
	info->has_carrier = (request.ifr_flags & IFF_RUNNING) != 0;
	if (ask(fd, info->ifname, SIOCGIFMTU, &request) < 0)
		return -ENODEV;
	info->mtu_bytes = (uint32_t)request.ifr_mtu;
	return 0;
}

/* Does the UDP socket hold the spec's port? */
static bool is_holder(const struct uplink_device_spec *spec, int fd)
{
	struct job job = {.spec = spec};
	struct sockaddr_storage address = {0};
	socklen_t bytes = sizeof(address);
	const struct sockaddr *shown = (const void *)&address;
	const struct sockaddr_in *shown4 = (const void *)&address;

	/* The port is at the same place in both families. */
	return parse_vtep(&job) == 0 && getsockname(fd, (void *)&address, &bytes) == 0 &&
	       is_address(shown, job.vtep.family, job.vtep.address) &&
	       shown4->sin_port == htons(spec->vxlan_port);
}

bool uplink_device_is_lost(const struct uplink_device_spec *spec, const int *fds)
{
	struct uplink_device_info info;

	return uplink_device_look(fds[0], &info) < 0 || strcmp(info.ifname, spec->ifname) != 0 ||
	       (spec->vtep != NULL && !is_holder(spec, fds[spec->n_queues]));
}

/* One option of a packet socket, -1: it is none. */
static int get_number(int fd, int level, int name)
{
	int value = -1;
	socklen_t bytes = sizeof(value);

	return getsockopt(fd, level, name, &value, &bytes) < 0 ? -1 : value;
}

int uplink_device_check(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (get_number(fd, SOL_SOCKET, SO_DOMAIN) < 0)
		return -ENOTSOCK;
	if (get_number(fd, SOL_SOCKET, SO_DOMAIN) != AF_PACKET ||
	    get_number(fd, SOL_SOCKET, SO_TYPE) != SOCK_RAW ||
	    get_number(fd, SOL_PACKET, PACKET_VERSION) != TPACKET_V2 ||
	    get_number(fd, SOL_PACKET, PACKET_VNET_HDR) != 1 || (flags & O_NONBLOCK) == 0)
		return -EPROTO;
	return 0;
}
