/* SPDX-License-Identifier: BSD-3-Clause */
/* A device of DPDK's, step by step. It comes while the process runs: a hot plug, to EAL. */
#include "dataplane/uplink/ethdev.h"

#include <errno.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/frame.h"
#include "dataplane/vlan.h"

#define RX_FRAMES 512 /* of a queue; the device may round it */
#define TX_FRAMES 512
/* Of each worker: two bursts. With less, what is freed goes to the common pool and all its buffers
 * take turns, none of them in a CPU's cache any more. */
#define CACHE_FRAMES (2 * BURST_FRAMES)
#define FRAME_ROOM_MIN 2048u

static int refuse(char *why, size_t why_bytes, int error, const char *devargs, const char *what)
{
	snprintf(why, why_bytes, "device %.100s %s: %s", devargs, what, strerror(-error));
	return error;
}

/* The device's name from its devargs; -ENOTSUP without EAL. */
static int find_name(const char *devargs, char *name, size_t name_bytes)
{
	struct rte_devargs parsed = {0};

	if (rte_lcore_count() == 0)
		return -ENOTSUP;
	if (rte_devargs_parse(&parsed, devargs) < 0)
		return -EINVAL;
	snprintf(name, name_bytes, "%s", parsed.name);
	free(parsed.data);
	return 0;
}

static int probe(const char *devargs, uint16_t *port_id)
{
	char name[RTE_DEV_NAME_MAX_LEN];
	int error = find_name(devargs, name, sizeof(name));

	if (error < 0)
		return error;
	if (rte_eth_dev_get_port_by_name(name, port_id) == 0)
		return -EBUSY;
	error = rte_dev_probe(devargs);
	if (error < 0)
		return error;
	return rte_eth_dev_get_port_by_name(name, port_id) == 0 ? 0 : -ENODEV;
}

/* Back to EAL what probe() took. */
static void leave(uint16_t port_id)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(port_id, &info) == 0 && info.device != NULL) {
		rte_eth_dev_close(port_id);
		rte_dev_remove(info.device);
	}
}

static struct rte_mempool *make_pool(const struct ethdev *ethdev, unsigned int n_queues,
				     unsigned int number)
{
	unsigned int n = n_queues * (RX_FRAMES + BURST_FRAMES) + TX_FRAMES +
			 rte_lcore_count() * CACHE_FRAMES * 2;
	uint32_t room = RTE_PKTMBUF_HEADROOM + (ethdev->frame_bytes_max > FRAME_ROOM_MIN
							? ethdev->frame_bytes_max
							: FRAME_ROOM_MIN);
	char name[32];

	snprintf(name, sizeof(name), "weft_uplink_%u", number);
	return rte_pktmbuf_pool_create(name, n, CACHE_FRAMES, 0, (uint16_t)room, SOCKET_ID_ANY);
}

static int set_up_queues(struct ethdev *ethdev, unsigned int n_queues)
{
	struct rte_eth_conf conf = {0};
	uint16_t n_rx = RX_FRAMES, n_tx = TX_FRAMES;
	struct rte_eth_dev_info info;
	int error = rte_eth_dev_info_get(ethdev->port_id, &info);

	if (error < 0)
		return error;
	if (n_queues > 1) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf =
			info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);
	}
	error = rte_eth_dev_configure(ethdev->port_id, (uint16_t)n_queues, 1, &conf);
	if (error == 0)
		error = rte_eth_dev_adjust_nb_rx_tx_desc(ethdev->port_id, &n_rx, &n_tx);
	for (uint16_t i = 0; i < n_queues && error == 0; i++)
		error = rte_eth_rx_queue_setup(ethdev->port_id, i, n_rx, SOCKET_ID_ANY, NULL,
					       ethdev->pool);
	return error == 0 ? rte_eth_tx_queue_setup(ethdev->port_id, 0, n_tx, SOCKET_ID_ANY, NULL)
			  : error;
}

static int set_up(struct ethdev *ethdev, unsigned int n_queues, unsigned int number)
{
	struct rte_ether_addr mac = {0};
	uint16_t mtu_bytes = 0;
	int error = rte_eth_dev_get_mtu(ethdev->port_id, &mtu_bytes);

	if (error < 0)
		return error;
	ethdev->frame_bytes_max = mtu_bytes + ETH_HLEN + 2 * VLAN_BYTES;
	ethdev->pool = make_pool(ethdev, n_queues, number);
	if (ethdev->pool == NULL)
		return -ENOMEM;
	error = set_up_queues(ethdev, n_queues);
	if (error == 0)
		error = rte_eth_macaddr_get(ethdev->port_id, &mac);
	memcpy(ethdev->mac, mac.addr_bytes, sizeof(ethdev->mac));
	if (error == 0)
		error = rte_eth_dev_start(ethdev->port_id);
	/* Guests of a trunk have addresses of their own. A device that cannot hears all, or says so
	 * by what it does not bring. */
	if (error == 0)
		(void)rte_eth_promiscuous_enable(ethdev->port_id);
	return error;
}

int ethdev_open(const char *devargs, unsigned int n_queues, unsigned int number,
		struct ethdev *ethdev, char *why, size_t why_bytes)
{
	*ethdev = (struct ethdev){0};
	int error = probe(devargs, &ethdev->port_id);

	if (error < 0)
		return refuse(why, why_bytes, error, devargs,
			      error == -EBUSY ? "is in use" : "cannot be had");
	error = set_up(ethdev, n_queues, number);
	if (error < 0) {
		ethdev_close(ethdev);
		return refuse(why, why_bytes, error, devargs,
			      error == -ENOMEM ? "needs more --memory" : "cannot be set up");
	}
	return 0;
}

void ethdev_close(struct ethdev *ethdev)
{
	rte_eth_dev_stop(ethdev->port_id);
	leave(ethdev->port_id);
	rte_mempool_free(ethdev->pool);
	*ethdev = (struct ethdev){0};
}
