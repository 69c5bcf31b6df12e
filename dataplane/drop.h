/* SPDX-License-Identifier: BSD-3-Clause */
/* The one place where a drop is counted: at the port where it happened, by reason. Worker
 * threads. */
#pragma once

#include "dataplane/api/counters.h"

static inline void drop_count(struct counters_block *count, enum drop_reason reason)
{
	count->drops[reason]++;
}
