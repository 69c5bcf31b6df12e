/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Records: how frames that are captured get from the dataplane to weftd. A memfd holds one ring for
 * each worker; the worker puts records in and never waits, weftd takes them out.
 *
 *     struct record_header, a page
 *     n_rings times:  struct record_control, a page;  ring_bytes of records
 *
 * A ring has one writer and one reader. `head` and `tail` count bytes since the start; a record
 * lies in one piece, and what is left at the end of the ring is skipped by a record of length
 * RECORD_SKIP. What finds no room is counted as lost. Neither side believes the other: the writer
 * masks every place, the reader checks every length.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MAGIC 0x7765667472656331ULL /* "weftrec1" */
#define RECORD_VERSION 1
#define RECORD_PAGE 4096
#define RECORD_SKIP UINT32_MAX
#define RECORD_RINGS_MAX 64
#define RECORD_RING_BYTES_MIN (1u << 18) /* a few frames of 64 KiB */
#define RECORD_RING_BYTES_MAX (1u << 28)

/* Seen from the port. */
enum record_way {
	RECORD_RX = 1, /* taken from the port */
	RECORD_TX,     /* given to the port */
	RECORD_DROP,
};

struct record_header {
	uint64_t magic;
	uint32_t version;
	uint32_t n_rings;
	uint64_t ring_bytes;	    /* a power of two */
	_Atomic uint32_t is_closed; /* the writers have gone */
};

struct record_control {
	_Atomic uint64_t head; /* the writer's, as the next two */
	_Atomic uint64_t kept; /* frames */
	_Atomic uint64_t lost;
	uint64_t apart[5];
	_Atomic uint64_t tail; /* the reader's */
};

/* The frame's first `len` bytes follow. */
struct record {
	uint32_t bytes; /* with this header, a multiple of 8 */
	uint32_t len;
	uint32_t wire_len; /* of the whole frame */
	uint8_t way;	   /* enum record_way */
	uint8_t reason;	   /* RECORD_DROP: enum drop_reason */
	uint16_t reserved;
	uint64_t time_ns; /* of the burst, by the dataplane's clock (CLOCK_MONOTONIC) */
	uint64_t port_id;
	uint32_t segment_id; /* 0: not known (yet) */
	uint32_t reserved2;
};

_Static_assert(sizeof(struct record) == 40, "layout");

/* The memory as one side has it mapped. */
struct record_map {
	struct record_header *header;
	size_t bytes;
	uint32_t n_rings; /* checked, and copied: the header may change */
	uint64_t ring_bytes;
};

/* New memory, all of it there already, which cannot shrink. 0 or -errno. */
int record_create(unsigned int n_rings, uint64_t ring_bytes, struct record_map *map, int *fd);
/* Maps what was received. -EBADMSG: it is no such memory. */
int record_open(int fd, struct record_map *map);
/* For who only reads: of what is mapped, only the pages with `tail` can still be written to. 0 or
 * -errno. */
int record_protect(const struct record_map *map);
void record_close(struct record_map *map); /* zeroed is legal */

/* No writer writes any more: says so, and asks. */
void record_end(struct record_map *map);
bool record_is_ended(const struct record_map *map);

/* The writer of a ring. One thread. */
struct record_writer {
	struct record_control *control;
	uint8_t *data;
	uint64_t ring_bytes, head, tail; /* tail: as last seen */
	uint64_t kept, lost;
};

void record_writer_begin(struct record_writer *writer, const struct record_map *map,
			 unsigned int ring);

/* Room for a frame of `len` bytes, with its header's sizes filled in; NULL: there is none, which is
 * counted. */
struct record *record_writer_reserve(struct record_writer *writer, uint32_t len);
/* Before a burst of n frames that are all meant: is there too little room for a look at each? Then
 * all of them are counted as lost. */
bool record_writer_lose(struct record_writer *writer, unsigned int n);
/* The reader may have what was reserved last. */
void record_writer_commit(struct record_writer *writer, const struct record *record);

/* The reader of a ring. One thread. */
struct record_reader {
	struct record_control *control;
	const uint8_t *data;
	uint64_t ring_bytes, head, tail; /* head: as last seen */
};

void record_reader_begin(struct record_reader *reader, const struct record_map *map,
			 unsigned int ring);

/* 1: *record is a copy, *frame its bytes until record_reader_take(). 0: there is none now.
 * -EBADMSG: the ring is damaged. */
int record_reader_next(struct record_reader *reader, struct record *record, const uint8_t **frame);
void record_reader_take(struct record_reader *reader, const struct record *record);
/* That in two steps, for who takes many at once: the next one is the one behind it; the writer may
 * have the room of all so far. */
void record_reader_pass(struct record_reader *reader, const struct record *record);
void record_reader_give_back(const struct record_reader *reader);

/* What the writer counted so far. */
uint64_t record_reader_kept(const struct record_reader *reader);
uint64_t record_reader_lost(const struct record_reader *reader);
