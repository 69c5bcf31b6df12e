/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of dataplane/arguments.c: lists of CPUs, good and bad. The process runs on all CPUs that it
 * may use; lists are made of those. */
#include "dataplane/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8

static struct arguments args;

static int first_cpu(void)
{
	cpu_set_t allowed;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	return cpu;
}

static int last_cpu(void)
{
	cpu_set_t allowed;
	int cpu = CPU_SETSIZE - 1;

	assert_int_equal(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu--;
	return cpu;
}

/* Parses a line whose words stand one blank apart. */
static int parse(const char *line)
{
	static char text[1200];
	char *argv[WORDS_MAX + 1] = {NULL}, *rest;
	char name[] = "weft-dataplane";
	int argc = 0;

	optind = 0;
	argv[argc++] = name;
	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	return arguments_parse(&args, argc, argv);
}

static int parse_workers(const char *list)
{
	char line[1100];

	snprintf(line, sizeof(line), "--workers=%s", list);
	return parse(line);
}

static void without_arguments_there_is_one_worker_on_the_last_cpu(void **state)
{
	unsetenv("WEFT_RUN_DIR");
	assert_int_equal(parse(""), 0);
	assert_string_equal(args.run_dir, "/run/weft");
	assert_int_equal(args.memory_mb, 96);
	assert_int_equal(args.queue_mb, 64);
	assert_true(args.hugepages);
	assert_int_equal(args.n_workers, 1);
	assert_int_equal(args.worker_cpus[0], last_cpu());
}

static void the_run_directory_comes_from_flag_then_environment(void **state)
{
	setenv("WEFT_RUN_DIR", "/run/other", 1);
	assert_int_equal(parse(""), 0);
	assert_string_equal(args.run_dir, "/run/other");
	assert_int_equal(parse("--run-dir /run/mine --no-huge"), 0);
	assert_string_equal(args.run_dir, "/run/mine");
	assert_false(args.hugepages);
	unsetenv("WEFT_RUN_DIR");
}

static void memory_for_queues_is_a_number_of_megabytes(void **state)
{
	assert_int_equal(parse("--queue-memory 1"), 0);
	assert_int_equal(args.queue_mb, 1);
	assert_int_equal(parse("--queue-memory 0"), -EINVAL);
	assert_int_equal(parse("--queue-memory 9x"), -EINVAL);
	assert_int_equal(parse("--queue-memory 1048577"), -EINVAL);
}

static void a_list_names_each_cpu_once(void **state)
{
	char list[64];

	snprintf(list, sizeof(list), "%d", first_cpu());
	assert_int_equal(parse_workers(list), 0);
	assert_int_equal(args.n_workers, 1);
	assert_int_equal(args.worker_cpus[0], first_cpu());
	snprintf(list, sizeof(list), "%d-%d", first_cpu(), first_cpu());
	assert_int_equal(parse_workers(list), 0);
	assert_int_equal(args.n_workers, 1);
	if (first_cpu() == last_cpu())
		return;
	snprintf(list, sizeof(list), "%d,%d", last_cpu(), first_cpu());
	assert_int_equal(parse_workers(list), 0);
	assert_int_equal(args.n_workers, 2);
	assert_int_equal(args.worker_cpus[0], last_cpu());
	assert_int_equal(args.worker_cpus[1], first_cpu());
}

static void a_bad_list_is_refused(void **state)
{
	int cpu = first_cpu();
	char bad[16][64];
	int n = 0;

	snprintf(bad[n++], 64, "%s", "");
	snprintf(bad[n++], 64, ",");
	snprintf(bad[n++], 64, "x");
	snprintf(bad[n++], 64, "%dx", cpu);
	snprintf(bad[n++], 64, "%d,", cpu);
	snprintf(bad[n++], 64, "%d,,%d", cpu, cpu);
	snprintf(bad[n++], 64, "%d-", cpu);
	snprintf(bad[n++], 64, "-%d", cpu + 1);
	snprintf(bad[n++], 64, "%d,%d", cpu, cpu);
	snprintf(bad[n++], 64, "%d-%d", cpu + 1, cpu);
	snprintf(bad[n++], 64, "%d,%d-%d", cpu, last_cpu() + 1, cpu);
	snprintf(bad[n++], 64, "%d", last_cpu() + 1);
	snprintf(bad[n++], 64, "%d-100000", cpu);
	snprintf(bad[n++], 64, "0-18446744073709551615");
	snprintf(bad[n++], 64, "99999999999999999999999");
	snprintf(bad[n++], 64, "0x0");
	for (int i = 0; i < n; i++) {
		if (parse_workers(bad[i]) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void memory_has_limits(void **state)
{
	static const char *const bad[] = {"31", "1048577", "-1", "64M", "x", "1e3", "0"};
	char line[64];

	assert_int_equal(parse("--memory 32"), 0);
	assert_int_equal(args.memory_mb, 32);
	assert_int_equal(parse("--memory=64"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "--memory=%s", bad[i]);
		assert_int_equal(parse(line), -EINVAL);
	}
}

static void unknown_words_are_refused_and_help_ends_it(void **state)
{
	assert_int_equal(parse("--colour=blue"), -EINVAL);
	assert_int_equal(parse("lab.yaml"), -EINVAL);
	assert_int_equal(parse("--memory"), -EINVAL);
	assert_int_equal(parse("--help"), 1);
	assert_int_equal(parse("--version"), 1);
}

static void main_keeps_off_the_workers_cpus_if_there_are_others(void **state)
{
	assert_int_equal(parse(""), 0);
	assert_true(args.n_other_cpus > 0);
	for (int i = 0; i < args.n_other_cpus && first_cpu() != last_cpu(); i++)
		assert_int_not_equal(args.other_cpus[i], args.worker_cpus[0]);
}

static void lcores_give_every_worker_its_cpu(void **state)
{
	char text[64];

	args = (struct arguments){
		.n_workers = 2, .worker_cpus = {4, 6}, .n_other_cpus = 3, .other_cpus = {0, 1, 9}};
	arguments_lcores(&args, text, sizeof(text));
	assert_string_equal(text, "--lcores=0@(0,1,9),1@4,2@6");
	/* Never beyond the buffer. */
	memset(text, 'x', sizeof(text));
	for (size_t bytes = 1; bytes < 30; bytes++) {
		arguments_lcores(&args, text, bytes);
		assert_int_equal(text[bytes], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_arguments_there_is_one_worker_on_the_last_cpu),
		cmocka_unit_test(the_run_directory_comes_from_flag_then_environment),
		cmocka_unit_test(memory_for_queues_is_a_number_of_megabytes),
		cmocka_unit_test(a_list_names_each_cpu_once),
		cmocka_unit_test(a_bad_list_is_refused),
		cmocka_unit_test(memory_has_limits),
		cmocka_unit_test(unknown_words_are_refused_and_help_ends_it),
		cmocka_unit_test(main_keeps_off_the_workers_cpus_if_there_are_others),
		cmocka_unit_test(lcores_give_every_worker_its_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
