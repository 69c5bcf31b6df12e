/* SPDX-License-Identifier: BSD-3-Clause */
/* What has become of a kernel's interface, in words. Main. */
#include "dataplane/uplink/interface.h"

#include <stdio.h>

void interface_look(int fd, struct uplink_device_info *info, struct uplink_link *link)
{
	*link = (struct uplink_link){.link = DP_LINK_BROKEN};
	if (uplink_device_look(fd, info) < 0) {
		snprintf(link->reason, sizeof(link->reason), "its interface is gone");
	} else if (!info->is_up) {
		snprintf(link->reason, sizeof(link->reason),
			 "interface %s is down: ip link set %s up", info->ifname, info->ifname);
	} else if (!info->has_carrier) {
		link->link = DP_LINK_DOWN;
		snprintf(link->reason, sizeof(link->reason),
			 "interface %s has no carrier: is its cable plugged in, its other end up?",
			 info->ifname);
	} else {
		link->link = DP_LINK_UP;
	}
}
