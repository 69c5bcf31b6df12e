/* SPDX-License-Identifier: BSD-3-Clause */
/* What the programs of the bench have in common: a number on the command line, a CPU to run on. */
#pragma once

/* A whole number in bounds; otherwise one line that names the program and the word, and exit 2. */
unsigned int words_number(const char *word, unsigned long min, unsigned long max);

/* The calling thread runs there. 0 or -errno. */
int words_pin_thread(unsigned int cpu);

/* The same; says so if it cannot. */
void words_pin(unsigned int cpu);
