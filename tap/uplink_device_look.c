/* SPDX-License-Identifier: BSD-3-Clause */
/* What descriptors of uplinks are, and what has become of their interfaces. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "tap/tap.h"
#include "tap/uplink_device.h"
#include "tap/uplink_xdp.h"

unsigned int uplink_device_holder_at(const struct uplink_device_spec *spec)
{
	return spec->driver == UPLINK_DPDK ? 1 : spec->n_queues;
}

unsigned int uplink_device_count_fds(const struct uplink_device_spec *spec)
{
	return uplink_device_holder_at(spec) + (spec->vtep != NULL ? 1u : 0u) +
	       (spec->driver == UPLINK_AF_XDP ? 2u : 0u);
}

unsigned int uplink_device_held_at(const struct uplink_device_spec *spec)
{
	return spec->driver == UPLINK_AF_XDP ? uplink_device_count_fds(spec) - 2 : 0;
}

/* The packet socket that tells of the interface. */
static unsigned int watcher_at(const struct uplink_device_spec *spec)
{
	return spec->driver == UPLINK_AF_XDP ? uplink_device_count_fds(spec) - 1 : 0;
}

static int ask(int fd, const char *ifname, unsigned long what, struct ifreq *request)
{
	*request = (struct ifreq){0};
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", ifname);
	return ioctl(fd, what, request) < 0 ? -errno : 0;
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

bool uplink_device_is_used(const struct uplink_device_spec *spec, const int *fds)
{
	bool is_used = false;

	for (unsigned int i = 0; i < spec->n_queues && spec->driver == UPLINK_AF_XDP; i++)
		is_used |= uplink_xdp_is_used(fds[i]);
	return is_used;
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
	info->ifindex = request.ifr_ifindex = address.sll_ifindex;
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
	int family = strchr(spec->vtep, ':') != NULL ? AF_INET6 : AF_INET;
	struct sockaddr_storage address = {0};
	socklen_t bytes = sizeof(address);
	const struct sockaddr *shown = (const void *)&address;
	const struct sockaddr_in *shown4 = (const void *)&address;
	uint8_t vtep[16];

	/* The port is at the same place in both families. */
	return inet_pton(family, spec->vtep, vtep) == 1 &&
	       getsockname(fd, (void *)&address, &bytes) == 0 && is_address(shown, family, vtep) &&
	       shown4->sin_port == htons(spec->vxlan_port);
}

/* Is the interface of the descriptors the spec's, still? */
static bool has_interface(const struct uplink_device_spec *spec, const int *fds)
{
	struct uplink_device_info info = {0};
	int error = spec->driver == UPLINK_DPDK ? tap_check(fds[0], info.ifname)
						: uplink_device_look(fds[watcher_at(spec)], &info);

	return error == 0 && strcmp(info.ifname, spec->ifname) == 0;
}

bool uplink_device_is_lost(const struct uplink_device_spec *spec, const int *fds)
{
	return !has_interface(spec, fds) ||
	       (spec->vtep != NULL && !is_holder(spec, fds[uplink_device_holder_at(spec)]));
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
