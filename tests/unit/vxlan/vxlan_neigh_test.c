/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of vxlan/vxlan_neigh.c: answers as scapy makes them, and questions that must pass. */
#include "vxlan/vxlan_neigh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vxlan/rig.h"
#include "vxlan/vxlan_bytes.h"

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 10}, mac_b[6] = {2, 0, 0, 0, 0, 11};

static bool is_question(const uint8_t *head, uint32_t n, struct vxlan_neigh_question *question)
{
	struct vxlan_inner inner;

	vxlan_inner_read(head, n, &inner);
	return vxlan_neigh_read(head, n, &inner, false, question);
}

static void check_answer(const char *name, const char *answer, bool is_router)
{
	const struct vector *vector = rig_vector(name), *wanted = rig_vector(answer);
	struct vxlan_neigh_question question;
	uint8_t *out = malloc(VXLAN_NEIGH_BYTES_MAX);

	assert_non_null(out);
	assert_true(is_question(vector->bytes, vector->n, &question));
	assert_int_equal(vxlan_neigh_answer(&question, mac_b, is_router, out), wanted->n);
	assert_memory_equal(out, wanted->bytes, wanted->n);
	free(out);
}

static void answers_are_those_of_scapy(void **state)
{
	check_answer("arp", "arp-answer", false);
	check_answer("arp-tagged", "arp-tagged-answer", false);
	check_answer("ns", "ns-answer", false);
	check_answer("ns", "ns-answer-router", true);
	check_answer("ns-tagged", "ns-tagged-answer", false);
}

static void the_question_says_who_is_asked_for(void **state)
{
	static const uint8_t b6[16] = {0xfd, 0, 0, 1, [15] = 11};
	const struct vector *arp = rig_vector("arp"), *ns = rig_vector("ns");
	struct vxlan_neigh_question question;

	assert_true(is_question(arp->bytes, arp->n, &question));
	assert_int_equal(question.ip_version, 4);
	assert_memory_equal(question.target, "\x0a\x01\x00\x02", 4);
	assert_memory_equal(question.asker_mac, mac_a, 6);
	assert_true(is_question(ns->bytes, ns->n, &question));
	assert_int_equal(question.ip_version, 6);
	assert_memory_equal(question.target, b6, 16);
	assert_memory_equal(question.asker_mac, mac_a, 6);
}

static void nobody_is_told_his_own_mac(void **state)
{
	static const char *const names[] = {"arp", "ns"};

	for (size_t i = 0; i < 2; i++) {
		const struct vector *vector = rig_vector(names[i]);
		struct vxlan_neigh_question question;
		uint8_t out[VXLAN_NEIGH_BYTES_MAX];

		assert_true(is_question(vector->bytes, vector->n, &question));
		assert_int_equal(vxlan_neigh_answer(&question, mac_a, false, out), 0);
	}
}

/* The vector with n bytes at `at` replaced; a solicitation gets its checksum mended. */
static bool is_question_changed(const char *name, uint32_t at, const void *bytes, uint32_t n)
{
	const struct vector *vector = rig_vector(name);
	uint8_t *head = rig_copy(vector->bytes, vector->n);
	struct vxlan_neigh_question question;

	memcpy(head + at, bytes, n);
	if (name[0] == 'n' && at >= 22) {
		uint16_t length = vxlan_load_be16(head + 18);
		const uint8_t rest[4] = {(uint8_t)(length >> 8), (uint8_t)length, 0, 58};

		memset(head + 56, 0, 2);
		uint16_t sum = rig_sum(rig_sum(0, head + 22, 32), rest, 4);

		vxlan_store_be16(head + 56, (uint16_t)~rig_sum(sum, head + 54, length));
	}
	bool is = is_question(head, vector->n, &question);

	free(head);
	return is;
}

#define CHANGED(name, at, ...)                                                                     \
	is_question_changed(name, at, (const uint8_t[]){__VA_ARGS__},                              \
			    sizeof((const uint8_t[]){__VA_ARGS__}))

static void arp_that_others_must_see_passes(void **state)
{
	assert_true(CHANGED("arp", 28, 10, 1, 0, 9));
	assert_false(CHANGED("arp", 28, 0, 0, 0, 0));		/* a probe */
	assert_false(CHANGED("arp", 28, 10, 1, 0, 2));		/* an announcement */
	assert_false(CHANGED("arp", 38, 0, 0, 0, 0));		/* asks for nobody */
	assert_false(CHANGED("arp", 20, 0, 2));			/* an answer */
	assert_false(CHANGED("arp", 20, 0, 3));			/* reverse ARP */
	assert_false(CHANGED("arp", 14, 0, 6));			/* other hardware */
	assert_false(CHANGED("arp", 16, 0x86, 0xdd));		/* another protocol */
	assert_false(CHANGED("arp", 18, 8, 4));			/* other lengths */
	assert_false(CHANGED("arp", 0, 2, 0, 0, 0, 0, 11));	/* to one host */
	assert_false(CHANGED("arp", 22, 2, 0, 0, 0, 0, 12));	/* from two MACs */
	assert_false(CHANGED("arp", 6, 3, 0, 0, 0, 0, 10, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 3));
	assert_false(is_question_changed("arp-answer", 0, "", 0));
}

static void solicitations_that_others_must_see_pass(void **state)
{
	static const uint8_t nobody[16] = {0};
	static const uint8_t b6[16] = {0xfd, 0, 0, 1, [15] = 11};

	assert_true(CHANGED("ns", 37, 12));
	assert_false(is_question_changed("ns", 22, nobody, 16));	/* duplicate detection */
	assert_false(is_question_changed("ns", 22, b6, 16));		/* from whom it asks for */
	assert_false(CHANGED("ns", 0, 2, 0, 0, 0, 0, 11));		/* to one host's MAC */
	assert_false(is_question_changed("ns", 38, b6, 16));		/* to one host's address */
	assert_false(CHANGED("ns", 53, 12));				/* to another's group */
	assert_false(CHANGED("ns", 80, 2, 0, 0, 0, 0, 12));		/* from two MACs */
	assert_false(CHANGED("ns", 21, 254));				/* from elsewhere */
	assert_false(CHANGED("ns", 54, 136));				/* an advertisement */
	assert_false(CHANGED("ns", 55, 1));
	assert_false(CHANGED("ns", 62, 0xff));				/* asks for a group */
	assert_false(CHANGED("ns", 78, 2));				/* no source option */
	assert_false(CHANGED("ns", 79, 0));				/* an option without end */
	assert_false(CHANGED("ns", 79, 2));				/* one that is cut */
	assert_false(CHANGED("ns", 18, 0, 24));				/* none at all */
	assert_false(CHANGED("ns", 18, 0, 33));				/* a packet that is cut */
	assert_false(CHANGED("ns", 20, 17));				/* UDP */
	assert_false(is_question_changed("ns-answer", 0, "", 0));
}

/* Two options of the kind: one receiver takes the first, another the last. */
static void a_second_source_option_passes(void **state)
{
	const struct vector *ns = rig_vector("ns");
	uint8_t head[128];
	struct vxlan_neigh_question question;
	struct vxlan_inner inner;

	memcpy(head, ns->bytes, ns->n);
	memcpy(head + ns->n, ns->bytes + ns->n - 8, 8);
	vxlan_store_be16(head + 18, 40);
	vxlan_inner_read(head, ns->n + 8, &inner);
	assert_false(vxlan_neigh_read(head, ns->n + 8, &inner, true, &question));
	/* A nonce (RFC 3971) in its place does no harm. */
	head[ns->n] = 14;
	assert_true(vxlan_neigh_read(head, ns->n + 8, &inner, true, &question));
}

static void checksum_counts_unless_it_is_open(void **state)
{
	const struct vector *ns = rig_vector("ns");
	uint8_t *head = rig_copy(ns->bytes, ns->n);
	struct vxlan_neigh_question question;
	struct vxlan_inner inner;

	head[57] ^= 1;
	vxlan_inner_read(head, ns->n, &inner);
	assert_false(vxlan_neigh_read(head, ns->n, &inner, false, &question));
	assert_true(vxlan_neigh_read(head, ns->n, &inner, true, &question));
	free(head);
}

static void no_cut_is_a_question(void **state)
{
	static const char *const names[] = {"arp", "arp-tagged", "ns", "ns-tagged"};

	for (size_t i = 0; i < 4; i++) {
		const struct vector *vector = rig_vector(names[i]);

		for (uint32_t n = 0; n < vector->n; n++) {
			uint8_t *head = rig_copy(vector->bytes, n);
			struct vxlan_neigh_question question;

			assert_false(is_question(head, n, &question));
			free(head);
		}
	}
}

static void nothing_else_is_a_question(void **state)
{
	for (const struct vector *vector = vectors; vector->name != NULL; vector++) {
		struct vxlan_neigh_question question;
		bool is_asking = strcmp(vector->name, "arp") == 0 ||
				 strcmp(vector->name, "arp-tagged") == 0 ||
				 strcmp(vector->name, "ns") == 0 ||
				 strcmp(vector->name, "ns-tagged") == 0;

		assert_int_equal(is_question(vector->bytes, vector->n, &question), is_asking);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_scapy),
		cmocka_unit_test(the_question_says_who_is_asked_for),
		cmocka_unit_test(nobody_is_told_his_own_mac),
		cmocka_unit_test(arp_that_others_must_see_passes),
		cmocka_unit_test(solicitations_that_others_must_see_pass),
		cmocka_unit_test(a_second_source_option_passes),
		cmocka_unit_test(checksum_counts_unless_it_is_open),
		cmocka_unit_test(no_cut_is_a_question),
		cmocka_unit_test(nothing_else_is_a_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
