/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes, as a frame from the underlay and as a frame on its way into a tunnel, to everything in
 * vxlan/. Heads lie in memory of exactly their size. What is taken for a tunnel's frame is checked
 * by a second reading, goes in and out again; what is changed or made must have right checksums.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vxlan/vxlan_decap.h"
#include "vxlan/vxlan_ecn.h"
#include "vxlan/vxlan_flow.h"
#include "vxlan/vxlan_mss.h"
#include "vxlan/vxlan_neigh.h"
#include "vxlan/vxlan_too_big.h"
#include "vxlan/vxlan_tunnel.h"

#define HEAD_BYTES 128
#define MTU 1300
#define INPUT_BYTES_MAX 4096

static void check(int is_true)
{
	if (!is_true)
		abort();
}

static uint8_t *copy(const uint8_t *bytes, size_t n)
{
	uint8_t *memory = malloc(n != 0 ? n : 1);

	check(memory != NULL);
	memcpy(memory, bytes, n);
	return memory;
}

/* Modulo 65535, where 0 is the same as all ones. */
static uint32_t plain_sum(uint32_t sum, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum + ((uint32_t)bytes[i] << (i % 2 ? 0 : 8))) % 65535;
	return sum;
}

/* Of a packet with an upper layer that is summed with a pseudo header, or ICMP. */
static uint32_t upper_sum(const uint8_t *ip, uint32_t n_header, uint32_t n, uint8_t protocol)
{
	uint8_t rest[4] = {(uint8_t)((n - n_header) >> 8), (uint8_t)(n - n_header), 0, protocol};
	uint32_t sum = 0;

	if (protocol != 1) {
		sum = plain_sum(sum, ip + (ip[0] >> 4 == 4 ? 12 : 8), ip[0] >> 4 == 4 ? 8 : 32);
		sum = plain_sum(sum, rest, sizeof(rest));
	}
	return plain_sum(sum, ip + n_header, n - n_header);
}

/* A frame that was made here: tags, then IP without options, which fills the rest. */
static void check_made(const uint8_t *frame, uint32_t n, uint32_t ip_offset)
{
	const uint8_t *ip = frame + ip_offset;
	uint32_t n_ip = n - ip_offset;

	if (ip[0] >> 4 == 4) {
		check((uint32_t)(ip[2] << 8 | ip[3]) == n_ip);
		check(plain_sum(0, ip, 20) == 0 && upper_sum(ip, 20, n_ip, ip[9]) == 0);
	} else {
		check((uint32_t)(ip[4] << 8 | ip[5]) + 40 == n_ip);
		check(upper_sum(ip, 40, n_ip, ip[6]) == 0);
	}
}

/* What decap has taken, once more: straight from the offsets. */
static void check_outer(const uint8_t *frame, uint32_t n, const struct vxlan_outer *outer)
{
	const uint8_t *ip = frame + 14, *vxlan = frame + outer->inner_offset - 8;

	check(outer->inner_bytes >= 14 && outer->inner_offset + outer->inner_bytes <= n);
	check((vxlan[0] & 8) != 0 &&
	      outer->vni == (uint32_t)(vxlan[4] << 16 | vxlan[5] << 8 | vxlan[6]));
	check((vxlan[-6] << 8 | vxlan[-5]) == 4789);
	check((uint32_t)(vxlan[-4] << 8 | vxlan[-3]) == outer->inner_bytes + 16);
	if (outer->ip_version == 4) {
		uint32_t n_header = (ip[0] & 15) * 4u;

		check(frame[12] == 8 && frame[13] == 0 && ip[9] == 17);
		check((ip[6] & 0x3f) == 0 && ip[7] == 0 && plain_sum(0, ip, n_header) == 0);
		check(outer->inner_offset == 14 + n_header + 16);
	} else {
		check(frame[12] == 0x86 && frame[13] == 0xdd && ip[6] == 17);
		check(outer->inner_offset == 70);
	}
}

/* In again with what came out. */
static void round_trip(const uint8_t *inner, const struct vxlan_outer *outer)
{
	struct vxlan_tunnel_options options = {
		.ip_version = outer->ip_version,
		.src_mac = {2},
		.dst_mac = {4},
		.ttl = outer->ttl,
		.inherits_dscp = true,
		.checksum = outer->has_checksum ? VXLAN_TUNNEL_CHECKSUM_FULL
						: VXLAN_TUNNEL_CHECKSUM_NONE,
	};
	const struct vxlan_decap_rules rules = {.port = 4789, .allows_ipv6_no_checksum = true};
	struct vxlan_tunnel tunnel;
	struct vxlan_sum sum = {0};
	struct vxlan_outer again;
	uint8_t frame[70 + INPUT_BYTES_MAX];

	memcpy(options.src_ip, outer->src_ip, 16);
	memcpy(options.dst_ip, outer->dst_ip, 16);
	if (vxlan_tunnel_init(&tunnel, &options) != 0)
		return;
	uint32_t n = vxlan_tunnel_encap(&tunnel, outer->vni, outer->inner_bytes, outer->src_port,
					outer->tos, frame);

	check(n == (outer->ip_version == 4 ? 50 : 70));
	memcpy(frame + n, inner, outer->inner_bytes);
	vxlan_sum_add(&sum, inner, outer->inner_bytes);
	if (tunnel.has_checksum)
		vxlan_tunnel_seal(&tunnel, frame, &sum);
	n += outer->inner_bytes;
	check(vxlan_decap(frame, n, n, &rules, &again) == VXLAN_DECAP_OK);
	check_outer(frame, n, &again);
	check(vxlan_decap_is_intact(&again, frame, n, NULL, 0));
	check(again.vni == outer->vni && again.tos == outer->tos &&
	      (again.ttl == outer->ttl || outer->ttl == 0));
	check(memcmp(again.src_ip, outer->src_ip, 16) == 0 &&
	      memcmp(again.dst_ip, outer->dst_ip, 16) == 0);
}

/* A frame that was taken is like itself, unless somebody has to look at its options or checksum. */
static void check_again(const uint8_t *head, uint32_t n_head, uint32_t n,
			const struct vxlan_outer *outer)
{
	uint32_t inner_bytes = 0;

	if (outer->inner_offset != VXLAN_OVERHEAD_IPV4_BYTES)
		return;
	check(vxlan_decap_again(head, n_head, n, head, &inner_bytes) == !outer->has_checksum);
	check(outer->has_checksum || inner_bytes == outer->inner_bytes);
}

/* Whatever is taken for a frame like one that is right is right. */
static void run_again(const uint8_t *data, uint32_t n)
{
	static const uint8_t before[VXLAN_OVERHEAD_IPV4_BYTES] = {
		[12] = 8, [14] = 0x45, [20] = 0x40, [22] = 64, 17, [26] = 192,	0,    2,
		1,	  192,	       0,	    2,	       2,  [36] = 0x12, 0xb5, [42] = 8};
	const struct vxlan_decap_rules rules = {.port = 4789};
	struct vxlan_outer outer;
	uint32_t inner_bytes;

	if (!vxlan_decap_again(data, n, n, before, &inner_bytes))
		return;
	check(vxlan_decap(data, n, n, &rules, &outer) == VXLAN_DECAP_OK);
	check(outer.inner_bytes == inner_bytes && outer.inner_offset == sizeof(before));
	check(!outer.has_checksum && outer.vni == 0 && outer.tos == 0 && outer.ttl == 64);
}

/* From the underlay. */
static void run_outer(const uint8_t *data, uint32_t n)
{
	const struct vxlan_decap_rules rules = {.port = 4789};
	uint32_t n_head = n < HEAD_BYTES ? n : HEAD_BYTES;
	struct vxlan_outer outer, cut;

	for (uint32_t shorter = 0; shorter <= n_head; shorter++) {
		uint8_t *head = copy(data, shorter);
		enum vxlan_decap_reason reason = vxlan_decap(head, shorter, n, &rules, &cut);

		if (reason == VXLAN_DECAP_OK)
			check_outer(data, n, &cut);
		free(head);
	}
	uint8_t *head = copy(data, n_head);

	if (vxlan_decap(head, n_head, n, &rules, &outer) == VXLAN_DECAP_OK) {
		struct iovec iov = {copy(data + n_head, n - n_head), n - n_head};
		bool is_intact = vxlan_decap_is_intact(&outer, head, n_head, &iov, 1);
		const uint8_t *udp = data + outer.inner_offset - 16;
		const uint8_t rest[4] = {udp[4], udp[5], 0, 17};
		uint32_t n_ip = outer.ip_version == 4 ? 4 : 16;
		uint32_t sum = plain_sum(plain_sum(0, outer.src_ip, n_ip), outer.dst_ip, n_ip);

		sum = plain_sum(plain_sum(sum, rest, 4), udp, outer.inner_bytes + 16);
		check(is_intact == (!outer.has_checksum || sum == 0));
		check_again(head, n_head, n, &outer);
		round_trip(data + outer.inner_offset, &outer);
		free(iov.iov_base);
	}
	free(head);
}

/* A changed head still has the sum that it had. */
static void run_changes(const uint8_t *data, uint32_t n, uint8_t outer_tos)
{
	struct vxlan_inner inner;
	uint8_t *head = copy(data, n);

	vxlan_inner_read(head, n, &inner);
	if (vxlan_mss_clamp(head, n, &inner, MTU, false)) {
		/* The header lies in the head; what follows it has not changed. */
		uint32_t at = inner.upper_offset;

		check(plain_sum(0, head + at, n - at) == plain_sum(0, data + at, n - at));
		check(!vxlan_mss_clamp(head, n, &inner, MTU, false));
	}
	memcpy(head, data, n);
	if (vxlan_ecn_decap(head, &inner, outer_tos) && inner.ip_version == 4)
		check(plain_sum(0, head + inner.ip_offset, 20) ==
		      plain_sum(0, data + inner.ip_offset, 20));
	if (inner.ip_version != 0) {
		struct vxlan_inner after;

		vxlan_inner_read(head, n, &after);
		check(after.tos == inner.tos && after.upper_offset == inner.upper_offset);
	}
	free(head);
}

/* On its way into a tunnel. */
static void run_inner(const uint8_t *data, uint32_t n)
{
	uint8_t *head = copy(data, n), *out = malloc(VXLAN_TOO_BIG_BYTES_MAX);
	struct vxlan_neigh_question question;
	struct vxlan_inner inner;

	check(out != NULL);
	vxlan_inner_read(head, n, &inner);
	check(inner.ip_offset <= n && inner.upper_offset <= n);
	check(vxlan_flow_port(vxlan_flow_hash(head, n, &inner)) >= 49152);
	uint32_t n_out = vxlan_too_big(head, n, &inner, MTU, out);

	if (n_out != 0)
		check_made(out, n_out, inner.ip_offset);
	free(out);
	out = malloc(VXLAN_NEIGH_BYTES_MAX);
	check(out != NULL);
	for (int is_open = 0; is_open < 2; is_open++) {
		if (!vxlan_neigh_read(head, n, &inner, is_open != 0, &question))
			continue;
		n_out = vxlan_neigh_answer(&question, (const uint8_t[6]){2, 9}, false, out);
		if (n_out != 0 && question.ip_version == 6)
			check_made(out, n_out, inner.ip_offset);
	}
	free(out);
	free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	uint32_t n = (uint32_t)bytes, n_head = n < HEAD_BYTES ? n : HEAD_BYTES;

	if (bytes > INPUT_BYTES_MAX)
		return 0;
	run_outer(data, n);
	run_again(data, n);
	for (uint32_t shorter = 0; shorter <= n_head; shorter++)
		run_inner(data, shorter);
	for (uint8_t tos = 0; tos < 4; tos++)
		run_changes(data, n_head, tos);
	return 0;
}
