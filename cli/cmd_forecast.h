/* SPDX-License-Identifier: BSD-3-Clause */
/* weft channel plan, weft pool plan. */
#pragma once

#include "cli/object.h"

/* What channels would have under full demand, after the change that the words make: NAME KEY=VALUE
 * ..., for as many objects of the kind. CALL_FALSE: the change would be refused. */
int cmd_forecast_print(const struct call *call, const struct object_kind *kind);
