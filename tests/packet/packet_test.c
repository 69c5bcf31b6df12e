/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet suite: every golden scenario below a folder. usage: packet_test [--update] PCAPS */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packet/scenario.h"

struct run {
	const char *path;
	bool update;
};

static void scenario_is_as_expected(void **state)
{
	const struct run *run = *state;

	assert_true(scenario_run(run->path, run->update));
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
	const char *folder = argv[argc - 1];
	char pattern[4096];
	glob_t found;

	if (argc != (update ? 3 : 2)) {
		fprintf(stderr, "usage: packet_test [--update] PCAPS\n");
		return 2;
	}
	snprintf(pattern, sizeof(pattern), "%s/*/*.yaml", folder);
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "packet_test: no scenario below %s\n", folder);
		return 1;
	}
	struct CMUnitTest *tests = calloc(found.gl_pathc, sizeof(*tests));
	struct run *runs = calloc(found.gl_pathc, sizeof(*runs));

	if (tests == NULL || runs == NULL)
		return 1;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		runs[i] = (struct run){.path = found.gl_pathv[i], .update = update};
		tests[i] = (struct CMUnitTest){
			.name = found.gl_pathv[i] + strlen(folder) + 1,
			.test_func = scenario_is_as_expected,
			.initial_state = &runs[i],
		};
	}
	int failed = _cmocka_run_group_tests("packet", tests, found.gl_pathc, NULL, NULL);

	free(tests);
	free(runs);
	globfree(&found);
	return failed;
}
