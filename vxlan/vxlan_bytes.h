/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers in network order and addresses, as they lie in a frame. Pure; any thread. */
#pragma once

#include <linux/if_ether.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t vxlan_load_be16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline void vxlan_store_be16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static inline bool vxlan_is_zero(const uint8_t *bytes, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= bytes[i];
	return any == 0;
}

/* Of one host: neither a group's nor zero. */
static inline bool vxlan_is_host_mac(const uint8_t mac[6])
{
	return (mac[0] & 1) == 0 && !vxlan_is_zero(mac, ETH_ALEN);
}

static inline bool vxlan_is_tag(uint16_t ether_type)
{
	return ether_type == ETH_P_8021Q || ether_type == ETH_P_8021AD || ether_type == ETH_P_QINQ1;
}
