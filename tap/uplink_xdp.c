/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program, written instruction by instruction: it is as long as one expression, and so no
 * compiler for BPF, no loader and no object file have to be where weft is built and run.
 */
#include "tap/uplink_xdp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TO_KERNEL INT16_MAX	    /* a jump to the end, until its distance is known */
#define FRAGMENT_OFFSET_MASK 0x1fff /* RFC 791 */

/* Offsets from the start of the frame. */
#define ETHERTYPE_AT 12
#define IP_AT ETH_HLEN
#define UDP_BYTES 8

/* Registers: what the kernel hands over and calls by is fixed, the others are our choice. */
#define R_RESULT BPF_REG_0
#define R_CONTEXT BPF_REG_6
#define R_FRAME BPF_REG_7
#define R_VALUE BPF_REG_8
#define R_LIMIT BPF_REG_9

struct program {
	struct bpf_insn *code;
	unsigned int n;
};

static void add(struct program *program, struct bpf_insn instruction)
{
	program->code[program->n++] = instruction;
}

static void set(struct program *program, uint8_t to, int32_t value)
{
	add(program,
	    (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = value});
}

static void copy(struct program *program, uint8_t to, uint8_t from)
{
	add(program,
	    (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from});
}

/* Loads BPF_B, BPF_H or BPF_W. */
static void load(struct program *program, uint8_t to, uint8_t from, uint8_t size, size_t at)
{
	add(program, (struct bpf_insn){.code = BPF_LDX | size | BPF_MEM,
				       .dst_reg = to,
				       .src_reg = from,
				       .off = (int16_t)at});
}

/* To the kernel, if the value is (BPF_JEQ), is not (BPF_JNE) or has bits of (BPF_JSET) another. */
static void leave_if(struct program *program, uint8_t how, uint32_t value)
{
	add(program, (struct bpf_insn){.code = BPF_JMP32 | how | BPF_K,
				       .dst_reg = R_VALUE,
				       .off = TO_KERNEL,
				       .imm = (int32_t)value});
}

/* A part of the frame must be this, as it lies there. */
static void require(struct program *program, uint8_t size, size_t at, uint32_t value)
{
	load(program, R_VALUE, R_FRAME, size, at);
	leave_if(program, BPF_JNE, value);
}

static uint32_t word_at(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The frame, which must have so many bytes. */
static void begin(struct program *program, int32_t bytes)
{
	copy(program, R_CONTEXT, BPF_REG_1);
	load(program, R_FRAME, R_CONTEXT, BPF_W, offsetof(struct xdp_md, data));
	load(program, R_LIMIT, R_CONTEXT, BPF_W, offsetof(struct xdp_md, data_end));
	copy(program, R_VALUE, R_FRAME);
	add(program, (struct bpf_insn){.code = BPF_ALU64 | BPF_ADD | BPF_K,
				       .dst_reg = R_VALUE,
				       .imm = bytes});
	add(program, (struct bpf_insn){.code = BPF_JMP | BPF_JGT | BPF_X,
				       .dst_reg = R_VALUE,
				       .src_reg = R_LIMIT,
				       .off = TO_KERNEL});
}

static void require_ipv4(struct program *program, const struct uplink_vtep *vtep)
{
	const size_t header_bytes = 20;

	require(program, BPF_H, ETHERTYPE_AT, htons(ETH_P_IP));
	require(program, BPF_B, IP_AT, 0x45);
	require(program, BPF_B, IP_AT + 9, IPPROTO_UDP);
	load(program, R_VALUE, R_FRAME, BPF_H, IP_AT + 6);
	leave_if(program, BPF_JSET, htons(FRAGMENT_OFFSET_MASK));
	require(program, BPF_W, IP_AT + 16, word_at(vtep->address));
	require(program, BPF_H, IP_AT + header_bytes + 2, htons(vtep->udp_port));
}

static void require_ipv6(struct program *program, const struct uplink_vtep *vtep)
{
	const size_t header_bytes = 40;

	require(program, BPF_H, ETHERTYPE_AT, htons(ETH_P_IPV6));
	require(program, BPF_B, IP_AT + 6, IPPROTO_UDP);
	for (size_t i = 0; i < 16; i += 4)
		require(program, BPF_W, IP_AT + 24 + i, word_at(vtep->address + i));
	require(program, BPF_H, IP_AT + header_bytes + 2, htons(vtep->udp_port));
}

static void require_vxlan(struct program *program, const struct uplink_vtep *vtep)
{
	bool is_ipv4 = vtep->family == AF_INET;

	begin(program, IP_AT + (is_ipv4 ? 20 : 40) + UDP_BYTES);
	/* Not to a group of hosts: that is no address of ours. */
	load(program, R_VALUE, R_FRAME, BPF_B, 0);
	leave_if(program, BPF_JSET, 1);
	if (is_ipv4)
		require_ipv4(program, vtep);
	else
		require_ipv6(program, vtep);
}

static void require_tag(struct program *program)
{
	static const uint16_t tags[] = {ETH_P_8021Q, ETH_P_8021AD};
	const int16_t n = sizeof(tags) / sizeof(tags[0]);

	begin(program, ETH_HLEN);
	load(program, R_VALUE, R_FRAME, BPF_H, ETHERTYPE_AT);
	for (int16_t i = 0; i < n; i++)
		add(program, (struct bpf_insn){.code = BPF_JMP32 | BPF_JEQ | BPF_K,
					       .dst_reg = R_VALUE,
					       .off = (int16_t)(n - i),
					       .imm = htons(tags[i])});
	leave_if(program, BPF_JNE, htons(ETH_P_QINQ1));
}

/* To the socket of the queue, or to the kernel if it has none; and the way to the kernel. */
static unsigned int finish(struct program *program, int map_fd)
{
	add(program, (struct bpf_insn){.code = BPF_LD | BPF_DW | BPF_IMM,
				       .dst_reg = BPF_REG_1,
				       .src_reg = BPF_PSEUDO_MAP_FD,
				       .imm = map_fd});
	add(program, (struct bpf_insn){0}); /* the upper half of the constant */
	load(program, BPF_REG_2, R_CONTEXT, BPF_W, offsetof(struct xdp_md, rx_queue_index));
	set(program, BPF_REG_3, XDP_PASS);
	add(program, (struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map});
	add(program, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
	for (unsigned int i = 0; i < program->n; i++) {
		if (program->code[i].off == TO_KERNEL)
			program->code[i].off = (int16_t)(program->n - i - 1);
	}
	set(program, R_RESULT, XDP_PASS);
	add(program, (struct bpf_insn){.code = BPF_JMP | BPF_EXIT});
	return program->n;
}

unsigned int uplink_xdp_write(const struct uplink_vtep *vtep, int map_fd,
			      struct bpf_insn code[UPLINK_XDP_CODE_MAX])
{
	struct program program = {.code = code};

	if (vtep != NULL)
		require_vxlan(&program, vtep);
	else
		require_tag(&program);
	return finish(&program, map_fd);
}

unsigned int uplink_xdp_count_queues(int fd, const char *ifname)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCETHTOOL, &request) < 0)
		return 1;
	return channels.combined_count + channels.rx_count;
}

/* --- bpf(2) --- */

static int call(enum bpf_cmd command, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : (int)result;
}

static uint64_t address_of(const void *at)
{
	return (uint64_t)(uintptr_t)at;
}

static int make_map(const int *sockets, unsigned int n_sockets)
{
	union bpf_attr attr = {0};

	attr.map_type = BPF_MAP_TYPE_XSKMAP;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(int);
	attr.max_entries = n_sockets;
	strcpy(attr.map_name, "weft_sockets");
	int fd = call(BPF_MAP_CREATE, &attr);

	for (uint32_t i = 0; i < n_sockets && fd >= 0; i++) {
		attr = (union bpf_attr){0};
		attr.map_fd = (uint32_t)fd;
		attr.key = address_of(&i);
		attr.value = address_of(&sockets[i]);
		int error = call(BPF_MAP_UPDATE_ELEM, &attr);

		if (error < 0) {
			close(fd);
			return error;
		}
	}
	return fd;
}

int uplink_xdp_load(const struct uplink_vtep *vtep, const int *sockets, unsigned int n_sockets)
{
	static const char license[] = "Dual BSD/GPL";
	struct bpf_insn code[UPLINK_XDP_CODE_MAX];
	union bpf_attr attr = {0};
	int map_fd = make_map(sockets, n_sockets);

	if (map_fd < 0)
		return map_fd;
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.expected_attach_type = BPF_XDP;
	attr.insn_cnt = uplink_xdp_write(vtep, map_fd, code);
	attr.insns = address_of(code);
	attr.license = address_of(license);
	strcpy(attr.prog_name, "weft_uplink");
	int fd = call(BPF_PROG_LOAD, &attr);

	/* The program keeps it. */
	close(map_fd);
	return fd;
}

static int create_link(int program_fd, int ifindex, uint32_t flags)
{
	union bpf_attr attr = {0};

	attr.link_create.prog_fd = (uint32_t)program_fd;
	attr.link_create.target_ifindex = (uint32_t)ifindex;
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = flags;
	return call(BPF_LINK_CREATE, &attr);
}

int uplink_xdp_attach(int program_fd, int ifindex)
{
	int fd = create_link(program_fd, ifindex, 0);

	/* A driver that could run it may not like how the interface is set up; the kernel's own
	 * place for it, behind the driver, always serves. */
	return fd >= 0 || fd == -EBUSY ? fd : create_link(program_fd, ifindex, XDP_FLAGS_SKB_MODE);
}

int uplink_xdp_switch(int link_fd, int program_fd)
{
	union bpf_attr attr = {0};

	attr.link_update.link_fd = (uint32_t)link_fd;
	attr.link_update.new_prog_fd = (uint32_t)program_fd;
	return call(BPF_LINK_UPDATE, &attr);
}

bool uplink_xdp_is_used(int socket_fd)
{
	/* No memory at all: refused for another reason by a socket that has none yet. */
	struct xdp_umem_reg nothing = {0};

	return setsockopt(socket_fd, SOL_XDP, XDP_UMEM_REG, &nothing, sizeof(nothing)) < 0 &&
	       errno == EBUSY;
}
