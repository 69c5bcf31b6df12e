/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of a port's options that the option tables cannot judge: names, paths, addresses. Pure. */
#pragma once

#include <stddef.h>

/* `why` receives one line that names the key and says what is allowed, or "". */
void spec_option_check(const char *key, const char *text, char *why, size_t why_bytes);
