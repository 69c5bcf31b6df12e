/* SPDX-License-Identifier: BSD-3-Clause */
/* weft-pingpong [CPU CPU]: prints the hand-over time of a cache line in ns; exit 0 if near. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/pingpong.h"

int main(int argc, char **argv)
{
	int a = argc == 3 ? atoi(argv[1]) : 0;
	int b = argc == 3 ? atoi(argv[2]) : 1;

	if ((argc != 1 && argc != 3) || a == b) {
		fprintf(stderr, "usage: weft-pingpong [CPU CPU]\n");
		return 2;
	}
	double ns = pingpong_ns(a, b);

	if (ns < 0) {
		fprintf(stderr, "weft-pingpong: CPUs %d and %d: %s\n", a, b, strerror((int)-ns));
		return 2;
	}
	printf("%.1f\n", ns);
	return ns < PINGPONG_NEAR_NS ? 0 : 1;
}
