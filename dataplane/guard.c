/* SPDX-License-Identifier: BSD-3-Clause */
/* Stage: the verdicts of the guards, and the loop around them. Worker threads. */
#include "dataplane/guard.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ring_elem.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/guard_parse.h"
#include "dataplane/neigh.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

enum {
	ICMP4_REDIRECT = 5,
	ICMP4_ROUTER_ADVERT = 9, /* RFC 1256 */
	ICMP6_ROUTER_ADVERT = 134,
	ICMP6_NEIGHBOUR_ADVERT = 136,
	ICMP6_REDIRECT = 137,
};

enum {
	DHCP4_SERVER = 67,
	DHCP4_CLIENT = 68,
	DHCP6_CLIENT = 546,
	DHCP6_SERVER = 547,
};

/* Guards that read more of a frame than its source MAC, and may find that they cannot. */
#define GUARDS_THAT_READ (DP_GUARD_IP | DP_GUARD_ARP | DP_GUARD_DHCP | DP_GUARD_RA)

int guard_create(const struct dp_port *spec, struct guard **out)
{
	static const uint8_t prefix[8] = {0xfe, 0x80};
	struct guard *guard =
		calloc(1, sizeof(*guard) + spec->n_addresses * sizeof(guard->addresses[0]));
	const uint8_t *mac = spec->mac;

	if (guard == NULL)
		return -ENOMEM;
	guard->on = spec->guards_on;
	guard->off = spec->guards_off;
	guard->has_mac = memcmp(mac, (uint8_t[6]){0}, 6) != 0;
	memcpy(guard->mac, mac, sizeof(guard->mac));
	memcpy(guard->link_local, prefix, sizeof(prefix));
	memcpy(guard->link_local + 8,
	       (uint8_t[8]){mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]}, 8);
	guard->n_addresses = spec->n_addresses;
	memcpy(guard->addresses, spec->addresses,
	       spec->n_addresses * sizeof(guard->addresses[0]));
	*out = guard;
	return 0;
}

void guard_destroy(struct guard *guard)
{
	free(guard);
}

/* --- verdicts --- */

static bool has_prefix(const uint8_t *ip, const struct dp_address *address)
{
	unsigned int bytes = address->prefix_bits / 8u, bits = address->prefix_bits % 8u;

	return memcmp(ip, address->ip, bytes) == 0 &&
	       (bits == 0 || (ip[bytes] ^ address->ip[bytes]) >> (8 - bits) == 0);
}

/* Is it one of the port's addresses? The unspecified one is: nobody else can be meant. */
static bool owns(const struct guard *guard, uint8_t version, const uint8_t *ip)
{
	static const uint8_t unspecified[16];
	size_t bytes = version == 4 ? 4 : 16;

	if (guard->n_addresses == 0 || memcmp(ip, unspecified, bytes) == 0)
		return true;
	if (version == 6 && guard->has_mac && memcmp(ip, guard->link_local, bytes) == 0)
		return true;
	for (unsigned int i = 0; i < guard->n_addresses; i++) {
		if (guard->addresses[i].version == version && has_prefix(ip, &guard->addresses[i]))
			return true;
	}
	return false;
}

static enum drop_reason judge_mac(const struct guard *guard, const uint8_t *source)
{
	return guard->has_mac && memcmp(source, guard->mac, ETH_ALEN) != 0 ? DROP_MAC_SPOOF
									    : DROP_NONE;
}

/* A claim names the MAC that sends it, and an address of the port. */
static enum drop_reason judge_claim(const struct guard *guard, const uint8_t *source,
				    const struct guard_headers *headers)
{
	enum drop_reason spoof = headers->kind == GUARD_ARP ? DROP_ARP_SPOOF : DROP_ND_SPOOF;

	if (headers->claim_mac != NULL && memcmp(headers->claim_mac, source, ETH_ALEN) != 0)
		return spoof;
	return headers->claim_version == 0 ||
			       owns(guard, headers->claim_version, headers->claim_ip)
		       ? DROP_NONE
		       : spoof;
}

static enum drop_reason judge_icmp(const struct guard_headers *headers)
{
	uint8_t type = headers->icmp_type;
	bool is_routers = headers->ip_version == 4
				  ? type == ICMP4_REDIRECT || type == ICMP4_ROUTER_ADVERT
				  : type == ICMP6_REDIRECT || type == ICMP6_ROUTER_ADVERT;

	return is_routers ? DROP_ROGUE_RA : DROP_NONE;
}

/* Whatever comes from a server's port or goes to a client's: clients look at the latter only. */
static inline bool is_from_dhcp_server(uint16_t src_port, uint16_t dst_port)
{
	return src_port == DHCP4_SERVER || dst_port == DHCP4_CLIENT || src_port == DHCP6_SERVER ||
	       dst_port == DHCP6_CLIENT;
}

static enum drop_reason judge_headers(const struct guard *guard, uint16_t guards,
				      const uint8_t *source, const struct guard_headers *headers)
{
	enum drop_reason drop = DROP_NONE;

	if (headers->kind == GUARD_UNREADABLE)
		return (guards & DP_GUARD_UNREADABLE) != 0 ? DROP_UNREADABLE : DROP_NONE;
	if ((guards & DP_GUARD_ARP) != 0 &&
	    (headers->kind == GUARD_ARP || headers->kind == GUARD_ND))
		drop = judge_claim(guard, source, headers);
	if (drop == DROP_NONE && (guards & DP_GUARD_RA) != 0 && headers->kind == GUARD_ICMP)
		drop = judge_icmp(headers);
	if (drop == DROP_NONE && (guards & DP_GUARD_DHCP) != 0 && headers->kind == GUARD_UDP &&
	    is_from_dhcp_server(headers->src_port, headers->dst_port))
		drop = DROP_ROGUE_DHCP;
	if (drop == DROP_NONE && (guards & DP_GUARD_IP) != 0 && headers->ip_version != 0 &&
	    !owns(guard, headers->ip_version, headers->ip_source))
		drop = DROP_IP_SPOOF;
	return drop;
}

/* Most frames: nothing in them concerns a guard that reads, or snooping, and no guard asks whose
 * they are. TCP and UDP in IPv4 without options or fragments, but for DHCP; and protocols that are
 * neither IP nor ARP nor tags nor LLC. In words of the head, since every frame comes by here. */
static inline bool is_plain(const struct frame *frame)
{
	uint16_t ethertype, fragment, src_port, dst_port;
	const uint8_t *head = frame->head;

	memcpy(&ethertype, head + 12, sizeof(ethertype));
	if (ethertype != RTE_BE16(ETH_P_IP)) {
		ethertype = rte_be_to_cpu_16(ethertype);
		return ethertype >= ETH_P_802_3_MIN && ethertype != ETH_P_ARP &&
		       ethertype != ETH_P_IPV6 && !vlan_is_tag(ethertype);
	}
	memcpy(&fragment, head + 20, sizeof(fragment));
	memcpy(&src_port, head + 34, sizeof(src_port));
	memcpy(&dst_port, head + 36, sizeof(dst_port));
	if (head[14] != 0x45 || frame->head_len < 38 || (fragment & RTE_BE16(0x3fff)) != 0)
		return false;
	return head[23] == IPPROTO_TCP ||
	       (head[23] == IPPROTO_UDP && !is_from_dhcp_server(rte_be_to_cpu_16(src_port),
								rte_be_to_cpu_16(dst_port)));
}

static inline enum drop_reason judge(const struct guard *guard, uint16_t guards,
				     const struct frame *frame, struct guard_headers *headers)
{
	const uint8_t *source = frame->head + ETH_ALEN;
	enum drop_reason drop =
		(guards & DP_GUARD_MAC) != 0 ? judge_mac(guard, source) : DROP_NONE;

	headers->claim_version = 0;
	if (drop != DROP_NONE || (guards & (GUARDS_THAT_READ | DP_GUARD_SNOOP)) == 0)
		return drop;
	if (is_plain(frame)) {
		bool is_ip = frame->head[12] == 0x08 && frame->head[13] == 0x00;

		return !is_ip || (guards & DP_GUARD_IP) == 0 || owns(guard, 4, frame->head + 26)
			       ? DROP_NONE
			       : DROP_IP_SPOOF;
	}
	guard_parse(frame->head, frame->head_len, headers);
	return judge_headers(guard, guards, source, headers);
}

/* --- the stage --- */

static enum neigh_role role_of(const struct guard_headers *headers)
{
	if (headers->kind != GUARD_ND || headers->icmp_type != ICMP6_NEIGHBOUR_ADVERT)
		return NEIGH_ROLE_UNKNOWN;
	return headers->claims_router ? NEIGH_ROLE_ROUTER : NEIGH_ROLE_HOST;
}

/* Tells main of a claim. Returns whether it could. */
static bool tell(struct worker *worker, struct port *port, const struct burst *burst,
		 const struct frame *frame, const struct guard_headers *headers)
{
	const uint8_t *mac = headers->claim_mac != NULL ? headers->claim_mac
							: frame->head + ETH_ALEN;
	struct neigh_entry entry = {
		.key = fdb_key(frame->segment, mac),
		.seen_s = burst->now_s,
		.port = port->index,
		.version = headers->claim_version,
		.role = (uint8_t)role_of(headers),
	};

	memcpy(entry.ip, headers->claim_ip, entry.version == 4 ? 4 : 16);
	/* An address of nobody, as in a probe (RFC 5227). */
	if (memcmp(entry.ip, (uint8_t[16]){0}, sizeof(entry.ip)) == 0 ||
	    !rate_take(&port->claims, burst->now_ns))
		return false;
	if (rte_ring_sp_enqueue_elem(worker->neigh, &entry, sizeof(entry)) == 0)
		return true;
	worker->count->claims_lost++;
	return false;
}

static uint16_t guards_of(const struct dataplane *dp, const struct guard *guard, uint16_t index)
{
	const struct segment *segment =
		atomic_load_explicit(&dp->segments[index], memory_order_acquire);
	uint16_t guards = segment != NULL ? atomic_load_explicit(&segment->guards,
								 memory_order_relaxed)
					  : 0;

	guards = (uint16_t)((guards & ~guard->off) | guard->on);
	/* Unread is only what somebody wanted to read. */
	return (guards & GUARDS_THAT_READ) != 0 ? guards : guards & (uint16_t)~DP_GUARD_UNREADABLE;
}

/* From `i` on, the first frame that is of another segment or not plain. Dropped ones need no look:
 * whichever way they are taken here is right. */
static inline unsigned int skip_plain(const struct burst *burst, unsigned int i, uint16_t segment)
{
	while (i < burst->n && burst->frames[i].segment == segment && is_plain(&burst->frames[i]))
		i++;
	return i;
}

bool guard_burst(struct worker *worker, struct port *port, struct burst *burst)
{
	const struct guard *guard = atomic_load_explicit(&port->guard, memory_order_acquire);
	uint16_t segment = 0, guards = 0;
	struct guard_headers headers;
	bool told = false, passes_plain = false;

	for (unsigned int i = 0; i < burst->n; i++) {
		if (passes_plain)
			i = skip_plain(burst, i, segment);
		if (i == burst->n)
			break;
		struct frame *frame = &burst->frames[i];

		if (frame->drop != DROP_NONE)
			continue;
		/* The segment that the frame was put into, whatever the port's is by now. */
		if (frame->segment != segment) {
			segment = frame->segment;
			guards = guards_of(worker->dp, guard, segment);
			passes_plain = (guards & (DP_GUARD_MAC | DP_GUARD_IP)) == 0;
		}
		if (guards == 0 && !burst->is_mixed)
			break;
		if (guards == 0)
			continue;
		if (passes_plain && is_plain(frame))
			continue;
		frame->drop = (uint8_t)judge(guard, guards, frame, &headers);
		if (frame->drop == DROP_NONE && headers.claim_version != 0 &&
		    (guards & DP_GUARD_SNOOP) != 0)
			told |= tell(worker, port, burst, frame, &headers);
	}
	return told;
}
