/* SPDX-License-Identifier: BSD-3-Clause */
/* See replay_rewrite.h. Checksums are corrected by what changed (RFC 1624), so one that was wrong
 * stays wrong. */
#include "cli/replay_rewrite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACS_BYTES 12
#define TAG_BYTES 4
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8
#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd
#define IPV4_BYTES 20
#define IPV6_BYTES 40
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ICMPV6 58

/* --- words --- */

static int parse_mac(const char *value, uint8_t mac[6])
{
	unsigned int b[6];
	int end = 0;

	if (sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &end) != 6 ||
	    value[end] != '\0')
		return -EINVAL;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return 0;
}

static int parse_vlan(const char *value, int *vlan)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (strcmp(value, "none") == 0)
		n = REPLAY_VLAN_NONE;
	else if (end == value || *end || n < 1 || n > 4094)
		return -EINVAL;
	*vlan = (int)n;
	return 0;
}

static int parse_address(const char *value, struct replay_address *address)
{
	if (inet_pton(AF_INET, value, address->bytes) == 1)
		address->version = 4;
	else if (inet_pton(AF_INET6, value, address->bytes) == 1)
		address->version = 6;
	else
		return -EINVAL;
	return 0;
}

int replay_rewrite_parse(struct replay_rewrite *rewrite, const char *key, const char *value)
{
	if (strcmp(key, "src_mac") == 0) {
		rewrite->has_src_mac = true;
		return parse_mac(value, rewrite->src_mac);
	}
	if (strcmp(key, "dst_mac") == 0) {
		rewrite->has_dst_mac = true;
		return parse_mac(value, rewrite->dst_mac);
	}
	if (strcmp(key, "vlan") == 0)
		return parse_vlan(value, &rewrite->vlan);
	if (strcmp(key, "src_ip") == 0)
		return parse_address(value, &rewrite->src_ip);
	if (strcmp(key, "dst_ip") == 0)
		return parse_address(value, &rewrite->dst_ip);
	return -ENOENT;
}

/* --- frames --- */

static uint16_t get_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static bool is_tag(uint16_t type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ;
}

static uint32_t set_vlan(uint8_t *frame, uint32_t len, int vlan)
{
	uint8_t *tag = frame + MACS_BYTES;
	bool has_tag = len >= MACS_BYTES + TAG_BYTES + 2 && is_tag(get_u16(tag));

	if (has_tag && vlan == REPLAY_VLAN_NONE) {
		memmove(tag, tag + TAG_BYTES, len - MACS_BYTES - TAG_BYTES);
		return len - TAG_BYTES;
	}
	if (vlan == REPLAY_VLAN_NONE || len < MACS_BYTES)
		return len;
	if (!has_tag) {
		memmove(tag + TAG_BYTES, tag, len - MACS_BYTES);
		put_u16(tag, TYPE_VLAN);
		put_u16(tag + 2, 0);
		len += TAG_BYTES;
	}
	put_u16(tag + 2, (uint16_t)((get_u16(tag + 2) & 0xf000) | vlan));
	return len;
}

/* What an address that changes does to the sums that cover it, as a sum of 16-bit words. */
static uint32_t change(uint8_t *at, const uint8_t *to, unsigned int bytes)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < bytes; i += 2)
		sum += (uint16_t)~get_u16(at + i) + (uint32_t)get_u16(to + i);
	memcpy(at, to, bytes);
	return sum;
}

static void correct(uint8_t *checksum, uint32_t sum)
{
	sum += (uint16_t)~get_u16(checksum);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_u16(checksum, (uint16_t)~sum);
}

/* Of the header at `at`, whose checksum covers the addresses. */
static void correct_payload(uint8_t *at, uint32_t len, uint8_t proto, uint32_t sum)
{
	if (proto == PROTO_TCP && len >= 18)
		correct(at + 16, sum);
	else if (proto == PROTO_ICMPV6 && len >= 4)
		correct(at + 2, sum);
	if (proto != PROTO_UDP || len < 8 || get_u16(at + 6) == 0)
		return;
	correct(at + 6, sum);
	/* 0 would say that there is none. */
	if (get_u16(at + 6) == 0)
		put_u16(at + 6, 0xffff);
}

static void set_ipv4(const struct replay_rewrite *rewrite, uint8_t *ip, uint32_t len)
{
	uint32_t sum = 0, header = (ip[0] & 15u) * 4;

	if (len < IPV4_BYTES || ip[0] >> 4 != 4 || header < IPV4_BYTES || header > len)
		return;
	if (rewrite->src_ip.version == 4)
		sum += change(ip + 12, rewrite->src_ip.bytes, 4);
	if (rewrite->dst_ip.version == 4)
		sum += change(ip + 16, rewrite->dst_ip.bytes, 4);
	if (sum == 0)
		return;
	correct(ip + 10, sum);
	/* Later fragments have no header of their own. */
	if ((get_u16(ip + 6) & 0x1fff) == 0)
		correct_payload(ip + header, len - header, ip[9] == PROTO_ICMPV6 ? 0 : ip[9], sum);
}

static void set_ipv6(const struct replay_rewrite *rewrite, uint8_t *ip, uint32_t len)
{
	uint32_t sum = 0;

	if (len < IPV6_BYTES || ip[0] >> 4 != 6)
		return;
	if (rewrite->src_ip.version == 6)
		sum += change(ip + 8, rewrite->src_ip.bytes, 16);
	if (rewrite->dst_ip.version == 6)
		sum += change(ip + 24, rewrite->dst_ip.bytes, 16);
	if (sum != 0)
		correct_payload(ip + IPV6_BYTES, len - IPV6_BYTES, ip[6], sum);
}

uint32_t replay_rewrite_frame(const struct replay_rewrite *rewrite, uint8_t *frame, uint32_t len)
{
	uint32_t at = MACS_BYTES;

	if (len < MACS_BYTES + 2)
		return len;
	if (rewrite->has_dst_mac)
		memcpy(frame, rewrite->dst_mac, 6);
	if (rewrite->has_src_mac)
		memcpy(frame + 6, rewrite->src_mac, 6);
	if (rewrite->vlan != REPLAY_VLAN_KEEP)
		len = set_vlan(frame, len, rewrite->vlan);
	while (at + TAG_BYTES + 2 <= len && is_tag(get_u16(frame + at)))
		at += TAG_BYTES;
	if (at + 2 > len)
		return len;
	if (get_u16(frame + at) == TYPE_IPV4)
		set_ipv4(rewrite, frame + at + 2, len - at - 2);
	else if (get_u16(frame + at) == TYPE_IPV6)
		set_ipv6(rewrite, frame + at + 2, len - at - 2);
	return len;
}
