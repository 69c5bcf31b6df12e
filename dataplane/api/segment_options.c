/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of segments. All are live: they change under traffic. */
#include "dataplane/api/segment_options.h"

#define ACTIONS "flood|drop" /* enum segment_action */

/* clang-format off */
static const struct option_def rows[] = {
	{.key = "unknown", .kind = OPTION_CHOICE, .live = true, .value = "flood",
	 .choices = ACTIONS,
	 .help = "unicast to an address that nobody has: flood it, or drop it"},
	{.key = "broadcast", .kind = OPTION_CHOICE, .live = true, .value = "flood",
	 .choices = ACTIONS,
	 .help = "broadcast: without it guests need static ARP entries"},
	{.key = "multicast", .kind = OPTION_CHOICE, .live = true, .value = "flood",
	 .choices = ACTIONS,
	 .help = "multicast: without it there is no IPv6 neighbour discovery"},
};
/* clang-format on */

const struct option_set segment_options = {.rows = rows, .n_rows = sizeof(rows) / sizeof(rows[0])};
