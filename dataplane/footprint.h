/* SPDX-License-Identifier: BSD-3-Clause */
/* How much memory this process has for itself. Main thread. */
#pragma once

#include <stdint.h>

/* Bytes: pages of its own that it has touched, and what it has taken of EAL's pool, touched or not
 * (tables, buffers of uplinks). Not in it: the memory of guests, which is theirs; what is free of
 * the pool; the counters, which it shares with readers; files, as its own code. */
uint64_t footprint_bytes(void);
