/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures made by hand, number by number, in either byte order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/capture_reader.h"

struct made {
	uint8_t bytes[4096];
	size_t n;
	bool is_swapped;
};

void made_u16(struct made *made, unsigned int value);
void made_u32(struct made *made, uint32_t value);
void made_bytes(struct made *made, const void *bytes, size_t n);

/* A pcap's head, with this magic number, of Ethernet; and a record. */
void made_pcap(struct made *made, uint32_t magic);
void made_record(struct made *made, uint32_t seconds, uint32_t ticks, const void *bytes,
		 uint32_t len);

/* A pcapng's section; a block of this type with this body, padded. */
void made_section(struct made *made);
void made_block(struct made *made, uint32_t type, const struct made *body);

struct read {
	unsigned int n;
	struct capture_packet last;
	uint8_t last_bytes[4096];
	char comment[CAPTURE_COMMENT_BYTES];
	struct capture_interface interface; /* of the last */
	int result;
	char why[CAPTURE_WHY_BYTES];
};

/* All of it, pushed in pieces of so many bytes. */
struct read read_all(const void *bytes, size_t n, size_t piece);
