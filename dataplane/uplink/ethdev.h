/* SPDX-License-Identifier: BSD-3-Clause */
/* A device of DPDK's, from its devargs to its start, and all the way back. Main. */
#pragma once

#include <rte_mempool.h>
#include <stddef.h>
#include <stdint.h>

struct ethdev {
	uint16_t port_id;	  /* EAL's */
	uint32_t frame_bytes_max; /* that it sends and receives in one piece */
	uint8_t mac[6];
	struct rte_mempool *pool;
};

/* number: this process's own for the uplink. 0 or -errno with one line in `why`: -EBUSY, it is in
 * use here; -ENODEV, there is none; and so on. */
int ethdev_open(const char *devargs, unsigned int n_queues, unsigned int number,
		struct ethdev *ethdev, char *why, size_t why_bytes);
void ethdev_close(struct ethdev *ethdev);
