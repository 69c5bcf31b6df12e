/* SPDX-License-Identifier: BSD-3-Clause */
/* Options that ports of every kind have: what a port may do in its segments. */
#pragma once

#include "dataplane/api/options.h"

extern const struct option_def port_options[];
extern const size_t port_options_count;
