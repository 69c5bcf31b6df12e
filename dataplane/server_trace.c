/* SPDX-License-Identifier: BSD-3-Clause */
/* Traced frames as messages. Main thread. */
#include "dataplane/server_trace.h"

#include "dataplane/client.h"
#include "dataplane/trace.h"

struct answer {
	struct client *client;
	uint64_t cookie;
};

static void send_step(void *ctx, struct dp_trace_step *step)
{
	const struct answer *answer = ctx;

	step->header.cookie = answer->cookie;
	client_send(answer->client, step, sizeof(*step), DP_TRACE_STEP, -1);
}

void server_trace(struct dataplane *dp, struct client *client, const struct dp_trace *request,
		  uint64_t now_ns)
{
	struct answer answer = {.client = client, .cookie = request->header.cookie};
	char why[DP_TEXT_BYTES];
	int error = trace_run(dp, request, now_ns, send_step, &answer, why);

	client_done(client, answer.cookie, error, why);
}
