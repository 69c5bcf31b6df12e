/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans: order, fields, replace or update, and the numbers that objects get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/plan.h"

/* A model as a lab describes it, numbered as the successor of `current`. */
static struct model *next(const struct model *current, const char *text, struct plan *plan)
{
	struct lab lab;
	struct problem problem = {0};
	struct model *wanted = NULL, *empty;

	assert_int_equal(model_create(&empty), 0);
	if (lab_yaml_parse(text, strlen(text), &lab, &problem) < 0 ||
	    lab_merge(&lab, "default", empty, false, &wanted, &problem) < 0)
		fail_msg("%s", problem.detail);
	assert_int_equal(plan_make(current != NULL ? current : empty, wanted, plan), 0);
	lab_fini(&lab);
	model_destroy(empty);
	return wanted;
}

static void assert_plan(const struct plan *plan, const char *expected)
{
	json_t *json = plan_format(plan);
	char text[1024] = "";
	size_t i, j;
	json_t *step, *field;

	json_array_foreach(json, i, step) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s %s %s", i > 0 ? "; " : "",
			 json_string_value(json_object_get(step, "action")),
			 json_string_value(json_object_get(step, "kind")),
			 json_string_value(json_object_get(step, "name")));
		json_array_foreach(json_object_get(step, "fields"), j, field) {
			len = strlen(text);
			snprintf(text + len, sizeof(text) - len, " %s", json_string_value(field));
		}
	}
	json_decref(json);
	assert_string_equal(text, expected);
}

static const char base[] = "segments: {A: {vni: 1}, B: {vni: 2}}\n"
			   "ports: {p: {type: tap, segment: A, netns: n1},"
			   " v: {type: vhost-user, segment: A}}";

struct change {
	const char *to;
	const char *expected;
	bool is_new_id; /* of port p, or v if p is not there */
};

static const struct change changes[] = {
	{"segments: {A: {vni: 1}, B: {vni: 2}}\nports: {p: {type: tap, segment: A, netns: n1},"
	 " v: {type: vhost-user, segment: A}}",
	 "", false},
	{"segments: {B: {vni: 2}}", "delete port p; delete port v; delete segment A", false},
	{"segments: {B: {vni: 1}, C: {vni: 3}}\nports: {p: {type: tap, segment: B, netns: n1},"
	 " x: {type: vhost-user, segment: C}}",
	 "delete port v; delete segment A; update segment B vni; create segment C; "
	 "update port p segment; create port x",
	 false},
	{"segments: {A: {vni: 1, vlan: 7, mtu: 1400, age: 10s}, B: {vni: 2}}\n"
	 "ports: {p: {type: tap, segment: A, netns: n1}, v: {type: vhost-user, segment: A}}",
	 "update segment A vlan mtu age", false},
	{"segments: {A: {vni: 1}, B: {vni: 2}}\nports: {p: {type: tap, segment: A, netns: n1,"
	 " ip: 10.0.0.1/24, vm: w}, v: {type: vhost-user, segment: A, mac: 02:00:00:00:00:01}}",
	 "update port p vm ip; update port v mac", false},
	/* Only weftd knows namespaces: for the dataplane it must be another port. */
	{"segments: {A: {vni: 1}, B: {vni: 2}}\nports: {p: {type: tap, segment: A, netns: n2},"
	 " v: {type: vhost-user, segment: A}}",
	 "replace port p netns", true},
	{"segments: {A: {vni: 1}, B: {vni: 2}}\nports: {p: {type: tap, segment: A, netns: n1,"
	 " ifname: i}, v: {type: vhost-user, segment: A}}",
	 "update port p ifname", false},
	{"segments: {A: {vni: 1}, B: {vni: 2}}\nports: {p: {type: vhost-user, segment: A},"
	 " v: {type: vhost-user, segment: A, offload: off}}",
	 "replace port p type; replace port v offload", false},
	/* What is referred to comes before and goes after what refers to it. */
	{"segments: {A: {vni: 1, channel: c}, B: {vni: 2}}\npools: {h: {capacity: 1G}}\n"
	 "channels: {c: {pool: h}}\nvms: {m: {channel: c}}\n"
	 "ports: {p: {type: tap, segment: A, netns: n1}, v: {type: vhost-user, segment: A, vm: m,"
	 " channel: c}}",
	 "create pool h; create channel c; create vm m; update segment A channel; "
	 "update port v vm channel",
	 false},
};

static const char shaped[] = "pools: {h: {capacity: 1G}, i: {capacity: 1G}}\n"
			     "channels: {c: {pool: h, tx: {rate: 1M}}}\nvms: {m: {channel: c}}";

static const struct change shaped_changes[] = {
	{"", "delete vm m; delete channel c; delete pool h; delete pool i", false},
	{"pools: {h: {capacity: {tx: 1G, rx: 2G}, overcommit: on}, i: {capacity: 1000M}}\n"
	 "channels: {c: {pool: i, tx: {ceil: 1G, burst: 9k, weight: 2, latency: 1ms, pps: 1},"
	 " rx: {rate: 1M, weight: 1}, account: wire}}\nvms: {m: {}}",
	 "update pool h capacity overcommit; update channel c pool tx.rate tx.ceil tx.burst "
	 "tx.weight tx.latency tx.pps rx.rate account; update vm m channel",
	 false},
	{"pools: {h: {capacity: 1000000k}, i: {capacity: 1G}}\n"
	 "channels: {c: {pool: h, tx: {rate: 1000k, weight: 1}, rx: {}, account: l2}}\n"
	 "vms: {m: {channel: c}}",
	 "", false},
};

static void steps_come_in_order_and_name_their_fields(void **state)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct plan plan;
		struct model *from = next(NULL, base, &plan);

		plan_fini(&plan);
		struct model *to = next(from, changes[i].to, &plan);
		const struct model_port *port = model_port(to, "p");

		assert_plan(&plan, changes[i].expected);
		if (port != NULL)
			assert_int_equal(port->id != model_port(from, "p")->id,
					 changes[i].is_new_id);
		plan_fini(&plan);
		model_destroy(from);
		model_destroy(to);
	}
}

static void channels_change_in_place(void **state)
{
	for (size_t i = 0; i < sizeof(shaped_changes) / sizeof(shaped_changes[0]); i++) {
		const char *lab = shaped_changes[i].to[0] != '\0' ? shaped_changes[i].to : "{}";
		struct plan plan;
		struct model *from = next(NULL, shaped, &plan);

		plan_fini(&plan);
		struct model *to = next(from, lab, &plan);

		assert_plan(&plan, shaped_changes[i].expected);
		if (to->n_channels > 0)
			assert_int_equal(to->channels[0]->id, from->channels[0]->id);
		plan_fini(&plan);
		model_destroy(from);
		model_destroy(to);
	}
}

static void ids_are_never_given_twice(void **state)
{
	struct plan plan;
	struct model *one = next(NULL, base, &plan);
	uint64_t old_id = model_port(one, "p")->id;

	plan_fini(&plan);
	struct model *two = next(one, "segments: {A: {vni: 1}}", &plan);
	plan_fini(&plan);
	struct model *three = next(two, base, &plan);
	plan_fini(&plan);
	assert_true(model_port(three, "p")->id > old_id);
	assert_true(three->next_id > model_port(three, "p")->id);
	assert_int_equal(model_segment(three, "A")->id, model_segment(one, "A")->id);
	assert_true(model_segment(three, "B")->id != model_segment(one, "B")->id);
	model_destroy(one);
	model_destroy(two);
	model_destroy(three);
}

static void generation_grows_with_changes_only(void **state)
{
	struct plan plan;
	struct model *one = next(NULL, "segments: {A: {vni: 1}, B: {vni: 2}}", &plan);

	plan_fini(&plan);
	struct model *two = next(one, "segments: {A: {vni: 1}, B: {vni: 3}}", &plan);
	plan_fini(&plan);
	assert_int_equal(model_segment(two, "A")->generation, 1);
	assert_int_equal(model_segment(two, "B")->generation, 2);
	model_destroy(one);
	model_destroy(two);
}

static void another_owner_is_a_change_too(void **state)
{
	struct plan plan;
	struct model *one = next(NULL, "name: one\nsegments: {A: {vni: 1}, B: {vni: 2}}", &plan);

	plan_fini(&plan);
	struct model *two = next(one, "name: two\nsegments: {A: {vni: 1}, B: {vni: 3}}", &plan);
	assert_plan(&plan, "update segment A lab; update segment B vni lab");
	plan_fini(&plan);
	assert_string_equal(model_segment(two, "A")->lab, "two");
	assert_true(plan_is_same(MODEL_SEGMENT, &model_segment(one, "A")->object,
				 &model_segment(two, "A")->object));
	assert_false(plan_is_same(MODEL_SEGMENT, &model_segment(one, "B")->object,
				  &model_segment(two, "B")->object));
	model_destroy(one);
	model_destroy(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_come_in_order_and_name_their_fields),
		cmocka_unit_test(channels_change_in_place),
		cmocka_unit_test(ids_are_never_given_twice),
		cmocka_unit_test(generation_grows_with_changes_only),
		cmocka_unit_test(another_owner_is_a_change_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
