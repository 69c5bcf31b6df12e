/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of channels in transactions share: two pools, four channels, a loan of 300M from
 * GOLD to BRONZE, port 1 in GOLD, segment BETA in BRONZE. */
#pragma once

#include "tests/unit/dataplane/channel/channel_rig.h"
#include "tests/unit/dataplane/txn_rig.h"

#define HOST 1
#define WAN 2
#define GOLD 10
#define BRONZE 11
#define FAR 12	 /* in WAN */
#define LOOSE 13 /* in no pool */
#define LOAN 20

struct dp_channel txn_channels_rig_gold(void);
struct dp_loan txn_channels_rig_loan(void); /* another one */

int txn_channels_rig_set_up(void **state);
