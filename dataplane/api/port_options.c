/* SPDX-License-Identifier: BSD-3-Clause */
/* Options that ports of every kind have. All are live: a policy changes under traffic. */
#include "dataplane/api/port_options.h"

/* clang-format off */
const struct option_def port_options[] = {
	{.key = "isolated", .kind = OPTION_BOOL, .live = true, .value = "off",
	 .help = "exchange frames only with ports that are not isolated"},
	{.key = "max_macs", .kind = OPTION_NUMBER, .live = true, .value = "8192",
	 .min = 1, .max = 1048576,
	 .help = "MAC addresses that are learned behind the port at most"},
	{.key = "state", .kind = OPTION_CHOICE, .live = true, .value = "active",
	 .choices = "active|blocked|standby|draining",
	 .help = "blocked: no frame passes; standby: the same, its machine is expected; draining: "
		 "its machine leaves, nothing is learned or flooded to it any more"},
};
/* clang-format on */

const size_t port_options_count = sizeof(port_options) / sizeof(port_options[0]);
