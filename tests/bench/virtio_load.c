/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-virtio-load: the load of the figures that compare switches. One process with two of DPDK's
 * virtio-user cards sends prebuilt frames from both as fast as the rings take them, and drains
 * both: a front-end that is not ours, and one core for both ends, so that the two do not take
 * turns.
 *
 *     weft-virtio-load EAL-OPTIONS -- SECONDS [BYTES]
 *
 * The cards come with the EAL options (--vdev=net_virtio_user0,... and 1). Card 0 has the address
 * 02:00:00:00:01:00, card 1 ends in 01. BYTES are counted without FCS (60).
 */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARDS 2
#define BATCH 64
#define RING 1024
#define POOL_MBUFS 8191
#define FRAME_MIN 60
#define FRAME_MAX 1514

struct card {
	uint16_t id;
	uint16_t n_bytes;
	struct rte_mempool *tx_pool, *rx_pool;
	struct rte_mbuf *waiting[BATCH];	/* offered to the card, from `first` on */
	uint16_t first, n_waiting;
	uint64_t n_sent, n_received;
};

/* Written once into every buffer: sending leaves the bytes alone, and so does freeing. */
static void prebuild(struct rte_mempool *pool, void *opaque, void *object, unsigned int index)
{
	const struct card *card = opaque;
	struct rte_mbuf *mbuf = object;
	uint8_t *frame = (uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM;
	const uint8_t header[] = {2, 0, 0, 0, 1, (uint8_t)(card->id ^ 1),
				  2, 0, 0, 0, 1, (uint8_t)card->id,
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
	card->tx_pool = rte_pktmbuf_pool_create(name, POOL_MBUFS, 256, 0,
						RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	snprintf(name, sizeof(name), "rx%u", id);
	card->rx_pool = rte_pktmbuf_pool_create(name, POOL_MBUFS, 256, 0,
						RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
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
	uint16_t n =
		rte_eth_tx_burst(card->id, 0, card->waiting + card->first, card->n_waiting);

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

static void run(struct card cards[CARDS], unsigned int seconds)
{
	uint64_t end = rte_rdtsc() + seconds * rte_get_tsc_hz();

	while (rte_rdtsc() < end) {
		for (unsigned int i = 0; i < CARDS; i++) {
			send_batch(&cards[i]);
			receive_batch(&cards[i]);
		}
	}
}

int main(int argc, char **argv)
{
	struct card cards[CARDS];
	int n = rte_eal_init(argc, argv);
	int error = 0;

	if (n < 0 || argc - n < 2) {
		fputs("usage: weft-virtio-load EAL-OPTIONS -- SECONDS [BYTES]\n", stderr);
		return 2;
	}
	int seconds = atoi(argv[n + 1]);
	int n_bytes = argc - n > 2 ? atoi(argv[n + 2]) : FRAME_MIN;

	if (rte_eth_dev_count_avail() != CARDS || seconds < 1 || n_bytes < FRAME_MIN ||
	    n_bytes > FRAME_MAX) {
		fputs("weft-virtio-load: needs two --vdev=net_virtio_userN, at least a second, and "
		      "60 to 1514 bytes\n",
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
	run(cards, (unsigned int)seconds);
	for (unsigned int i = 0; i < CARDS; i++) {
		printf("card %u: sent %.3f Mpps, received %.3f Mpps\n", i,
		       (double)cards[i].n_sent / seconds / 1e6,
		       (double)cards[i].n_received / seconds / 1e6);
		rte_eth_dev_stop((uint16_t)i);
	}
	return rte_eal_cleanup() < 0;
}
