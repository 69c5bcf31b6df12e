/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of a tunnel: what the outer headers of a received frame say, or why it is none of ours. Pure;
 * any thread.
 *
 * Who may send is not decided here: the caller compares source address and VNI with its peers, and
 * the destination address with its own. It must not decapsulate what comes out again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * X(SYMBOL, "name-in-output", "what happened, as a user would say it"). Down to WRONG_PORT it is
 * traffic of the host, not of the overlay; a fragment can be either.
 */
#define VXLAN_DECAP_REASONS(X)                                                                     \
	X(NOT_IP, "not-ip", "neither IPv4 nor IPv6")                                               \
	X(TAGGED, "tagged", "the outer frame has a VLAN tag")                                      \
	X(NOT_UDP, "not-udp", "another protocol than UDP")                                         \
	X(WRONG_PORT, "wrong-port", "UDP to another port than the tunnel's")                       \
	X(FRAGMENT, "fragment", "a fragment; tunnels are not put together again (RFC 7348)")       \
	X(EXTENSION, "extension", "IPv6 extension headers in front of UDP")                        \
	X(TRUNCATED, "truncated", "ends before its headers do, or before its IP length")           \
	X(BAD_HEADER, "bad-header", "IP version, header length, length or checksum is wrong")      \
	X(BAD_UDP_LENGTH, "bad-udp-length", "UDP length that does not fit the packet")             \
	X(NO_CHECKSUM, "no-checksum", "no UDP checksum on IPv6, and the tunnel wants one")         \
	X(NO_VNI, "no-vni", "the flag that says there is a VNI is not set")                        \
	X(INNER_SHORT, "inner-short", "shorter inside than an Ethernet header")

/* clang-format off */
enum vxlan_decap_reason {
	VXLAN_DECAP_OK = 0,
#define X(symbol, name, help) VXLAN_DECAP_##symbol,
	VXLAN_DECAP_REASONS(X)
#undef X
	VXLAN_DECAP_COUNT
};
/* clang-format on */

struct vxlan_decap_rules {
	uint16_t port;			/* UDP destination that is ours; VXLAN_PORT */
	bool allows_ipv6_no_checksum;	/* RFC 6935: by setting only */
};

struct vxlan_outer {
	uint8_t ip_version;		/* 4, 6 */
	uint8_t ttl;
	uint8_t tos;			/* DSCP << 2 | ECN, for vxlan_ecn_decap() */
	bool has_checksum;		/* see vxlan_decap_is_intact() */
	uint8_t dst_mac[6];
	uint8_t src_ip[16], dst_ip[16];	/* IPv4: the first four, then zeros */
	uint16_t src_port, dst_port;
	uint32_t vni;			/* 24 bits; 0 is possible */
	uint16_t inner_offset;		/* of the inner frame in the outer one */
	uint32_t inner_bytes;		/* at least 14; bytes after it are padding */
};

/*
 * head: the first head_len bytes of a frame of len bytes, from its Ethernet header on; 128 are
 * enough for whatever there is to read. `outer` is complete if the answer is VXLAN_DECAP_OK.
 * Reserved bits and bytes are ignored (RFC 7348 section 5).
 */
enum vxlan_decap_reason vxlan_decap(const uint8_t *head, uint32_t head_len, uint32_t len,
				    const struct vxlan_decap_rules *rules,
				    struct vxlan_outer *outer);

/*
 * The same for a frame that says what the one before it said: most do. before: the first
 * VXLAN_OVERHEAD_IPV4_BYTES of one over IPv4 without options that was VXLAN_DECAP_OK by the same
 * rules. true: this one is, too, and its `outer` differs at most in source port, destination MAC,
 * has_checksum, which is false, and inner_bytes, which is written. false: look at it as at any
 * other.
 */
bool vxlan_decap_again(const uint8_t *head, uint32_t head_len, uint32_t len, const uint8_t *before,
		       uint32_t *inner_bytes);

/* Whether the outer UDP checksum, if there is one, is right: RFC 7348 section 5 leaves that to us;
 * whoever looks must drop what is wrong. Reads all of the inner frame: head, then pieces. Not for a
 * frame whose sender left the checksum open (one from this machine), or whose NIC has checked.
 * head, head_len: as they were when vxlan_decap() filled `outer`. */
bool vxlan_decap_is_intact(const struct vxlan_outer *outer, const uint8_t *head, uint32_t head_len,
			   const struct iovec *iov, unsigned int n_iov);

/* "ok", "unknown" beyond the list. */
const char *vxlan_decap_reason_name(unsigned int reason);
const char *vxlan_decap_reason_help(unsigned int reason);
