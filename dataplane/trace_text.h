/* SPDX-License-Identifier: BSD-3-Clause */
/* Facts of trace_view.h in words, with the names of today. Main thread. */
#pragma once

#include "dataplane/api/dp_msg.h"

struct dataplane;
struct trace_fact;

/* Its header is not filled in. */
void trace_text(const struct dataplane *dp, const struct trace_fact *fact,
		struct dp_trace_step *step);
