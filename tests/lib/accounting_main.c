/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-accounting RUN-DIR: waits until the dataplane's counters stand still and checks that they
 * add up. Exit 0 they do, 1 they do not, 2 usage, 3 no dataplane. The terms are printed if they do
 * not add up, or with --print. --pid prints the dataplane's process id instead, for weft-baseline.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/accounting.h"

#define QUIET_MS 300
#define TIMEOUT_MS 10000

static int check(const struct accounting *accounting, bool always_print)
{
	struct counters_block sum;
	int err = accounting_check(accounting, QUIET_MS, TIMEOUT_MS, &sum);

	if (err < 0)
		fprintf(stderr, "weft-accounting: %s\n", strerror(-err));
	if (err < 0 || always_print)
		accounting_print(&sum, err < 0 ? stderr : stdout);
	return err < 0;
}

int main(int argc, char **argv)
{
	struct accounting accounting;
	char why[DP_TEXT_BYTES] = "";
	bool pid_only = argc == 3 && strcmp(argv[2], "--pid") == 0;
	bool always_print = argc == 3 && strcmp(argv[2], "--print") == 0;
	int status = 0;

	if (argc != 2 && !pid_only && !always_print) {
		fprintf(stderr, "usage: weft-accounting RUN-DIR [--pid|--print]\n");
		return 2;
	}
	if (accounting_open(&accounting, argv[1], why) < 0) {
		fprintf(stderr, "weft-accounting: %s\n", why);
		return 3;
	}
	if (pid_only)
		printf("%u\n", accounting.welcome.pid);
	else
		status = check(&accounting, always_print);
	accounting_close(&accounting);
	return status;
}
