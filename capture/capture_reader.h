/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads a capture as its bytes come: push() what there is, take packets with next() until it wants
 * more, and say finish() at the end. So a file, a pipe and a body of HTTP are read alike, and never
 * more is held than one block and what was pushed beyond it.
 *
 * Every length is checked before it is believed. After an error the reader stays where it is, and
 * says it again. One thread.
 */
#pragma once

#include <stddef.h>

#include "capture/capture.h"

struct capture_reader;

int capture_reader_create(struct capture_reader **reader);
void capture_reader_destroy(struct capture_reader *reader); /* NULL is legal */

/* 0 or -ENOMEM. */
int capture_reader_push(struct capture_reader *reader, const void *bytes, size_t n);

/* 1: *packet, valid until the next call of any function here. 0: push more, or finish. -EINVAL: not
 * a capture, or damaged; capture_reader_why() says where. */
int capture_reader_next(struct capture_reader *reader, struct capture_packet *packet);

/* There is no more. 0, or -EINVAL: it ends within a packet, or there was nothing at all. */
int capture_reader_finish(struct capture_reader *reader);

/* One line, after -EINVAL. */
const char *capture_reader_why(const struct capture_reader *reader);

/* What the file says of the interface that a packet names. NULL: not (yet) described. */
const struct capture_interface *capture_reader_interface(const struct capture_reader *reader,
							 uint32_t interface);
