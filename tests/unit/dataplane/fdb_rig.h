/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests of dataplane/fdb.h have in common. */
#pragma once

#include "dataplane/fdb.h"

#define AGE_S 300
#define NOW_S 1000

static inline uint64_t key_of(uint16_t segment, uint32_t station)
{
	const uint8_t mac[6] = {2,
				0,
				(uint8_t)(station >> 24),
				(uint8_t)(station >> 16),
				(uint8_t)(station >> 8),
				(uint8_t)station};

	return fdb_key(segment, mac);
}
