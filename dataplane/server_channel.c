/* SPDX-License-Identifier: BSD-3-Clause */
/* Pools, channels and loans as messages. Main thread. */
#include "dataplane/server_channel.h"

#include "dataplane/channel/loan.h"
#include "dataplane/channel/pool.h"
#include "dataplane/client.h"
#include "dataplane/dataplane.h"

static void dump_loans(const struct dataplane *dp, struct client *client, uint64_t cookie,
		       uint64_t now_ns)
{
	for (unsigned int i = 0; i < LOANS_BY_ID; i++) {
		const struct loan *loan = dp->loans_by_id[i];

		for (; loan != NULL; loan = loan->next_by_id) {
			struct dp_loan spec = loan->spec;

			spec.header.cookie = cookie;
			spec.remaining_ms = loan_remaining_ms(loan, now_ns);
			client_send(client, &spec, sizeof(spec), DP_LOAN_PUT, -1);
		}
	}
}

void server_channel_dump(const struct dataplane *dp, struct client *client, uint64_t cookie,
			 uint64_t now_ns)
{
	for (unsigned int i = 1; i < POOLS_MAX; i++) {
		if (dp->pools[i] == NULL)
			continue;
		struct dp_pool spec = dp->pools[i]->spec;

		spec.header.cookie = cookie;
		client_send(client, &spec, sizeof(spec), DP_POOL_PUT, -1);
	}
	for (unsigned int i = 1; i < CHANNELS_MAX; i++) {
		const struct channel *channel = atomic_load(&dp->channels[i]);

		if (channel == NULL)
			continue;
		struct dp_channel spec = channel->spec;

		spec.header.cookie = cookie;
		client_send(client, &spec, sizeof(spec), DP_CHANNEL_PUT, -1);
	}
	dump_loans(dp, client, cookie, now_ns);
}
