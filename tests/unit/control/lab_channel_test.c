/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools, channels and vms in labs: what is refused, what is written out, what is pruned. Covers
 * spec_channel.c and rules_channel.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/lab.h"
#include "control/lab_yaml.h"
#include "control/rules.h"
#include "tests/unit/control/lab_rig.h"

static const struct lab_rig_bad bad_labs[] = {
	{"pools: {host: {}}", "key-missing", "pool host: capacity is missing"},
	{"pools: {host: {capacity: 0}}", "value-invalid", "capacity: 0 is not a rate from 1k"},
	{"pools: {host: {capacity: -1G}}", "value-invalid", "-1G is not a rate"},
	{"pools: {host: {capacity: 10GB}}", "value-invalid", "write it as 500k, 100M or 1.5G"},
	{"pools: {host: {capacity: 999}}", "value-invalid", "from 1k to 400G"},
	{"pools: {host: {capacity: 400.1G}}", "value-invalid", "from 1k to 400G"},
	{"pools: {host: {capacity: 99999999999999999999G}}", "value-invalid", "is not a rate"},
	{"pools:\n  host:\n    capacity: {tx: 1G}", "key-missing",
	 "line 2: pool host: capacity.rx"},
	{"pools:\n  host:\n    capacity: {tx: 1G,\n      ry: 1G}", "key-unknown",
	 "line 4: pool host: unknown key 'capacity.ry'"},
	{"pools: {host: {capacity: [1G]}}", "value-invalid", "one word or number"},
	{"pools: {host: {capacity: 1G, overcommit: maybe}}", "value-invalid", "use yes or no"},
	{"pools: {host: {capacity: 1G, uplink: up0}}", "port-unknown", "up0 is no uplink"},
	{"pools: {host: {capacity: 1G, size: 1}}", "key-unknown", "known: capacity, overcommit"},
	{"pools: {host/default: {capacity: 1G}}", "name-invalid", "first a letter or digit"},
	{"channels: {gold: {pool: host}}", "pool-unknown", "pool host is not declared"},
	{"channels:\n  gold:\n    tx:\n      rate: 10X", "value-invalid",
	 "line 4: channel gold: tx.rate: 10X is not a rate"},
	{"channels: {gold: {tx: {rate: 0}}}", "value-invalid", "tx.rate: 0 is not a rate"},
	{"channels: {gold: {tx: {rate: 0.5k}}}", "value-invalid", "0.5k"},
	{"channels: {gold: {rx: {ceil: 1e9}}}", "value-invalid", "rx.ceil: 1e9"},
	{"channels: {gold: {rx: {rate: 1.0000000001G}}}", "value-invalid", "rx.rate"},
	{"channels: {gold: {tx: {rate: 2G, ceil: 1G}}}", "value-invalid",
	 "tx: 2G is assured but the ceiling is 1G; lower tx.rate or raise tx.ceil"},
	{"channels: {gold: {tx: {burst: 0}}}", "value-invalid", "tx.burst: 0"},
	{"channels: {gold: {tx: {burst: 1513}}}", "value-invalid",
	 "1.513k is less than one frame of the largest MTU, 1514 bytes"},
	{"segments: {A: {vni: 1, mtu: 9000}}\nchannels:\n  gold: {rx: {burst: 9013}}",
	 "value-invalid", "line 3: channel gold: rx.burst: 9.013k is less"},
	{"channels: {gold: {tx: {weight: 0}}}", "value-invalid", "from 1 to 10000"},
	{"channels: {gold: {tx: {latency: 1us}}}", "value-invalid", "from 50us to 60s"},
	{"channels: {gold: {tx: {latency: 5}}}", "value-invalid", "write it as 500us, 5ms or 1s"},
	{"channels: {gold: {tx: {pps: 0}}}", "value-invalid", "frames per second"},
	{"channels: {gold: {tx: {rat: 1G}}}", "key-unknown", "'tx.rat'; did you mean rate?"},
	{"channels: {gold: {tx: 1G}}", "value-invalid", "as {rate: 100M, ceil: 1G}"},
	{"channels: {gold: {account: l3}}", "value-invalid", "use l2 (bytes of frames), or wire"},
	{"pools: {host: {capacity: 1G}}\nchannels: {gold: {pool: host, tx: {rate: 2G}}}",
	 "value-invalid", "tx.rate: 2G is more than pool host has, 1G; lower it"},
	{"pools: {host: {capacity: 1G}}\nchannels: {gold: {pool: host, rx: {ceil: 2G}}}",
	 "value-invalid", "rx.ceil: 2G is more than pool host has, 1G; lower it, or leave"},
	{"pools:\n  host: {capacity: 1G}\nchannels:\n  gold: {pool: host, tx: {rate: 700M}}\n"
	 "  silver: {pool: host, tx: {rate: 500M}, rx: {rate: 1G}}",
	 "pool-exhausted",
	 "line 2: pool host: tx: 1.2G assured of 1G (gold 700M, silver 500M): lower one, raise "
	 "the capacity, or set overcommit: yes"},
	{"pools: {p: {capacity: {tx: 1G, rx: 10M}}}\nchannels: {a: {pool: p, rx: {rate: 2M}},"
	 "b: {pool: p, rx: {rate: 2M}}, c: {pool: p, rx: {rate: 2M}}, d: {pool: p, rx: {rate: 2M}},"
	 "e: {pool: p, rx: {rate: 1M}}, f: {pool: p, rx: {rate: 3M}}, g: {pool: p}}",
	 "pool-exhausted",
	 "pool p: rx: 12M assured of 10M (f 3M, a 2M, b 2M, c 2M, d 2M and 1 more)"},
	{"segments: {A: {vni: 1}}\nports:\n  p:\n    type: tap\n    segment: A\n    channel: gold",
	 "channel-unknown", "line 6: port p: channel gold is not declared"},
	{"segments: {A: {vni: 1, channel: gold}}", "channel-unknown", "segment A: channel gold"},
	{"vms: {v: {channel: gold}}", "channel-unknown", "line 1: vm v: channel gold"},
	{"vms: {v: {chanel: gold}}", "key-unknown", "did you mean channel?"},
	{"segments: {A: {vni: 1, channel: host/default}}", "name-invalid", "host/default"},
};

static void bad_labs_are_refused_with_line_and_reason(void **state)
{
	lab_rig_assert_refused(bad_labs, sizeof(bad_labs) / sizeof(bad_labs[0]), true);
}

static void channels_are_written_as_they_are_read_and_pruned(void **state)
{
	static const char text[] = "name: one\nsegments: {}\npools:\n  host: {capacity: 10G}\n"
				   "channels:\n  a: {pool: host, tx: {rate: 1.5G, weight: 2}}\n"
				   "  b: {pool: host}\nvms:\n  v: {channel: a}\nports: {}\n";
	struct model *first = lab_rig_apply_yaml(text, NULL, false);
	json_t *tree = lab_format(LAB_RIG_CLUSTER, first);
	char *exported = lab_yaml_format(tree);
	struct model *second = lab_rig_apply_yaml("name: one\npools: {host: {capacity: 10G}}\n"
						  "channels: {b: {pool: host}}",
						  first, true);

	assert_string_equal(exported, text);
	assert_null(model_channel(second, "a"));
	assert_null(model_vm(second, "v"));
	assert_non_null(model_channel(second, "b"));
	assert_non_null(model_pool(second, "host"));
	free(exported);
	json_decref(tree);
	model_destroy(first);
	model_destroy(second);
}

/* What stands under channels: is where the fault is, for what names it, too. */
static void a_channel_that_cannot_be_read_is_the_only_fault(void **state)
{
	static const char text[] = "pools: {host: {capacity: no}}\n"
				   "channels:\n  gold: {pool: host, tx: {rate: 1, ceil: 2}}\n"
				   "segments: {A: {vni: 1, channel: gold}}\n";
	struct problem problem = {.errors = json_array()};
	struct model *empty, *wanted;
	struct lab lab;

	assert_int_equal(model_create(&empty), 0);
	assert_int_equal(lab_yaml_parse(text, strlen(text), &lab, &problem), 0);
	assert_int_equal(lab_merge(&lab, LAB_RIG_CLUSTER, empty, false, &wanted, &problem), 0);
	assert_int_equal(rules_check(wanted, empty, LAB_RIG_HOST, LAB_RIG_RUN_DIR, &problem),
			 -EINVAL);
	/* capacity, tx.rate, tx.ceil */
	assert_int_equal(json_array_size(problem.errors), 3);
	problem_fini(&problem);
	lab_fini(&lab);
	model_destroy(wanted);
	model_destroy(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_labs_are_refused_with_line_and_reason),
		cmocka_unit_test(channels_are_written_as_they_are_read_and_pruned),
		cmocka_unit_test(a_channel_that_cannot_be_read_is_the_only_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
