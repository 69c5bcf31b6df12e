/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of packets with their times, and capture files of them (Ethernet, nanoseconds). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct packet {
	uint64_t time_ns;
	uint32_t len;
	uint8_t *bytes;
};

struct packets {
	struct packet *list;
	size_t n, max;
};

/* Appends a copy. 0 or -ENOMEM. */
int packets_add(struct packets *packets, uint64_t time_ns, const uint8_t *bytes, uint32_t len);
void packets_clear(struct packets *packets);

/* Takes so much off all times. */
void packets_shift(struct packets *packets, uint64_t by_ns);

/* Appends what the file has. -ENOENT: no such file. -EINVAL, with a line in `why`: no capture of
 * whole Ethernet frames in the order of their times. */
int packets_read(struct packets *packets, const char *path, char *why, size_t why_bytes);

/* As pcap, or as pcapng if the path says so. The folder must be there. 0 or -errno. */
int packets_write(const struct packets *packets, const char *path);
