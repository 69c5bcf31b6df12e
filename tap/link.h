/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Settings of network devices by rtnetlink, in this network namespace or in another one.
 *
 * A link_ctx is a netlink socket of one namespace. It holds a reference to it: keep it only as long
 * as the work lasts, or the namespace outlives its deletion. Requests are synchronous and take what
 * the kernel takes: microseconds, or some tens of milliseconds where it waits for a grace period
 * (moves, deletes). One thread at a time for each ctx. Errors are the kernel's own, as -errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define LINK_MAC_BYTES 6
#define LINK_ADDRESS_BYTES_MAX 16
#define LINK_ALIAS_BYTES 96

struct link_ctx;

/* An interface address with the length of its network's prefix. */
struct link_prefix {
	int family;		/* AF_INET or AF_INET6 */
	unsigned int len_bits;
	uint8_t address[LINK_ADDRESS_BYTES_MAX];	/* network order; AF_INET: the first 4 */
};

struct link_info {
	int index;
	uint32_t mtu_bytes;
	bool is_up;		/* administratively */
	uint8_t mac[LINK_MAC_BYTES];
	uint64_t tx_dropped;	/* frames that it was given to send and did not */
	char alias[LINK_ALIAS_BYTES];	/* its beginning, if it is longer; "": none */
};

enum link_admin {
	LINK_ADMIN_KEEP = 0,
	LINK_ADMIN_UP,
	LINK_ADMIN_DOWN,
};

/* What to change: whatever is zero stays as it is. */
struct link_change {
	const uint8_t *mac;	/* LINK_MAC_BYTES */
	const char *ifname;	/* new name; while it is up, from Linux 6.2 on (else -EBUSY) */
	const char *alias;	/* a remark that `ip link` shows */
	uint32_t mtu_bytes;
	enum link_admin admin;
};

/* What the kernel takes as a device's name, and no "%", which it would replace by a number. */
bool link_name_is_valid(const char *ifname);

/*
 * "10.0.1.2/24", "fd00::2/64": an address that an interface can have, and its prefix length, from 1
 * on; nothing before, between or after. 0, -EINVAL (anything else), -EADDRNOTAVAIL (no address of a
 * host: unspecified, loopback, multicast, or the network or broadcast address of its own prefix).
 */
int link_parse_prefix(const char *text, struct link_prefix *prefix);

bool link_is_same_prefix(const struct link_prefix *a, const struct link_prefix *b);

/* One component of a path, of at most 63 characters, and not dots alone. */
bool link_netns_name_is_valid(const char *name);

/*
 * A descriptor of the namespace that `ip netns` calls `name`; NULL: the calling thread's own. 0 or
 * above, -EINVAL (not a name), -ENOENT (no such namespace), -ESTALE (a file without a namespace,
 * which a deletion left), -errno.
 */
int link_netns_open(const char *name);

/* What stat() says of the file that stands for that namespace, without opening it. 0 or -errno. */
int link_netns_stat(const char *name, struct stat *status);

/* Runs fn with the calling thread in the namespace of netns_fd; the thread is back when this
 * returns. What fn returned, or -errno. */
int link_visit(int netns_fd, int (*fn)(void *arg), void *arg);

/*
 * Opens a netlink socket in the namespace of netns_fd (-1: the calling thread's own). Only the
 * calling thread visits the namespace, and it is back when this returns.
 */
int link_open(int netns_fd, struct link_ctx **ctx);
void link_close(struct link_ctx *ctx);	/* NULL is legal */

/* 0, or -ENODEV: there is no such device here. */
int link_find(struct link_ctx *ctx, const char *ifname, struct link_info *info);

/* Calls fn for every device, or every address (is_ours: weft set it), of the namespace, until it
 * returns an error; that, 0, or the kernel's error. When others change something meanwhile the list
 * begins anew, so one may come twice. */
int link_list(struct link_ctx *ctx,
	      int (*fn)(void *arg, const char *ifname, const struct link_info *info), void *arg);
int link_list_addresses(struct link_ctx *ctx,
			int (*fn)(void *arg, int index, const struct link_prefix *prefix,
				  bool is_ours),
			void *arg);

int link_set(struct link_ctx *ctx, int index, const struct link_change *change);

/*
 * Moves a device that is down into another namespace and renames it in the same request, so that
 * the new name never exists here. On an error (-EEXIST: the name is taken there) the device may be
 * there already, under its old name.
 */
int link_move(struct link_ctx *ctx, int index, int netns_fd, const char *ifname);

int link_delete(struct link_ctx *ctx, int index);

/*
 * Makes *wanted (NULL: none) the only address of weft on the device. Addresses that others set
 * stay: ours carry a protocol tag (IFA_PROTO, Linux 5.18; on older kernels a former address of ours
 * stays too). An IPv6 address is usable at once: no duplicate address detection.
 */
int link_set_address(struct link_ctx *ctx, int index, const struct link_prefix *wanted);

/* Does the device have this address, whoever set it? 1, 0 or -errno. */
int link_has_address(struct link_ctx *ctx, int index, const struct link_prefix *wanted);
