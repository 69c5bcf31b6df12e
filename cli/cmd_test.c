/* SPDX-License-Identifier: BSD-3-Clause */
/* weft test: becomes weft-scenario, which links the dataplane; weft itself does not. */
#include "cli/cmds.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/call.h"

#define PROGRAM "weft-scenario"
#define OPTIONS_MAX 16

/* Beside this program, or where a build has it; else wherever PATH says. */
static void find_program(char path[PATH_MAX])
{
	static const char *const places[] = {"", "../scenario/"};
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	own[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(own, '/');

	for (size_t i = 0; slash != NULL && i < sizeof(places) / sizeof(places[0]); i++) {
		int len = snprintf(path, PATH_MAX, "%.*s/%s" PROGRAM, (int)(slash - own), own,
				   places[i]);

		if (len < PATH_MAX && access(path, X_OK) == 0)
			return;
	}
	snprintf(path, PATH_MAX, PROGRAM);
}

/* The casts: exec takes words that it could change, but does not. */
static unsigned int add(char **argv, unsigned int n, const char *word)
{
	argv[n] = (char *)(uintptr_t)word;
	return n + 1;
}

void cmd_test_compare(const char *expected, const char *seen)
{
	char program[PATH_MAX];
	char *argv[6] = {NULL};
	unsigned int n = 0;

	find_program(program);
	n = add(argv, n, program);
	n = add(argv, add(argv, n, "--compare"), expected);
	add(argv, add(argv, n, "--"), seen);
	execvp(program, argv);
}

int cmd_test_run(const struct call *call)
{
	char **argv = calloc((size_t)call->n_words + OPTIONS_MAX, sizeof(char *));
	const struct args *args = call->args;
	char program[PATH_MAX];
	unsigned int n = 0;

	if (args->style == PRINT_YAML) {
		free(argv);
		return call_usage(call, "-o yaml: say table or json");
	}
	if (argv == NULL)
		return call_fail(call, CALL_REFUSED, "out of memory");
	find_program(program);
	n = add(argv, n, program);
	if (args->update)
		n = add(argv, n, "--update");
	if (args->style == PRINT_JSON)
		n = add(argv, add(argv, n, "-o"), "json");
	if (args->junit)
		n = add(argv, add(argv, n, "--junit"), args->junit);
	if (args->keep)
		n = add(argv, add(argv, n, "--keep"), args->keep);
	n = add(argv, n, "--");
	for (int i = 0; i < call->n_words; i++)
		n = add(argv, n, call->words[i]);
	fflush(call->out);
	execvp(program, argv);
	int error = errno;

	free(argv);
	return call_fail(call, CALL_REFUSED, "%s cannot be started: %s; is it installed?", PROGRAM,
			 strerror(error));
}
