/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets of an uplink: an interface of the host, of which weft takes frames while the kernel
 * keeps it, its addresses, ARP, ND and ICMP. Opened by weftd, which may; polled by the dataplane,
 * which needs no privilege for that. No logging, no state; any thread.
 *
 * AF_PACKET: of each receive queue one packet socket: non-blocking, bound to the interface, with
 * a virtio-net header of UPLINK_HEADER_BYTES before each frame, and TPACKET_V2 chosen, in which
 * frames that do not fit a slot of the ring come whole through the socket. The ring itself is
 * made by who polls: its size cannot be asked of a socket, and what a dead process has left in
 * it is of no use.
 *
 * With a tunnel end (VTEP) the sockets take only its VXLAN frames, and a UDP socket behind them in
 * the list holds the port: it takes nothing, and keeps the kernel from answering "port
 * unreachable".
 * Without one they take every frame that others send to the interface, whomever it is for.
 *
 * AF_XDP: of each receive queue of the interface one socket of AF_XDP, neither given memory nor
 * bound: who polls does that. Then the UDP socket as above, then the link of the program that gives
 * the sockets their frames (uplink_xdp.h), then a packet socket that takes nothing: it tells of the
 * interface, and keeps that of a trunk promiscuous.
 *
 * DPDK: the dataplane has the interface to itself, and what is not weft's goes to and comes from a
 * tap that is made here under the name: the kernel has its address there, ARP, ND and ICMP. One
 * descriptor of the tap (tap.h), without offloads, then the UDP socket.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLINK_HEADER_BYTES 10 /* struct virtio_net_hdr, host order */
#define UPLINK_QUEUES_MAX 15
#define UPLINK_FDS_MAX (UPLINK_QUEUES_MAX + 1)
#define UPLINK_XDP_MTU_MAX                                                                         \
	3818 /* a frame lies in one page, behind the kernel's 256 bytes of room */

/* How frames come and go; in the order of the option's words. */
enum uplink_device_driver {
	UPLINK_AF_PACKET,
	UPLINK_AF_XDP,
	UPLINK_DPDK,
};

struct uplink_device_spec {
	enum uplink_device_driver driver;
	const char *ifname;
	const char *vtep;    /* "10.0.0.1" or "fd00::1", an address of the interface; NULL: none */
	uint16_t vxlan_port; /* with a vtep */
	uint16_t n_queues;
	int holder_fd; /* the port's UDP socket if it is held already; -1: open one */
	int held_fd; /* AF_XDP: the interface's link, DPDK: its tap, if that is held already; -1 */
};

/* What the host says of the interface. */
struct uplink_device_info {
	char ifname[IF_NAMESIZE];
	bool is_up; /* administratively */
	bool has_carrier;
	int ifindex;
	uint32_t mtu_bytes;
};

/* How many descriptors such a device has. */
unsigned int uplink_device_count_fds(const struct uplink_device_spec *spec);

/* Which of them is the UDP socket, with a vtep; and what may be a held_fd: of AF_XDP the link, of
 * DPDK the tap. */
unsigned int uplink_device_holder_at(const struct uplink_device_spec *spec);
unsigned int uplink_device_held_at(const struct uplink_device_spec *spec);

/* Opens them. 0 or -errno with one line in `why` that says what is wrong and what to do; then none
 * stays open. That the interface is down is no error. */
int uplink_device_create(const struct uplink_device_spec *spec, int *fds, char *why,
			 size_t why_bytes);

/* Are the descriptors of such a device not what the spec says: the interface is gone, or another
 * one has its name now, or the port that is held is another? */
bool uplink_device_is_lost(const struct uplink_device_spec *spec, const int *fds);

/* AF_XDP, made with a held_fd: the program of these descriptors, which is not attached yet. Its
 * descriptor or -errno with one line in `why`. uplink_device_switch() attaches it, to the link that
 * is among them. 0 or -errno. */
int uplink_device_load(const struct uplink_device_spec *spec, const int *fds, char *why,
		       size_t why_bytes);
int uplink_device_switch(const struct uplink_device_spec *spec, const int *fds, int program_fd);

/* Has a process that is gone, or a port that is, used the descriptors in a way that nobody can
 * repeat? Never with AF_PACKET. */
bool uplink_device_is_used(const struct uplink_device_spec *spec, const int *fds);

/* The interface that a packet socket is bound to. 0 or -ENODEV: it is gone. */
int uplink_device_look(int fd, struct uplink_device_info *info);

/* Has the interface this address? 1, 0 or -errno. */
int uplink_device_has_address(const char *ifname, const char *address);

/* Is this descriptor of a packet socket as above? 0, -ENOTSOCK, -EPROTO (of another shape). */
int uplink_device_check(int fd);
