/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP's maximum segment size (RFC 9293 section 3.7.1). Worker threads. */
#include "vxlan/vxlan_mss.h"

#include <netinet/in.h>
#include <stddef.h>

#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_sum.h"

#define TCP_BYTES 20
#define TCP_CHECKSUM 16
#define TCP_FLAGS 13
#define TCP_SYN 0x02
#define OPTION_END 0
#define OPTION_PADDING 1
#define OPTION_MSS 2
#define OPTION_MSS_BYTES 4
/* Fixed headers of IP and TCP, RFC 6691 section 2. */
#define HEADERS_IPV4_BYTES 40
#define HEADERS_IPV6_BYTES 60

/* The whole TCP header of a SYN, or NULL; its length. */
static uint8_t *find_syn(uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner,
			 uint32_t *n_header)
{
	if (inner->ip_version == 0 || inner->is_fragment || inner->upper_offset == 0 ||
	    inner->protocol != IPPROTO_TCP)
		return NULL;
	uint32_t end = inner->ip_offset + inner->ip_bytes;

	if (end > head_len)
		end = head_len;
	if (end < (uint32_t)inner->upper_offset + TCP_BYTES)
		return NULL;
	uint8_t *tcp = head + inner->upper_offset;

	*n_header = (tcp[12] >> 4) * 4u;
	if ((tcp[TCP_FLAGS] & TCP_SYN) == 0 || *n_header < TCP_BYTES ||
	    *n_header > end - inner->upper_offset)
		return NULL;
	return tcp;
}

/* Where its value is, from the TCP header on; 0: there is none, or options before it are broken. */
static uint32_t find_mss(const uint8_t *tcp, uint32_t n_header)
{
	uint32_t at = TCP_BYTES;

	while (at < n_header && tcp[at] != OPTION_END) {
		if (tcp[at] == OPTION_PADDING) {
			at++;
			continue;
		}
		if (n_header - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > n_header - at)
			return 0;
		if (tcp[at] == OPTION_MSS)
			return tcp[at + 1] == OPTION_MSS_BYTES ? at + 2 : 0;
		at += tcp[at + 1];
	}
	return 0;
}

bool vxlan_mss_clamp(uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner,
		     uint32_t mtu_bytes, bool is_sum_open)
{
	uint32_t headers = inner->ip_version == 4 ? HEADERS_IPV4_BYTES : HEADERS_IPV6_BYTES;
	uint32_t n_header;
	uint8_t *tcp = find_syn(head, head_len, inner, &n_header);

	if (tcp == NULL || mtu_bytes <= headers)
		return false;
	uint32_t at = find_mss(tcp, n_header), mss = mtu_bytes - headers;

	if (at == 0 || vxlan_load_be16(tcp + at) <= mss)
		return false;
	vxlan_sum_change(is_sum_open ? NULL : tcp + TCP_CHECKSUM, tcp + at, (uint16_t)mss,
			 at % 2 != 0);
	return true;
}
