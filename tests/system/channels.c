/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-channels DEVICE [N]: what `ethtool -l` and `ethtool -L DEVICE combined N` do, for guests
 * without it. Prints the number in use and the largest. Linked statically.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int call(int fd, const char *device, struct ethtool_channels *channels, unsigned int command)
{
	struct ifreq request = {.ifr_data = (void *)channels};

	channels->cmd = command;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (ioctl(fd, SIOCETHTOOL, &request) == 0)
		return 0;
	perror(device);
	return 1;
}

int main(int argc, char **argv)
{
	struct ethtool_channels channels = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: weft-channels DEVICE [N]\n");
		return 2;
	}
	if (fd < 0 || call(fd, argv[1], &channels, ETHTOOL_GCHANNELS) != 0)
		return 1;
	if (argc == 3) {
		channels.combined_count = (unsigned int)atoi(argv[2]);
		if (call(fd, argv[1], &channels, ETHTOOL_SCHANNELS) != 0 ||
		    call(fd, argv[1], &channels, ETHTOOL_GCHANNELS) != 0)
			return 1;
	}
	close(fd);
	printf("%u %u\n", channels.combined_count, channels.max_combined);
	return 0;
}
