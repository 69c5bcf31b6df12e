/* SPDX-License-Identifier: BSD-3-Clause */
/* A pool of 1 Gbit/s, and channels of it with a source each, in virtual time. */
#pragma once

#include "tests/unit/dataplane/channel/channel_rig.h"

#define HOST 1
#define ALL UINT64_MAX
#define N_MAX 16

struct pool_rig {
	struct dataplane *dp;
	uint64_t now_ns;
	struct source sources[N_MAX];
	unsigned int n;
};

/* cmocka's, of a test. */
int pool_rig_set_up(void **state);
int pool_rig_tear_down(void **state);

/* A channel of the pool with a source. */
struct source *pool_rig_add(struct pool_rig *f, uint64_t rate_bps, uint64_t ceil_bps,
			    uint32_t weight, uint64_t offered_bps);
void pool_rig_run(struct pool_rig *f, uint64_t ns);

/* What has been sent from now on, by all; then the rates are those of this time. */
uint64_t pool_rig_measure(struct pool_rig *f, uint64_t ns);

void pool_rig_stop(struct source *source);
void pool_rig_assert_within(uint64_t value, uint64_t expected, uint64_t permille);
