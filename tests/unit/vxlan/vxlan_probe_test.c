/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes: what is written is read again, and nothing else is. */
#include "vxlan/vxlan_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct vxlan_probe question = {.token = 0x0123456789abcdefULL, .sequence = 0xfedcba98};
static const struct vxlan_probe answer = {.is_answer = true,
					  .token = 0x8000000000000001ULL,
					  .sequence = 7,
					  .src_port = 0xc123,
					  .ttl = 63,
					  .has_checksum = true,
					  .packet_bytes = 9000};

static void assert_same(const struct vxlan_probe *a, const struct vxlan_probe *b)
{
	assert_int_equal(a->is_answer, b->is_answer);
	assert_int_equal(a->token, b->token);
	assert_int_equal(a->sequence, b->sequence);
	assert_int_equal(a->src_port, b->src_port);
	assert_int_equal(a->ttl, b->ttl);
	assert_int_equal(a->has_checksum, b->has_checksum);
	assert_int_equal(a->packet_bytes, b->packet_bytes);
}

static void what_is_written_is_read(void **state)
{
	const struct vxlan_probe *const probes[] = {&question, &answer};
	uint8_t bytes[VXLAN_PROBE_BYTES];
	struct vxlan_probe probe;

	for (size_t i = 0; i < 2; i++) {
		vxlan_probe_write(probes[i], bytes);
		assert_true(vxlan_probe_read(bytes, sizeof(bytes), &probe));
		assert_same(&probe, probes[i]);
	}
}

/* As others must read them, too. */
static void the_layout_is_this(void **state)
{
	static const uint8_t expected[VXLAN_PROBE_BYTES] = {
		2,   'w', 'e', 'f', 't', 2, 2,	  'w',	'e',  'f', 't', 1, 0x88, 0xb6,
		'w', 'e', 'f', 't', 1,	 2, 0,	  0,	0x80, 0,   0,	0, 0,	 0,
		0,   1,	  0,   0,   0,	 7, 0xc1, 0x23, 63,   1,   0,	0, 0x23, 0x28};
	uint8_t bytes[VXLAN_PROBE_BYTES];

	vxlan_probe_write(&answer, bytes);
	assert_memory_equal(bytes, expected, sizeof(bytes));
}

static void nothing_shorter_is_one(void **state)
{
	struct vxlan_probe probe;
	uint8_t bytes[VXLAN_PROBE_BYTES];

	vxlan_probe_write(&question, bytes);
	for (uint32_t n = 0; n < VXLAN_PROBE_BYTES; n++) {
		/* Of exactly that length, for who watches reads. */
		uint8_t *cut = malloc(n + 1);

		memcpy(cut, bytes, n);
		assert_false(vxlan_probe_read(cut, n, &probe));
		free(cut);
	}
}

static void another_start_is_none(void **state)
{
	struct vxlan_probe probe;
	uint8_t bytes[VXLAN_PROBE_BYTES];

	/* Addresses, EtherType, magic, version; then the kind. */
	for (unsigned int i = 0; i < 20; i++) {
		vxlan_probe_write(&question, bytes);
		bytes[i] ^= 0x40;
		assert_false(vxlan_probe_read(bytes, sizeof(bytes), &probe));
	}
	vxlan_probe_write(&question, bytes);
	for (unsigned int kind = 0; kind < 256; kind++) {
		bytes[19] = (uint8_t)kind;
		assert_int_equal(vxlan_probe_read(bytes, sizeof(bytes), &probe),
				 kind == 1 || kind == 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_layout_is_this),
		cmocka_unit_test(nothing_shorter_is_one),
		cmocka_unit_test(another_start_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
