/* SPDX-License-Identifier: BSD-3-Clause */
/* Private namespaces for device tests, and the kernel's view by ioctl, getifaddrs and /proc. */
#include "tests/unit/tap/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETNS_DIR "/run/netns"
#define SELF_NETNS "/proc/thread-self/ns/net"
#define HOME_NETNS "weft-home"	/* the sandbox's own, by name, to come back to */

/* Says whether the sandbox is there: no state of ours, the mount tells. */
static bool is_inside(void)
{
	return access(NETNS_DIR "/" HOME_NETNS, F_OK) == 0;
}

/* Gives the calling thread's network namespace a name. */
static void bind_self(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_return_code(fd, errno);
	close(fd);
	assert_return_code(mount(SELF_NETNS, path, NULL, MS_BIND, NULL), errno);
}

int sandbox_enter(void **state)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		return 0;
	assert_return_code(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), errno);
	assert_return_code(mount("tmpfs", "/run", "tmpfs", 0, NULL), errno);
	assert_return_code(mkdir(NETNS_DIR, 0755), errno);
	bind_self(NETNS_DIR "/" HOME_NETNS);
	return 0;
}

void sandbox_require(void)
{
	if (!is_inside()) {
		print_message("needs root (CAP_SYS_ADMIN) to make network namespaces\n");
		skip();
	}
}

static void visit_fd(int fd)
{
	assert_return_code(setns(fd, CLONE_NEWNET), errno);
	close(fd);
}

void sandbox_add_netns(const char *name)
{
	int home_fd = open(SELF_NETNS, O_RDONLY | O_CLOEXEC);
	char path[128];

	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	assert_return_code(home_fd, errno);
	assert_return_code(unshare(CLONE_NEWNET), errno);
	bind_self(path);
	visit_fd(home_fd);
}

void sandbox_del_netns(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), NETNS_DIR "/%s", name);
	assert_return_code(umount2(path, MNT_DETACH), errno);
	assert_return_code(unlink(path), errno);
}

void sandbox_visit(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), NETNS_DIR "/%s", netns != NULL ? netns : HOME_NETNS);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_return_code(fd, errno);
	visit_fd(fd);
}

bool sandbox_has_link(const char *ifname)
{
	return if_nametoindex(ifname) != 0;
}

unsigned int sandbox_count_links(void)
{
	struct if_nameindex *links = if_nameindex();
	unsigned int count = 0;

	assert_non_null(links);
	while (links[count].if_index != 0)
		count++;
	if_freenameindex(links);
	return count;
}

static struct ifreq ask(const char *ifname, unsigned long what)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	assert_return_code(fd, errno);
	assert_return_code(ioctl(fd, what, &request), errno);
	close(fd);
	return request;
}

int sandbox_mtu(const char *ifname)
{
	return ask(ifname, SIOCGIFMTU).ifr_mtu;
}

unsigned int sandbox_flags(const char *ifname)
{
	return (unsigned short)ask(ifname, SIOCGIFFLAGS).ifr_flags;
}

void sandbox_await_running(const char *ifname)
{
	for (int waited_ms = 0; waited_ms < 20000; waited_ms += 5) {
		if ((sandbox_flags(ifname) & IFF_RUNNING) != 0)
			return;
		poll(NULL, 0, 5);
	}
	fail_msg("%s has no carrier", ifname);
}

void sandbox_mac(const char *ifname, uint8_t mac[6])
{
	struct ifreq request = ask(ifname, SIOCGIFHWADDR);

	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
}

/* The bytes of an address, or NULL: not IP, or link-local. */
static const void *shown_bytes(const struct sockaddr *address)
{
	const void *any = address;

	if (address->sa_family == AF_INET)
		return &((const struct sockaddr_in *)any)->sin_addr;
	if (address->sa_family != AF_INET6 ||
	    IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)any)->sin6_addr))
		return NULL;
	return &((const struct sockaddr_in6 *)any)->sin6_addr;
}

static unsigned int mask_bits(const struct sockaddr *mask, int family)
{
	const void *any = mask;
	const uint8_t *bytes =
		family == AF_INET ? (const void *)&((const struct sockaddr_in *)any)->sin_addr
				  : (const void *)&((const struct sockaddr_in6 *)any)->sin6_addr;
	unsigned int bits = 0;

	for (int i = 0; i < (family == AF_INET ? 4 : 16); i++)
		bits += (unsigned int)__builtin_popcount(bytes[i]);
	return bits;
}

void sandbox_addresses(const char *ifname, char *text, size_t bytes)
{
	struct ifaddrs *all;
	size_t used = 0;

	text[0] = '\0';
	assert_return_code(getifaddrs(&all), errno);
	for (struct ifaddrs *entry = all; entry != NULL; entry = entry->ifa_next) {
		char address[INET6_ADDRSTRLEN];
		const void *raw;

		if (entry->ifa_addr == NULL || strcmp(entry->ifa_name, ifname) != 0)
			continue;
		raw = shown_bytes(entry->ifa_addr);
		if (raw == NULL)
			continue;
		inet_ntop(entry->ifa_addr->sa_family, raw, address, sizeof(address));
		used += (size_t)snprintf(text + used, bytes - used, "%s%s/%u", used ? " " : "",
					 address,
					 mask_bits(entry->ifa_netmask, entry->ifa_addr->sa_family));
		assert_true(used < bytes);
	}
	freeifaddrs(all);
}

unsigned int sandbox_count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}
