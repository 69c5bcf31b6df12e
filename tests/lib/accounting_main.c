/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-accounting RUN-DIR: waits until the dataplane's counters stand still and checks that they
 * add up. Exit 0 they do, 1 they do not (every term printed), 2 usage, 3 no dataplane. With --pid
 * it prints the dataplane's process id instead, for weft-baseline.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lib/accounting.h"

#define QUIET_MS 300
#define TIMEOUT_MS 10000

int main(int argc, char **argv)
{
	struct accounting accounting;
	struct counters_block sum;
	char why[DP_TEXT_BYTES] = "";
	bool pid_only = argc == 3 && strcmp(argv[2], "--pid") == 0;

	if (argc != 2 && !pid_only) {
		fprintf(stderr, "usage: weft-accounting RUN-DIR [--pid]\n");
		return 2;
	}
	if (accounting_open(&accounting, argv[1], why) < 0) {
		fprintf(stderr, "weft-accounting: %s\n", why);
		return 3;
	}
	int err = 0;

	if (pid_only) {
		printf("%u\n", accounting.welcome.pid);
	} else {
		err = accounting_check(&accounting, QUIET_MS, TIMEOUT_MS, &sum);
		if (err < 0) {
			fprintf(stderr, "weft-accounting: %s\n", strerror(-err));
			accounting_print(&sum, stderr);
		}
	}
	accounting_close(&accounting);
	return err < 0;
}
