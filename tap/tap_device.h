/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tap port's device, whole: made, named, moved into its namespace, addressed and brought up in
 * one call that leaves nothing behind when it fails. Used by weftd; one thread.
 *
 * IPv6 stays as the kernel has it: the device gets a link-local address when it comes up, so the
 * kernel sends router solicitations and MLD reports by itself. To have none of that in a namespace,
 * set net.ipv6.conf.default.disable_ipv6=1 there before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tap/link.h"

struct tap_device_spec {
	const char *ifname;
	const char *netns;	/* as in `ip netns`; NULL: the caller's own */
	const char *ip;		/* "10.0.1.2/24" or "fd00::2/64"; NULL: none */
	const char *alias;	/* remark in `ip link`; NULL: none */
	uint8_t mac[LINK_MAC_BYTES];	/* zero: the kernel's choice */
	uint16_t mtu_bytes;	/* 0: the kernel's choice, 1500 */
	uint16_t n_queues;
	bool is_foreign;	/* somebody else made it, and removes it */
	bool is_persistent;	/* of ours: stays when its last descriptor is closed */
};

/*
 * Is the spec sound by itself, without a look at the host? 0 or -EINVAL. Here and below: on an
 * error `why` receives one line that says what is wrong and what to do.
 */
int tap_device_validate(const struct tap_device_spec *spec, char *why, size_t why_bytes);

/*
 * Makes the device, or attaches to a foreign one, or to a persistent one that its alias shows to be
 * this very device; fds receives spec->n_queues descriptors (tap.h says of which shape). A device
 * that was made, unless it is persistent, is gone once all of them are closed. 0: made, 1: it was
 * there, or -errno.
 *
 * To be attached to in a namespace costs: the descriptor holds the namespace, which cannot go, even
 * deleted, before it is closed. tap_device_is_lost() tells when.
 */
int tap_device_create(const struct tap_device_spec *spec, int *fds, char *why, size_t why_bytes);

/* To be called before the last descriptor is closed, if the device is not to stay. */
void tap_device_release(const struct tap_device_spec *spec, int fd);

/*
 * Is the device behind fd gone, or left behind in a namespace that was deleted and made anew under
 * the spec's name? While no namespace has that name, a device in use there stays, unless it is one
 * whose descriptor may be what holds the namespace.
 */
bool tap_device_is_lost(const struct tap_device_spec *spec, int fd);

/*
 * Gives the device behind fd (any of its descriptors) the spec's name, address, MAC, MTU and alias
 * and brings it up; what is so already is left alone, so it can be called at any time. 0 or -errno:
 * -ENODEV (the device is gone), -ESTALE (it is in another namespace: make it anew).
 * After another error some settings may be the new ones: call it again, with the old spec or this.
 */
int tap_device_update(const struct tap_device_spec *spec, int fd, char *why, size_t why_bytes);

/* Of that, only whether the device stays when nobody has it any more. */
int tap_device_keep(const struct tap_device_spec *spec, int fd);

/*
 * What others have changed of the device behind fd, one phrase for each, as "it is down; mtu is
 * 1400, not 1500"; "" if it is as the spec has it. 0 or -errno, as above.
 */
int tap_device_compare(const struct tap_device_spec *spec, int fd, char *drift, size_t bytes);
