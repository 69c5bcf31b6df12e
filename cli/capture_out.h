/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a capture is written: one file, standard output, or a row of files of which the oldest is
 * written over. Every file is whole by itself: what describes the interfaces stands in each. One
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/pcapng_split.h"

struct capture_out {
	FILE *file;
	const char *path; /* "-": `standard` */
	FILE *standard;
	uint64_t file_bytes;	/* of one of a row */
	unsigned int n_files;	/* 0: one file, without a limit */
	unsigned int at;	/* which one it is at */
	uint64_t written_bytes; /* into this one */
	uint8_t *head;		/* section and interfaces so far */
	size_t head_bytes;
	struct pcapng_split split;
	uint64_t n_packets, n_dropped; /* dropped: that weft could not keep */
	int err;		       /* -errno of writing */
};

/* The path must outlast it. A file is made when there is something for it. */
void capture_out_open(struct capture_out *out, const char *path, FILE *standard,
		      unsigned int n_files, uint64_t file_bytes);
/* 0 or -errno: what is written can be lost only now. */
int capture_out_close(struct capture_out *out);

/* A piece of the stream. 0, -EBADMSG: it is no pcapng, or -errno of writing. */
int capture_out_push(struct capture_out *out, const void *bytes, size_t n);

/* Name of file number `i` of a row: "web0.pcapng" is "web0.1.pcapng". */
int capture_out_name(const char *path, unsigned int i, char *name, size_t name_bytes);
