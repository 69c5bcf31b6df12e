/* SPDX-License-Identifier: BSD-3-Clause */
/* Outer headers of what was received. Every step is bounded by the head. Worker threads. */
#include "vxlan/vxlan_decap.h"

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "vxlan/vxlan.h"
#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_sum.h"

/* Offsets and lengths of RFC 791, RFC 8200, RFC 768. */
#define IPV4_BYTES 20
#define IPV4_FRAGMENT_MASK 0x3fff	/* "more fragments" and the offset */
#define IPV6_BYTES 40
#define UDP_BYTES 8
#define UDP_CHECKSUM 6
/* Extension headers that <netinet/in.h> has no name for. */
#define NEXT_HIP 139
#define NEXT_SHIM6 140

/* Where UDP begins, and how far IP says that it goes. */
struct payload {
	uint32_t offset, n_bytes;
};

/* Of a header without options, as nearly all are, it is five words. */
static inline uint16_t sum_header(const uint8_t *ip, uint32_t header)
{
	struct vxlan_sum sum = {0};

	if (header == IPV4_BYTES) {
		uint32_t words[IPV4_BYTES / 4];

		memcpy(words, ip, sizeof(words));
		sum.words = (uint64_t)words[0] + words[1] + words[2] + words[3] + words[4];
	} else {
		vxlan_sum_add(&sum, ip, header);
	}
	return vxlan_sum_fold(&sum);
}

/* n: bytes in the head from ip on; n_frame: bytes of the frame from there on. */
static enum vxlan_decap_reason read_ipv4(const uint8_t *ip, uint32_t n, uint32_t n_frame,
					 struct vxlan_outer *outer, struct payload *payload)
{
	if (n < IPV4_BYTES)
		return VXLAN_DECAP_TRUNCATED;
	uint32_t header = (ip[0] & 15) * 4u, total = vxlan_load_be16(ip + 2);

	if (ip[0] >> 4 != 4 || header < IPV4_BYTES || total < header)
		return VXLAN_DECAP_BAD_HEADER;
	if (n < header || n_frame < total)
		return VXLAN_DECAP_TRUNCATED;
	if (ip[9] != IPPROTO_UDP)
		return VXLAN_DECAP_NOT_UDP;
	if (sum_header(ip, header) != UINT16_MAX)
		return VXLAN_DECAP_BAD_HEADER;
	if ((vxlan_load_be16(ip + 6) & IPV4_FRAGMENT_MASK) != 0)
		return VXLAN_DECAP_FRAGMENT;
	outer->ip_version = 4;
	outer->tos = ip[1];
	outer->ttl = ip[8];
	memcpy(outer->src_ip, ip + 12, 4);
	memcpy(outer->dst_ip, ip + 16, 4);
	*payload = (struct payload){.offset = ETH_HLEN + header, .n_bytes = total - header};
	return VXLAN_DECAP_OK;
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_AH || next == IPPROTO_MH || next == NEXT_HIP || next == NEXT_SHIM6;
}

static enum vxlan_decap_reason read_ipv6(const uint8_t *ip, uint32_t n, uint32_t n_frame,
					 struct vxlan_outer *outer, struct payload *payload)
{
	if (n < IPV6_BYTES)
		return VXLAN_DECAP_TRUNCATED;
	uint32_t n_payload = vxlan_load_be16(ip + 4);

	if (ip[0] >> 4 != 6)
		return VXLAN_DECAP_BAD_HEADER;
	if (n_frame - IPV6_BYTES < n_payload)
		return VXLAN_DECAP_TRUNCATED;
	if (ip[6] == IPPROTO_FRAGMENT)
		return VXLAN_DECAP_FRAGMENT;
	if (ip[6] != IPPROTO_UDP)
		return is_extension(ip[6]) ? VXLAN_DECAP_EXTENSION : VXLAN_DECAP_NOT_UDP;
	outer->ip_version = 6;
	outer->tos = (uint8_t)(vxlan_load_be16(ip) >> 4);
	outer->ttl = ip[7];
	memcpy(outer->src_ip, ip + 8, 16);
	memcpy(outer->dst_ip, ip + 24, 16);
	*payload = (struct payload){.offset = ETH_HLEN + IPV6_BYTES, .n_bytes = n_payload};
	return VXLAN_DECAP_OK;
}

/* udp: n bytes of the head from there on; n_payload: bytes of the frame that IP calls its own. */
static enum vxlan_decap_reason read_udp(const uint8_t *udp, uint32_t n, uint32_t n_payload,
					const struct vxlan_decap_rules *rules,
					struct vxlan_outer *outer)
{
	if (n_payload < UDP_BYTES)
		return VXLAN_DECAP_BAD_UDP_LENGTH;
	if (n < UDP_BYTES)
		return VXLAN_DECAP_TRUNCATED;
	uint32_t n_datagram = vxlan_load_be16(udp + 4);

	outer->src_port = vxlan_load_be16(udp);
	outer->dst_port = vxlan_load_be16(udp + 2);
	outer->has_checksum = vxlan_load_be16(udp + UDP_CHECKSUM) != 0;
	if (outer->dst_port != rules->port)
		return VXLAN_DECAP_WRONG_PORT;
	/* What IP has behind the datagram is none of its bytes. */
	if (n_datagram < UDP_BYTES + sizeof(struct vxlan_header) || n_datagram > n_payload)
		return VXLAN_DECAP_BAD_UDP_LENGTH;
	if (!outer->has_checksum && outer->ip_version == 6 && !rules->allows_ipv6_no_checksum)
		return VXLAN_DECAP_NO_CHECKSUM;
	outer->inner_bytes = n_datagram - UDP_BYTES - (uint32_t)sizeof(struct vxlan_header);
	return VXLAN_DECAP_OK;
}

static enum vxlan_decap_reason read_vxlan(const uint8_t *bytes, uint32_t n,
					  struct vxlan_outer *outer)
{
	struct vxlan_header header;

	if (n < sizeof(header))
		return VXLAN_DECAP_TRUNCATED;
	memcpy(&header, bytes, sizeof(header));
	if ((header.flags & VXLAN_FLAG_VNI) == 0)
		return VXLAN_DECAP_NO_VNI;
	if (outer->inner_bytes < ETH_HLEN)
		return VXLAN_DECAP_INNER_SHORT;
	outer->vni = (uint32_t)header.vni[0] << 16 | vxlan_load_be16(header.vni + 1);
	return VXLAN_DECAP_OK;
}

enum vxlan_decap_reason vxlan_decap(const uint8_t *head, uint32_t head_len, uint32_t len,
				    const struct vxlan_decap_rules *rules,
				    struct vxlan_outer *outer)
{
	enum vxlan_decap_reason reason;
	struct payload payload;

	if (head_len > len)
		head_len = len;
	*outer = (struct vxlan_outer){0};
	if (head_len < ETH_HLEN)
		return VXLAN_DECAP_TRUNCATED;
	uint16_t type = vxlan_load_be16(head + 2 * ETH_ALEN);

	if (type == ETH_P_IP)
		reason = read_ipv4(head + ETH_HLEN, head_len - ETH_HLEN, len - ETH_HLEN, outer,
				   &payload);
	else if (type == ETH_P_IPV6)
		reason = read_ipv6(head + ETH_HLEN, head_len - ETH_HLEN, len - ETH_HLEN, outer,
				   &payload);
	else
		return vxlan_is_tag(type) ? VXLAN_DECAP_TAGGED : VXLAN_DECAP_NOT_IP;
	if (reason != VXLAN_DECAP_OK)
		return reason;
	reason = read_udp(head + payload.offset, head_len - payload.offset, payload.n_bytes, rules,
			  outer);
	if (reason != VXLAN_DECAP_OK)
		return reason;
	memcpy(outer->dst_mac, head, ETH_ALEN);
	outer->inner_offset = (uint16_t)(payload.offset + UDP_BYTES + sizeof(struct vxlan_header));
	return read_vxlan(head + payload.offset + UDP_BYTES, head_len - payload.offset - UDP_BYTES,
			  outer);
}

/* Of two headers: are these bytes other ones? What is 0 is the same. */
static inline uint64_t differ32(const uint8_t *a, const uint8_t *b)
{
	uint32_t words[2];

	memcpy(&words[0], a, sizeof(words[0]));
	memcpy(&words[1], b, sizeof(words[1]));
	return words[0] ^ words[1];
}

static inline uint64_t differ64(const uint8_t *a, const uint8_t *b)
{
	uint64_t words[2];

	memcpy(&words[0], a, sizeof(words[0]));
	memcpy(&words[1], b, sizeof(words[1]));
	return words[0] ^ words[1];
}

bool vxlan_decap_again(const uint8_t *head, uint32_t head_len, uint32_t len, const uint8_t *before,
		       uint32_t *inner_bytes)
{
	const uint8_t *ip = head + ETH_HLEN, *ip_before = before + ETH_HLEN;
	const uint8_t *udp = ip + IPV4_BYTES, *udp_before = ip_before + IPV4_BYTES;

	if (head_len < VXLAN_OVERHEAD_IPV4_BYTES || head_len > len)
		return false;
	/* EtherType, version, TOS; fragment, TTL, protocol; addresses; VXLAN. */
	uint64_t differences = differ32(ip - 2, ip_before - 2) | differ32(ip + 6, ip_before + 6) |
			       differ64(ip + 12, ip_before + 12) |
			       differ64(udp + UDP_BYTES, udp_before + UDP_BYTES);
	uint32_t total = vxlan_load_be16(ip + 2), n_datagram = vxlan_load_be16(udp + 4);

	differences |= (uint64_t)(vxlan_load_be16(udp + 2) ^ vxlan_load_be16(udp_before + 2)) |
		       vxlan_load_be16(udp + UDP_CHECKSUM);
	if (differences != 0 || total > len - ETH_HLEN || total < IPV4_BYTES + n_datagram ||
	    n_datagram < UDP_BYTES + sizeof(struct vxlan_header) + ETH_HLEN ||
	    sum_header(ip, IPV4_BYTES) != UINT16_MAX)
		return false;
	*inner_bytes = n_datagram - UDP_BYTES - (uint32_t)sizeof(struct vxlan_header);
	return true;
}

bool vxlan_decap_is_intact(const struct vxlan_outer *outer, const uint8_t *head, uint32_t head_len,
			   const struct iovec *iov, unsigned int n_iov)
{
	uint32_t start = outer->inner_offset - UDP_BYTES - (uint32_t)sizeof(struct vxlan_header);
	uint32_t end = outer->inner_offset + outer->inner_bytes;
	uint32_t n_head = head_len < end ? head_len : end, n_ip = outer->ip_version == 4 ? 4 : 16;
	struct vxlan_sum sum = {0};

	if (!outer->has_checksum)
		return true;
	vxlan_sum_add(&sum, outer->src_ip, n_ip);
	vxlan_sum_add_pseudo(&sum, outer->dst_ip, n_ip, end - start, IPPROTO_UDP);
	vxlan_sum_add(&sum, head + start, n_head - start);
	return vxlan_sum_add_iov(&sum, iov, n_iov, end - n_head) &&
	       vxlan_sum_fold(&sum) == UINT16_MAX;
}

/* clang-format off */
static const char *const reason_names[VXLAN_DECAP_COUNT] = {
	"ok",
#define X(symbol, name, help) name,
	VXLAN_DECAP_REASONS(X)
#undef X
};

static const char *const reason_helps[VXLAN_DECAP_COUNT] = {
	"for this tunnel",
#define X(symbol, name, help) help,
	VXLAN_DECAP_REASONS(X)
#undef X
};
/* clang-format on */

const char *vxlan_decap_reason_name(unsigned int reason)
{
	return reason < VXLAN_DECAP_COUNT ? reason_names[reason] : "unknown";
}

const char *vxlan_decap_reason_help(unsigned int reason)
{
	return reason < VXLAN_DECAP_COUNT ? reason_helps[reason] : "unknown";
}
