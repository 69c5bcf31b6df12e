/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_flow.c: one flow on one port, many flows on many. */
#include "vxlan/vxlan_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vxlan/rig.h"
#include "vxlan/vxlan_bytes.h"

#define FLOWS 1000
#define PORTS_MIN 900

static uint32_t hash(const uint8_t *head, uint32_t n)
{
	struct vxlan_inner inner;

	vxlan_inner_read(head, n, &inner);
	return vxlan_flow_hash(head, n, &inner);
}

static uint32_t hash_of(const char *name)
{
	const struct vector *vector = rig_vector(name);

	return hash(vector->bytes, vector->n < 128 ? vector->n : 128);
}

static unsigned int count_ports(void (*vary)(uint8_t *head, unsigned int i), const char *name)
{
	const struct vector *vector = rig_vector(name);
	uint8_t *head = rig_copy(vector->bytes, vector->n);
	static uint8_t seen[65536];
	unsigned int n = 0;

	memset(seen, 0, sizeof(seen));
	for (unsigned int i = 0; i < FLOWS; i++) {
		vary(head, i);
		uint16_t port = vxlan_flow_port(hash(head, vector->n));

		assert_true(port >= 49152);
		n += !seen[port];
		seen[port] = 1;
	}
	free(head);
	print_message("%u flows, %u ports\n", FLOWS, n);
	return n;
}

static void vary_source_port4(uint8_t *head, unsigned int i)
{
	vxlan_store_be16(head + 34, 40000 + i);
}

static void vary_both_ports4(uint8_t *head, unsigned int i)
{
	vxlan_store_be16(head + 34, 1024 + i);
	vxlan_store_be16(head + 36, 65000 - i);
}

static void vary_last_byte4(uint8_t *head, unsigned int i)
{
	vxlan_store_be16(head + 28, i);
}

static void vary_two_hosts4(uint8_t *head, unsigned int i)
{
	head[29] = (uint8_t)(i % 32);
	head[33] = (uint8_t)(i / 32);
}

static void vary_source_port6(uint8_t *head, unsigned int i)
{
	vxlan_store_be16(head + 54, 40000 + i);
}

static void vary_address6(uint8_t *head, unsigned int i)
{
	vxlan_store_be16(head + 36, i);
}

static void vary_mac(uint8_t *head, unsigned int i)
{
	vxlan_store_be16(head + 10, i);
}

static void a_thousand_flows_use_nine_hundred_ports(void **state)
{
	assert_true(count_ports(vary_source_port4, "inner") >= PORTS_MIN);
	assert_true(count_ports(vary_both_ports4, "inner") >= PORTS_MIN);
	assert_true(count_ports(vary_last_byte4, "inner") >= PORTS_MIN);
	assert_true(count_ports(vary_two_hosts4, "inner") >= PORTS_MIN);
	assert_true(count_ports(vary_last_byte4, "later4") >= PORTS_MIN);
	assert_true(count_ports(vary_source_port6, "udp6") >= PORTS_MIN);
	assert_true(count_ports(vary_address6, "udp6") >= PORTS_MIN);
	assert_true(count_ports(vary_mac, "arp") >= PORTS_MIN);
}

static void flow_labels_spread_too(void **state)
{
	const struct vector *vector = rig_vector("udp6");
	uint8_t *head = rig_copy(vector->bytes, vector->n);
	static uint8_t seen[1 << 20];
	unsigned int n = 0;

	for (unsigned int i = 0; i < FLOWS; i++) {
		vary_source_port6(head, i);
		uint32_t label = vxlan_flow_label(hash(head, vector->n));

		assert_in_range(label, 1, 0xfffff);
		n += !seen[label];
		seen[label] = 1;
	}
	assert_true(n >= 990);
	assert_int_equal(vxlan_flow_label(0x12300000), 1);
	free(head);
}

static void whatever_is_not_of_the_flow_changes_nothing(void **state)
{
	const struct vector *vector = rig_vector("inner");
	uint8_t *head = rig_copy(vector->bytes, vector->n);
	uint32_t wanted = hash(head, vector->n);

	/* MACs, TOS, identification, TTL, UDP length and checksum, payload; length of the head. */
	for (uint32_t i = 0; i < vector->n; i++) {
		if (i < 12 || i == 15 || i == 18 || i == 19 || i == 22 || i >= 38) {
			head[i] ^= 0x5a;
			assert_int_equal(hash(head, vector->n), wanted);
		}
	}
	assert_int_equal(hash(head, 38), wanted);
	assert_int_equal(hash_of("udp4-tagged"), wanted);
	assert_int_equal(hash_of("udp4-qinq"), wanted);
	free(head);
}

static void every_part_of_the_flow_changes_it(void **state)
{
	static const uint8_t parts4[] = {23, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37};
	const struct vector *vector = rig_vector("inner");
	uint8_t *head = rig_copy(vector->bytes, vector->n);
	uint32_t wanted = hash(head, vector->n);

	for (size_t i = 0; i < sizeof(parts4); i++) {
		/* 17 to 6: UDP to TCP, both have ports. */
		head[parts4[i]] ^= 23;
		assert_int_not_equal(hash(head, vector->n), wanted);
		head[parts4[i]] ^= 23;
	}
	free(head);
	vector = rig_vector("udp6");
	head = rig_copy(vector->bytes, vector->n);
	wanted = hash(head, vector->n);
	for (unsigned int i = 22; i < 58; i++) {
		head[i] ^= 1;
		assert_int_not_equal(hash(head, vector->n), wanted);
		head[i] ^= 1;
	}
	assert_int_equal(hash_of("udp6-extension"), wanted);
	free(head);
}

static void fragments_of_a_datagram_stay_together(void **state)
{
	assert_int_equal(hash_of("first4"), hash_of("later4"));
	assert_int_equal(hash_of("first6"), hash_of("later6"));
}

static void echoes_of_a_ping_stay_together(void **state)
{
	const struct vector *vector = rig_vector("ping4");
	uint8_t *head = rig_copy(vector->bytes, vector->n);
	uint32_t wanted = hash(head, vector->n);

	head[36] ^= 1; /* checksum */
	head[41] ^= 1; /* sequence */
	assert_int_equal(hash(head, vector->n), wanted);
	free(head);
}

static void any_cut_has_a_hash(void **state)
{
	for (const struct vector *vector = vectors; vector->name != NULL; vector++) {
		for (uint32_t n = 0; n <= vector->n; n++) {
			uint8_t *head = rig_copy(vector->bytes, n);

			assert_true(n >= 14 || hash(head, n) == 0);
			assert_int_equal(hash(head, n), hash(vector->bytes, n));
			free(head);
		}
	}
}

/* Whether it is taken for one of the flow before it: only if hash and TOS are the same, too. */
static bool is_same(const uint8_t *head, uint32_t n, const struct vector *before)
{
	uint32_t n_before = before->n < 128 ? before->n : 128;
	uint8_t *copy = rig_copy(head, n), *copy_before = rig_copy(before->bytes, n_before);
	struct vxlan_inner inner, inner_before;
	bool is = vxlan_flow_is_same(copy, n, copy_before, n_before);

	vxlan_inner_read(copy, n, &inner);
	vxlan_inner_read(copy_before, n_before, &inner_before);
	if (is) {
		assert_int_equal(inner.tos, inner_before.tos);
		assert_int_equal(hash(copy, n), hash(copy_before, n_before));
	}
	free(copy);
	free(copy_before);
	return is;
}

static void frames_of_the_flow_before_are_known(void **state)
{
	const struct vector *before = rig_vector("inner");
	uint8_t *head = rig_copy(before->bytes, before->n);

	/* Length, identification, checksums, payload; not TOS, MACs and whatever is the flow's. */
	for (uint32_t i = 0; i < before->n; i++) {
		head[i] ^= 0x5a;
		assert_int_equal(is_same(head, before->n, before),
				 (i >= 16 && i < 20) || i == 24 || i == 25 || i >= 38);
		head[i] ^= 0x5a;
	}
	assert_true(is_same(head, 38, before));
	assert_false(is_same(head, 37, before));
	free(head);
	assert_true(is_same(rig_vector("arp")->bytes, rig_vector("arp")->n, rig_vector("arp")));
}

static void no_other_flow_is_taken_for_it(void **state)
{
	for (const struct vector *before = vectors; before->name != NULL; before++) {
		uint32_t n = before->n < 128 ? before->n : 128;
		uint8_t *head = rig_copy(before->bytes, n);

		for (uint32_t i = 0; i < n * 8; i++) {
			head[i / 8] ^= (uint8_t)(1 << i % 8);
			is_same(head, n, before);
			head[i / 8] ^= (uint8_t)(1 << i % 8);
		}
		free(head);
		for (const struct vector *other = vectors; other->name != NULL; other++) {
			for (n = 0; n <= other->n && n <= 128; n++)
				is_same(other->bytes, n, before);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_flows_use_nine_hundred_ports),
		cmocka_unit_test(flow_labels_spread_too),
		cmocka_unit_test(whatever_is_not_of_the_flow_changes_nothing),
		cmocka_unit_test(every_part_of_the_flow_changes_it),
		cmocka_unit_test(fragments_of_a_datagram_stay_together),
		cmocka_unit_test(echoes_of_a_ping_stay_together),
		cmocka_unit_test(any_cut_has_a_hash),
		cmocka_unit_test(frames_of_the_flow_before_are_known),
		cmocka_unit_test(no_other_flow_is_taken_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
