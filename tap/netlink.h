/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rtnetlink requests, built attribute by attribute on libnl's message functions: its link and
 * address objects cannot carry all attributes that we need, and fold the kernel's errors. One
 * thread at a time for each socket.
 */
#pragma once

#include <stddef.h>

struct nl_msg;
struct nl_sock;

struct netlink {
	struct nl_sock *socket;
	int error;		/* -errno of the kernel's last refusal: libnl folds it */
};

typedef int (*netlink_reply_fn)(struct nl_msg *reply, void *arg);

/* In the network namespace of the calling thread. 0 or -errno. */
int netlink_open(struct netlink *netlink);
void netlink_close(struct netlink *netlink);

/* A request with its fixed header; NULL: no memory. Attributes follow, then netlink_exchange(). */
struct nl_msg *netlink_request(int type, int flags, const void *header, size_t header_bytes);

/* Asks for one answer, a whole dump or (NLM_F_ACK) an acknowledgement; frees the message. 0 or the
 * kernel's own -errno. */
int netlink_exchange(struct netlink *netlink, struct nl_msg *msg, netlink_reply_fn on_reply,
		     void *arg);

/* For a message that could not be completed. -EMSGSIZE. */
int netlink_give_up(struct nl_msg *msg);
