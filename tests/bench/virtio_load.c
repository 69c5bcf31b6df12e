/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weft-virtio-load: the load of the figures that compare switches. One process with two of DPDK's
 * virtio-user cards sends prebuilt frames from both as fast as the rings take them, and drains
 * both: a front-end that is not ours, and one core for both ends, so that the two do not take
 * turns.
 *
 *     weft-virtio-load EAL-OPTIONS -- RUN-DIR SLICES [BYTES]
 *
 * The cards come with the EAL options (--vdev=net_virtio_user0,... and 1). Card 0 has the address
 * 02:00:00:00:01:00, card 1 ends in 01. BYTES are counted without FCS (60).
 *
 * The load comes in slices of 20 ms. Between two it measures how far the CPUs of load (1) and
 * switch (0) are apart, because hosts move virtual CPUs within a second (pingpong.h): a slice
 * counts if they were near before and after it. Its figure is what the switch's own counters say,
 * busy cycles for each frame; printed are the median and the quartiles of the slices that count.
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

#include "tests/bench/pingpong.h"
#include "tests/lib/accounting.h"

#define CARDS 2
#define BATCH 64
#define RING 1024
#define POOL_MBUFS 8191
#define FRAME_MIN 60
#define FRAME_MAX 1514
#define SLICE_MS 20
#define SLICES_MAX 1000
#define LOAD_CPU 1
#define SWITCH_CPU 0

struct card {
	uint16_t id;
	uint16_t n_bytes;
	struct rte_mempool *tx_pool, *rx_pool;
	struct rte_mbuf *waiting[BATCH];	/* offered to the card, from `first` on */
	uint16_t first, n_waiting;
	uint64_t n_received;
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
}

static void receive_batch(struct card *card)
{
	struct rte_mbuf *received[BATCH];
	uint16_t n = rte_eth_rx_burst(card->id, 0, received, BATCH);

	rte_pktmbuf_free_bulk(received, n);
	card->n_received += n;
}

/* Sends and receives for a while, then receives what is still on its way. Returns frames/s. */
static double run_slice(struct card cards[CARDS])
{
	uint64_t start = rte_rdtsc(), hz = rte_get_tsc_hz();
	uint64_t end = start + SLICE_MS * hz / 1000;
	uint64_t n_before = cards[0].n_received + cards[1].n_received;

	while (rte_rdtsc() < end) {
		for (unsigned int i = 0; i < CARDS; i++) {
			send_batch(&cards[i]);
			receive_batch(&cards[i]);
		}
	}
	for (end += hz / 1000; rte_rdtsc() < end;) {
		for (unsigned int i = 0; i < CARDS; i++)
			receive_batch(&cards[i]);
	}
	return (double)(cards[0].n_received + cards[1].n_received - n_before) * 1000 / SLICE_MS;
}

/* Sums over the workers of the switch. */
static void read_busy(const struct accounting *accounting, uint64_t *cycles, uint64_t *frames)
{
	const struct counters_header *header = accounting->header;
	const struct counters_worker *worker =
		(const void *)((const char *)header + header->workers_offset);

	*cycles = *frames = 0;
	for (unsigned int i = 0; i < header->n_workers; i++) {
		*cycles += worker[i].busy_cycles;
		*frames += worker[i].busy_frames;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_quartiles(const char *what, double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
	printf("%s: median %.1f (quartiles %.1f and %.1f)\n", what, values[n / 2], values[n / 4],
	       values[3 * n / 4]);
}

static bool is_near(double ns)
{
	return ns >= 0 && ns < PINGPONG_NEAR_NS;
}

static void run(struct card cards[CARDS], const struct accounting *accounting, unsigned int slices)
{
	double cycles_per_frame[SLICES_MAX], mpps[SLICES_MAX];
	double before_ns = pingpong_ns(SWITCH_CPU, LOAD_CPU);
	unsigned int n = 0;

	for (unsigned int i = 0; i < slices; i++) {
		uint64_t cycles[2], frames[2];

		read_busy(accounting, &cycles[0], &frames[0]);
		double pps = run_slice(cards);

		read_busy(accounting, &cycles[1], &frames[1]);
		double after_ns = pingpong_ns(SWITCH_CPU, LOAD_CPU);

		if (is_near(before_ns) && is_near(after_ns) && frames[1] != frames[0]) {
			cycles_per_frame[n] =
				(double)(cycles[1] - cycles[0]) / (double)(frames[1] - frames[0]);
			mpps[n++] = pps / 1e6;
		}
		before_ns = after_ns;
	}
	printf("%u of %u slices count: CPUs near before and after\n", n, slices);
	if (n == 0)
		return;
	print_quartiles("busy cycles per frame", cycles_per_frame, n);
	print_quartiles("Mpps received, both directions", mpps, n);
}

int main(int argc, char **argv)
{
	struct accounting accounting;
	struct card cards[CARDS];
	char why[DP_TEXT_BYTES];
	int n = rte_eal_init(argc, argv);
	int error = 0;

	if (n < 0 || argc - n < 3) {
		fputs("usage: weft-virtio-load EAL-OPTIONS -- RUN-DIR SLICES [BYTES]\n", stderr);
		return 2;
	}
	int slices = atoi(argv[n + 2]);
	int n_bytes = argc - n > 3 ? atoi(argv[n + 3]) : FRAME_MIN;

	if (rte_eth_dev_count_avail() != CARDS || slices < 1 || slices > SLICES_MAX ||
	    n_bytes < FRAME_MIN || n_bytes > FRAME_MAX) {
		fputs("weft-virtio-load: needs two --vdev=net_virtio_userN, 1 to 1000 slices, and "
		      "60 to 1514 bytes\n",
		      stderr);
		return 2;
	}
	if (accounting_open(&accounting, argv[n + 1], why) < 0) {
		fprintf(stderr, "weft-virtio-load: %s\n", why);
		return 1;
	}
	for (uint16_t i = 0; i < CARDS && error == 0; i++)
		error = open_card(&cards[i], i, (uint16_t)n_bytes);
	if (error != 0) {
		fprintf(stderr, "weft-virtio-load: a card does not start: %s\n",
			rte_strerror(-error));
		return 1;
	}
	run(cards, &accounting, (unsigned int)slices);
	for (uint16_t i = 0; i < CARDS; i++)
		rte_eth_dev_stop(i);
	accounting_close(&accounting);
	return rte_eal_cleanup() < 0;
}
