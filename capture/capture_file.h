/* SPDX-License-Identifier: BSD-3-Clause */
/* A capture in a file, read piece by piece through capture_reader.h. One thread. */
#pragma once

#include <stddef.h>

#include "capture/capture_reader.h"

struct capture_file;

/* 0, or -errno of opening it. "-": standard input. */
int capture_file_open(const char *path, struct capture_file **file);
void capture_file_close(struct capture_file *file); /* NULL is legal */

/* 1: *packet, valid until the next call. 0: the end. -EINVAL: not a capture, or damaged; -errno:
 * cannot be read. capture_file_why() says more. */
int capture_file_next(struct capture_file *file, struct capture_packet *packet);
const char *capture_file_why(const struct capture_file *file);
const struct capture_interface *capture_file_interface(const struct capture_file *file,
						       uint32_t interface);
