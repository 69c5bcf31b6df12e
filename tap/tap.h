/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel tap descriptors: open them in the one shape that weft uses, and check that one received
 * from elsewhere has that shape. No logging, no state; any thread.
 *
 * The shape: one frame per read or write, preceded by a virtio-net header of TAP_HEADER_BYTES
 * (little-endian, struct virtio_net_hdr_mrg_rxbuf); non-blocking; checksum and TSO both ways, so a
 * TCP segment of 64 KiB is one frame. From Linux 7.2 on what the kernel sends waits in the device's
 * queueing discipline while its ring is full; before, it is dropped and counted then. The device
 * lives as long as a descriptor of it is open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <net/if.h>

#define TAP_HEADER_BYTES 12
#define TAP_QUEUES_MAX 16

/*
 * Opens n_queues descriptors of the device `ifname`; one "%d" in it stands for the first free
 * number. A device that is not there is made; one that is there is attached to (by one queue, even
 * if it is made for several), or, with must_be_new, refused. `made` receives the real name. 0 or
 * -errno: -EBUSY (must_be_new and there already, or held by someone else), -EINVAL (a device of
 * another kind or number of queues), -EPERM, -ENOENT (no /dev/net/tun). On an error nothing stays
 * open.
 */
int tap_open(const char *ifname, unsigned int n_queues, bool must_be_new, int *fds,
	     char made[IF_NAMESIZE]);
void tap_close(const int *fds, unsigned int n_queues);

/* Whether the device outlives its last descriptor. 0 or -errno. */
int tap_set_persist(int fd, bool is_persistent);

/*
 * Does this descriptor have the shape above? Offloads and IFF_NO_PI cannot be asked for: whoever
 * sends it is trusted with these. `ifname` receives the device's present name. 0, or -EBADF (not
 * open), -ENOTTY (not a tap), -EBADFD (its device is gone), -EPROTO (a tap of another shape).
 */
int tap_check(int fd, char ifname[IF_NAMESIZE]);

/* Frames that the kernel had for us and dropped, not taken fast enough: since the device
 * was made. is_here: it is in the caller's namespace, for which nobody needs a privilege. 0 or
 * -errno. */
int tap_count_lost(int fd, bool is_here, uint64_t *frames);

/* A new descriptor of the network namespace where the device is now, or -errno. */
int tap_netns_open(int fd);
