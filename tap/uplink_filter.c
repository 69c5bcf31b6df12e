/* SPDX-License-Identifier: BSD-3-Clause */
/* The socket filter of a VXLAN underlay. Pure. */
#include "tap/uplink_filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define ACCEPT_ALL 0x40000 /* bytes: more than any frame has */
#define REJECT UINT8_MAX   /* a jump to the last instruction, until its distance is known */
#define FRAGMENT_OFFSET_MASK 0x1fff /* RFC 791 */

/* Offsets from the start of the frame. */
#define ETHERTYPE_AT 12
#define IP_AT ETH_HLEN
#define UDP_PORT_AT 2 /* destination, RFC 768 */

struct program {
	struct sock_filter *code;
	unsigned int n;
};

static void add(struct program *program, struct sock_filter instruction)
{
	program->code[program->n++] = instruction;
}

/* Loads BPF_B, BPF_H or BPF_W at an offset. What is behind the frame's end rejects it. */
static void load(struct program *program, unsigned int size, uint32_t at)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_LD | size | BPF_ABS, at));
}

static void require(struct program *program, uint32_t value)
{
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, REJECT));
}

static void require_ipv4(struct program *program, const struct uplink_vtep *vtep)
{
	uint32_t address_be;

	memcpy(&address_be, vtep->address, sizeof(address_be));
	load(program, BPF_B, IP_AT + 9);
	require(program, IPPROTO_UDP);
	load(program, BPF_W, IP_AT + 16);
	require(program, ntohl(address_be));
	load(program, BPF_H, IP_AT + 6);
	add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FRAGMENT_OFFSET_MASK,
						  REJECT, 0));
	add(program, (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, IP_AT));
	add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_IND, IP_AT + UDP_PORT_AT));
	require(program, vtep->udp_port);
}

static void require_ipv6(struct program *program, const struct uplink_vtep *vtep)
{
	load(program, BPF_B, IP_AT + 6);
	require(program, IPPROTO_UDP);
	for (unsigned int i = 0; i < 16; i += 4) {
		uint32_t word_be;

		memcpy(&word_be, vtep->address + i, sizeof(word_be));
		load(program, BPF_W, IP_AT + 24 + i);
		require(program, ntohl(word_be));
	}
	load(program, BPF_H, IP_AT + 40 + UDP_PORT_AT);
	require(program, vtep->udp_port);
}

/* The two ends, and where the jumps to the second one lead. */
static unsigned int finish(struct program *program)
{
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ACCEPT_ALL));
	for (unsigned int i = 0; i < program->n; i++) {
		struct sock_filter *code = &program->code[i];

		if (BPF_CLASS(code->code) != BPF_JMP)
			continue;
		if (code->jt == REJECT)
			code->jt = (uint8_t)(program->n - i - 1);
		if (code->jf == REJECT)
			code->jf = (uint8_t)(program->n - i - 1);
	}
	add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0));
	return program->n;
}

unsigned int uplink_filter_vxlan(const struct uplink_vtep *vtep,
				 struct sock_filter code[UPLINK_FILTER_MAX])
{
	struct program program = {.code = code};
	bool is_ipv4 = vtep->family == AF_INET;

	load(&program, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
	require(&program, PACKET_HOST);
	load(&program, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	require(&program, 0);
	load(&program, BPF_H, ETHERTYPE_AT);
	require(&program, is_ipv4 ? ETH_P_IP : ETH_P_IPV6);
	if (is_ipv4)
		require_ipv4(&program, vtep);
	else
		require_ipv6(&program, vtep);
	return finish(&program);
}

static uint16_t read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t read32(const uint8_t *at)
{
	return (uint32_t)read16(at) << 16 | read16(at + 2);
}

/* Some words at a time: EtherType, version and TOS; fragment, TTL and protocol; the receiver. */
static bool is_vxlan_ipv4(const struct uplink_vtep *vtep, const uint8_t *frame)
{
	return read32(frame + ETHERTYPE_AT) >> 8 == (ETH_P_IP << 8 | 0x45) &&
	       (read32(frame + IP_AT + 6) & (FRAGMENT_OFFSET_MASK << 16 | UINT8_MAX)) ==
		       IPPROTO_UDP &&
	       memcmp(frame + IP_AT + 16, vtep->address, 4) == 0 &&
	       read16(frame + IP_AT + 20 + UDP_PORT_AT) == vtep->udp_port;
}

static bool is_vxlan_ipv6(const struct uplink_vtep *vtep, const uint8_t *frame)
{
	return read16(frame + ETHERTYPE_AT) == ETH_P_IPV6 && frame[IP_AT + 6] == IPPROTO_UDP &&
	       memcmp(frame + IP_AT + 24, vtep->address, 16) == 0 &&
	       read16(frame + IP_AT + 40 + UDP_PORT_AT) == vtep->udp_port;
}

bool uplink_filter_is_vxlan(const struct uplink_vtep *vtep, const uint8_t *frame, size_t bytes)
{
	bool is_ipv4 = vtep->family == AF_INET;

	if (bytes < IP_AT + (is_ipv4 ? 20 : 40) + 8 || (frame[0] & 1) != 0)
		return false;
	return is_ipv4 ? is_vxlan_ipv4(vtep, frame) : is_vxlan_ipv6(vtep, frame);
}

unsigned int uplink_filter_none(struct sock_filter code[UPLINK_FILTER_MAX])
{
	code[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return 1;
}
