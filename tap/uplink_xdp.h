/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program of an uplink with driver=af_xdp: of all that an interface receives it gives
 * weft's sockets what is weft's, and leaves the rest to the kernel. Loaded and attached by bpf(2);
 * no logging, no state; any thread.
 *
 * The program stays attached as long as a descriptor of its link is open: nothing has to be cleaned
 * up after a process that died. A frame of a queue that has no socket goes to the kernel.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "tap/uplink_filter.h"

#define UPLINK_XDP_CODE_MAX 48 /* instructions */

/*
 * With a VTEP: takes what uplink_filter_vxlan() passes, but of IPv4 only headers without options:
 * VTEPs send none. NULL: a VLAN trunk; takes what has a VLAN tag. map_fd: of sockets, by receive
 * queue. Returns the number of instructions. Pure.
 */
unsigned int uplink_xdp_write(const struct uplink_vtep *vtep, int map_fd,
			      struct bpf_insn code[UPLINK_XDP_CODE_MAX]);

/* How many receive queues the interface has; drivers that cannot say have one. fd: any packet
 * socket. */
unsigned int uplink_xdp_count_queues(int fd, const char *ifname);

/* Loads such a program for these sockets of AF_XDP, one for each receive queue. Its descriptor, or
 * -errno. */
int uplink_xdp_load(const struct uplink_vtep *vtep, const int *sockets, unsigned int n_sockets);

/* Attaches it to an interface. The descriptor of the link, or -errno (-EBUSY: the interface has an
 * XDP program already). */
int uplink_xdp_attach(int program_fd, int ifindex);

/* Puts another program in the place of the attached one, no frame between them. 0 or -errno. */
int uplink_xdp_switch(int link_fd, int program_fd);

/* Has the socket of AF_XDP been given memory before? Then no one can use it but who did so. */
bool uplink_xdp_is_used(int socket_fd);
