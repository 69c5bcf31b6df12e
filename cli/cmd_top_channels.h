/* SPDX-License-Identifier: BSD-3-Clause */
/* weft top channels: what each channel passes, beside what it is assured of and its ceiling. */
#pragma once

#include "cli/call.h"
#include "cli/screen.h"

/* Shows until it is to end. Exit code. */
int cmd_top_channels_run(const struct call *call, const struct screen *screen);
