/* SPDX-License-Identifier: BSD-3-Clause */
/* See pool_rig.h. */
#include "tests/unit/dataplane/channel/pool_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

int pool_rig_set_up(void **state)
{
	static struct pool_rig f;

	f = (struct pool_rig){.dp = rig_create(1), .now_ns = SECOND};
	channel_rig_put_pool(f.dp, HOST, G);
	*state = &f;
	return 0;
}

int pool_rig_tear_down(void **state)
{
	struct pool_rig *f = *state;

	dataplane_destroy(f->dp);
	return 0;
}

struct source *pool_rig_add(struct pool_rig *f, uint64_t rate_bps, uint64_t ceil_bps,
			    uint32_t weight, uint64_t offered_bps)
{
	uint32_t id = 10 + f->n;
	struct dp_channel spec = channel_rig_channel(id, HOST, rate_bps, ceil_bps, weight);

	channel_rig_put(f->dp, &spec);
	f->sources[f->n] = channel_rig_source(f->dp, id, offered_bps);
	return &f->sources[f->n++];
}

void pool_rig_run(struct pool_rig *f, uint64_t ns)
{
	channel_rig_run(f->dp, f->sources, f->n, &f->now_ns, ns);
}

uint64_t pool_rig_measure(struct pool_rig *f, uint64_t ns)
{
	uint64_t sum_bps = 0;

	channel_rig_reset(f->sources, f->n);
	pool_rig_run(f, ns);
	for (unsigned int i = 0; i < f->n; i++)
		sum_bps += channel_rig_bps(&f->sources[i], ns);
	return sum_bps;
}

void pool_rig_stop(struct source *source)
{
	source->offered_bps = 0;
	source->backlog_bytes = 0;
}

void pool_rig_assert_within(uint64_t value, uint64_t expected, uint64_t permille)
{
	if (value < expected - expected * permille / 1000 ||
	    value > expected + expected * permille / 1000)
		fail_msg("%llu is not within %llu permille of %llu", (unsigned long long)value,
			 (unsigned long long)permille, (unsigned long long)expected);
}
