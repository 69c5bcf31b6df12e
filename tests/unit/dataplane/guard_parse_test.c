/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/guard_parse.c: what is read, and what is not mistaken for nothing. */
#include "dataplane/guard_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* A head that is written from its start. */
struct writer {
	uint8_t head[128];
	unsigned int n;
};

static void put(struct writer *w, const void *bytes, unsigned int n)
{
	assert_true(w->n + n <= sizeof(w->head));
	memcpy(w->head + w->n, bytes, n);
	w->n += n;
}

#define PUT(w, ...) put(w, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static struct writer ethernet(void)
{
	struct writer w = {.n = 12};

	return w;
}

static void put_ipv4(struct writer *w, uint16_t fragment, uint8_t protocol, unsigned int words)
{
	PUT(w, 0x08, 0x00, (uint8_t)(0x40 | words), 0, 0, 60, 0, 0, (uint8_t)(fragment >> 8),
	    (uint8_t)fragment, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
	for (unsigned int i = 5; i < words; i++)
		PUT(w, 1, 1, 1, 1);
}

static void put_ipv6(struct writer *w, uint16_t payload, uint8_t next)
{
	PUT(w, 0x86, 0xdd, 0x60, 0, 0, 0, (uint8_t)(payload >> 8), (uint8_t)payload, next, 255);
	PUT(w, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	PUT(w, 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
}

static void put_solicitation(struct writer *w)
{
	PUT(w, 135, 0, 0, 0, 0, 0, 0, 0);
	PUT(w, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
}

static struct guard_headers parse(const struct writer *w)
{
	struct guard_headers headers;

	guard_parse(w->head, (uint16_t)w->n, &headers);
	return headers;
}

static enum guard_kind kind(const struct writer *w)
{
	return parse(w).kind;
}

static void other_protocols_are_plain(void **state)
{
	struct writer w = ethernet();

	PUT(&w, 0x88, 0xb5);
	assert_int_equal(kind(&w), GUARD_PLAIN);
	assert_int_equal(parse(&w).ip_version, 0);
}

static void udp_is_found_behind_options_and_tags(void **state)
{
	for (unsigned int n_tags = 0; n_tags <= GUARD_PARSE_TAGS_MAX; n_tags++) {
		for (unsigned int words = 5; words <= 15; words++) {
			struct writer w = ethernet();

			for (unsigned int i = 0; i < n_tags; i++)
				PUT(&w, i % 2 ? 0x88 : 0x81, i % 2 ? 0xa8 : 0, 0, 5);
			put_ipv4(&w, 0, 17, words);
			PUT(&w, 0, 67, 0, 68);
			struct guard_headers headers = parse(&w);

			assert_int_equal(headers.kind, GUARD_UDP);
			assert_int_equal(headers.src_port, 67);
			assert_int_equal(headers.dst_port, 68);
			assert_memory_equal(headers.ip_source, "\x0a\x00\x00\x01", 4);
		}
	}
}

static void more_tags_than_we_read_are_unreadable(void **state)
{
	struct writer w = ethernet();

	for (unsigned int i = 0; i <= GUARD_PARSE_TAGS_MAX; i++)
		PUT(&w, 0x81, 0, 0, 0);
	put_ipv4(&w, 0, 6, 5);
	assert_int_equal(kind(&w), GUARD_UNREADABLE);
}

static void ip_in_snap_is_read(void **state)
{
	for (int is_bridge_tunnel = 0; is_bridge_tunnel < 2; is_bridge_tunnel++) {
		struct writer w = ethernet();

		/* A priority tag, a length, then LLC and SNAP: CVE-2021-27853. */
		PUT(&w, 0x81, 0, 0, 0, 0, 40, 0xaa, 0xaa, 3, 0, 0, is_bridge_tunnel ? 0xf8 : 0);
		put_ipv6(&w, 16, 58);
		PUT(&w, 134, 0, 0, 0);
		assert_int_equal(kind(&w), GUARD_ICMP);
		assert_int_equal(parse(&w).icmp_type, 134);
	}
}

static void a_length_without_snap_is_plain(void **state)
{
	struct writer w = ethernet();

	PUT(&w, 0, 38, 0x42, 0x42, 3, 0, 0, 0, 0, 0, 0, 0); /* STP's LLC */
	assert_int_equal(kind(&w), GUARD_PLAIN);
}

static void every_cut_of_what_a_guard_reads_is_unreadable(void **state)
{
	struct writer dhcp = ethernet(), arp = ethernet(), ra = ethernet(), ns = ethernet();

	put_ipv4(&dhcp, 0, 17, 7);
	PUT(&dhcp, 0, 67, 0, 68);
	PUT(&arp, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0,
	    10, 0, 0, 2);
	put_ipv6(&ra, 1 + 8, 60);
	PUT(&ra, 58, 0, 1, 4, 0, 0, 0, 0, 134);
	put_ipv6(&ns, 32, 58);
	put_solicitation(&ns);
	PUT(&ns, 1, 1, 2, 0, 0, 0, 0, 1);
	struct writer *all[] = {&dhcp, &arp, &ra, &ns};

	for (int i = 0; i < 4; i++) {
		unsigned int n = all[i]->n;

		assert_int_not_equal(kind(all[i]), GUARD_UNREADABLE);
		for (all[i]->n = 14; all[i]->n < n; all[i]->n++)
			assert_int_equal(kind(all[i]), GUARD_UNREADABLE);
	}
}

static void arp_claims_its_sender(void **state)
{
	struct writer w = ethernet();

	PUT(&w, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 7, 10, 0, 0, 7, 2, 0, 0, 0, 0, 1, 10,
	    0, 0, 2);
	struct guard_headers headers = parse(&w);

	assert_int_equal(headers.kind, GUARD_ARP);
	assert_int_equal(headers.claim_version, 4);
	assert_memory_equal(headers.claim_ip, "\x0a\x00\x00\x07", 4);
	assert_memory_equal(headers.claim_mac, "\x02\x00\x00\x00\x00\x07", 6);
	w.head[18] = 8; /* length of a hardware address */
	assert_int_equal(kind(&w), GUARD_UNREADABLE);
}

static void first_fragments_are_judged_and_later_ones_pass(void **state)
{
	struct writer first = ethernet(), later = ethernet();

	put_ipv4(&first, 0x2000, 17, 5);
	PUT(&first, 0, 67, 0, 68);
	assert_int_equal(kind(&first), GUARD_UDP);
	put_ipv4(&later, 0x2001, 17, 5);
	PUT(&later, 0, 67, 0, 68);
	assert_int_equal(kind(&later), GUARD_PLAIN);
	assert_non_null(parse(&later).ip_source);
}

static struct writer fragment6(uint16_t offset_and_more, uint8_t next)
{
	struct writer w = ethernet();

	put_ipv6(&w, 8 + 24, 44);
	PUT(&w, next, 0, (uint8_t)(offset_and_more >> 8), (uint8_t)offset_and_more, 0, 0, 0, 1);
	return w;
}

static void fragments_of_ipv6_follow_the_rfcs(void **state)
{
	struct writer w = fragment6(1, 17);

	PUT(&w, 2, 0x23, 2, 0x22);
	assert_int_equal(kind(&w), GUARD_UDP);
	/* RFC 7112: the first fragment has the whole chain; here it ends in the middle of it. */
	w = fragment6(1, 60);
	PUT(&w, 58, 9, 0, 0, 0, 0, 0, 0);
	assert_int_equal(kind(&w), GUARD_UNREADABLE);
	/* RFC 6980: neighbour discovery is not fragmented, not even into one fragment. */
	w = fragment6(0, 58);
	put_solicitation(&w);
	assert_int_equal(kind(&w), GUARD_UNREADABLE);
	/* A router advertisement stays one. */
	w = fragment6(1, 58);
	PUT(&w, 134, 0, 0, 0);
	assert_int_equal(parse(&w).icmp_type, 134);
	/* Later ones pass, unless they could reach back into headers. */
	w = fragment6(1280 | 1, 58);
	assert_int_equal(kind(&w), GUARD_PLAIN);
	w = fragment6(8 | 1, 58);
	assert_int_equal(kind(&w), GUARD_UNREADABLE);
}

static void extension_headers_are_followed(void **state)
{
	struct writer w = ethernet();

	put_ipv6(&w, 100, 0);
	PUT(&w, 43, 0, 1, 4, 0, 0, 0, 0);	       /* hop by hop -> routing */
	PUT(&w, 51, 0, 0, 0, 0, 0, 0, 0);	       /* routing -> authentication */
	PUT(&w, 60, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* 12 bytes -> destination options */
	PUT(&w, 58, 0, 1, 4, 0, 0, 0, 0);
	PUT(&w, 137, 0, 0, 0);
	assert_int_equal(kind(&w), GUARD_ICMP);
	assert_int_equal(parse(&w).icmp_type, 137);
}

static void a_chain_deeper_than_we_read_is_unreadable(void **state)
{
	struct writer w = ethernet(), beyond = ethernet();

	put_ipv6(&w, 8 * 9, 60);
	for (int i = 0; i < 9; i++)
		PUT(&w, i < 8 ? 60 : 6, 0, 1, 4, 0, 0, 0, 0);
	assert_int_equal(kind(&w), GUARD_UNREADABLE);
	put_ipv6(&beyond, 300, 60);
	PUT(&beyond, 58, 31, 1, 4, 0, 0, 0, 0); /* ends beyond the head */
	while (beyond.n < sizeof(beyond.head))
		PUT(&beyond, 0);
	assert_int_equal(kind(&beyond), GUARD_UNREADABLE);
}

static void tcp_and_what_is_encrypted_are_plain(void **state)
{
	static const uint8_t nexts[] = {6, 50, 59, 132, 47};

	for (unsigned int i = 0; i < sizeof(nexts); i++) {
		struct writer w = ethernet();

		put_ipv6(&w, 20, nexts[i]);
		assert_int_equal(kind(&w), GUARD_PLAIN);
		assert_int_equal(parse(&w).ip_version, 6);
	}
}

static void a_solicitation_claims_its_source_or_its_target(void **state)
{
	struct writer w = ethernet(), probe = ethernet();

	put_ipv6(&w, 32, 58);
	put_solicitation(&w);
	PUT(&w, 1, 1, 2, 0, 0, 0, 0, 1);
	assert_int_equal(kind(&w), GUARD_ND);
	assert_memory_equal(parse(&w).claim_ip, w.head + 22, 16);
	assert_memory_equal(parse(&w).claim_mac, "\x02\x00\x00\x00\x00\x01", 6);
	put_ipv6(&probe, 24, 58);
	memset(probe.head + 22, 0, 16);
	put_solicitation(&probe);
	assert_memory_equal(parse(&probe).claim_ip, probe.head + 62, 16);
	assert_null(parse(&probe).claim_mac);
}

static void an_advertisement_claims_its_target(void **state)
{
	struct writer w = ethernet();

	put_ipv6(&w, 40, 58);
	put_solicitation(&w);
	w.head[54] = 136;
	PUT(&w, 14, 1, 0, 0, 0, 0, 0, 0); /* a nonce first */
	PUT(&w, 2, 1, 2, 0, 0, 0, 0, 1);
	assert_int_equal(kind(&w), GUARD_ND);
	assert_memory_equal(parse(&w).claim_ip, w.head + 62, 16);
	assert_memory_equal(parse(&w).claim_mac, "\x02\x00\x00\x00\x00\x01", 6);
}

static void options_that_two_readers_read_differently_are_unreadable(void **state)
{
	struct writer twice = ethernet(), endless = ethernet();

	put_ipv6(&twice, 40, 58);
	put_solicitation(&twice);
	PUT(&twice, 1, 1, 2, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0, 0, 0, 2);
	assert_int_equal(kind(&twice), GUARD_UNREADABLE);
	put_ipv6(&endless, 32, 58);
	put_solicitation(&endless);
	PUT(&endless, 1, 0, 2, 0, 0, 0, 0, 1);
	assert_int_equal(kind(&endless), GUARD_UNREADABLE);
}

static void padding_behind_the_packet_is_not_read(void **state)
{
	struct writer w = ethernet();

	put_ipv6(&w, 24, 58);
	put_solicitation(&w);
	PUT(&w, 1, 0, 0, 0, 0, 0); /* an option of no length, if it were one */
	assert_int_equal(kind(&w), GUARD_ND);
}

static void wrong_versions_are_unreadable(void **state)
{
	struct writer four = ethernet(), six = ethernet();

	put_ipv4(&four, 0, 6, 4);
	assert_int_equal(kind(&four), GUARD_UNREADABLE);
	put_ipv6(&six, 20, 6);
	six.head[14] = 0x40;
	assert_int_equal(kind(&six), GUARD_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_protocols_are_plain),
		cmocka_unit_test(udp_is_found_behind_options_and_tags),
		cmocka_unit_test(more_tags_than_we_read_are_unreadable),
		cmocka_unit_test(ip_in_snap_is_read),
		cmocka_unit_test(a_length_without_snap_is_plain),
		cmocka_unit_test(every_cut_of_what_a_guard_reads_is_unreadable),
		cmocka_unit_test(arp_claims_its_sender),
		cmocka_unit_test(first_fragments_are_judged_and_later_ones_pass),
		cmocka_unit_test(fragments_of_ipv6_follow_the_rfcs),
		cmocka_unit_test(extension_headers_are_followed),
		cmocka_unit_test(a_chain_deeper_than_we_read_is_unreadable),
		cmocka_unit_test(tcp_and_what_is_encrypted_are_plain),
		cmocka_unit_test(a_solicitation_claims_its_source_or_its_target),
		cmocka_unit_test(an_advertisement_claims_its_target),
		cmocka_unit_test(options_that_two_readers_read_differently_are_unreadable),
		cmocka_unit_test(padding_behind_the_packet_is_not_read),
		cmocka_unit_test(wrong_versions_are_unreadable),
	};

	return cmocka_run_group_tests_name("guard_parse", tests, NULL, NULL);
}
