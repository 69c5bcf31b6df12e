/* SPDX-License-Identifier: BSD-3-Clause */
/* See interrupt.h. */
#include "cli/interrupt.h"

#include <pthread.h>
#include <time.h>

void interrupt_hold(struct interrupt *interrupt)
{
	sigemptyset(&interrupt->signals);
	sigaddset(&interrupt->signals, SIGINT);
	sigaddset(&interrupt->signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &interrupt->signals, &interrupt->before);
}

bool interrupt_has_come(const struct interrupt *interrupt)
{
	static const struct timespec at_once = {0};

	return sigtimedwait(&interrupt->signals, NULL, &at_once) > 0;
}

void interrupt_restore(const struct interrupt *interrupt)
{
	pthread_sigmask(SIG_SETMASK, &interrupt->before, NULL);
}
