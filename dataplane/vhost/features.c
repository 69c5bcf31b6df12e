/* SPDX-License-Identifier: BSD-3-Clause */
/* Features of vhost-user ports. See features.h. Main thread. */
#include "dataplane/vhost/features.h"

#include "dataplane/offload.h"
#include "dataplane/port.h"
#include "dataplane/vhost/message.h"

#define BIT(n) VIRTIO_FEATURE(n)

unsigned int features_queue_pairs(const struct port *port)
{
	const struct dp_option *queues = port_option(port, "queues");

	return queues != NULL ? (unsigned int)queues->number : 1;
}

uint64_t features_offered(const struct port *port)
{
	const struct dp_option *offload = port_option(port, "offload");
	const struct dp_option *migrate = port_option(port, "migrate");
	uint64_t features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_INDIRECT_DESC) |
			    BIT(VIRTIO_F_EVENT_IDX) | BIT(VIRTIO_F_RING_PACKED) |
			    BIT(VIRTIO_F_ANY_LAYOUT) | BIT(VIRTIO_NET_F_MRG_RXBUF) |
			    BIT(VIRTIO_NET_F_MTU) | BIT(VIRTIO_NET_F_GUEST_ANNOUNCE);

	if (features_queue_pairs(port) > 1)
		features |= BIT(VIRTIO_NET_F_MQ);
	if (migrate == NULL || migrate->number != 0)
		features |= BIT(VHOST_F_LOG_ALL);
	/* UFO stays out: nobody needs it, and kernels gave up on it. */
	if (offload == NULL || offload->number != 0)
		features |= BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |
			    BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |
			    BIT(VIRTIO_NET_F_GUEST_ECN) | BIT(VIRTIO_NET_F_HOST_TSO4) |
			    BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_HOST_ECN);
	return features;
}

/* For four feature bits: checksum, TSO for IPv4 and IPv6, ECN. */
static uint32_t caps_of(uint64_t features, int csum, int tso4, int tso6, int ecn)
{
	return (features & BIT(csum) ? OFFLOAD_CSUM : 0) |
	       (features & BIT(tso4) ? OFFLOAD_TSO4 : 0) |
	       (features & BIT(tso6) ? OFFLOAD_TSO6 : 0) | (features & BIT(ecn) ? OFFLOAD_ECN : 0);
}

uint32_t features_put_caps(uint64_t features)
{
	return caps_of(features, VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_TSO4,
		       VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_ECN);
}

uint32_t features_take_caps(uint64_t features)
{
	return caps_of(features, VIRTIO_NET_F_CSUM, VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_HOST_TSO6,
		       VIRTIO_NET_F_HOST_ECN);
}
