/* SPDX-License-Identifier: BSD-3-Clause */
/* Options of vhost-user ports: network cards of KVM guests. */
#include "dataplane/api/kinds.h"

/* clang-format off */
static const struct option_def options[] = {
	{.key = "socket", .kind = OPTION_TEXT, .user = OPTION_FOR_DATAPLANE, .value = "",
	 .min = 2, .max = 98,
	 .help = "absolute path of the Unix socket; default: RUN-DIR/vhost/NAME.sock"},
	{.key = "mode", .kind = OPTION_CHOICE, .user = OPTION_FOR_DATAPLANE, .value = "server",
	 .choices = "server|client",
	 .help = "server: weft listens at the socket and QEMU connects; client: QEMU listens "
		 "(server=on,wait=off) and weft connects, again and again"},
	{.key = "owner", .kind = OPTION_TEXT, .user = OPTION_FOR_DATAPLANE, .value = NULL,
	 .min = 1, .max = 32,
	 .help = "user (name or number) that the front-end must run as; root always may"},
	{.key = "offload", .kind = OPTION_BOOL, .user = OPTION_FOR_DATAPLANE, .value = "on",
	 .help = "offer checksum and segmentation offloads (TSO) to the guest; it takes what was "
		 "offered when it started, so restart it after a change"},
	{.key = "migrate", .kind = OPTION_BOOL, .user = OPTION_FOR_DATAPLANE, .value = "on",
	 .help = "offer live migration of the guest (a log of the pages that weft writes); off: "
		 "QEMU refuses to migrate it"},
	{.key = "queues", .kind = OPTION_NUMBER, .user = OPTION_FOR_DATAPLANE, .value = "1",
	 .min = 1, .max = PORT_QUEUES_MAX,
	 .help = "pairs of queues at most; the guest uses as many as it enables (ethtool -L), each "
		 "flow stays on one"},
};
/* clang-format on */

const struct port_kind kind_vhost_user = {
	.name = "vhost-user",
	.help = "network card of a KVM guest, through shared memory",
	.options = options,
	.n_options = sizeof(options) / sizeof(options[0]),
};
