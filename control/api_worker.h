/* SPDX-License-Identifier: BSD-3-Clause */
/* What the answers of /v1/workers and /v1/stats share. Runs on weftd's thread. */
#pragma once

#include <jansson.h>

#include "control/meter.h"

/* An array with an object for each worker. */
json_t *api_worker_format(const struct meter *meter);
