/* SPDX-License-Identifier: BSD-3-Clause */
/* Which channel counts for a port, what is in force, and which loans make sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/channels.h"
#include "control/encode.h"
#include "control/kinds.h"
#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/loans.h"
#include "control/rules.h"
#include "control/rules_channel.h"
#include "tests/unit/control/lab_rig.h"

static const char lab[] =
	"segments:\n"
	"  A: {vni: 1, channel: bronze}\n"
	"  B: {vni: 2}\n"
	"pools:\n"
	"  host: {capacity: {tx: 10G, rx: 1G}}\n"
	"  other: {capacity: 1G}\n"
	"channels:\n"
	"  gold: {pool: host, tx: {rate: 500M, ceil: 2G, weight: 4}, rx: {rate: 500M}}\n"
	"  bronze: {pool: host, tx: {rate: 50M, ceil: 50M, latency: 9ms, burst: 3000}}\n"
	"  silver: {pool: host, tx: {rate: 1G}}\n"
	"  slow: {pool: host, tx: {ceil: 1k}}\n"
	"  alone: {tx: {rate: 20M}}\n"
	"  far: {pool: other, tx: {rate: 20M}}\n"
	"vms: {web: {channel: silver}, db: {}}\n"
	"ports:\n"
	"  own: {type: vhost-user, segment: A, vm: web, channel: gold}\n"
	"  vm: {type: vhost-user, segment: A, vm: web}\n"
	"  segment: {type: vhost-user, segment: A, vm: db}\n"
	"  default: {type: vhost-user, segment: B, vm: nobody}\n"
	"  trunk: {type: vhost-user, trunk: {A: 1}, native: B}\n"
	"  trunk2: {type: vhost-user, trunk: {A: 1}, native: B, channel: gold}\n";

static int setup(void **state)
{
	*state = lab_rig_apply_yaml(lab, NULL, false);
	return 0;
}

static int teardown(void **state)
{
	model_destroy(*state);
	return 0;
}

static uint32_t id_of(const struct model *model, const char *name)
{
	struct model_channel fallback;

	if (strcmp(name, CHANNELS_DEFAULT) != 0)
		return (uint32_t)model_channel(model, name)->id;
	assert_true(channels_default(model, &fallback));
	return (uint32_t)fallback.id;
}

static void the_nearest_channel_counts(void **state)
{
	static const struct {
		const char *port, *channel, *resolved;
	} ports[] = {
		{"own", "gold", "gold"},     {"vm", "silver", "silver"},
		{"segment", NULL, "bronze"}, {"default", NULL, CHANNELS_DEFAULT},
		{"trunk", NULL, NULL},	     {"trunk2", "gold", "gold"},
	};
	const struct model *model = *state;
	struct model_channel channel;

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		const struct model_port *port = model_port(model, ports[i].port);
		uint32_t id = ports[i].channel != NULL ? id_of(model, ports[i].channel) : 0;
		bool is_one = channels_resolve(model, port, &channel);
		struct dp_port message;

		encode_port(model, port, &message);
		assert_int_equal(message.channel_id, id);
		assert_int_equal(is_one, ports[i].resolved != NULL);
		if (is_one)
			assert_string_equal(channel.name, ports[i].resolved);
	}
	struct dp_segment segment;

	encode_segment(model, model_segment(model, "A"), &segment);
	assert_int_equal(segment.channel_id, id_of(model, "bronze"));
	encode_segment(model, model_segment(model, "B"), &segment);
	assert_int_equal(segment.channel_id, id_of(model, CHANNELS_DEFAULT));
}

static void without_a_pool_named_host_there_is_no_default(void **state)
{
	struct model *model =
		lab_rig_apply_yaml("segments: {A: {vni: 1}}\npools: {p: {capacity: 1G}}\n"
				   "ports: {p: {type: vhost-user, segment: A}}",
				   NULL, false);
	struct model_channel channel;
	union encode_message message;

	assert_false(channels_default(model, &channel));
	assert_false(encode_default(model, &message));
	assert_false(channels_resolve(model, model_port(model, "p"), &channel));
	assert_int_equal(channels_segment_id(model, model_segment(model, "A")), 0);
	model_destroy(model);
}

/* Ids come from one counter, and the default has none of them. */
static void no_two_objects_have_the_same_id(void **state)
{
	struct model *model = *state;
	union encode_message message;

	assert_true(encode_default(model, &message));
	uint64_t fallback = encode_id(&message.header);

	assert_true(fallback >= model->next_id);
	assert_string_equal(message.channel.name, CHANNELS_DEFAULT);
	assert_int_equal(message.channel.pool_id, model_pool(model, "host")->id);
	assert_int_equal(message.channel.ways[DP_RX].ceiling_bps, 1000000000);
	assert_int_equal(message.channel.ways[DP_RX].assured_bps, 0);
	assert_int_equal(message.channel.ways[DP_RX].weight, 1);
}

static void derive(const struct model *model, const char *channel,
		   struct dp_channel_way ways[DP_WAYS])
{
	channels_derive(model, model_channel(model, channel), channels_frame_bytes(model), ways);
}

static void what_is_left_open_is_derived(void **state)
{
	const struct model *model = *state;
	struct dp_channel_way ways[DP_WAYS];

	derive(model, "gold", ways);
	assert_int_equal(ways[DP_TX].assured_bps, 500000000);
	assert_int_equal(ways[DP_TX].ceiling_bps, 2000000000);
	assert_int_equal(ways[DP_TX].burst_bytes, 25000); /* 100 us */
	assert_int_equal(ways[DP_TX].weight, 4);
	assert_int_equal(ways[DP_TX].target_us, 5000);
	assert_int_equal(ways[DP_RX].ceiling_bps, 1000000000); /* the pool's, that way */
	derive(model, "bronze", ways);
	assert_int_equal(ways[DP_TX].burst_bytes, 3000);
	assert_int_equal(ways[DP_TX].target_us, 9000);
	/* Two frames of 1,514 bytes at 1 kbit/s: 24 s. */
	derive(model, "slow", ways);
	assert_int_equal(ways[DP_TX].burst_bytes, 1514);
	assert_int_equal(ways[DP_TX].target_us, 24224000);
	/* Outside of pools what is assured is the limit, and nothing is assured. */
	derive(model, "alone", ways);
	assert_int_equal(ways[DP_TX].assured_bps, 0);
	assert_int_equal(ways[DP_TX].ceiling_bps, 20000000);
	assert_int_equal(ways[DP_RX].ceiling_bps, 0);
	assert_int_equal(ways[DP_RX].target_us, 5000);
}

static void a_larger_mtu_makes_larger_bursts(void **state)
{
	struct model *model = lab_rig_apply_yaml("segments: {A: {vni: 1, mtu: 9216}}\n"
						 "channels: {slow: {tx: {ceil: 1k}}}",
						 NULL, false);
	struct dp_channel_way ways[DP_WAYS];

	derive(model, "slow", ways);
	assert_int_equal(ways[DP_TX].burst_bytes, 9230);
	assert_int_equal(ways[DP_TX].target_us, DP_TARGET_US_MAX);
	model_destroy(model);
}

static void peers_go_through_their_underlays_channel(void **state)
{
	struct model *model = lab_rig_apply_yaml(
		"segments: {A: {vni: 1}}\nchannels: {up: {tx: {rate: 1G}}, own: {}}\n"
		"ports: {u: {type: uplink, vtep: 10.0.0.1, channel: up}}\n"
		"peers: {h2: {vtep: 10.0.0.2}, h3: {vtep: 10.0.0.3, channel: own}}",
		NULL, false);
	struct model *two = lab_rig_apply_yaml(
		"segments: {A: {vni: 1}}\nchannels: {up: {tx: {rate: 1G}}, own: {}}\n"
		"ports: {u: {type: uplink, vtep: 10.0.0.1, channel: up},\n"
		"  w: {type: uplink, vtep: 10.0.1.1}}\n"
		"peers: {h2: {vtep: 10.0.0.2}}",
		NULL, false);

	assert_string_equal(channels_of_port(model, model_port(model, "h2")), "up");
	assert_string_equal(channels_of_port(model, model_port(model, "h3")), "own");
	/* Which of two leads there, routes say. */
	assert_string_equal(channels_of_port(two, model_port(two, "h2")), "");
	model_destroy(model);
	model_destroy(two);
}

/* --- links that get slower --- */

#define SLOW_LINK                                                                                  \
	"segments: {A: {vni: 1, vlan: 2}}\n"                                                       \
	"ports: {u: {type: uplink, trunk: A}, w: {type: uplink, trunk: A}}\n"

/* The same with `text`, by whose pool `wan` the link of u carries 1G. */
static struct model *with_link(const struct model *former, const char *text)
{
	struct problem problem = {0};
	struct model *model = NULL;
	struct lab changed;

	assert_int_equal(lab_yaml_parse(text, strlen(text), &changed, &problem), 0);
	if (lab_merge(&changed, LAB_RIG_CLUSTER, former, false, &model, &problem) < 0)
		fail_msg("%s", problem.detail);
	lab_fini(&changed);
	struct model_pool *pool = model_pool(model, "wan");

	if (pool->is_derived)
		pool->capacity_bps[DP_TX] = pool->capacity_bps[DP_RX] = 1000000000;
	return model;
}

/* 1.1G was assured when the link was faster. */
static struct model *slower_model(void)
{
	struct model *empty = lab_rig_apply_yaml(SLOW_LINK, NULL, false);
	struct model *model =
		with_link(empty, "pools: {wan: {uplink: u}, far: {capacity: 1G}}\n"
				 "channels:\n"
				 "  a: {pool: wan, tx: {rate: 800M}}\n"
				 "  b: {pool: wan, tx: {rate: 300M, ceil: 5G}, rx: {rate: 1M}}\n");

	model_destroy(empty);
	return model;
}

/* words: of the refusal; NULL: it passes. */
static void check_change(const struct model *former, const char *text, const char *words)
{
	struct model *wanted = with_link(former, text);
	struct problem problem = {0};
	bool passes = rules_check(wanted, former, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem) == 0;

	if (passes != (words == NULL) || (!passes && strstr(problem.detail, words) == NULL))
		fail_msg("%s: '%s'", text, problem.detail);
	model_destroy(wanted);
}

static void a_slower_link_holds_up_only_what_makes_more_of_it(void **state)
{
	static const struct {
		const char *text, *words; /* NULL: it passes */
	} changes[] = {
		{"segments: {A: {vni: 1, vlan: 2}}", NULL},
		{"segments: {B: {vni: 2}}", NULL},
		{"channels: {a: {pool: wan, tx: {rate: 700M}}}", NULL},
		{"channels: {a: {pool: wan, tx: {rate: 750M}}, c: {pool: wan, tx: {rate: 50M}}}",
		 NULL},
		{"channels: {a: {pool: wan, tx: {rate: 1M}}, b: {pool: wan, tx: {rate: 1.05G}}}",
		 NULL},
		{"channels: {c: {pool: wan, rx: {rate: 999M}}}", NULL},
		{"channels: {c: {pool: wan, tx: {rate: 1k}}}",
		 "pool wan: tx: 1.100001G assured of 1G, the speed of its link (a 800M, b 300M, c "
		 "1k): lower one, give the pool a capacity, or set overcommit: yes"},
		{"channels: {a: {pool: wan, tx: {rate: 801M}}}", "tx: 1.101G assured of 1G, the"},
		{"channels: {c: {pool: wan, rx: {rate: 999.001M}}}", "rx: 1.000001G assured of 1G"},
		{"channels: {b: {pool: wan, tx: {rate: 300M, ceil: 5.1G}, rx: {rate: 1M}}}",
		 "channel b: tx.ceil: 5.1G is more than pool wan has, 1G"},
		{"channels: {c: {pool: wan, tx: {ceil: 2G}}}", "channel c: tx.ceil: 2G is more"},
		{"channels: {a: {pool: wan, tx: {rate: 1.2G}}}", "channel a: tx.rate: 1.2G is"},
		/* A capacity that is given is a promise of today, and so is another link's. */
		{"pools: {wan: {uplink: u, capacity: 1G}}", "tx.ceil: 5G is more than pool wan"},
		{"pools: {wan: {uplink: w}}", "tx.ceil: 5G is more than pool wan has, 1G"},
		{"pools: {wan: {uplink: w}}\nchannels: {b: {pool: wan, tx: {rate: 300M}}}",
		 "pool wan: tx: 1.1G assured of 1G, the speed of its link"},
	};
	struct model *former = slower_model();

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		check_change(former, changes[i].text, changes[i].words);
	/* Who goes back to what was in force is measured by that. */
	struct problem problem = {0};

	assert_int_equal(rules_check(former, former, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem), 0);
	/* The dataplane takes no ceiling that is below what is assured. */
	struct dp_channel_way ways[DP_WAYS];

	model_pool(former, "wan")->capacity_bps[DP_TX] = 500000000;
	derive(former, "a", ways);
	assert_int_equal(ways[DP_TX].assured_bps, 800000000);
	assert_int_equal(ways[DP_TX].ceiling_bps, 800000000);
	assert_int_equal(ways[DP_RX].ceiling_bps, 1000000000);
	model_destroy(former);
}

static void what_overcommit_allowed_is_no_faster_link(void **state)
{
	static const struct {
		const char *text, *words; /* NULL: it passes */
	} changes[] = {
		{"segments: {B: {vni: 2}}", NULL},
		{"channels: {a: {pool: wan, tx: {rate: 900M}}}", NULL},
		{"channels: {a: {pool: wan, tx: {rate: 1.05G}}}",
		 "channel a: tx.rate: 1.05G is more than pool wan has, 1G"},
		{"pools: {wan: {uplink: u}}", "pool wan: tx: 1.1G assured of 1G"},
	};
	struct model *former = slower_model();

	model_pool(former, "wan")->is_overcommit = true;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		check_change(former, changes[i].text, changes[i].words);
	model_destroy(former);
}

/* What grows with the square of their number takes many times as long as is allowed here. */
static void many_channels_of_a_link_are_checked_soon(void **state)
{
	struct model *model = slower_model();
	struct problem problem = {0};

	for (int i = 0; i < 40000; i++) {
		struct model_channel channel = {
			.pool = "wan",
			.ways = {{.rate_bps = 1000, .weight = 1}, {.rate_bps = 1000, .weight = 1}}};

		snprintf(channel.name, sizeof(channel.name), "c%05d", i);
		assert_int_equal(model_put(model, MODEL_CHANNEL, &channel.object), 0);
	}
	clock_t start = clock(); /* the process's own: a busy host changes nothing */

	assert_int_equal(rules_check(model, model, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem), 0);
	assert_true(clock() - start < 2 * CLOCKS_PER_SEC);
	model_destroy(model);
}

/* --- loans --- */

static void lend(struct model *model, const char *name, const char *from, const char *to,
		 uint64_t rate_bps, uint32_t ways)
{
	struct model_loan loan = {.rate_bps = rate_bps, .ways = ways, .end_ms = INT64_MAX};

	snprintf(loan.name, sizeof(loan.name), "%s", name);
	snprintf(loan.from, sizeof(loan.from), "%s", from);
	snprintf(loan.to, sizeof(loan.to), "%s", to);
	assert_int_equal(model_put(model, MODEL_LOAN, &loan.object), 0);
}

static void assert_refused(const struct model *model, const char *words)
{
	struct problem problem = {0};

	if (rules_check(model, model, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem) == 0)
		fail_msg("taken, in spite of: %s", words);
	assert_string_equal(problem.code, "loan-invalid");
	if (strstr(problem.detail, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", problem.detail, words);
}

#define S UINT64_C(1000000000) /* ns */
#define TX (1 << DP_TX)
#define RX (1 << DP_RX)

static void what_is_not_there_cannot_be_lent(void **state)
{
	static const struct {
		const char *from, *to;
		uint64_t rate_bps;
		uint32_t ways;
		const char *words;
	} loans[] = {
		{"gold", "bronze", 500000001, TX,
		 "tx: 500.000001M is more than channel gold has left: 500M assured, 0 lent"},
		{"silver", "bronze", 1000, RX, "channel silver has nothing assured for rx"},
		{"silver", "bronze", 1000, TX | RX, "channel silver has nothing assured for rx"},
		{"gold", "gold", 1000, TX, "from and to are the same channel"},
		{"gold", "far", 1000, TX, "gold is in pool host and far in pool other"},
		{"alone", "far", 1000, TX, "alone is in pool (none)"},
		{"nobody", "gold", 1000, TX, "channel nobody is not declared"},
		{"gold", "nobody", 1000, TX, "channel nobody is not declared"},
	};

	for (size_t i = 0; i < sizeof(loans) / sizeof(loans[0]); i++) {
		lend(*state, "l", loans[i].from, loans[i].to, loans[i].rate_bps, loans[i].ways);
		assert_refused(*state, loans[i].words);
	}
}

static void loans_of_one_lender_add_up(void **state)
{
	struct model *model = *state;
	struct problem problem = {0};

	lend(model, "a", "gold", "bronze", 300000000, TX | RX);
	model_loan(model, "a")->id = 1;
	lend(model, "b", "gold", "silver", 200000000, TX);
	assert_int_equal(rules_check(model, model, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem), 0);
	assert_int_equal(channels_lent_bps(model, "gold", DP_TX), 500000000);
	assert_int_equal(channels_lent_bps(model, "gold", DP_RX), 300000000);
	lend(model, "b", "gold", "silver", 200001000, TX);
	/* The newcomer is refused. */
	assert_refused(model, "loan b: tx: 200.001M is more than channel gold has left: 500M "
			      "assured, 300M lent to others");
}

static void cycles_of_loans_are_refused(void **state)
{
	struct model *model = *state;

	lend(model, "a", "gold", "silver", 1000000, TX);
	lend(model, "b", "silver", "bronze", 1000000, TX);
	model_loan(model, "a")->id = model_loan(model, "b")->id = 1;
	lend(model, "c", "bronze", "gold", 1000000, TX);
	assert_refused(model, "loan c: channel gold lends to bronze already");
}

static void loans_go_on_unless_nothing_is_left_of_them(void **state)
{
	struct model *current = *state;
	struct model *wanted = lab_rig_apply_yaml(
		"pools: {host: {capacity: 10G}}\n"
		"channels: {gold: {pool: host, tx: {rate: 400M}}, bronze: {pool: host}}",
		NULL, false);

	lend(current, "a", "gold", "bronze", 400000000, TX);
	lend(current, "b", "silver", "bronze", 1000000, TX);
	assert_int_equal(loans_carry(current, wanted, false), 0);
	assert_int_equal(wanted->n_loans, 2);
	assert_refused(wanted, "channel silver is not declared");
	assert_int_equal(loans_carry(current, wanted, true), 0);
	assert_int_equal(wanted->n_loans, 1);
	assert_string_equal(wanted->loans[0]->name, "a");
	model_destroy(wanted);
}

static void too_many_loans_are_refused(void **state)
{
	char name[16];

	for (int i = 0; i <= MODEL_LOANS_MAX; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		lend(*state, name, "gold", "bronze", 1000, TX);
	}
	assert_refused(*state, "there are 256 loans");
}

/* What is left of a loan passes: the dataplane need not be told again. */
static void a_loan_is_the_same_whatever_is_left_of_it(void **state)
{
	struct model *model = *state;
	union encode_message now, later;

	lend(model, "a", "gold", "bronze", 1000, RX);
	model_loan(model, "a")->end_ns = 100 * S;
	assert_true(encode_object(model, MODEL_LOAN, &model_loan(model, "a")->object, 0, &now));
	assert_true(
		encode_object(model, MODEL_LOAN, &model_loan(model, "a")->object, 99 * S, &later));
	assert_int_equal(now.loan.remaining_ms, 100000);
	assert_int_equal(later.loan.remaining_ms, 1000);
	assert_int_equal(now.loan.ways, RX);
	assert_int_equal(now.loan.from_id, id_of(model, "gold"));
	assert_int_equal(now.loan.to_id, id_of(model, "bronze"));
	assert_true(encode_digest(&now.header) == encode_digest(&later.header));
	later.loan.rate_bps++;
	assert_true(encode_digest(&now.header) != encode_digest(&later.header));
	/* One that is over is taken away soon; until then it is one. */
	encode_object(model, MODEL_LOAN, &model_loan(model, "a")->object, 100 * S, &later);
	assert_int_equal(later.loan.remaining_ms, 1);
}

/* By the wall clock, but whoever set it meanwhile made no loan longer than it was to be. */
static void a_loan_has_left_what_the_clock_says_but_never_more_than_its_span(void **state)
{
	static const struct {
		int64_t end_ms, now_ms;
		uint64_t left_ms;
	} rows[] = {
		{100000, 40000, 60000},		 /* just made */
		{100000, 99999, 1},		 /* nearly over */
		{100000, 100000, 0},		 /* over */
		{100000, 200000, 0},		 /* set forward */
		{100000, 39999, 60000},		 /* set back */
		{1790000000000, 0, 60000},	 /* a clock that begins at 1970 */
		{253402300799999, -5000, 60000}, /* the last year that has four digits */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct model_loan loan = {.end_ms = rows[i].end_ms, .span_ms = 60000};

		loans_arm(&loan, rows[i].now_ms, 7 * S);
		assert_int_equal(model_loan_left_ms(&loan, 7 * S), rows[i].left_ms);
		assert_int_equal(loan.end_ns, 7 * S + rows[i].left_ms * (S / 1000));
	}
}

static void users_are_named(void **state)
{
	char text[200];

	assert_int_equal(kinds_users(*state, MODEL_CHANNEL, "gold", text, sizeof(text)), 2);
	assert_string_equal(text, "port own, port trunk2");
	assert_int_equal(kinds_users(*state, MODEL_POOL, "host", text, sizeof(text)), 4);
	assert_string_equal(text, "channel bronze, channel gold, channel silver and 1 more");
	assert_int_equal(kinds_users(*state, MODEL_CHANNEL, "far", text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_nearest_channel_counts),
		TEST(without_a_pool_named_host_there_is_no_default),
		TEST(no_two_objects_have_the_same_id),
		TEST(what_is_left_open_is_derived),
		TEST(a_larger_mtu_makes_larger_bursts),
		TEST(peers_go_through_their_underlays_channel),
		TEST(a_slower_link_holds_up_only_what_makes_more_of_it),
		TEST(what_overcommit_allowed_is_no_faster_link),
		TEST(many_channels_of_a_link_are_checked_soon),
		TEST(what_is_not_there_cannot_be_lent),
		TEST(loans_of_one_lender_add_up),
		TEST(cycles_of_loans_are_refused),
		TEST(loans_go_on_unless_nothing_is_left_of_them),
		TEST(too_many_loans_are_refused),
		TEST(a_loan_is_the_same_whatever_is_left_of_it),
		TEST(a_loan_has_left_what_the_clock_says_but_never_more_than_its_span),
		TEST(users_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
