/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes captures with nanoseconds, in this machine's byte order. What is written goes to a function
 * of the caller, in whole headers, records and blocks: a file, a pipe, a body of HTTP. The same
 * packets make the same bytes. One thread.
 *
 *   pcap    one interface, no names, comments or directions: what it cannot say is left out
 *   pcapng  an interface for each port; a comment says why a frame was dropped
 */
#pragma once

#include <stddef.h>

#include "capture/capture.h"

/* Takes all of it: 0, or -errno, which the functions below then return. */
typedef int (*capture_sink_fn)(void *ctx, const void *bytes, size_t n);

struct capture_writer {
	capture_sink_fn sink;
	void *ctx;
	enum capture_format format;
	uint32_t n_interfaces;
};

/* Writes the head of the file. A pcap is then ready: it has interface 0, of Ethernet. */
int capture_writer_begin(struct capture_writer *writer, enum capture_format format,
			 capture_sink_fn sink, void *ctx);

/* The same of a pcapng, with a comment that is about all of it. */
int capture_writer_begin_section(struct capture_writer *writer, const char *comment,
				 capture_sink_fn sink, void *ctx);

/* pcapng: interfaces are numbered from 0 in the order in which they are added. */
int capture_writer_add_interface(struct capture_writer *writer,
				 const struct capture_interface *interface);

/* -EINVAL: of an interface that was not added, or larger than CAPTURE_PACKET_BYTES_MAX. */
int capture_writer_put(struct capture_writer *writer, const struct capture_packet *packet);

/* pcapng: how many packets of an interface came, and how many of them could not be kept. */
int capture_writer_put_counts(struct capture_writer *writer, uint32_t interface, uint64_t time_ns,
			      uint64_t received, uint64_t dropped);
