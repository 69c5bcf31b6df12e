/* SPDX-License-Identifier: BSD-3-Clause */
/* What capture_reader.c shares with the readers of the two formats. Private to capture/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "capture/capture_reader.h"

#define CAPTURE_NS_PER_S 1000000000ull

/* Time of an interface: 10^-n s, or with is_binary 2^-n s. */
struct capture_clock {
	uint8_t exponent;
	bool is_binary;
	int64_t offset_s;
};

struct capture_described {
	struct capture_interface interface;
	struct capture_clock clock;
};

struct capture_reader {
	uint8_t *bytes; /* pushed, and not yet taken from `at` on */
	size_t at, end, room;
	uint64_t offset;    /* of bytes[at] in the file */
	uint64_t n_packets; /* given */
	bool is_known;	    /* the header was read: */
	enum capture_format format;
	bool is_swapped; /* numbers stand in the other byte order */
	bool has_failed;
	uint32_t ns_per_tick;		      /* pcap */
	uint64_t last_ns;		      /* of the packet before */
	struct capture_described *interfaces; /* of this section */
	uint32_t n_interfaces, max_interfaces;
	char comment[CAPTURE_COMMENT_BYTES];
	char why[CAPTURE_WHY_BYTES];
};

/* Numbers at an address of any alignment, in the file's byte order. */
uint16_t capture_reader_u16(const struct capture_reader *reader, const uint8_t *at);
uint32_t capture_reader_u32(const struct capture_reader *reader, const uint8_t *at);

/* Notes what is wrong at this place of the file. -EINVAL. */
int capture_reader_fail(struct capture_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One more interface. 0, -ENOMEM, or -EINVAL: too many. */
int capture_reader_describe(struct capture_reader *reader,
			    const struct capture_described *described);

/* The same results as capture_reader_next(). *used: bytes of the header, record or block. With 0
 * and *used the block held no packet. */
int capture_reader_pcap_header(struct capture_reader *reader, const uint8_t *bytes, size_t n,
			       size_t *used);
int capture_reader_pcap_next(struct capture_reader *reader, const uint8_t *bytes, size_t n,
			     struct capture_packet *packet, size_t *used);
int capture_reader_pcapng_next(struct capture_reader *reader, const uint8_t *bytes, size_t n,
			       struct capture_packet *packet, size_t *used);
