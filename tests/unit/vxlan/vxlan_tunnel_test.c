/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_tunnel.c: against scapy's bytes, and back through vxlan_decap(). */
#include "vxlan/vxlan_tunnel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vxlan/rig.h"
#include "vxlan/vxlan_bytes.h"
#include "vxlan/vxlan_decap.h"
#include "vxlan/vxlan_flow.h"

/* As in vectors.py. */
#define HASH 0xdeadbeef
#define VNI 0x123456
#define DSCP 46

static struct vxlan_tunnel_options options_of(uint8_t ip_version)
{
	struct vxlan_tunnel_options options = {
		.ip_version = ip_version,
		.src_mac = {2, 0, 0, 0, 1, 1},
		.dst_mac = {2, 0, 0, 0, 1, 2},
		.dscp = DSCP,
	};
	static const uint8_t near4[4] = {192, 0, 2, 1}, far4[4] = {192, 0, 2, 2};
	static const uint8_t near6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	static const uint8_t far6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 2};

	memcpy(options.src_ip, ip_version == 4 ? near4 : near6, ip_version == 4 ? 4 : 16);
	memcpy(options.dst_ip, ip_version == 4 ? far4 : far6, ip_version == 4 ? 4 : 16);
	return options;
}

static struct vxlan_tunnel tunnel_of(struct vxlan_tunnel_options options)
{
	struct vxlan_tunnel tunnel;

	assert_int_equal(vxlan_tunnel_init(&tunnel, &options), 0);
	return tunnel;
}

/* Encapsulates the vector "inner" and compares with the vector `name`. */
static void check_vector(const struct vxlan_tunnel *tunnel, const char *name)
{
	const struct vector *inner = rig_vector("inner"), *wanted = rig_vector(name);
	uint8_t *out = rig_copy(wanted->bytes, tunnel->header_bytes);
	struct vxlan_sum sum = {0};

	memset(out, 0xee, tunnel->header_bytes);
	assert_int_equal(vxlan_tunnel_encap(tunnel, VNI, inner->n, HASH, 2, out),
			 tunnel->header_bytes);
	vxlan_sum_add(&sum, inner->bytes, inner->n);
	if (tunnel->has_checksum)
		vxlan_tunnel_seal(tunnel, out, &sum);
	assert_int_equal(wanted->n, tunnel->header_bytes + inner->n);
	assert_memory_equal(out, wanted->bytes, tunnel->header_bytes);
	assert_memory_equal(wanted->bytes + tunnel->header_bytes, inner->bytes, inner->n);
	free(out);
}

static void headers_are_those_of_scapy(void **state)
{
	struct vxlan_tunnel_options options = options_of(4);
	struct vxlan_tunnel tunnel = tunnel_of(options);

	check_vector(&tunnel, "v4");
	options.checksum = VXLAN_TUNNEL_CHECKSUM_FULL;
	tunnel = tunnel_of(options);
	check_vector(&tunnel, "v4-sum");
	options = options_of(6);
	tunnel = tunnel_of(options);
	check_vector(&tunnel, "v6-sum");
	options.checksum = VXLAN_TUNNEL_CHECKSUM_NONE;
	tunnel = tunnel_of(options);
	check_vector(&tunnel, "v6");
}

/* A frame of random bytes through a tunnel and back, checksums against the plain sum. */
static void check_round_trip(const struct vxlan_tunnel *tunnel, uint32_t n_inner, uint64_t *random)
{
	uint32_t vni = rig_random(random) >> 8, flow = rig_random(random);
	uint8_t tos = (uint8_t)rig_random(random);
	uint32_t n = tunnel->header_bytes + n_inner;
	uint8_t *frame = malloc(n);
	const struct vxlan_decap_rules rules = {4790, .allows_ipv6_no_checksum = true};
	struct vxlan_sum sum = {0};
	struct vxlan_outer outer;

	assert_non_null(frame);
	for (uint32_t i = tunnel->header_bytes; i < n; i++)
		frame[i] = (uint8_t)rig_random(random);
	assert_int_equal(vxlan_tunnel_encap(tunnel, vni, n_inner, flow, tos, frame),
			 tunnel->header_bytes);
	vxlan_sum_add(&sum, frame + tunnel->header_bytes, n_inner);
	if (tunnel->has_checksum)
		vxlan_tunnel_seal(tunnel, frame, &sum);
	assert_int_equal(rig_is_intact(frame, n), tunnel->has_checksum);
	if (tunnel->ip_version == 4)
		assert_int_equal(rig_sum(0, frame + 14, 20), 0xffff);
	assert_int_equal(vxlan_decap(frame, n < 128 ? n : 128, n, &rules, &outer), VXLAN_DECAP_OK);
	assert_int_equal(outer.ip_version, tunnel->ip_version);
	assert_int_equal(outer.vni, vni);
	assert_int_equal(outer.tos, tos);
	assert_int_equal(outer.ttl, 7);
	assert_int_equal(outer.src_port, vxlan_flow_port(flow));
	assert_int_equal(outer.inner_offset, tunnel->header_bytes);
	assert_int_equal(outer.inner_bytes, n_inner);
	assert_int_equal(outer.has_checksum, tunnel->has_checksum);
	assert_true(vxlan_decap_is_intact(&outer, frame, n, NULL, 0));
	free(frame);
}

static void what_goes_in_comes_out(void **state)
{
	uint64_t random = 4;

	for (int i = 0; i < 4; i++) {
		struct vxlan_tunnel_options options = options_of(i % 2 ? 6 : 4);

		options.port = 4790;
		options.ttl = 7;
		options.dscp = 0;
		options.inherits_dscp = true;
		options.checksum = i / 2 ? VXLAN_TUNNEL_CHECKSUM_FULL : VXLAN_TUNNEL_CHECKSUM_NONE;
		struct vxlan_tunnel tunnel = tunnel_of(options);

		for (uint32_t n = 14; n < 400; n++)
			check_round_trip(&tunnel, n, &random);
		check_round_trip(&tunnel, VXLAN_TUNNEL_INNER_MAX_IPV4, &random);
	}
}

static void what_fits_no_datagram_is_refused(void **state)
{
	struct vxlan_tunnel tunnel = tunnel_of(options_of(4));
	uint8_t out[VXLAN_OVERHEAD_IPV6_BYTES];

	assert_int_equal(vxlan_tunnel_encap(&tunnel, 1, VXLAN_TUNNEL_INNER_MAX_IPV4, 0, 0, out),
			 50);
	assert_int_equal(vxlan_load_be16(out + 16), 65535);
	assert_int_equal(vxlan_tunnel_encap(&tunnel, 1, VXLAN_TUNNEL_INNER_MAX_IPV4 + 1, 0, 0, out),
			 0);
	tunnel = tunnel_of(options_of(6));
	assert_int_equal(vxlan_tunnel_encap(&tunnel, 1, VXLAN_TUNNEL_INNER_MAX_IPV6, 0, 0, out),
			 70);
	assert_int_equal(vxlan_load_be16(out + 18), 65535);
	assert_int_equal(vxlan_tunnel_encap(&tunnel, 1, VXLAN_TUNNEL_INNER_MAX_IPV6 + 1, 0, 0, out),
			 0);
	assert_int_equal(vxlan_tunnel_encap(&tunnel, 1, UINT32_MAX, 0, 0, out), 0);
}

static void dscp_is_fixed_or_inherited_and_ecn_always_inherited(void **state)
{
	struct vxlan_tunnel_options options = options_of(4);
	struct vxlan_tunnel tunnel = tunnel_of(options);
	uint8_t out[VXLAN_OVERHEAD_IPV4_BYTES];

	for (unsigned int tos = 0; tos < 256; tos++) {
		vxlan_tunnel_encap(&tunnel, 1, 100, 0, (uint8_t)tos, out);
		assert_int_equal(out[15], DSCP << 2 | (tos & 3));
	}
	options.dscp = 0;
	options.inherits_dscp = true;
	tunnel = tunnel_of(options);
	for (unsigned int tos = 0; tos < 256; tos++) {
		vxlan_tunnel_encap(&tunnel, 1, 100, 0, (uint8_t)tos, out);
		assert_int_equal(out[15], tos);
		assert_int_equal(rig_sum(0, out + 14, 20), 0xffff);
	}
}

static void defaults_are_the_usual_ones(void **state)
{
	struct vxlan_tunnel_options options = options_of(4);
	struct vxlan_tunnel tunnel = tunnel_of(options);

	assert_int_equal(tunnel.header[22], 64);
	assert_int_equal(vxlan_load_be16(tunnel.header + 36), 4789);
	assert_int_equal(tunnel.header[20], 0x40);
	assert_false(tunnel.has_checksum);
	tunnel = tunnel_of(options_of(6));
	assert_int_equal(tunnel.header[21], 64);
	assert_true(tunnel.has_checksum);
}

/* Summed to zero by choice of the last two bytes: 0 would mean "none". */
static void a_checksum_of_zero_is_sent_as_ones(void **state)
{
	struct vxlan_tunnel_options options = options_of(4);
	uint8_t frame[50 + 16] = {0};
	struct vxlan_sum sum = {0};

	options.checksum = VXLAN_TUNNEL_CHECKSUM_FULL;
	struct vxlan_tunnel tunnel = tunnel_of(options);

	vxlan_tunnel_encap(&tunnel, VNI, 16, HASH, 0, frame);
	vxlan_tunnel_seal(&tunnel, frame, &sum);
	/* The checksum as the payload: the sum is all ones, its complement 0. */
	memcpy(frame + 64, frame + 40, 2);
	vxlan_sum_add(&sum, frame + 50, 16);
	vxlan_tunnel_seal(&tunnel, frame, &sum);
	assert_int_equal(vxlan_load_be16(frame + 40), 0xffff);
	assert_true(rig_is_intact(frame, sizeof(frame)));
}

static void impossible_options_are_refused(void **state)
{
	struct vxlan_tunnel tunnel;
	struct vxlan_tunnel_options bad[10];

	for (int i = 0; i < 10; i++)
		bad[i] = options_of(i % 2 ? 6 : 4);
	bad[0].ip_version = 5;
	memset(bad[1].src_ip, 0, 16);
	memset(bad[2].dst_ip, 0, 4);
	bad[3].dst_ip[0] = 0xff;
	bad[4].dst_ip[0] = 239;
	bad[5].dst_mac[0] = 1;
	memset(bad[6].src_mac, 0, 6);
	bad[7].dscp = 64;
	bad[8].inherits_dscp = true;
	bad[9].checksum = (enum vxlan_tunnel_checksum)3;
	for (int i = 0; i < 10; i++)
		assert_int_equal(vxlan_tunnel_init(&tunnel, &bad[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_those_of_scapy),
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(what_fits_no_datagram_is_refused),
		cmocka_unit_test(dscp_is_fixed_or_inherited_and_ecn_always_inherited),
		cmocka_unit_test(defaults_are_the_usual_ones),
		cmocka_unit_test(a_checksum_of_zero_is_sent_as_ones),
		cmocka_unit_test(impossible_options_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
