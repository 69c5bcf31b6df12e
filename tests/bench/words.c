/* SPDX-License-Identifier: BSD-3-Clause */
/* See words.h. */
#include "tests/bench/words.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned int words_number(const char *word, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(word, &end, 10);

	if (*word < '0' || *word > '9' || *end != '\0' || value < min || value > max) {
		fprintf(stderr, "%s: '%s' is not a number from %lu to %lu\n",
			program_invocation_short_name, word, min, max);
		exit(2);
	}
	return (unsigned int)value;
}

int words_pin_thread(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

void words_pin(unsigned int cpu)
{
	int err = words_pin_thread(cpu);

	if (err < 0)
		fprintf(stderr, "%s: not pinned to CPU %u: %s\n", program_invocation_short_name,
			cpu, strerror(-err));
}
