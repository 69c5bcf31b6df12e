/* SPDX-License-Identifier: BSD-3-Clause */
/* SIOCETHTOOL: ETHTOOL_GLINKSETTINGS, as linux/ethtool.h has it. */
#include "tap/link_speed.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BITS_PER_MBIT 1000000ULL
#define MASKS 3
#define MASK_WORDS_MAX 127 /* that a kernel may have: the length is 8 bits, with a sign */

/* With room behind the head for the masks. */
union settings {
	struct ethtool_link_settings head;
	uint8_t bytes[sizeof(struct ethtool_link_settings) +
		      sizeof(uint32_t) * MASKS * MASK_WORDS_MAX];
};

/* Asked with no room for masks, the kernel says how many words they have: below zero. */
static int ask(int fd, const char *ifname, union settings *settings)
{
	struct ifreq request = {.ifr_data = (void *)settings};

	if (strlen(ifname) >= sizeof(request.ifr_name))
		return -ENODEV;
	memcpy(request.ifr_name, ifname, strlen(ifname));
	for (int round = 0; round < 2; round++) {
		int8_t words = settings->head.link_mode_masks_nwords;

		memset(settings, 0, sizeof(*settings));
		settings->head.cmd = ETHTOOL_GLINKSETTINGS;
		settings->head.link_mode_masks_nwords = (int8_t)-words;
		if (ioctl(fd, SIOCETHTOOL, &request) < 0)
			return -errno;
	}
	return settings->head.link_mode_masks_nwords > 0 ? 0 : -EOPNOTSUPP;
}

int link_speed_read(const char *ifname, uint64_t *speed_bps)
{
	union settings settings = {.head = {.cmd = 0}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int error = ask(fd, ifname, &settings);

	close(fd);
	if (error < 0)
		return error;
	if (settings.head.speed == 0 || settings.head.speed == (uint32_t)SPEED_UNKNOWN)
		return -ENODATA;
	*speed_bps = settings.head.speed * BITS_PER_MBIT;
	return 0;
}
