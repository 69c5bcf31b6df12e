/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings of network devices by rtnetlink. Any thread. */
#include "tap/link.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "tap/netlink.h"

#define NETNS_DIR "/run/netns/"
#define NETNS_NAME_CHARS_MAX 63
#define ADDRESS_TAG 0x77 /* in IFA_PROTO: weft set it; the kernel's own values end at 3 */
#define DELETES_MAX 64	 /* at most one is expected; a tenant could forge more without end */
#define DUMP_TRIES 8	 /* a dump is cut short when others change addresses meanwhile */

struct link_ctx {
	struct netlink netlink;
};

bool link_name_is_valid(const char *ifname)
{
	size_t len = strlen(ifname);

	if (len == 0 || len >= IF_NAMESIZE || strcmp(ifname, ".") == 0 || strcmp(ifname, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isascii((unsigned char)ifname[i]) || !isgraph((unsigned char)ifname[i]) ||
		    strchr("/:%", ifname[i]) != NULL)
			return false;
	return true;
}

/* Decimal, no sign, no leading zero, 1..max; 0: it is not. */
static unsigned int parse_prefix_len(const char *text, unsigned int max)
{
	unsigned int value = 0;

	if (text[0] == '0')
		return 0;
	for (; *text >= '0' && *text <= '9' && value <= max; text++)
		value = value * 10 + (unsigned int)(*text - '0');
	return *text == '\0' && value <= max ? value : 0;
}

static bool is_host_ipv4(const struct link_prefix *prefix)
{
	uint32_t host_mask = prefix->len_bits == 32 ? 0 : UINT32_MAX >> prefix->len_bits;
	uint32_t address;

	memcpy(&address, prefix->address, sizeof(address));
	address = ntohl(address);
	if (address >> 24 == 0 || address >> 24 == IN_LOOPBACKNET || address >= 0xe0000000u)
		return false;
	/* A /31 and a /32 have neither a network nor a broadcast address (RFC 3021). */
	return host_mask <= 1 || ((address & host_mask) != 0 && (address & host_mask) != host_mask);
}

static bool is_host_ipv6(const struct link_prefix *prefix)
{
	struct in6_addr address;

	memcpy(&address, prefix->address, sizeof(address));
	return !IN6_IS_ADDR_UNSPECIFIED(&address) && !IN6_IS_ADDR_LOOPBACK(&address) &&
	       !IN6_IS_ADDR_MULTICAST(&address) && !IN6_IS_ADDR_V4MAPPED(&address);
}

int link_parse_prefix(const char *text, struct link_prefix *out)
{
	struct link_prefix prefix = {.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	bool is_ipv4 = prefix.family == AF_INET;
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];

	if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	prefix.len_bits = parse_prefix_len(slash + 1, is_ipv4 ? 32 : 128);
	if (prefix.len_bits == 0 || inet_pton(prefix.family, address, prefix.address) != 1)
		return -EINVAL;
	if (!(is_ipv4 ? is_host_ipv4(&prefix) : is_host_ipv6(&prefix)))
		return -EADDRNOTAVAIL;
	*out = prefix;
	return 0;
}

bool link_netns_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NETNS_NAME_CHARS_MAX && strchr(name, '/') == NULL &&
	       strspn(name, ".") < len;
}

int link_netns_open(const char *name)
{
	char path[sizeof(NETNS_DIR) + NETNS_NAME_CHARS_MAX] = "/proc/thread-self/ns/net";
	struct statfs status;
	int fd;

	if (name != NULL) {
		if (!link_netns_name_is_valid(name))
			return -EINVAL;
		snprintf(path, sizeof(path), NETNS_DIR "%s", name);
	}
	/* O_NONBLOCK: something else than a namespace may lie there, a FIFO even. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &status) < 0 || status.f_type != NSFS_MAGIC) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

int link_netns_stat(const char *name, struct stat *status)
{
	char path[sizeof(NETNS_DIR) + NETNS_NAME_CHARS_MAX];

	if (!link_netns_name_is_valid(name))
		return -EINVAL;
	snprintf(path, sizeof(path), NETNS_DIR "%s", name);
	return stat(path, status) < 0 ? -errno : 0;
}

static int socket_open(void *arg)
{
	struct link_ctx *ctx = arg;

	return netlink_open(&ctx->netlink);
}

int link_visit(int netns_fd, int (*fn)(void *arg), void *arg)
{
	int home_fd = link_netns_open(NULL);
	int error;

	if (home_fd < 0)
		return home_fd;
	error = setns(netns_fd, CLONE_NEWNET) < 0 ? -errno : fn(arg);
	/*
	 * From here on the thread would open its sockets, and move its devices, in a tenant's
	 * namespace: no error code could stop a caller from leaking one network into another.
	 */
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
	close(home_fd);
	return error;
}

int link_open(int netns_fd, struct link_ctx **out)
{
	struct link_ctx *ctx = calloc(1, sizeof(*ctx));
	int error;

	if (ctx == NULL)
		return -ENOMEM;
	error = netns_fd < 0 ? socket_open(ctx) : link_visit(netns_fd, socket_open, ctx);
	if (error < 0) {
		free(ctx);
		return error;
	}
	*out = ctx;
	return 0;
}

void link_close(struct link_ctx *ctx)
{
	if (ctx == NULL)
		return;
	netlink_close(&ctx->netlink);
	free(ctx);
}

/* false: it is about something else. */
static bool parse_link(struct nl_msg *reply, char ifname[IF_NAMESIZE], struct link_info *info)
{
	struct nlmsghdr *header = nlmsg_hdr(reply);
	const struct ifinfomsg *link = nlmsg_data(header);
	struct nlattr *attrs[IFLA_MAX + 1];

	if (header->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(header, sizeof(*link), attrs, IFLA_MAX, NULL) < 0)
		return false;
	ifname[0] = '\0';
	if (attrs[IFLA_IFNAME] != NULL)
		nla_strlcpy(ifname, attrs[IFLA_IFNAME], IF_NAMESIZE);
	info->index = link->ifi_index;
	info->is_up = (link->ifi_flags & IFF_UP) != 0;
	if (attrs[IFLA_MTU] != NULL)
		info->mtu_bytes = nla_get_u32(attrs[IFLA_MTU]);
	if (attrs[IFLA_ADDRESS] != NULL)
		nla_memcpy(info->mac, attrs[IFLA_ADDRESS], sizeof(info->mac));
	if (attrs[IFLA_STATS64] != NULL) {
		struct rtnl_link_stats64 stats = {0};

		nla_memcpy(&stats, attrs[IFLA_STATS64], sizeof(stats));
		info->tx_dropped = stats.tx_dropped;
	}
	if (attrs[IFLA_IFALIAS] != NULL)
		nla_strlcpy(info->alias, attrs[IFLA_IFALIAS], sizeof(info->alias));
	return true;
}

static int read_link(struct nl_msg *reply, void *arg)
{
	char ifname[IF_NAMESIZE];

	return parse_link(reply, ifname, arg) ? NL_OK : NL_SKIP;
}

/* A dump, and what its reader made of it. */
struct listing {
	int (*on_link)(void *arg, const char *ifname, const struct link_info *info);
	int (*on_address)(void *arg, int index, const struct link_prefix *prefix, bool is_ours);
	void *arg;
	int error; /* of the function: nothing more is handed to it */
};

/* Asks for a dump that is told to listing by on_reply. */
static int dump(struct link_ctx *ctx, int type, const void *header, size_t header_bytes,
		netlink_reply_fn on_reply, struct listing *listing)
{
	int error = -EINTR;

	for (int tries = 0; error == -EINTR && tries < DUMP_TRIES; tries++) {
		struct nl_msg *msg = netlink_request(type, NLM_F_DUMP, header, header_bytes);

		if (msg == NULL)
			return -ENOMEM;
		error = netlink_exchange(&ctx->netlink, msg, on_reply, listing);
	}
	return listing->error < 0 ? listing->error : error;
}

static int list_link(struct nl_msg *reply, void *arg)
{
	struct listing *listing = arg;
	struct link_info info = {0};
	char ifname[IF_NAMESIZE];

	if (listing->error == 0 && parse_link(reply, ifname, &info))
		listing->error = listing->on_link(listing->arg, ifname, &info);
	return NL_OK;
}

int link_list(struct link_ctx *ctx,
	      int (*fn)(void *arg, const char *ifname, const struct link_info *info), void *arg)
{
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	struct listing listing = {.on_link = fn, .arg = arg};

	return dump(ctx, RTM_GETLINK, &header, sizeof(header), list_link, &listing);
}

int link_find(struct link_ctx *ctx, const char *ifname, struct link_info *out)
{
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	struct link_info info = {0};
	struct nl_msg *msg = netlink_request(RTM_GETLINK, 0, &header, sizeof(header));
	int error;

	if (msg == NULL)
		return -ENOMEM;
	if (nla_put_string(msg, IFLA_IFNAME, ifname) < 0)
		return netlink_give_up(msg);
	error = netlink_exchange(&ctx->netlink, msg, read_link, &info);
	if (error < 0)
		return error;
	if (info.index == 0)
		return -EIO;
	*out = info;
	return 0;
}

int link_set(struct link_ctx *ctx, int index, const struct link_change *change)
{
	struct ifinfomsg header = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = index,
		.ifi_change = change->admin == LINK_ADMIN_KEEP ? 0 : IFF_UP,
		.ifi_flags = change->admin == LINK_ADMIN_UP ? IFF_UP : 0,
	};
	struct nl_msg *msg = netlink_request(RTM_SETLINK, NLM_F_ACK, &header, sizeof(header));

	if (msg == NULL)
		return -ENOMEM;
	if ((change->mac != NULL && nla_put(msg, IFLA_ADDRESS, LINK_MAC_BYTES, change->mac) < 0) ||
	    (change->ifname != NULL && nla_put_string(msg, IFLA_IFNAME, change->ifname) < 0) ||
	    (change->alias != NULL && nla_put_string(msg, IFLA_IFALIAS, change->alias) < 0) ||
	    (change->mtu_bytes != 0 && nla_put_u32(msg, IFLA_MTU, change->mtu_bytes) < 0))
		return netlink_give_up(msg);
	return netlink_exchange(&ctx->netlink, msg, NULL, NULL);
}

int link_move(struct link_ctx *ctx, int index, int netns_fd, const char *ifname)
{
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct nl_msg *msg = netlink_request(RTM_SETLINK, NLM_F_ACK, &header, sizeof(header));

	if (msg == NULL)
		return -ENOMEM;
	if (nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)netns_fd) < 0 ||
	    nla_put_string(msg, IFLA_IFNAME, ifname) < 0)
		return netlink_give_up(msg);
	return netlink_exchange(&ctx->netlink, msg, NULL, NULL);
}

int link_delete(struct link_ctx *ctx, int index)
{
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct nl_msg *msg = netlink_request(RTM_DELLINK, NLM_F_ACK, &header, sizeof(header));

	return msg == NULL ? -ENOMEM : netlink_exchange(&ctx->netlink, msg, NULL, NULL);
}

/* What a dump of addresses tells about one device. */
struct address_scan {
	int index;
	const struct link_prefix *wanted; /* NULL: none */
	bool is_present;		  /* the wanted one, whoever set it */
	bool has_stale;			  /* one of ours that is not wanted */
	struct link_prefix stale;
};

static size_t address_bytes(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

bool link_is_same_prefix(const struct link_prefix *a, const struct link_prefix *b)
{
	return a->family == b->family && a->len_bits == b->len_bits &&
	       memcmp(a->address, b->address, address_bytes(a->family)) == 0;
}

/* false: it is about something else. */
static bool parse_address(struct nl_msg *reply, int *index, struct link_prefix *found,
			  bool *is_ours)
{
	struct nlmsghdr *header = nlmsg_hdr(reply);
	const struct ifaddrmsg *message = nlmsg_data(header);
	struct nlattr *attrs[IFA_MAX + 1], *local;

	if (header->nlmsg_type != RTM_NEWADDR ||
	    nlmsg_parse(header, sizeof(*message), attrs, IFA_MAX, NULL) < 0 ||
	    (message->ifa_family != AF_INET && message->ifa_family != AF_INET6))
		return false;
	/* IFA_ADDRESS is the other end where a device is a point-to-point link. */
	local = attrs[IFA_LOCAL] != NULL ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	*found = (struct link_prefix){.family = message->ifa_family,
				      .len_bits = message->ifa_prefixlen};
	if (local == NULL || nla_len(local) != (int)address_bytes(found->family))
		return false;
	nla_memcpy(found->address, local, sizeof(found->address));
	*index = (int)message->ifa_index;
	*is_ours = attrs[IFA_PROTO] != NULL && nla_get_u8(attrs[IFA_PROTO]) == ADDRESS_TAG;
	return true;
}

static int read_address(struct nl_msg *reply, void *arg)
{
	struct address_scan *scan = arg;
	struct link_prefix found;
	bool is_ours;
	int index;

	if (!parse_address(reply, &index, &found, &is_ours) || index != scan->index)
		return NL_SKIP;
	if (scan->wanted != NULL && link_is_same_prefix(&found, scan->wanted)) {
		scan->is_present = true;
	} else if (is_ours) {
		scan->has_stale = true;
		scan->stale = found;
	}
	return NL_OK;
}

static int list_address(struct nl_msg *reply, void *arg)
{
	struct listing *listing = arg;
	struct link_prefix found;
	bool is_ours;
	int index;

	if (listing->error == 0 && parse_address(reply, &index, &found, &is_ours))
		listing->error = listing->on_address(listing->arg, index, &found, is_ours);
	return NL_OK;
}

int link_list_addresses(struct link_ctx *ctx,
			int (*fn)(void *arg, int index, const struct link_prefix *prefix,
				  bool is_ours),
			void *arg)
{
	struct ifaddrmsg header = {.ifa_family = AF_UNSPEC};
	struct listing listing = {.on_address = fn, .arg = arg};

	return dump(ctx, RTM_GETADDR, &header, sizeof(header), list_address, &listing);
}

static int scan_addresses(struct link_ctx *ctx, int index, const struct link_prefix *wanted,
			  struct address_scan *scan)
{
	struct ifaddrmsg header = {.ifa_family = AF_UNSPEC};
	int error = -EINTR;

	for (int tries = 0; error == -EINTR && tries < DUMP_TRIES; tries++) {
		struct nl_msg *msg =
			netlink_request(RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));

		if (msg == NULL)
			return -ENOMEM;
		*scan = (struct address_scan){.index = index, .wanted = wanted};
		error = netlink_exchange(&ctx->netlink, msg, read_address, scan);
	}
	return error;
}

/* type: RTM_NEWADDR or RTM_DELADDR. */
static int request_address(struct link_ctx *ctx, int type, int flags, int index,
			   const struct link_prefix *prefix)
{
	struct ifaddrmsg header = {
		.ifa_family = (uint8_t)prefix->family,
		.ifa_prefixlen = (uint8_t)prefix->len_bits,
		.ifa_flags = prefix->family == AF_INET6 ? IFA_F_NODAD : 0,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (unsigned int)index,
	};
	struct nl_msg *msg = netlink_request(type, NLM_F_ACK | flags, &header, sizeof(header));
	int bytes = (int)address_bytes(prefix->family);

	if (msg == NULL)
		return -ENOMEM;
	if (nla_put(msg, IFA_LOCAL, bytes, prefix->address) < 0 ||
	    nla_put(msg, IFA_ADDRESS, bytes, prefix->address) < 0 ||
	    (type == RTM_NEWADDR && nla_put_u8(msg, IFA_PROTO, ADDRESS_TAG) < 0))
		return netlink_give_up(msg);
	return netlink_exchange(&ctx->netlink, msg, NULL, NULL);
}

int link_set_address(struct link_ctx *ctx, int index, const struct link_prefix *wanted)
{
	struct address_scan scan = {.has_stale = true};
	int error = 0;

	/*
	 * Deletes come first: within one IPv4 network a second address would be a secondary one,
	 * which the kernel deletes together with the first. So look again after each.
	 */
	for (int left = DELETES_MAX; error == 0 && scan.has_stale; left--) {
		error = left == 0 ? -EBUSY : scan_addresses(ctx, index, wanted, &scan);
		if (error == 0 && scan.has_stale)
			error = request_address(ctx, RTM_DELADDR, 0, index, &scan.stale);
	}
	if (error < 0 || wanted == NULL || scan.is_present)
		return error;
	return request_address(ctx, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, wanted);
}

int link_has_address(struct link_ctx *ctx, int index, const struct link_prefix *wanted)
{
	struct address_scan scan;
	int error = scan_addresses(ctx, index, wanted, &scan);

	return error < 0 ? error : scan.is_present;
}
