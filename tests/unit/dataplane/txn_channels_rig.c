/* SPDX-License-Identifier: BSD-3-Clause */
/* See txn_channels_rig.h. */
#include "tests/unit/dataplane/txn_channels_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/txn_channels.h"

struct dp_channel txn_channels_rig_gold(void)
{
	return channel_rig_channel(GOLD, HOST, 500 * M, 0, 4);
}

struct dp_loan txn_channels_rig_loan(void)
{
	return (struct dp_loan){.id = LOAN + 1,
				.from_id = GOLD,
				.to_id = BRONZE,
				.ways = 1,
				.rate_bps = 100 * M,
				.remaining_ms = 1000};
}

int txn_channels_rig_set_up(void **state)
{
	int result = txn_rig_set_up(state);
	struct txn_rig *f = *state;
	struct dp_channel channels[] = {txn_channels_rig_gold(),
					channel_rig_channel(BRONZE, HOST, 50 * M, 0, 1),
					channel_rig_channel(FAR, WAN, 50 * M, 0, 1),
					channel_rig_channel(LOOSE, 0, 50 * M, 60 * M, 1)};
	struct dp_port port = rig_port_spec(1, ALPHA);
	struct dp_segment beta = rig_segment(BETA);
	struct dp_loan loan = txn_channels_rig_loan();

	channel_rig_put_pool(f->dp, HOST, G);
	channel_rig_put_pool(f->dp, WAN, G);
	for (int i = 0; i < 4; i++)
		channel_rig_put(f->dp, &channels[i]);
	port.channel_id = GOLD;
	rig_put_port_spec(f->dp, &port);
	beta.channel_id = BRONZE;
	rig_put_segment_spec(f->dp, &beta);
	loan.id = LOAN;
	loan.rate_bps = 300 * M;
	txn_rig_begin(f);
	assert_int_equal(txn_channels_put_loan(f->txn, &loan), 0);
	txn_rig_commit(f);
	return result;
}
