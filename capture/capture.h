/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Capture files: pcap and pcapng, as capture_reader.h reads and capture_writer.h writes them. A
 * leaf: libc only, no globals, no logging; whoever calls it opens the files and sends the bytes.
 *
 *   pcap    draft-ietf-opsawg-pcap: one kind of link, micro- or nanoseconds, either byte order
 *   pcapng  draft-ietf-opsawg-pcapng: sections of blocks, several interfaces, comments
 */
#pragma once

#include <stdint.h>

#define CAPTURE_PACKET_BYTES_MAX 262144u /* as libpcap has it; who claims more is damaged */
#define CAPTURE_BLOCK_BYTES_MAX (1u << 20)
#define CAPTURE_INTERFACES_MAX 65536u
#define CAPTURE_NAME_BYTES 64
#define CAPTURE_COMMENT_BYTES 256
#define CAPTURE_SECTION_COMMENT_BYTES 512
#define CAPTURE_WHY_BYTES 160

#define CAPTURE_LINK_ETHERNET 1

enum capture_format {
	CAPTURE_PCAP,
	CAPTURE_PCAPNG,
};

/* Seen from the machine that captured. */
enum capture_direction {
	CAPTURE_DIRECTION_UNKNOWN = 0,
	CAPTURE_DIRECTION_IN,
	CAPTURE_DIRECTION_OUT,
};

struct capture_packet {
	uint64_t time_ns;   /* since 1970, or since whatever the writer counts from */
	uint32_t len;	    /* of `bytes` */
	uint32_t wire_len;  /* as it was on the wire: more than len if it was cut */
	uint32_t interface; /* from 0; in a pcap there is only one */
	enum capture_direction direction;
	const uint8_t *bytes;
	const char *comment; /* NULL: none */
};

struct capture_interface {
	uint16_t link;		       /* LINKTYPE_...; the code of tcpdump.org */
	uint32_t snaplen;	       /* 0: no limit */
	char name[CAPTURE_NAME_BYTES]; /* "": not said */
};

/* "Linux cooked" and the like, of what is met most; "unknown" else. */
const char *capture_link_name(uint16_t link);
