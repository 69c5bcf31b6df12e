/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel tap descriptors: TUNSETIFF and what goes with it. Any thread. */
#include "tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "tap/link.h"

#define TUN_PATH "/dev/net/tun"
#ifndef IFF_BACKPRESSURE
#define IFF_BACKPRESSURE 0x0080 /* linux/if_tun.h from Linux 7.2 on */
#endif
#define TUN_DEVICE makedev(10, 200) /* fixed numbers: Linux, admin-guide/devices.txt */

/* Settings of the device and of this descriptor, once TUNSETIFF joined the two. */
static int set_shape(int fd)
{
	int header_bytes = TAP_HEADER_BYTES;
	int is_little_endian = 1; /* as virtio 1.0 has it, whatever the host is */
	unsigned long offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	if (ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) < 0 ||
	    ioctl(fd, TUNSETVNETLE, &is_little_endian) < 0 ||
	    ioctl(fd, TUNSETOFFLOAD, offloads) < 0)
		return -errno;
	return 0;
}

/* Frames wait in the device's queueing discipline while nobody takes them, in place of being
 * dropped: where the kernel can do that it has to be asked to. */
static short flags_offered(int fd)
{
	unsigned int features;

	return ioctl(fd, TUNGETFEATURES, &features) == 0 ? (short)(features & IFF_BACKPRESSURE) : 0;
}

static int open_queue(struct ifreq *request)
{
	int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	request->ifr_flags |= flags_offered(fd);
	error = ioctl(fd, TUNSETIFF, request) < 0 ? -errno : set_shape(fd);
	if (error < 0) {
		close(fd);
		return error;
	}
	return fd;
}

int tap_open(const char *ifname, unsigned int n_queues, bool must_be_new, int *fds,
	     char made[IF_NAMESIZE])
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

	if (n_queues == 0 || n_queues > TAP_QUEUES_MAX)
		return -EINVAL;
	if (ifname[0] == '\0' || strlen(ifname) >= sizeof(request.ifr_name))
		return -EINVAL;
	memcpy(request.ifr_name, ifname, strlen(ifname));
	if (n_queues > 1)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	if (must_be_new)
		request.ifr_flags |= IFF_TUN_EXCL;
	for (unsigned int i = 0; i < n_queues; i++) {
		fds[i] = open_queue(&request);
		/* One that is there may be made for several queues, whether or not we want them. */
		if (fds[i] == -EINVAL && n_queues == 1 && !must_be_new) {
			request.ifr_flags |= IFF_MULTI_QUEUE;
			fds[i] = open_queue(&request);
		}
		if (fds[i] < 0) {
			tap_close(fds, i);
			return fds[i];
		}
		/* The kernel wrote the real name; the other queues join that very device. */
		request.ifr_flags &= ~IFF_TUN_EXCL;
	}
	memcpy(made, request.ifr_name, IF_NAMESIZE);
	return 0;
}

void tap_close(const int *fds, unsigned int n_queues)
{
	for (unsigned int i = 0; i < n_queues; i++)
		close(fds[i]);
}

int tap_set_persist(int fd, bool is_persistent)
{
	return ioctl(fd, TUNSETPERSIST, (unsigned long)is_persistent) < 0 ? -errno : 0;
}

int tap_check(int fd, char ifname[IF_NAMESIZE])
{
	/* Not IFF_NO_PI: in the kernel's answer that bit is IFF_NOFILTER, which has its value. */
	const short flags = IFF_TAP | IFF_VNET_HDR;
	struct ifreq request = {0};
	struct stat status;
	int header_bytes, is_little_endian, file_flags;

	/* The same ioctl number means something else to another driver: ask only the right one. */
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISCHR(status.st_mode) || status.st_rdev != TUN_DEVICE)
		return -ENOTTY;
	file_flags = fcntl(fd, F_GETFL);
	if (file_flags < 0 || ioctl(fd, TUNGETIFF, &request) < 0 ||
	    ioctl(fd, TUNGETVNETHDRSZ, &header_bytes) < 0 ||
	    ioctl(fd, TUNGETVNETLE, &is_little_endian) < 0)
		return -errno;
	if ((request.ifr_flags & flags) != flags || header_bytes != TAP_HEADER_BYTES ||
	    !is_little_endian || !(file_flags & O_NONBLOCK))
		return -EPROTO;
	memcpy(ifname, request.ifr_name, IF_NAMESIZE);
	return 0;
}

int tap_netns_open(int fd)
{
	int netns_fd = ioctl(fd, TUNGETDEVNETNS);

	return netns_fd < 0 ? -errno : netns_fd;
}

int tap_count_lost(int fd, bool is_here, uint64_t *frames)
{
	struct link_info info;
	struct link_ctx *ctx;
	char ifname[IF_NAMESIZE];
	int error = tap_check(fd, ifname);

	if (error < 0)
		return error;
	int netns_fd = is_here ? -1 : tap_netns_open(fd);
	if (!is_here && netns_fd < 0)
		return netns_fd;
	error = link_open(netns_fd, &ctx);
	if (netns_fd >= 0)
		close(netns_fd);
	if (error < 0)
		return error;
	error = link_find(ctx, ifname, &info);
	link_close(ctx);
	*frames = error == 0 ? info.tx_dropped : 0;
	return error;
}
