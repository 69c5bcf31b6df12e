/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers about receive queues and workers, and moves by hand. Main thread. */
#include "dataplane/server_queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/balance.h"
#include "dataplane/client.h"
#include "dataplane/dataplane.h"
#include "dataplane/worker.h"

static void send_queue(struct client *client, const struct rxq *rxq, uint64_t cookie)
{
	struct dp_queue queue = {
		.header = {.cookie = cookie},
		.port_id = rxq->port->spec.id,
		.queue = rxq->index,
		.worker = (uint16_t)rxq->worker,
		.is_pinned = rxq->pin != 0,
		.busy_permille = (uint16_t)rxq->load,
	};

	client_send(client, &queue, sizeof(queue), DP_QUEUE, -1);
}

void server_queue_dump(struct dataplane *dp, struct client *client, uint64_t cookie)
{
	for (unsigned int i = 0; i < dp->config.n_workers; i++) {
		struct worker *worker = dp->workers[i];

		for (unsigned int k = 0; k < atomic_load(&worker->n_rxqs); k++)
			send_queue(client, atomic_load(&worker->rxqs[k]), cookie);
	}
	client_done(client, cookie, 0, "");
}

void server_queue_move(struct dataplane *dp, struct client *client, const struct dp_queue *move)
{
	struct rxq *rxq = balance_find(dp, move->port_id, move->queue);
	char why[DP_TEXT_BYTES] = "";
	int error = 0;

	if (rxq == NULL) {
		error = -ENOENT;
		snprintf(why, sizeof(why),
			 "queue %u of the port is not polled: does the guest run, and has it "
			 "enabled the queue?",
			 move->queue);
	} else if (move->worker == DP_WORKER_ANY) {
		balance_unpin(rxq);
	} else if (move->worker >= dp->config.n_workers) {
		error = -ENOENT;
		snprintf(why, sizeof(why), "there is no worker %u: use 0 to %u", move->worker,
			 dp->config.n_workers - 1);
	} else {
		error = balance_pin(dp, rxq, move->worker);
		if (error < 0)
			snprintf(why, sizeof(why), "the worker cannot take the queue: %s",
				 strerror(-error));
	}
	client_done(client, move->header.cookie, error, why);
}
