/* SPDX-License-Identifier: BSD-3-Clause */
/* What weft replay changes in frames: addresses and the VLAN tag, with the checksums that cover
 * them. Pure; any bytes are legal, and what is not there is not changed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_VLAN_KEEP (-1)
#define REPLAY_VLAN_NONE 0 /* the outer tag is taken off */

struct replay_address {
	uint8_t bytes[16];
	uint8_t version; /* 4, 6; 0: is not changed */
};

struct replay_rewrite {
	bool has_src_mac, has_dst_mac;
	uint8_t src_mac[6], dst_mac[6];
	int vlan; /* REPLAY_VLAN_..., or the outer tag's number */
	struct replay_address src_ip, dst_ip;
};

/* 0, or -EINVAL: the value is none for this key; -ENOENT: there is no such key. */
int replay_rewrite_parse(struct replay_rewrite *rewrite, const char *key, const char *value);

/* The frame has room for 4 bytes more. Returns its new length. */
uint32_t replay_rewrite_frame(const struct replay_rewrite *rewrite, uint8_t *frame, uint32_t len);
