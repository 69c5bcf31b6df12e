/* SPDX-License-Identifier: BSD-3-Clause */
/* What a scenario expects, held against what came of it; or made what came of it. */
#pragma once

#include <jansson.h>

#include "scenario/scenario.h"

/* After scenario_play(). Appends what differs to `differences`: packets as compare.h says, and
 *
 *   {port, what: drops, reason, expected, seen}
 *   {port, what: lost, expected, seen}
 *   {what: unaccounted, text}
 *
 * 0, or -errno with scenario->why: an expectation cannot be read. */
int expect_check(struct scenario *scenario, json_t *differences);

/* Writes what came as what is expected, where it differs, and appends the paths to `files`. 0, or
 * -errno with scenario->why. */
int expect_update(struct scenario *scenario, json_t *files);

/* Writes what each port sent to FOLDER/AREA/NAME.PORT.out.pcap. 0, or -errno with scenario->why. */
int expect_keep(struct scenario *scenario, const char *folder);
