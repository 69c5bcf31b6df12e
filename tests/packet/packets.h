/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of packets with their times, and pcap files of them (Ethernet, nanoseconds). */
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
	size_t n;
};

/* Appends a copy. 0 or -ENOMEM. */
int packets_add(struct packets *packets, uint64_t time_ns, const uint8_t *bytes, uint32_t len);
void packets_clear(struct packets *packets);

/* Appends what the file has. -ENOENT: no such file; -EINVAL: no pcap of Ethernet frames. */
int packets_read(struct packets *packets, const char *path);
int packets_write(const struct packets *packets, const char *path);

/* Prints the first difference to stderr. The number of packets that differ. */
size_t packets_compare(const struct packets *expected, const struct packets *seen,
		       const char *what);
