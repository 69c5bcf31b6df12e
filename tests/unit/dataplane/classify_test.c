/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/classify.c: which frames get a segment, and why the others do not. */
#include "dataplane/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "dataplane/fdb.h"
#include "dataplane/worker.h"
#include "tests/unit/dataplane/rig.h"

#define ALPHA 1
#define BETA 2
#define TRUNK 5 /* port with ALPHA untagged and BETA as VLAN 20 */

/* Ports 1 in ALPHA, 2 in BETA, 3 in none, and the trunk. */
static int set_up(void **state)
{
	struct dataplane *dp = rig_create(1);
	struct dp_port trunk = rig_port_spec(TRUNK, ALPHA);

	rig_put_segment(dp, ALPHA);
	rig_put_segment(dp, BETA);
	for (uint64_t id = 1; id <= 3; id++)
		rig_put_port(dp, id, id == 3 ? 0 : (uint32_t)id);
	trunk.members[trunk.n_members++] = (struct dp_member){.segment_id = BETA, .vlan = 20};
	rig_put_port_spec(dp, &trunk);
	*state = dp;
	return 0;
}

static int tear_down(void **state)
{
	dataplane_destroy(*state);
	return 0;
}

static struct burst *empty_burst(struct dataplane *dp)
{
	dp->workers[0]->burst->n = 0;
	return dp->workers[0]->burst;
}

static void classify(struct dataplane *dp, uint64_t id, struct burst *burst)
{
	classify_burst(dp, port_find(dp, id), burst);
}

static void a_good_frame_gets_its_segment_and_both_keys(void **state)
{
	struct burst *burst = empty_burst(*state);
	struct frame *frame = rig_add_frame(burst, 1, 2, 64);

	classify(*state, 2, burst);
	assert_int_equal(frame->drop, DROP_NONE);
	assert_int_equal(frame->segment, BETA);
	assert_true(frame->dst_key == fdb_key(BETA, frame->head));
	assert_true(frame->src_key == fdb_key(BETA, frame->head + 6));
	assert_false(burst->has_tags);
}

/* What byte of the head is changed to what, and what comes of it. */
struct row {
	const char *what;
	uint32_t len;
	int at;
	uint8_t bytes[20];
	unsigned int n;
	enum drop_reason drop;
};

static const struct row rows[] = {
	{"as it is", 64, 0, {0}, 0, DROP_NONE},
	{"the shortest with a header", 14, 0, {0}, 0, DROP_NONE},
	{"one byte too short", 13, 0, {0}, 0, DROP_RUNT},
	{"empty", 0, 0, {0}, 0, DROP_RUNT},
	{"broadcast", 64, 0, {255, 255, 255, 255, 255, 255}, 6, DROP_NONE},
	{"multicast", 64, 0, {1, 0, 0x5e, 0, 0, 1}, 6, DROP_NONE},
	{"multicast source", 64, 6, {3}, 1, DROP_BAD_SOURCE},
	{"zero source", 64, 6, {0, 0, 0, 0, 0, 0}, 6, DROP_BAD_SOURCE},
	{"source of one bit", 64, 6, {0, 0, 0, 0, 0, 1}, 6, DROP_NONE},
	{"802.1Q", 64, 12, {0x81, 0x00, 0, 1}, 4, DROP_TAGGED},
	{"802.1Q with priority and a VLAN", 64, 12, {0x81, 0x00, 0xe0, 1}, 4, DROP_TAGGED},
	{"802.1ad", 64, 12, {0x88, 0xa8, 0, 0}, 4, DROP_TAGGED},
	{"0x9100", 64, 12, {0x91, 0x00, 0, 0}, 4, DROP_TAGGED},
	{"802.1Q without a tag to follow", 17, 12, {0x81, 0x00}, 2, DROP_RUNT},
	{"priority tag", 64, 12, {0x81, 0x00, 0xe0, 0, 8, 0}, 6, DROP_NONE},
	{"priority tag before another", 64, 12, {0x81, 0, 0xe0, 0, 0x81, 0, 0, 0}, 8, DROP_TAGGED},
	{"priority tag before a VLAN", 64, 12, {0x81, 0, 0xe0, 0, 0x81, 0, 0, 9}, 8, DROP_TAGGED},
	{"as long as the MTU allows", 1514, 0, {0}, 0, DROP_NONE},
	{"one byte longer", 1515, 0, {0}, 0, DROP_TOO_BIG},
	{"length field of 802.3", 64, 12, {0x00, 0x32}, 2, DROP_NONE},
	{"spanning tree", 64, 0, {1, 0x80, 0xc2, 0, 0, 0}, 6, DROP_LINK_LOCAL},
	{"address of LLDP", 64, 0, {1, 0x80, 0xc2, 0, 0, 0x0e}, 6, DROP_LINK_LOCAL},
	{"last reserved address", 64, 0, {1, 0x80, 0xc2, 0, 0, 0x0f}, 6, DROP_LINK_LOCAL},
	{"first that is not reserved", 64, 0, {1, 0x80, 0xc2, 0, 0, 0x10}, 6, DROP_NONE},
	{"looks like reserved", 64, 0, {1, 0x80, 0xc2, 0, 1, 0x00}, 6, DROP_NONE},
};

static void each_kind_of_frame_gets_its_verdict(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		struct burst *burst = empty_burst(*state);
		struct frame *frame = rig_add_frame(burst, 1, 2, row->len);

		memcpy(frame->head + row->at, row->bytes, row->n);
		classify(*state, 1, burst);
		if (frame->drop != row->drop)
			fail_msg("%s: %s, not %s", row->what, drop_reason_name(frame->drop),
				 drop_reason_name(row->drop));
	}
}

static void without_a_segment_nothing_passes(void **state)
{
	struct burst *burst = empty_burst(*state);

	rig_add_frame(burst, 1, 2, 64);
	rig_add_frame(burst, RIG_BROADCAST, 2, 64);
	rig_add_frame(burst, 1, 2, 10);
	classify(*state, 3, burst);
	assert_int_equal(burst->frames[0].drop, DROP_NO_SEGMENT);
	assert_int_equal(burst->frames[1].drop, DROP_NO_SEGMENT);
	assert_int_equal(burst->frames[2].drop, DROP_RUNT);
}

static void what_the_port_dropped_keeps_its_reason(void **state)
{
	struct burst *burst = empty_burst(*state);

	rig_add_frame(burst, 1, 2, 0)->drop = DROP_BAD_CHAIN;
	rig_add_frame(burst, 1, 2, 64);
	classify(*state, 1, burst);
	assert_int_equal(burst->frames[0].drop, DROP_BAD_CHAIN);
	assert_int_equal(burst->frames[1].drop, DROP_NONE);
}

/* --- trunks --- */

struct trunk_row {
	const char *what;
	uint8_t bytes[12]; /* from the EtherType on */
	bool qinq;
	enum drop_reason drop;
	uint16_t segment;
	bool has_tag;
};

static const struct trunk_row trunk_rows[] = {
	{"no tag", {0x08, 0x00}, false, DROP_NONE, ALPHA, false},
	{"allowed tag", {0x81, 0, 0, 20, 8, 0}, false, DROP_NONE, BETA, false},
	{"with priority", {0x81, 0, 0xf0, 20, 8, 0}, false, DROP_NONE, BETA, false},
	{"priority alone", {0x81, 0, 0xf0, 0, 8, 0}, false, DROP_NONE, ALPHA, false},
	{"tag of nobody", {0x81, 0, 0, 21, 8, 0}, false, DROP_VLAN},
	{"tag 1", {0x81, 0, 0, 1, 8, 0}, false, DROP_VLAN},
	{"tag 4095", {0x81, 0, 0x0f, 0xff, 8, 0}, false, DROP_VLAN},
	{"two tags", {0x81, 0, 0, 20, 0x81, 0, 0, 7}, false, DROP_TAGGED},
	{"two tags, second 802.1ad", {0x81, 0, 0, 20, 0x88, 0xa8, 0, 7}, false, DROP_TAGGED},
	{"two tags, second 0x9100", {0x81, 0, 0, 20, 0x91, 0, 0, 7}, false, DROP_TAGGED},
	{"802.1ad", {0x88, 0xa8, 0, 20, 8, 0}, false, DROP_TAGGED},
	{"0x9100", {0x91, 0, 0, 20, 8, 0}, false, DROP_TAGGED},
	{"priority, then a tag", {0x81, 0, 0, 0, 0x81, 0, 0, 20}, false, DROP_TAGGED},
	{"qinq: two tags", {0x81, 0, 0, 20, 0x81, 0, 0, 7}, true, DROP_NONE, BETA, true},
	{"qinq: 802.1ad", {0x88, 0xa8, 0, 20, 0x81, 0, 0, 7}, true, DROP_NONE, BETA, true},
	{"qinq: 802.1ad alone", {0x88, 0xa8, 0, 20, 8, 0}, true, DROP_NONE, BETA, false},
	{"qinq: outer of nobody", {0x81, 0, 0, 21, 0x81, 0, 0, 20}, true, DROP_VLAN},
	{"qinq: none, then a tag", {0x81, 0, 0, 0, 0x81, 0, 0, 20}, true, DROP_TAGGED},
	{"qinq: 0x9100", {0x91, 0, 0, 20, 8, 0}, true, DROP_TAGGED},
};

static void the_tag_chooses_the_segment_on_a_trunk(void **state)
{
	struct dataplane *dp = *state;

	for (size_t i = 0; i < sizeof(trunk_rows) / sizeof(trunk_rows[0]); i++) {
		const struct trunk_row *row = &trunk_rows[i];
		struct burst *burst = empty_burst(dp);
		struct frame *frame = rig_add_frame(burst, 1, 2, 64);
		bool is_stripped = row->bytes[0] != 8;

		memcpy(frame->head + 12, row->bytes, sizeof(row->bytes));
		atomic_store(&port_find(dp, TRUNK)->takes_tags, row->qinq);
		classify(dp, TRUNK, burst);
		if (frame->drop != row->drop)
			fail_msg("%s: %s, not %s", row->what, drop_reason_name(frame->drop),
				 drop_reason_name(row->drop));
		if (row->drop != DROP_NONE)
			continue;
		assert_int_equal(frame->segment, row->segment);
		assert_true(frame->src_key == fdb_key(row->segment, frame->head + 6));
		assert_int_equal(frame->has_tag, row->has_tag);
		assert_int_equal(burst->has_tags, row->has_tag);
		assert_int_equal(frame->len, is_stripped ? 60 : 64);
		assert_int_equal(frame->head_len, frame->len);
		assert_int_equal(burst->stripped_bytes, is_stripped ? 4 : 0);
		assert_memory_equal(frame->head + 12, row->bytes + (is_stripped ? 4 : 0), 2);
	}
}

static void an_access_port_with_qinq_carries_tags_as_payload(void **state)
{
	struct dataplane *dp = *state;
	struct burst *burst = empty_burst(dp);
	struct frame *frame = rig_add_frame(burst, 1, 2, 64);

	memcpy(frame->head + 12, (uint8_t[]){0x81, 0, 0, 20}, 4);
	atomic_store(&port_find(dp, 1)->takes_tags, true);
	classify(dp, 1, burst);
	assert_int_equal(frame->drop, DROP_NONE);
	assert_int_equal(frame->segment, ALPHA);
	assert_true(frame->has_tag && burst->has_tags);
	assert_int_equal(frame->len, 64);
}

static void offsets_move_with_the_tag(void **state)
{
	struct burst *burst = empty_burst(*state);
	struct frame *frame = rig_add_frame(burst, 1, 2, 100);
	struct virtio_net_hdr *hdr = &frame->vnet.hdr;

	memcpy(frame->head + 12, (uint8_t[]){0x81, 0, 0, 20, 0x08, 0x00}, 6);
	*hdr = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				       .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				       .hdr_len = 58,
				       .gso_size = 500,
				       .csum_start = 38,
				       .csum_offset = 16};
	classify(*state, TRUNK, burst);
	assert_int_equal(frame->drop, DROP_NONE);
	assert_int_equal(hdr->csum_start, 34);
	assert_int_equal(hdr->hdr_len, 54);
	/* What stands behind the tag is not what the header says. */
	burst = empty_burst(*state);
	*frame = (struct frame){.len = 100, .head_len = 100, .vnet.hdr = *hdr};
	rig_mac(frame->head + 6, 1);
	memcpy(frame->head + 12, (uint8_t[]){0x81, 0, 0, 20, 0x86, 0xdd}, 6);
	burst->n = 1;
	classify(*state, TRUNK, burst);
	assert_int_equal(frame->drop, DROP_BAD_OFFLOAD);
}

/* --- MTU, link-local protocols --- */

static struct frame *large_frame(struct burst *burst, uint16_t gso_size, uint8_t tcp_words)
{
	struct frame *frame = rig_add_frame(burst, 1, 2, 9000);

	frame->vnet.hdr = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
						  .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
						  .gso_size = gso_size,
						  .csum_start = 34,
						  .csum_offset = 16};
	frame->head[34 + 12] = (uint8_t)(tcp_words << 4);
	return frame;
}

static void a_large_frame_counts_as_what_it_will_be_cut_into(void **state)
{
	struct burst *burst = empty_burst(*state);
	struct frame *fits = large_frame(burst, 1460, 5), *over = large_frame(burst, 1461, 5);
	struct frame *with_options = large_frame(burst, 1448, 8);
	struct frame *over_by_options = large_frame(burst, 1460, 8);

	classify(*state, 1, burst);
	assert_int_equal(fits->drop, DROP_NONE);
	assert_int_equal(over->drop, DROP_TOO_BIG);
	assert_int_equal(with_options->drop, DROP_NONE);
	assert_int_equal(over_by_options->drop, DROP_TOO_BIG);
}

static void a_tag_is_no_part_of_the_packet(void **state)
{
	struct burst *burst = empty_burst(*state);
	struct frame *fits = rig_add_frame(burst, 1, 2, 1518);
	struct frame *over = rig_add_frame(burst, 1, 2, 1519);

	for (unsigned int i = 0; i < 2; i++)
		memcpy(burst->frames[i].head + 12, (uint8_t[]){0x81, 0, 0, 20, 8, 0}, 6);
	classify(*state, TRUNK, burst);
	assert_int_equal(fits->drop, DROP_NONE);
	assert_int_equal(over->drop, DROP_TOO_BIG);
}

static void the_mtu_of_a_segment_changes_under_traffic(void **state)
{
	struct dp_segment alpha = rig_segment(ALPHA);
	struct burst *burst;

	alpha.mtu = 9000;
	rig_put_segment_spec(*state, &alpha);
	burst = empty_burst(*state);
	rig_add_frame(burst, 1, 2, 9014);
	rig_add_frame(burst, 1, 2, 9015);
	classify(*state, 1, burst);
	assert_int_equal(burst->frames[0].drop, DROP_NONE);
	assert_int_equal(burst->frames[1].drop, DROP_TOO_BIG);
}

static void each_link_local_protocol_has_its_switch(void **state)
{
	static const struct {
		const char *key;
		uint8_t address;
		uint16_t ethertype;
		bool is_default;
	} protocols[] = {
		{"stp", 0x00, 0x0026, false},	{"pause", 0x01, 0x8808, false},
		{"lacp", 0x02, 0x8809, false},	{"dot1x", 0x03, 0x888e, false},
		{"lldp", 0x0e, 0x88cc, true},	{"lldp", 0x03, 0x88cc, true},
		{"lldp", 0x00, 0x88cc, true},
	};

	for (size_t i = 0; i < 2 * sizeof(protocols) / sizeof(protocols[0]); i++) {
		const uint8_t address = protocols[i / 2].address;
		struct dp_segment alpha = rig_segment(ALPHA);
		struct burst *burst = empty_burst(*state);
		struct frame *frame = rig_add_frame(burst, 1, 2, 64);
		bool is_on = protocols[i / 2].is_default != (i % 2 != 0);

		if (i % 2 != 0)
			rig_set_segment(&alpha, protocols[i / 2].key, is_on ? "on" : "off");
		rig_put_segment_spec(*state, &alpha);
		memcpy(frame->head, (uint8_t[]){1, 0x80, 0xc2, 0, 0, address}, 6);
		frame->head[12] = (uint8_t)(protocols[i / 2].ethertype >> 8);
		frame->head[13] = (uint8_t)protocols[i / 2].ethertype;
		classify(*state, 1, burst);
		assert_int_equal(frame->drop, is_on ? DROP_NONE : DROP_LINK_LOCAL);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_good_frame_gets_its_segment_and_both_keys),
		TEST(each_kind_of_frame_gets_its_verdict),
		TEST(without_a_segment_nothing_passes),
		TEST(what_the_port_dropped_keeps_its_reason),
		TEST(the_tag_chooses_the_segment_on_a_trunk),
		TEST(an_access_port_with_qinq_carries_tags_as_payload),
		TEST(offsets_move_with_the_tag),
		TEST(a_large_frame_counts_as_what_it_will_be_cut_into),
		TEST(a_tag_is_no_part_of_the_packet),
		TEST(the_mtu_of_a_segment_changes_under_traffic),
		TEST(each_link_local_protocol_has_its_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
