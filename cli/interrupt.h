/* SPDX-License-Identifier: BSD-3-Clause */
/* Ctrl-C while an answer without an end comes: it is held, and looked for between two pieces. weftd
 * sends something twice a second at least. */
#pragma once

#include <signal.h>
#include <stdbool.h>

struct interrupt {
	sigset_t signals; /* that end it */
	sigset_t before;  /* what was blocked */
};

void interrupt_hold(struct interrupt *interrupt);
bool interrupt_has_come(const struct interrupt *interrupt);
void interrupt_restore(const struct interrupt *interrupt);
