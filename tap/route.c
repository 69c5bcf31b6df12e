/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's routes and neighbours by rtnetlink. Any thread. */
#include "tap/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include "tap/netlink.h"

#define NEWS_SOCKET_BYTES (1 << 20) /* a thousand neighbours that change at once */

struct route_ctx {
	struct netlink netlink; /* asks */
	struct nl_sock *news;
};

static int address_bytes(int family)
{
	return family == AF_INET ? 4 : 16;
}

int route_parse_address(const char *text, struct route_address *out)
{
	struct route_address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	struct in6_addr v6;
	bool is_host;

	if (inet_pton(address.family, text, address.bytes) != 1)
		return -EINVAL;
	memcpy(&v6, address.bytes, sizeof(v6));
	if (address.family == AF_INET)
		is_host = address.bytes[0] != 0 && address.bytes[0] != IN_LOOPBACKNET &&
			  address.bytes[0] < 224;
	else
		is_host = !IN6_IS_ADDR_UNSPECIFIED(&v6) && !IN6_IS_ADDR_LOOPBACK(&v6) &&
			  !IN6_IS_ADDR_MULTICAST(&v6) && !IN6_IS_ADDR_V4MAPPED(&v6) &&
			  !IN6_IS_ADDR_LINKLOCAL(&v6);
	if (!is_host)
		return -EINVAL;
	*out = address;
	return 0;
}

bool route_is_same_address(const struct route_address *a, const struct route_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static int open_news(struct route_ctx *ctx)
{
	ctx->news = nl_socket_alloc();
	if (ctx->news == NULL)
		return -ENOMEM;
	nl_socket_disable_seq_check(ctx->news);
	if (nl_connect(ctx->news, NETLINK_ROUTE) < 0 ||
	    nl_socket_add_memberships(ctx->news, RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR,
				      RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
				      RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, 0) < 0 ||
	    nl_socket_set_nonblocking(ctx->news) < 0)
		return -EIO;
	/* Best effort: what does not fit is answered by looking at everything again. */
	nl_socket_set_buffer_size(ctx->news, NEWS_SOCKET_BYTES, 0);
	return 0;
}

int route_open(struct route_ctx **out)
{
	struct route_ctx *ctx = calloc(1, sizeof(*ctx));

	if (ctx == NULL)
		return -ENOMEM;
	int error = netlink_open(&ctx->netlink);

	if (error == 0)
		error = open_news(ctx);
	if (error < 0) {
		route_close(ctx);
		return error;
	}
	*out = ctx;
	return 0;
}

void route_close(struct route_ctx *ctx)
{
	if (ctx == NULL)
		return;
	netlink_close(&ctx->netlink);
	nl_socket_free(ctx->news);
	free(ctx);
}

static bool read_address(const struct nlattr *attr, int family, struct route_address *address)
{
	if (attr == NULL || nla_len(attr) != address_bytes(family))
		return false;
	*address = (struct route_address){.family = family};
	nla_memcpy(address->bytes, attr, sizeof(address->bytes));
	return true;
}

/* A gateway of the other family (RFC 5549): IPv4 routes may go by way of an IPv6 neighbour. */
static bool read_via(const struct nlattr *attr, struct route_address *address)
{
	const struct rtvia *via;

	if (attr == NULL || nla_len(attr) < (int)sizeof(*via))
		return false;
	via = nla_data(attr);
	int bytes = nla_len(attr) - (int)sizeof(*via);

	if ((via->rtvia_family != AF_INET && via->rtvia_family != AF_INET6) ||
	    bytes != address_bytes(via->rtvia_family))
		return false;
	*address = (struct route_address){.family = via->rtvia_family};
	memcpy(address->bytes, via->rtvia_addr, (size_t)bytes);
	return true;
}

struct route_answer {
	struct route_hop *hop;
	int type; /* RTN_..., 0: no answer */
};

static int read_route(struct nl_msg *reply, void *arg)
{
	struct route_answer *answer = arg;
	struct nlmsghdr *header = nlmsg_hdr(reply);
	const struct rtmsg *route = nlmsg_data(header);
	struct nlattr *attrs[RTA_MAX + 1], *metrics[RTAX_MAX + 1];

	if (header->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(header, sizeof(*route), attrs, RTA_MAX, NULL) < 0 || attrs[RTA_OIF] == NULL)
		return NL_SKIP;
	answer->type = route->rtm_type;
	answer->hop->ifindex = (int)nla_get_u32(attrs[RTA_OIF]);
	if (!read_address(attrs[RTA_GATEWAY], route->rtm_family, &answer->hop->next))
		read_via(attrs[RTA_VIA], &answer->hop->next);
	if (attrs[RTA_METRICS] != NULL &&
	    nla_parse_nested(metrics, RTAX_MAX, attrs[RTA_METRICS], NULL) == 0 &&
	    metrics[RTAX_MTU] != NULL)
		answer->hop->mtu_bytes = nla_get_u32(metrics[RTAX_MTU]);
	return NL_OK;
}

static int ask_route(struct route_ctx *ctx, const struct route_address *from,
		     const struct route_address *to, struct route_hop *hop)
{
	int bytes = address_bytes(to->family);
	struct rtmsg header = {
		.rtm_family = (unsigned char)to->family,
		.rtm_dst_len = (unsigned char)(bytes * 8),
		.rtm_src_len = (unsigned char)(bytes * 8),
	};
	struct route_answer answer = {.hop = hop};
	struct nl_msg *msg = netlink_request(RTM_GETROUTE, 0, &header, sizeof(header));

	if (msg == NULL)
		return -ENOMEM;
	if (nla_put(msg, RTA_DST, bytes, to->bytes) < 0 ||
	    nla_put(msg, RTA_SRC, bytes, from->bytes) < 0)
		return netlink_give_up(msg);
	int error = netlink_exchange(&ctx->netlink, msg, read_route, &answer);

	if (error < 0)
		return error;
	if (answer.type == RTN_LOCAL)
		return -ELOOP;
	return answer.type == RTN_UNICAST ? 0 : -ENETUNREACH;
}

static int read_neighbour(struct nl_msg *reply, void *arg)
{
	struct route_hop *hop = arg;
	struct nlmsghdr *header = nlmsg_hdr(reply);
	const struct ndmsg *neighbour = nlmsg_data(header);
	struct nlattr *attrs[NDA_MAX + 1];

	if (header->nlmsg_type != RTM_NEWNEIGH ||
	    nlmsg_parse(header, sizeof(*neighbour), attrs, NDA_MAX, NULL) < 0)
		return NL_SKIP;
	hop->is_failed = (neighbour->ndm_state & NUD_FAILED) != 0;
	if (attrs[NDA_LLADDR] == NULL || nla_len(attrs[NDA_LLADDR]) != (int)sizeof(hop->mac) ||
	    (neighbour->ndm_state & (NUD_FAILED | NUD_INCOMPLETE)) != 0)
		return NL_OK;
	hop->is_resolved = true;
	hop->is_fresh = (neighbour->ndm_state & NUD_STALE) == 0;
	nla_memcpy(hop->mac, attrs[NDA_LLADDR], sizeof(hop->mac));
	return NL_OK;
}

static int ask_neighbour(struct route_ctx *ctx, struct route_hop *hop)
{
	struct ndmsg header = {.ndm_family = (unsigned char)hop->next.family,
			       .ndm_ifindex = hop->ifindex};
	struct nl_msg *msg = netlink_request(RTM_GETNEIGH, 0, &header, sizeof(header));

	if (msg == NULL)
		return -ENOMEM;
	if (nla_put(msg, NDA_DST, address_bytes(hop->next.family), hop->next.bytes) < 0)
		return netlink_give_up(msg);
	int error = netlink_exchange(&ctx->netlink, msg, read_neighbour, hop);

	/* No entry at all: nobody has sent there lately. */
	return error == -ENOENT ? 0 : error;
}

int route_find(struct route_ctx *ctx, const struct route_address *from,
	       const struct route_address *to, struct route_hop *out)
{
	struct route_hop hop = {.next = *to};
	int error = from->family == to->family ? ask_route(ctx, from, to, &hop) : -EINVAL;

	if (error == 0)
		error = ask_neighbour(ctx, &hop);
	if (error == 0)
		*out = hop;
	return error;
}

int route_probe(struct route_ctx *ctx, int ifindex, const struct route_address *neighbour)
{
	struct ndmsg header = {
		.ndm_family = (unsigned char)neighbour->family,
		.ndm_ifindex = ifindex,
		.ndm_flags = NTF_USE,
	};
	struct nl_msg *msg =
		netlink_request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_ACK, &header, sizeof(header));

	if (msg == NULL)
		return -ENOMEM;
	if (nla_put(msg, NDA_DST, address_bytes(neighbour->family), neighbour->bytes) < 0)
		return netlink_give_up(msg);
	return netlink_exchange(&ctx->netlink, msg, NULL, NULL);
}

int route_fd(const struct route_ctx *ctx)
{
	return nl_socket_get_fd(ctx->news);
}

static int read_event(struct nl_msg *event, void *arg)
{
	struct route_news *news = arg;
	struct nlmsghdr *header = nlmsg_hdr(event);
	const struct ndmsg *neighbour = nlmsg_data(header);
	struct nlattr *attrs[NDA_MAX + 1];

	if (header->nlmsg_type != RTM_NEWNEIGH && header->nlmsg_type != RTM_DELNEIGH) {
		news->is_all = true;
		return NL_OK;
	}
	if (nlmsg_parse(header, sizeof(*neighbour), attrs, NDA_MAX, NULL) < 0 ||
	    (neighbour->ndm_family != AF_INET && neighbour->ndm_family != AF_INET6))
		return NL_SKIP;
	if (news->n == ROUTE_NEWS_MAX)
		news->is_all = true;
	else if (read_address(attrs[NDA_DST], neighbour->ndm_family, &news->neighbours[news->n]))
		news->n++;
	return NL_OK;
}

void route_read_news(struct route_ctx *ctx, struct route_news *news)
{
	int error = 0;

	*news = (struct route_news){.n = 0};
	nl_socket_modify_cb(ctx->news, NL_CB_VALID, NL_CB_CUSTOM, read_event, news);
	/* ENOBUFS (the kernel had to throw news away) and whatever else is not "no more". */
	do {
		error = nl_recvmsgs_default(ctx->news);
		if (error < 0 && error != -NLE_AGAIN)
			news->is_all = true;
	} while (error >= 0 || error == -NLE_NOMEM);
}
