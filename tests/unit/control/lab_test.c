/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Labs, from text to model and back: what is refused, with which code, line and words; what comes
 * out when a lab is exported and applied again. Covers lab.c, lab_yaml.c, spec_*.c and rules.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/plan.h"
#include "control/rules.h"
#include "tests/unit/control/lab_rig.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct lab_rig_bad bad_yaml[] = {
	{"", "yaml-invalid", "empty"},
	{"segments: {", "yaml-invalid", "did not find"},
	{"\tsegments: {}", "yaml-invalid", "line 1"},
	{"a: \xff\xfe", "yaml-invalid", "line 1"},
	{"? {a: 1}\n: 2", "yaml-invalid", "a key must be a word"},
	{"segments: {}\n---\nports: {}", "yaml-unsupported", "second document"},
	{"a: &x 1\nb: *x", "yaml-unsupported", "line 1"},
	{"a: 1\nb: *x", "yaml-unsupported", "aliases"},
	{"a: !!binary abcd", "yaml-unsupported", "tags"},
	{"segments: {A: {vni: 1}}\nsegments: {}", "key-duplicate", "line 2: key 'segments'"},
	{"ports:\n  a: {type: tap, segment: A}\n  a: {}", "key-duplicate", "line 3: key 'a'"},
	{"[1, 2]", "lab-invalid", "name, segments, pools"},
	{"just words", "lab-invalid", "name, segments, pools"},
	{"segments: [A, B]", "lab-invalid", "segments: needs names"},
	{"queues: {}", "key-unknown", "line 1: unknown key 'queues'"},
	{"name: no good", "name-invalid", "name:"},
	{"segments:\n  A: {}", "key-missing", "line 2: segment A: vni is missing"},
	{"segments:\n  A:", "value-invalid", "needs keys and values"},
	{"segments: {A: {vni: 0}}", "value-invalid", "from 1 to 16777215"},
	{"segments: {A: {vni: 16777216}}", "value-invalid", "16777216"},
	{"segments: {A: {vni: -1}}", "value-invalid", "-1"},
	{"segments: {A: {vni: 1e3}}", "value-invalid", "1e3"},
	{"segments: {A: {vni: 99999999999999999999999}}", "value-invalid", "is not a number"},
	{"segments: {A: {vni: }}", "value-invalid", "nothing is written"},
	{"segments: {A: {vni: [1]}}", "value-invalid", "one word or number"},
	{"segments: {A: {vni: 1, vlan: 4095}}", "value-invalid", "from 1 to 4094"},
	{"segments: {A: {vni: 1, mtu: 67}}", "value-invalid", "from 68 to 9216"},
	{"segments: {A: {vni: 1, age: 300}}", "value-invalid", "write it as 300s"},
	{"segments: {A: {vni: 1, age: 0s}}", "value-invalid", "0s"},
	{"segments: {A: {vni: 1, age: 8d}}", "value-invalid", "8d"},
	{"segments: {A: {vni: 1, age: 99999999999999999999s}}", "value-invalid", "is not a time"},
	{"segments: {A: {vni: 1, color: red}}", "key-unknown", "known: vni, vlan, mtu, age"},
	{"segments: {A: {vni: 1, unknown: maybe}}", "value-invalid", "use one of flood|drop"},
	{"ports: {p: {type: tap, segment: A, max_macs: 0}}", "value-invalid", "from 1 to 1048576"},
	{"ports: {p: {type: tap, segment: A, macs: '03:00:00:00:00:01'}}", "value-invalid",
	 "at most 6 unicast addresses"},
	{"segments: {A: {vni: 1}}\n"
	 "ports: {p: {type: tap, segment: A, macs: '02:00:00:00:00:01'},\n"
	 "  q: {type: tap, segment: A, macs: '02:00:00:00:00:01'}}",
	 "mac-taken", "static mac 02:00:00:00:00:01 in segment A is taken by port p"},
	{"segments: {A: {vni: 1, name: B}}", "name-mismatch", "leave name out: the key"},
	{"segments: {-A: {vni: 1}}", "name-invalid", "first a letter or digit"},
	{"segments: {A: {vni: 1}, B: {vni: 1}}", "vni-taken", "vni 1 is taken by segment A"},
	{"segments: {A: {vni: 1, vlan: 5}, B: {vni: 2, vlan: 5}}", "vlan-taken", "vlan 5"},
	{"ports: {p: {segment: A}}", "key-missing", "type is missing"},
	{"peers: {h: {}}", "key-missing", "line 1: peer h: vtep is missing"},
	{"peers:\n  h: {vtep: 10.9.0.2}\n  i: {vtep: 10.9.0.2}", "vtep-taken",
	 "line 3: port i: vtep 10.9.0.2 is taken by port h"},
	{"peers: {h: {vtep: 10.9.0.2, segment: A}}", "trunk-invalid", "as [ALPHA, BETA]"},
	{"peers: {h: {vtep: 10.9.0.2, segments: {A: 1}}}", "trunk-invalid", "write [ALPHA, BETA]"},
	{"peers: {h: {vtep: 10.9.0.2, segments: 'A:7'}}", "trunk-invalid", "write [ALPHA, BETA]"},
	{"peers: {h: {vtep: 10.9.0.2, segments: []}}", "trunk-invalid", "at least one"},
	{"peers: {h: {vtep: 10.9.0.2, segments: [A]}}", "segment-unknown", "A is not declared"},
	{"peers: {h: {vtep: 10.9.0.2, type: tap}}", "lab-invalid", "leave type out"},
	{"peers: {h: 5}", "value-invalid", "needs keys and values"},
	{"segments: {A: {vni: 1}}\nports: {h: {type: tap, segment: A}}\n"
	 "peers: {h: {vtep: 10.9.0.2}}",
	 "name-taken", "line 3: a port has the same name"},
	{"ports: {p: {type: tap}}", "key-missing", "segment is missing; give it the name"},
	{"ports: {p: {type: carrier-pigeon, segment: A}}", "type-unknown", "vhost-user, tap"},
	{"ports:\n  p: {type: tap, segment: A}\n  q:\n    type: tap\n    segmnt: A", "key-unknown",
	 "line 5: port q: unknown key 'segmnt'; did you mean segment?"},
	{"ports: {p: {type: tap, trunk: {A: 10}}}", "segment-unknown", "A is not declared"},
	{"ports: {p: {type: tap, trunk: {}}}", "trunk-invalid", "name at least one segment"},
	{"ports: {p: {type: tap, trunk: [A]}}", "trunk-invalid", "write {ALPHA: 10, BETA: 20}"},
	{"ports: {p: {type: tap, trunk: {A: 0}}}", "trunk-invalid", "from 1 to 4094, or own"},
	{"ports: {p: {type: tap, trunk: {A: 4095}}}", "trunk-invalid", "trunk: A: its tag"},
	{"ports: {p: {type: tap, trunk: {A: {b: c}}}}", "trunk-invalid", "trunk: A: its tag"},
	{"ports: {p: {type: tap, trunk: 'A:1,A:2'}}", "trunk-invalid", "A: it stands twice"},
	{"ports: {p: {type: tap, trunk: 'A:1,B:1'}}", "trunk-invalid", "its tag is taken"},
	{"ports: {p: {type: tap, trunk: 'A:1,'}}", "trunk-invalid", "not the name of a segment"},
	{"ports: {p: {type: tap, trunk: 'A:'}}", "trunk-invalid", "trunk: A: its tag"},
	{"ports: {p: {type: tap, trunk: 'A:1', segment: A}}", "trunk-invalid", "its native"},
	{"ports: {p: {type: tap, segment: A, native: A}}", "trunk-invalid", "has a segment"},
	{"segments: {A: {vni: 1}}\nports:\n  p:\n    type: tap\n    trunk: {A: 1}\n    native: A",
	 "trunk-invalid", "line 5: port p: trunk: A: it is native already"},
	{"segments: {A: {vni: 1}}\nports: {p: {type: tap, trunk: A}}", "trunk-invalid",
	 "has no vlan of its own"},
	{"segments: {A: {vni: 1, vlan: 7}, B: {vni: 2}}\n"
	 "ports: {p: {type: tap, trunk: {A: own, B: 7}}}",
	 "trunk-invalid", "B: its tag is taken by another segment"},
	{"segments: {A: {vni: 1}}\nports: {p: {type: tap, trunk: {A: 1}, native: B}}",
	 "segment-unknown", "segment B is not declared"},
	{"ports: {p: {type: tap, segment: A, socket: /x}}", "key-unknown",
	 "type tap has no socket"},
	{"ports: {p: {type: vhost-user, netns: n, segment: A, ip: 10.0.0.1/8}}", "key-unknown",
	 "port p: type vhost-user has no netns, ip"},
	{"segments: {A: {vni: 1}}\nports: {a0: {type: vhost-user, segment: A},"
	 " p: {type: vhost-user, segment: A, socket: /run/weft/vhost/a0.sock}}",
	 "socket-taken", "port p: /run/weft/vhost/a0.sock is the socket of port a0"},
	{"ports:\n  p:\n    type: tap\n    segment: DELTA", "segment-unknown",
	 "line 4: port p: segment DELTA is not declared"},
	{"ports: {p: {type: tap, segment: A, mac: 02-00-00-00-00-01}}", "mac-invalid", "six pairs"},
	{"ports: {p: {type: tap, segment: A, mac: 01:00:00:00:00:01}}", "mac-invalid", "group"},
	{"ports: {p: {type: tap, segment: A, mac: 00:00:00:00:00:00}}", "mac-invalid", "all zero"},
	{"ports: {p: {type: tap, segment: A, ip: 10.0.0.1}}", "value-invalid", "10.0.1.2/24"},
	{"ports: {p: {type: tap, segment: A, ip: 10.0.0.1/33}}", "value-invalid", "prefix"},
	{"ports: {p: {type: tap, segment: A, netns: ../x}}", "value-invalid", "netns"},
	{"ports: {p: {type: tap, segment: A, ifname: a/b}}", "value-invalid", "ifname"},
	{"ports: {p: {type: tap, segment: A, ifname: sixteen-letters-}}", "value-invalid",
	 "1 to 15"},
	{"ports: {p: {type: vhost-user, segment: A, socket: rel.sock}}", "value-invalid",
	 "absolute"},
	{"ports: {p: {type: vhost-user, segment: A, offload: maybe}}", "value-invalid",
	 "on or off"},
	{"segments: {A: {vni: 1}}\nports: {p: {type: tap, segment: A, host: h2}}", "host-unknown",
	 "host h2 is not this host (h1)"},
	{"segments: {A: {vni: 1}}\nports: {a-very-long-name: {type: tap, segment: A}}",
	 "ifname-missing", "shorter ifname"},
	{"segments: {A: {vni: 1}}\nports: {p: {type: tap, segment: A, ifname: x},"
	 " q: {type: tap, segment: A, ifname: x}}",
	 "ifname-taken", "device x in the main namespace"},
	{"segments: {A: {vni: 1}}\nports: {p: {type: tap, segment: A, ip: fd00::2/64},"
	 " q: {type: tap, segment: A, ip: 'fd00:0::2/96'}}",
	 "ip-taken", "address fd00::2"},
	{"segments: {A: {vni: 1}}\nports: {p: {type: tap, segment: A, mac: '02:00:00:00:00:0a'},"
	 " q: {type: tap, segment: A, mac: '02:00:00:00:00:0A'}}",
	 "mac-taken", "02:00:00:00:00:0a"},
	{"segments: {A: {vni: 1}}\nports: {p: {type: vhost-user, segment: A, socket: /s},"
	 " q: {type: vhost-user, segment: A, socket: /s}}",
	 "socket-taken", "/s is the socket of port p"},
};

static void bad_labs_are_refused_with_line_and_reason(void **state)
{
	lab_rig_assert_refused(bad_yaml, N_OF(bad_yaml), true);
}

static const struct lab_rig_bad bad_json[] = {
	{"", "json-invalid", "not JSON"},
	{"{\"segments\": {}", "json-invalid", "line 1"},
	{"{\n\"name\": \"a\",\n\"name\": \"b\"}", "json-invalid", "line 3"},
	{"{\"segments\": {\"A\": {\"vni\": 1.5}}}", "value-invalid", "one word or number"},
	{"{\"segments\": {\"A\": {\"vni\": \"1\\u0000\"}}}", "json-invalid", "not JSON"},
	{"{\"ports\": {\"p\": {\"type\": \"tap\", \"segmnt\": \"A\"}}}", "key-unknown", "segmnt"},
};

static void bad_json_is_refused(void **state)
{
	lab_rig_assert_refused(bad_json, N_OF(bad_json), false);
}

static void what_is_too_deep_or_too_big_is_refused(void **state)
{
	char deep[2 * 40 + 1];
	struct problem problem;
	struct model *empty;
	char *big = test_malloc(LAB_BYTES_MAX + 1);

	assert_int_equal(model_create(&empty), 0);
	memset(deep, '[', 40);
	memset(deep + 40, ']', 40);
	deep[80] = '\0';
	assert_null(lab_rig_apply(deep, 80, true, empty, false, &problem));
	assert_non_null(strstr(problem.detail, "deeper than 32"));
	memset(big, ' ', LAB_BYTES_MAX + 1);
	assert_null(lab_rig_apply(big, LAB_BYTES_MAX + 1, true, empty, false, &problem));
	assert_int_equal(problem.status, 413);
	assert_null(lab_rig_apply(big, LAB_BYTES_MAX + 1, false, empty, false, &problem));
	assert_int_equal(problem.status, 413);
	test_free(big);
	model_destroy(empty);
}

/* Segment B cannot be read, but port q, which is in it, is not to blame. */
static const char faulty_lab[] = "segments:\n"
				 "  A: {vni: 1, vlan: 5000, mtu: x}\n"
				 "  B: {vni: 0}\n"
				 "  C: {vni: 7}\n"
				 "  D: {vni: 7}\n"
				 "ports:\n"
				 "  p: {type: tap, segmnt: A}\n"
				 "  q: {type: tap, segment: B}\n"
				 "  r:\n"
				 "    type: tap\n"
				 "    segment: NONE\n";

static void several_faults_are_told_at_once_each_with_its_place(void **state)
{
	static const struct {
		int line, column;
		const char *words;
	} expected[] = {
		{2, 15, "vlan: 5000 is not"},
		{2, 27, "mtu: x is not"},
		{3, 7, "vni: 0 is not"},
		{7, 18, "did you mean segment?"},
		{5, 7, "vni 7 is taken by segment C"},
		{11, 5, "segment NONE is not declared"},
	};
	struct problem problem = {.errors = json_array()};
	struct model *empty;
	struct model *wanted;
	struct lab lab;

	assert_int_equal(model_create(&empty), 0);
	assert_int_equal(lab_yaml_parse(faulty_lab, strlen(faulty_lab), &lab, &problem), 0);
	assert_int_equal(lab_merge(&lab, LAB_RIG_CLUSTER, empty, false, &wanted, &problem), 0);
	assert_int_equal(rules_check(wanted, empty, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem),
			 -EINVAL);
	lab_locate(&lab, &problem);
	assert_non_null(strstr(problem.detail, "line 2: segment A: vlan"));
	assert_non_null(strstr(problem.detail, "(and 5 more)"));
	assert_int_equal(json_array_size(problem.errors), 6);
	for (size_t i = 0; i < 6; i++) {
		const json_t *error = json_array_get(problem.errors, i);

		assert_int_equal(json_integer_value(json_object_get(error, "line")),
				 expected[i].line);
		assert_int_equal(json_integer_value(json_object_get(error, "column")),
				 expected[i].column);
		assert_non_null(strstr(json_string_value(json_object_get(error, "detail")),
				       expected[i].words));
	}
	problem_fini(&problem);
	lab_fini(&lab);
	model_destroy(wanted);
	model_destroy(empty);
}

static void not_more_than_twenty_faults_are_told(void **state)
{
	struct problem problem = {.errors = json_array()};
	struct model *empty, *wanted;
	char text[4096] = "segments:\n";
	struct lab lab;

	for (int i = 0; i < 100; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  S%d: {vni: 0}\n", i);
	assert_int_equal(model_create(&empty), 0);
	assert_int_equal(lab_yaml_parse(text, strlen(text), &lab, &problem), 0);
	assert_int_equal(lab_merge(&lab, LAB_RIG_CLUSTER, empty, false, &wanted, &problem),
			 -EINVAL);
	lab_locate(&lab, &problem);
	assert_int_equal(json_array_size(problem.errors), PROBLEM_ERRORS_MAX);
	assert_non_null(strstr(problem.detail, "(and 19 more)"));
	problem_fini(&problem);
	lab_fini(&lab);
	model_destroy(empty);
}

static const char good_lab[] =
	"name: demo\n"
	"segments:\n"
	"  ALPHA: {vni: 100, vlan: 10, mtu: 9000}\n"
	"  BETA: {vni: 200, age: 2m, unknown: drop}\n"
	"  \"300\": {vni: 300}\n"
	"ports:\n"
	"  web0: {type: vhost-user, vm: web, segment: ALPHA, offload: off, isolated: on,\n"
	"    channel: bronze}\n"
	"  db0: {type: vhost-user, vm: db, segment: ALPHA, socket: '/run/a,b:#{}[]\\1.sock'}\n"
	"  c1: {type: tap, segment: BETA, netns: \"1\", ip: 10.0.3.2/24}\n"
	"  c2: {type: tap, segment: BETA, netns: \"true\", ifname: x2, mac: 02:00:00:00:00:01}\n"
	"  t1: {type: tap, trunk: {ALPHA: own, BETA: 20}, native: \"300\"}\n"
	"  t2: {type: vhost-user, trunk: 'BETA:4094,ALPHA', qinq: on}\n"
	"  on: {type: tap, segment: \"300\", ip: fd00::3/64, host: h1}\n"
	"  u: {type: uplink, ifname: eth9, vtep: 10.9.0.1, channel: alone}\n"
	"pools:\n"
	"  host: {capacity: 10G}\n"
	"  wan: {capacity: {tx: 1G, rx: 500M}, overcommit: yes, uplink: u}\n"
	"channels:\n"
	"  gold: {pool: host, tx: {rate: 0.5G, ceil: 2G, burst: 64k, weight: 4, latency: 5ms,\n"
	"    pps: 100k}, rx: {rate: 500M, weight: 1}, account: wire}\n"
	"  silver: {pool: wan, tx: {rate: 1G}, account: l2}\n"
	"  bronze: {pool: wan, tx: {rate: 1000000000}, rx: {}}\n"
	"  alone: {tx: {ceil: 1.234567891G}}\n"
	"vms: {web: {channel: gold}, \"7\": {}}\n"
	"peers:\n"
	"  host2: {vtep: 10.9.0.2, segments: [BETA, ALPHA]}\n"
	"  host3: {vtep: 'fd09::3', learn: off}\n";

static void an_exported_lab_changes_nothing_when_applied(void **state)
{
	struct model *model = lab_rig_apply_yaml(good_lab, NULL, false);
	json_t *tree = lab_format(LAB_RIG_CLUSTER, model);
	char *exported = lab_yaml_format(tree);
	struct problem problem;
	struct plan plan;

	assert_int_equal(model->n_segments, 3);
	assert_int_equal(model->n_ports, 10);
	assert_int_equal(model->n_channels, 4);
	assert_int_equal(model->n_vms, 2);
	for (int is_yaml = 0; is_yaml < 2; is_yaml++) {
		char *lab = is_yaml ? strdup(exported) : json_dumps(tree, 0);
		struct model *wanted =
			lab_rig_apply(lab, strlen(lab), is_yaml, model, true, &problem);

		if (wanted == NULL)
			fail_msg("%s\n%s", exported, problem.detail);
		assert_int_equal(plan_make(model, wanted, &plan), 0);
		assert_int_equal(plan.n_steps, 0);
		plan_fini(&plan);
		model_destroy(wanted);
		free(lab);
	}
	free(exported);
	json_decref(tree);
	model_destroy(model);
}

static void an_export_builds_the_same_model_from_nothing(void **state)
{
	struct model *model = lab_rig_apply_yaml(good_lab, NULL, false);
	json_t *tree = lab_format(LAB_RIG_CLUSTER, model);
	char *exported = lab_yaml_format(tree);
	struct model *again = lab_rig_apply_yaml(exported, NULL, false);
	json_t *tree_again = lab_format(LAB_RIG_CLUSTER, again);

	assert_true(json_equal(tree, tree_again));
	assert_int_equal(again->n_ports, 10);
	assert_int_equal(again->n_channels, 4);
	json_decref(tree);
	json_decref(tree_again);
	free(exported);
	model_destroy(model);
	model_destroy(again);
}

static void defaults_and_derived_values_are_not_kept(void **state)
{
	struct model *model = lab_rig_apply_yaml("segments: {A: {vni: 1, age: 300s,"
						 " unknown: flood}}\n"
						 "ports: {p: {type: tap, segment: A, ifname: p},"
						 " q: {type: vhost-user, segment: A, offload: true,"
						 "  isolated: false, max_macs: 8192}}",
						 NULL, false);

	assert_int_equal(model_port(model, "p")->n_options, 0);
	assert_int_equal(model_port(model, "q")->n_options, 0);
	assert_int_equal(model_segment(model, "A")->n_options, 0);
	assert_string_equal(model_ifname(model_port(model, "p")), "p");
	model_destroy(model);
}

static void apply_leaves_alone_what_a_lab_does_not_name(void **state)
{
	struct model *first = lab_rig_apply_yaml(
		"segments: {A: {vni: 1}}\nports: {p: {type: tap, segment: A}}", NULL, false);
	struct model *second =
		lab_rig_apply_yaml("ports: {q: {type: tap, segment: A}}", first, false);

	assert_int_equal(second->n_ports, 2);
	assert_int_equal(second->n_segments, 1);
	model_destroy(first);
	model_destroy(second);
}

static void prune_removes_only_what_the_same_lab_made(void **state)
{
	struct model *first = lab_rig_apply_yaml("name: one\nsegments: {A: {vni: 1}}\n"
						 "ports: {p: {type: tap, segment: A}}",
						 NULL, false);
	struct model *second =
		lab_rig_apply_yaml("name: two\nports: {q: {type: tap, segment: A}}", first, false);
	struct model *third =
		lab_rig_apply_yaml("name: two\nports: {r: {type: tap, segment: A}}", second, true);

	assert_non_null(model_port(third, "p"));
	assert_null(model_port(third, "q"));
	assert_non_null(model_port(third, "r"));
	assert_non_null(model_segment(third, "A"));
	model_destroy(first);
	model_destroy(second);
	model_destroy(third);
}

static void what_stays_the_same_keeps_its_owner_unless_one_is_given(void **state)
{
	struct model *first = lab_rig_apply_yaml(
		"name: one\nsegments: {A: {vni: 1}, B: {vni: 2}, C: {vni: 3}}", NULL, false);
	struct model *second = lab_rig_apply_yaml("name: two\nsegments: {A: {vni: 1}, B: {vni: 9},"
						  " C: {vni: 3, lab: three}}",
						  first, false);

	assert_string_equal(model_segment(second, "A")->lab, "one");
	assert_string_equal(model_segment(second, "B")->lab, "two");
	assert_string_equal(model_segment(second, "C")->lab, "three");
	model_destroy(first);
	model_destroy(second);
}

static void an_export_keeps_every_owner(void **state)
{
	struct model *first = lab_rig_apply_yaml(
		"name: one\nsegments: {A: {vni: 1}, B: {vni: 2}, C: {vni: 3, lab: \"\"},"
		" D: {vni: 4, lab: two}, E: {vni: 5, lab: default}}",
		NULL, false);
	json_t *tree = lab_format(LAB_RIG_CLUSTER, first);
	char *exported = lab_yaml_format(tree);
	struct model *again = lab_rig_apply_yaml(exported, NULL, false);

	assert_string_equal(exported, "name: one\nsegments:\n  A: {vni: 1}\n  B: {vni: 2}\n"
				      "  C: {vni: 3, lab: \"\"}\n  D: {vni: 4, lab: two}\n"
				      "  E: {vni: 5, lab: default}\nports: {}\n");
	for (size_t i = 0; i < first->n_segments; i++)
		assert_string_equal(again->segments[i]->lab, first->segments[i]->lab);
	free(exported);
	json_decref(tree);
	model_destroy(first);
	model_destroy(again);
}

static void what_belongs_to_no_lab_is_never_pruned(void **state)
{
	static const char text[] = "name: \"\"\nsegments: {B: {vni: 2}}";
	struct model *first =
		lab_rig_apply_yaml("name: \"\"\nsegments: {A: {vni: 1}}", NULL, false);
	struct problem problem;

	assert_string_equal(model_segment(first, "A")->lab, "");
	assert_null(lab_rig_apply(text, strlen(text), true, first, true, &problem));
	assert_non_null(strstr(problem.detail, "give the lab a name"));
	model_destroy(first);
}

static void the_newcomer_is_blamed_for_a_number_that_is_taken(void **state)
{
	struct model *first = lab_rig_apply_yaml("segments: {Z: {vni: 1}}", NULL, false);
	static const char text[] = "segments: {A: {vni: 1}}";
	struct problem problem;

	assert_null(lab_rig_apply(text, strlen(text), true, first, false, &problem));
	assert_non_null(strstr(problem.detail, "segment A: vni 1 is taken by segment Z"));
	model_destroy(first);
}

static void two_ports_may_swap_their_addresses(void **state)
{
	struct model *first =
		lab_rig_apply_yaml("segments: {A: {vni: 1}}\n"
				   "ports: {p: {type: tap, segment: A, ip: 10.0.0.1/24},"
				   " q: {type: tap, segment: A, ip: 10.0.0.2/24}}",
				   NULL, false);
	struct model *second =
		lab_rig_apply_yaml("ports: {p: {type: tap, segment: A, ip: 10.0.0.2/24},"
				   " q: {type: tap, segment: A, ip: 10.0.0.1/24}}",
				   first, false);

	assert_string_equal(model_option_text(model_port(second, "p"), "ip"), "10.0.0.2/24");
	model_destroy(first);
	model_destroy(second);
}

/* A lab of so many objects, the last one first. */
static char *write_lab(const char *plural, const char *object, size_t n)
{
	size_t bytes = n * (strlen(object) + 10) + 64, len = 0;
	char *text = malloc(bytes);

	assert_non_null(text);
	for (size_t i = n; i > 0; i--)
		len += (size_t)snprintf(text + len, bytes - len, "%s%s%s\"o%05zu\":%s",
					i == n ? "{\"" : "", i == n ? plural : "",
					i == n ? "\":{" : ",", i, object);
	snprintf(text + len, bytes - len, "}}");
	return text;
}

/* NULL: there are too many. */
static struct model *apply_many(const char *plural, const char *object, size_t n,
				const struct model *current)
{
	char *text = write_lab(plural, object, n);
	struct problem problem;
	struct model *wanted = lab_rig_apply(text, strlen(text), false, current, false, &problem);

	if (wanted == NULL) {
		assert_string_equal(problem.code, "objects-many");
		assert_string_equal(problem.where, plural);
	}
	free(text);
	return wanted;
}

static void more_objects_of_a_kind_than_there_may_be_are_refused(void **state)
{
	struct model_vm other = {.name = "x"};
	struct problem problem = {0};
	struct model *empty;

	assert_int_equal(model_create(&empty), 0);
	assert_null(apply_many("vms", "{}", MODEL_OBJECTS_MAX + 1, empty));
	assert_null(apply_many("peers", "{}", MODEL_OBJECTS_MAX + 1, empty));
	assert_null(apply_many("pools", "{\"capacity\":\"1G\"}", MODEL_POOLS_MAX + 1, empty));
	struct model *full = apply_many("vms", "{}", MODEL_OBJECTS_MAX, empty);
	assert_non_null(full);
	assert_int_equal(full->n_vms, MODEL_OBJECTS_MAX);
	for (size_t i = 1; i < full->n_vms; i++)
		assert_true(strcmp(full->vms[i - 1]->name, full->vms[i]->name) < 0);
	/* One more, in a small change: it is the newcomer's fault, and what was there may stay. */
	struct model *fuller;
	assert_int_equal(model_copy(full, &fuller), 0);
	assert_int_equal(model_put(fuller, MODEL_VM, &other.object), 0);
	assert_int_equal(rules_check(fuller, full, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem),
			 -EINVAL);
	assert_string_equal(problem.code, "objects-many");
	assert_int_equal(rules_check(fuller, fuller, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem), 0);
	model_destroy(fuller);
	model_destroy(full);
	model_destroy(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_labs_are_refused_with_line_and_reason),
		cmocka_unit_test(several_faults_are_told_at_once_each_with_its_place),
		cmocka_unit_test(not_more_than_twenty_faults_are_told),
		cmocka_unit_test(bad_json_is_refused),
		cmocka_unit_test(what_is_too_deep_or_too_big_is_refused),
		cmocka_unit_test(an_exported_lab_changes_nothing_when_applied),
		cmocka_unit_test(an_export_builds_the_same_model_from_nothing),
		cmocka_unit_test(defaults_and_derived_values_are_not_kept),
		cmocka_unit_test(apply_leaves_alone_what_a_lab_does_not_name),
		cmocka_unit_test(prune_removes_only_what_the_same_lab_made),
		cmocka_unit_test(what_stays_the_same_keeps_its_owner_unless_one_is_given),
		cmocka_unit_test(an_export_keeps_every_owner),
		cmocka_unit_test(what_belongs_to_no_lab_is_never_pruned),
		cmocka_unit_test(the_newcomer_is_blamed_for_a_number_that_is_taken),
		cmocka_unit_test(two_ports_may_swap_their_addresses),
		cmocka_unit_test(more_objects_of_a_kind_than_there_may_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
