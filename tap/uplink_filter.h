/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket filter of a VXLAN underlay: of all that an interface receives, what is for the tunnel
 * end. Classic BPF, run by the kernel on every frame before it costs anything else. Pure.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLINK_FILTER_MAX 32 /* instructions */

/* A tunnel end of this host. */
struct uplink_vtep {
	int family;	     /* AF_INET, AF_INET6 */
	uint8_t address[16]; /* network order; AF_INET: the first 4 */
	uint16_t udp_port;
};

/*
 * Passes frames to this host, without a VLAN tag, of UDP to the address and port. Of a packet in
 * fragments the first one passes, as it alone has ports: whoever takes it counts it. IPv6 with
 * extension headers does not pass: VTEPs send none. Returns the number of instructions.
 */
unsigned int uplink_filter_vxlan(const struct uplink_vtep *vtep,
				 struct sock_filter code[UPLINK_FILTER_MAX]);

/* The same decision here, about a frame whose beginning is in `bytes` bytes; but of its receiver
 * only that it is one host. No options in IPv4's header, as uplink_xdp.h has it. */
bool uplink_filter_is_vxlan(const struct uplink_vtep *vtep, const uint8_t *frame, size_t bytes);

/* Passes nothing. Returns the number of instructions. */
unsigned int uplink_filter_none(struct sock_filter code[UPLINK_FILTER_MAX]);
