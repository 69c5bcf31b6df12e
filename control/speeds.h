/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pools that have the capacity of their uplink: what the kernel says is the speed of its link, each
 * way. A speed that is not known (no carrier, or a driver that has none to tell) leaves what was
 * known before. Runs on weftd's thread.
 */
#pragma once

#include <stdbool.h>

#include "control/model.h"

/* Finds the capacities of a model; `former` (may be the same) is what was known before. What is not
 * known stays 0, by which rules_check() refuses it, or if is_forced counts as the most there can
 * be. Returns whether a capacity changed. */
bool speeds_find(struct model *model, const struct model *former, bool is_forced);
