/* SPDX-License-Identifier: BSD-3-Clause */
/* rtnetlink requests and what the kernel says to them. */
#include "tap/netlink.h"

#include <errno.h>
#include <stdint.h>

#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

/* NL_CB_ERR handler: keeps the kernel's errno before libnl translates it. */
static int keep_error(struct sockaddr_nl *from, struct nlmsgerr *refusal, void *arg)
{
	struct netlink *netlink = arg;

	netlink->error = refusal->error;
	return NL_STOP;
}

static int from_nl(const struct netlink *netlink, int nl_error)
{
	if (nl_error >= 0)
		return 0;
	if (netlink->error < 0)
		return netlink->error;
	switch (-nl_error) {
	case NLE_DUMP_INTR:
		return -EINTR;
	case NLE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

int netlink_open(struct netlink *netlink)
{
	int error;

	*netlink = (struct netlink){.socket = nl_socket_alloc()};
	if (netlink->socket == NULL)
		return -ENOMEM;
	/* Every request says itself what ends its answer, see netlink_exchange(). */
	nl_socket_disable_auto_ack(netlink->socket);
	nl_socket_modify_err_cb(netlink->socket, NL_CB_CUSTOM, keep_error, netlink);
	error = nl_connect(netlink->socket, NETLINK_ROUTE);
	if (error < 0)
		netlink_close(netlink);
	return from_nl(netlink, error);
}

void netlink_close(struct netlink *netlink)
{
	nl_socket_free(netlink->socket);
	netlink->socket = NULL;
}

struct nl_msg *netlink_request(int type, int flags, const void *header, size_t header_bytes)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	/* libnl only reads the header, but its parameter is not const. */
	if (msg == NULL ||
	    nlmsg_append(msg, (void *)(uintptr_t)header, header_bytes, NLMSG_ALIGNTO) == 0)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

int netlink_exchange(struct netlink *netlink, struct nl_msg *msg, netlink_reply_fn on_reply,
		     void *arg)
{
	int error;

	nl_socket_modify_cb(netlink->socket, NL_CB_VALID, on_reply ? NL_CB_CUSTOM : NL_CB_DEFAULT,
			    on_reply, arg);
	netlink->error = 0;
	error = nl_send_auto(netlink->socket, msg);
	if (error >= 0)
		error = nl_recvmsgs_default(netlink->socket);
	nlmsg_free(msg);
	return from_nl(netlink, error);
}

int netlink_give_up(struct nl_msg *msg)
{
	nlmsg_free(msg);
	return -EMSGSIZE;
}
