/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-pingpong [--copy] [CPU CPU]: prints the hand-over time of a cache line in ns, then with
 * --copy what the bare copy loop takes for a frame, in ns; exit 0 if near, 1 if not, 2 neither.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/bare_copy.h"
#include "tests/bench/pingpong.h"
#include "tests/bench/words.h"

static int fail(unsigned int a, unsigned int b, double err)
{
	fprintf(stderr, "weft-pingpong: CPUs %u and %u: %s\n", a, b, strerror((int)-err));
	return 2;
}

int main(int argc, char **argv)
{
	bool copies = argc > 1 && strcmp(argv[1], "--copy") == 0;
	char **words = argv + 1 + copies;
	int n_words = argc - 1 - copies;
	unsigned int a = n_words == 2 ? words_number(words[0], 0, 1023) : 0;
	unsigned int b = n_words == 2 ? words_number(words[1], 0, 1023) : 1;

	if ((n_words != 0 && n_words != 2) || a == b) {
		fprintf(stderr, "usage: weft-pingpong [--copy] [CPU CPU]\n");
		return 2;
	}
	double ns = pingpong_ns((int)a, (int)b);

	if (ns < 0)
		return fail(a, b, ns);
	printf("%.1f", ns);
	if (copies) {
		double copy_ns = bare_copy_ns(a, b);

		if (copy_ns < 0)
			return fail(a, b, copy_ns);
		printf(" %.1f", copy_ns);
	}
	printf("\n");
	return ns < PINGPONG_NEAR_NS ? 0 : 1;
}
