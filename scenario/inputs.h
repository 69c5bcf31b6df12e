/* SPDX-License-Identifier: BSD-3-Clause */
/* What the machines of a scenario send, and what they can. 0, or -errno with scenario->why. */
#pragma once

#include "scenario/scenario.h"

/* `sends`, `takes` and `full`. Before there are ports: they show it when they come. */
int inputs_set_machines(struct scenario *scenario);

/* All captures. Those with times of a calendar, beyond TIMELINE_NS_MAX, are moved together so that
 * the first packet of all comes at 0. */
int inputs_read(struct scenario *scenario);
