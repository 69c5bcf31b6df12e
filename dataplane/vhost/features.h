/* SPDX-License-Identifier: BSD-3-Clause */
/* What a vhost-user port offers to its guest, and what follows for the rings. Main thread. */
#pragma once

#include <stdint.h>

struct port;

/* VIRTIO_FEATURE() bits by the port's options. */
uint64_t features_offered(const struct port *port);
/* How many pairs of queues the port may have. */
unsigned int features_queue_pairs(const struct port *port);

/* enum offload_cap of agreed features: what the guest takes, and what it may send. */
uint32_t features_put_caps(uint64_t features);
uint32_t features_take_caps(uint64_t features);
