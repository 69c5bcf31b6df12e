/* SPDX-License-Identifier: BSD-3-Clause */
/* What the test of a way has shown, in lines as those of doctor.h. Pure; one thread. */
#pragma once

#include "control/overlay_test.h"

/* NULL: no memory. */
json_t *overlay_verdict(const struct overlay_test_result *result);
