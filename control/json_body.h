/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON that a caller sent: read, but not without end. Pure. */
#pragma once

#include <stddef.h>

#include <jansson.h>

#define JSON_BODY_DEPTH_MAX 32 /* arrays and objects in each other; ours have 5 */

/* NULL with *fault: no JSON, a key that stands twice, or nested too deep. */
json_t *json_body_read(const char *text, size_t bytes, json_error_t *fault);
