/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets of an uplink with driver=af_packet: an interface of the host, of which weft takes
 * frames while the kernel keeps it, its addresses, ARP, ND and ICMP. Opened by weftd, which may;
 * polled by the dataplane, which needs no privilege for that. No logging, no state; any thread.
 *
 * Of each receive queue one packet socket: non-blocking, bound to the interface, with a virtio-net
 * header of UPLINK_HEADER_BYTES before each frame, and TPACKET_V2 chosen, in which frames that do
 * not fit a slot of the ring come whole through the socket. The ring itself is made by who polls:
 * its size cannot be asked of a socket, and what a dead process has left in it is of no use.
 *
 * With a tunnel end (VTEP) the sockets take only its VXLAN frames, and a UDP socket behind them in
 * the list holds the port: it takes nothing, and keeps the kernel from answering "port
 * unreachable".
 * Without one they take every frame that others send to the interface, whomever it is for.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLINK_HEADER_BYTES 10 /* struct virtio_net_hdr, host order */
#define UPLINK_QUEUES_MAX 15
#define UPLINK_FDS_MAX (UPLINK_QUEUES_MAX + 1)

struct uplink_device_spec {
	const char *ifname;
	const char *vtep;    /* "10.0.0.1" or "fd00::1", an address of the interface; NULL: none */
	uint16_t vxlan_port; /* with a vtep */
	uint16_t n_queues;
	int holder_fd; /* the port's UDP socket if it is held already; -1: open one */
};

/* What the host says of the interface. */
struct uplink_device_info {
	char ifname[IF_NAMESIZE];
	bool is_up; /* administratively */
	bool has_carrier;
	uint32_t mtu_bytes;
};

/* How many descriptors such a device has: n_queues, and one more with a vtep. */
unsigned int uplink_device_count_fds(const struct uplink_device_spec *spec);

/* Opens them. 0 or -errno with one line in `why` that says what is wrong and what to do; then none
 * stays open. That the interface is down is no error. */
int uplink_device_create(const struct uplink_device_spec *spec, int *fds, char *why,
			 size_t why_bytes);

/* Are the descriptors of such a device not what the spec says: the interface is gone, or another
 * one has its name now, or the port that is held is another? */
bool uplink_device_is_lost(const struct uplink_device_spec *spec, const int *fds);

/* The interface that a packet socket is bound to. 0 or -ENODEV: it is gone. */
int uplink_device_look(int fd, struct uplink_device_info *info);

/* Has the interface this address? 1, 0 or -errno. */
int uplink_device_has_address(const char *ifname, const char *address);

/* Is this descriptor of a packet socket as above? 0, -ENOTSOCK, -EPROTO (of another shape). */
int uplink_device_check(int fd);
