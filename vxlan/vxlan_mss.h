/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lowers the segment size that a TCP connection agrees on, so that its packets fit a tunnel even
 * where nobody hears ICMP. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "vxlan/vxlan_inner.h"

/*
 * If the head holds a SYN whose MSS option is more than an IP MTU of mtu_bytes carries (RFC 6691:
 * less the fixed headers, 40 or 60 bytes), lowers it to that. A SYN without the option stays: it
 * stands for 536 (RFC 9293) or 1,220 bytes (RFC 8200).
 *
 * is_sum_open: the sender left the TCP checksum open (VIRTIO_NET_HDR_F_NEEDS_CSUM). The field then
 * holds the sum of the pseudo header alone, which has no MSS in it, and whoever completes it sums
 * the new option: the field stays as it is. Otherwise it is corrected. true: the head was changed.
 */
bool vxlan_mss_clamp(uint8_t *head, uint32_t head_len, const struct vxlan_inner *inner,
		     uint32_t mtu_bytes, bool is_sum_open);
