/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets of an uplink: packet(7) and AF_XDP, step by step, with errors put into words. */
#include "tap/uplink_device.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/if_xdp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap/link.h"
#include "tap/tap.h"
#include "tap/tap_device.h"
#include "tap/uplink_filter.h"
#include "tap/uplink_xdp.h"

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

/* So many that all descriptors go with one message. */
static unsigned int max_queues(const struct uplink_device_spec *spec)
{
	unsigned int others = uplink_device_count_fds(spec) - uplink_device_holder_at(spec);

	return others == 0 ? UPLINK_QUEUES_MAX : UPLINK_FDS_MAX - others;
}

static int check_spec(struct job *job)
{
	const struct uplink_device_spec *spec = job->spec;

	if (!link_name_is_valid(spec->ifname))
		return refuse(job, -EINVAL, "ifname %.32s cannot name a network interface",
			      spec->ifname);
	if (spec->n_queues == 0 || spec->n_queues > max_queues(spec))
		return refuse(job, -EINVAL, "%u queues: an uplink takes 1 to %u", spec->n_queues,
			      max_queues(spec));
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

	/* A companion tap is there before its address is. */
	if (error == 0 && job->spec->driver == UPLINK_DPDK)
		error = is_ipv4 ? set_number(fd, IPPROTO_IP, IP_FREEBIND, 1)
				: set_number(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);

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

/* --- AF_XDP --- */

/* Takes no frame; of a trunk it makes the interface take those to anyone. */
static int open_watcher(struct job *job)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_ll address = {.sll_family = AF_PACKET};
	const void *any = &address;
	int error = fd < 0 ? refuse(job, -errno, "cannot open a packet socket: %s", strerror(errno))
			   : find_interface(job, fd);

	address.sll_ifindex = job->ifindex;
	if (error == 0 && (bind(fd, any, sizeof(address)) < 0 ||
			   (job->vtep.family == 0 && listen_to_all(fd, job->ifindex) < 0)))
		error = refuse(job, -errno, "cannot watch interface %s: %s", job->spec->ifname,
			       strerror(errno));
	if (error == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return error;
}

static int open_xdp_sockets(struct job *job, int watcher_fd, int *fds, unsigned int *n_fds)
{
	const struct uplink_device_spec *spec = job->spec;
	unsigned int n = uplink_xdp_count_queues(watcher_fd, spec->ifname);
	struct uplink_device_info info;

	if (uplink_device_look(watcher_fd, &info) == 0 && info.mtu_bytes > UPLINK_XDP_MTU_MAX)
		return refuse(
			job, -EINVAL,
			"interface %s has an MTU of %u, and driver=af_xdp carries %u at most: "
			"use driver=af_packet, or ip link set %s mtu %u",
			spec->ifname, info.mtu_bytes, UPLINK_XDP_MTU_MAX, spec->ifname,
			UPLINK_XDP_MTU_MAX);

	if (n != spec->n_queues)
		return refuse(job, -EINVAL,
			      "interface %s has %u receive queues, and driver=af_xdp takes all of "
			      "them or misses frames: use queues=%u, or ethtool -L %s combined %u",
			      spec->ifname, n, n, spec->ifname, spec->n_queues);
	while (*n_fds < spec->n_queues) {
		int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return refuse(job, -errno,
				      "cannot open a socket of AF_XDP: %s; use driver=af_packet",
				      strerror(errno));
		fds[(*n_fds)++] = fd;
	}
	return 0;
}

static int load_program(const struct job *job, const int *fds)
{
	int fd = uplink_xdp_load(job->vtep.family != 0 ? &job->vtep : NULL, fds,
				 job->spec->n_queues);

	if (fd < 0)
		refuse(job, fd,
		       "the kernel does not take the XDP program: %s; run weftd as root or with "
		       "CAP_BPF and CAP_NET_ADMIN, or use driver=af_packet",
		       strerror(-fd));
	return fd;
}

/* Another descriptor of what is held. */
static int copy_held(const struct job *job)
{
	int fd = fcntl(job->spec->held_fd, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? refuse(job, -errno, "no descriptor is left: raise ulimit -n") : fd;
}

static int open_link(const struct job *job, const int *fds)
{
	if (job->spec->held_fd >= 0)
		return copy_held(job);
	int program_fd = load_program(job, fds);
	int fd = program_fd < 0 ? program_fd : uplink_xdp_attach(program_fd, job->ifindex);

	if (program_fd >= 0)
		close(program_fd);
	if (program_fd >= 0 && fd == -EBUSY)
		refuse(job, fd,
		       "interface %s has an XDP program of somebody else: ip link set %s xdp off "
		       "takes it away, or use driver=af_packet",
		       job->spec->ifname, job->spec->ifname);
	else if (program_fd >= 0 && fd < 0)
		refuse(job, fd, "interface %s takes no XDP program: %s; use driver=af_packet",
		       job->spec->ifname, strerror(-fd));
	return fd;
}

int uplink_device_load(const struct uplink_device_spec *spec, const int *fds, char *why,
		       size_t why_bytes)
{
	struct job job = {.spec = spec, .why = why, .why_bytes = why_bytes};
	int error = parse_vtep(&job);

	return error < 0 ? error : load_program(&job, fds);
}

int uplink_device_switch(const struct uplink_device_spec *spec, const int *fds, int program_fd)
{
	return uplink_xdp_switch(fds[uplink_device_held_at(spec)], program_fd);
}

/* --- DPDK --- */

/* Frames go to it from a card and from it to one: whole, as that has them. */
static int open_companion(const struct job *job)
{
	struct tap_device_spec spec = {.ifname = job->spec->ifname,
				       .n_queues = 1,
				       .alias = "weft: companion of an uplink"};
	int fd = -1;

	if (job->spec->held_fd >= 0)
		return copy_held(job);
	int error = tap_device_create(&spec, &fd, job->why, job->why_bytes);

	if (error < 0)
		return error;
	if (ioctl(fd, TUNSETOFFLOAD, 0UL) == 0)
		return fd;
	refuse(job, -errno, "cannot set up tap %s: %s", spec.ifname, strerror(errno));
	close(fd);
	return -EIO;
}

/* --- all of it --- */

static int open_packet_sockets(struct job *job, int *fds, unsigned int *n_fds)
{
	for (unsigned int i = 0; i < job->spec->n_queues; i++) {
		int fd = open_packet_socket(job);

		if (fd < 0)
			return fd;
		fds[(*n_fds)++] = fd;
		int error = job->spec->n_queues > 1 ? join_group(fd, fds[0]) : 0;

		if (error < 0)
			return refuse(job, error,
				      "cannot spread %s over %u queues: %s; use queues=1, or bring "
				      "it up first",
				      job->spec->ifname, job->spec->n_queues, strerror(-error));
	}
	return 0;
}

/* Adds a descriptor, or an error. */
static int keep(int fd, int *fds, unsigned int *n_fds)
{
	if (fd < 0)
		return fd;
	fds[(*n_fds)++] = fd;
	return 0;
}

/* What comes before the UDP socket; and behind it. watcher_fd: with AF_XDP. */
static int open_first(struct job *job, int watcher_fd, int *fds, unsigned int *n_fds)
{
	if (job->spec->driver == UPLINK_DPDK)
		return keep(open_companion(job), fds, n_fds);
	int error = watcher_fd >= 0 ? open_xdp_sockets(job, watcher_fd, fds, n_fds)
				    : open_packet_sockets(job, fds, n_fds);

	return error == 0 ? check_address(job) : error;
}

static int open_all(struct job *job, int *fds, unsigned int *n_fds)
{
	bool is_xdp = job->spec->driver == UPLINK_AF_XDP;
	int watcher_fd = is_xdp ? open_watcher(job) : -1;
	int error = is_xdp && watcher_fd < 0 ? watcher_fd : open_first(job, watcher_fd, fds, n_fds);

	if (error == 0 && job->vtep.family != 0)
		error = keep(open_holder(job), fds, n_fds);
	if (error == 0 && is_xdp)
		error = keep(open_link(job, fds), fds, n_fds);
	if (error == 0 && is_xdp)
		return keep(watcher_fd, fds, n_fds);
	if (watcher_fd >= 0)
		close(watcher_fd);
	return error;
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
