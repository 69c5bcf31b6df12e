/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-virtio-load: the second load of the figures that compare switches, a front-end that is not
 * ours. One process with two of DPDK's virtio-user cards sends prebuilt frames from both as fast as
 * the rings take them, and drains both; one core for both ends, so that the two do not take turns.
 *
 *     weft-virtio-load EAL-OPTIONS -- [BYTES]
 *
 * The cards come with the EAL options (--vdev=net_virtio_user0,... and 1). Card 0 has the address
 * 02:00:00:00:01:00, card 1 ends in 01. BYTES are counted without FCS (60). It is told what to do
 * as weft-load is: a line `run MS` on its input is answered by one of JSON.
 */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARDS 2
#define BATCH 64
#define RING 1024
#define POOL_MBUFS 8191
#define FRAME_MIN 60
#define FRAME_MAX 1514
#define DRAIN_MS 1

struct card {
	uint16_t id;
	uint16_t n_bytes;
	struct rte_mempool *tx_pool, *rx_pool;
	struct rte_mbuf *waiting[BATCH]; /* offered to the card, from `first` on */
	uint16_t first, n_waiting;
	uint64_t n_sent, n_received;
};

/* Written once into every buffer: sending leaves the bytes alone, and so does freeing. */
static void prebuild(struct rte_mempool *pool, void *opaque, void *object, unsigned int index)
{
	const struct card *card = opaque;
	struct rte_mbuf *mbuf = object;
	uint8_t *frame = (uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM;
	const uint8_t header[] = {2,	0,   0, 0, 1, (uint8_t)(card->id ^ 1),
				  2,	0,   0, 0, 1, (uint8_t)card->id,
				  0x88, 0xb5}; /* IEEE 802, local experiments */

	memset(frame, 0, FRAME_MAX);
	memcpy(frame, header, sizeof(header));
}

static int open_card(struct card *card, uint16_t id, uint16_t n_bytes)
{
	const struct rte_eth_conf config = {0};
	char name[32];

	*card = (struct card){.id = id, .n_bytes = n_bytes};
	snprintf(name, sizeof(name), "tx%u", id);
	card->tx_pool = rte_pktmbuf_pool_create(name, POOL_MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
						SOCKET_ID_ANY);
	snprintf(name, sizeof(name), "rx%u", id);
	card->rx_pool = rte_pktmbuf_pool_create(name, POOL_MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
						SOCKET_ID_ANY);
	if (card->tx_pool == NULL || card->rx_pool == NULL)
		return -ENOMEM;
	rte_mempool_obj_iter(card->tx_pool, prebuild, card);
	int error = rte_eth_dev_configure(id, 1, 1, &config);

	if (error == 0)
		error = rte_eth_rx_queue_setup(id, 0, RING, SOCKET_ID_ANY, NULL, card->rx_pool);
	if (error == 0)
		error = rte_eth_tx_queue_setup(id, 0, RING, SOCKET_ID_ANY, NULL);
	return error == 0 ? rte_eth_dev_start(id) : error;
}

static void send_batch(struct card *card)
{
	if (card->n_waiting == 0) {
		if (rte_pktmbuf_alloc_bulk(card->tx_pool, card->waiting, BATCH) < 0)
			return;
		for (unsigned int i = 0; i < BATCH; i++)
			card->waiting[i]->data_len = card->waiting[i]->pkt_len = card->n_bytes;
		card->first = 0;
		card->n_waiting = BATCH;
	}
	uint16_t n = rte_eth_tx_burst(card->id, 0, card->waiting + card->first, card->n_waiting);

	card->first += n;
	card->n_waiting -= n;
	card->n_sent += n;
}

static void receive_batch(struct card *card)
{
	struct rte_mbuf *received[BATCH];
	uint16_t n = rte_eth_rx_burst(card->id, 0, received, BATCH);

	rte_pktmbuf_free_bulk(received, n);
	card->n_received += n;
}

/* Sends and receives for a while, then receives what is still on its way. */
static void run(struct card cards[CARDS], unsigned int ms)
{
	uint64_t start = rte_rdtsc(), hz = rte_get_tsc_hz();
	uint64_t end = start + ms * hz / 1000, n_sent = 0, n_received = 0;

	for (unsigned int i = 0; i < CARDS; i++)
		cards[i].n_sent = cards[i].n_received = 0;
	while (rte_rdtsc() < end) {
		for (unsigned int i = 0; i < CARDS; i++) {
			send_batch(&cards[i]);
			receive_batch(&cards[i]);
		}
	}
	double seconds = (double)(rte_rdtsc() - start) / (double)hz;

	for (end = rte_rdtsc() + DRAIN_MS * hz / 1000; rte_rdtsc() < end;) {
		for (unsigned int i = 0; i < CARDS; i++)
			receive_batch(&cards[i]);
	}
	for (unsigned int i = 0; i < CARDS; i++) {
		n_sent += cards[i].n_sent;
		n_received += cards[i].n_received;
	}
	printf("{\"seconds\":%.4f,\"sent\":%llu,\"received\":%llu}\n", seconds,
	       (unsigned long long)n_sent, (unsigned long long)n_received);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct card cards[CARDS];
	unsigned int ms;
	char line[128];
	int n = rte_eal_init(argc, argv), error = 0;

	if (n < 0 || argc - n > 2) {
		fputs("usage: weft-virtio-load EAL-OPTIONS -- [BYTES]\n", stderr);
		return 2;
	}
	int n_bytes = argc - n > 1 ? atoi(argv[n + 1]) : FRAME_MIN;

	if (rte_eth_dev_count_avail() != CARDS || n_bytes < FRAME_MIN || n_bytes > FRAME_MAX) {
		fputs("weft-virtio-load: needs two --vdev=net_virtio_userN, and 60 to 1514 bytes\n",
		      stderr);
		return 2;
	}
	for (uint16_t i = 0; i < CARDS && error == 0; i++)
		error = open_card(&cards[i], i, (uint16_t)n_bytes);
	if (error != 0) {
		fprintf(stderr, "weft-virtio-load: a card does not start: %s\n",
			rte_strerror(-error));
		return 1;
	}
	while (fgets(line, sizeof(line), stdin) != NULL && sscanf(line, "run %u", &ms) == 1)
		run(cards, ms);
	for (uint16_t i = 0; i < CARDS; i++)
		rte_eth_dev_stop(i);
	return rte_eal_cleanup() < 0;
}
