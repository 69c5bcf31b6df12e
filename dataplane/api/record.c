/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings of records in shared memory. See record.h. */
#include "dataplane/api/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* For a burst of small frames there is room if there are so many bytes. */
#define BURST_ROOM_BYTES 16384

static size_t memory_bytes(unsigned int n_rings, uint64_t ring_bytes)
{
	return RECORD_PAGE + n_rings * (RECORD_PAGE + (size_t)ring_bytes);
}

static bool is_size(unsigned int n_rings, uint64_t ring_bytes)
{
	return n_rings != 0 && n_rings <= RECORD_RINGS_MAX && ring_bytes >= RECORD_RING_BYTES_MIN &&
	       ring_bytes <= RECORD_RING_BYTES_MAX && (ring_bytes & (ring_bytes - 1)) == 0;
}

static int map_all(int fd, size_t bytes, int flags, struct record_map *map)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	*map = (struct record_map){.header = at, .bytes = bytes};
	return 0;
}

int record_create(unsigned int n_rings, uint64_t ring_bytes, struct record_map *map, int *out)
{
	if (!is_size(n_rings, ring_bytes))
		return -EINVAL;
	size_t bytes = memory_bytes(n_rings, ring_bytes);
	int fd = memfd_create("weft-capture", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	/* A page that is not there yet would cost a worker a fault, and one that cannot be had its
	 * life. */
	int error = -posix_fallocate(fd, 0, (off_t)bytes);

	if (error == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		error = -errno;
	if (error == 0)
		error = map_all(fd, bytes, MAP_POPULATE, map);
	if (error < 0) {
		close(fd);
		return error;
	}
	*map->header = (struct record_header){.magic = RECORD_MAGIC,
					      .version = RECORD_VERSION,
					      .n_rings = n_rings,
					      .ring_bytes = ring_bytes};
	map->n_rings = n_rings;
	map->ring_bytes = ring_bytes;
	*out = fd;
	return 0;
}

int record_open(int fd, struct record_map *map)
{
	struct record_header header;
	struct stat stat;

	if (fstat(fd, &stat) < 0 ||
	    pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return -EBADMSG;
	if (header.magic != RECORD_MAGIC || header.version != RECORD_VERSION ||
	    !is_size(header.n_rings, header.ring_bytes) ||
	    stat.st_size != (off_t)memory_bytes(header.n_rings, header.ring_bytes))
		return -EBADMSG;
	int error = map_all(fd, (size_t)stat.st_size, 0, map);

	map->n_rings = header.n_rings;
	map->ring_bytes = header.ring_bytes;
	return error;
}

void record_close(struct record_map *map)
{
	if (map->header != NULL)
		munmap(map->header, map->bytes);
	*map = (struct record_map){0};
}

void record_end(struct record_map *map)
{
	atomic_store_explicit(&map->header->is_closed, 1, memory_order_release);
}

bool record_is_ended(const struct record_map *map)
{
	return atomic_load_explicit(&map->header->is_closed, memory_order_acquire) != 0;
}

static struct record_control *control_of(const struct record_map *map, unsigned int ring)
{
	size_t at = RECORD_PAGE + ring * (RECORD_PAGE + (size_t)map->ring_bytes);

	return (struct record_control *)((char *)map->header + at);
}

int record_protect(const struct record_map *map)
{
	if (mprotect(map->header, map->bytes, PROT_READ) < 0)
		return -errno;
	for (uint32_t i = 0; i < map->n_rings; i++) {
		if (mprotect(control_of(map, i), RECORD_PAGE, PROT_READ | PROT_WRITE) < 0)
			return -errno;
	}
	return 0;
}

/* --- writer --- */

void record_writer_begin(struct record_writer *writer, const struct record_map *map,
			 unsigned int ring)
{
	struct record_control *control = control_of(map, ring);

	*writer = (struct record_writer){.control = control,
					 .data = (uint8_t *)control + RECORD_PAGE,
					 .ring_bytes = map->ring_bytes};
}

static bool has_room(struct record_writer *writer, uint64_t bytes)
{
	if (writer->head + bytes - writer->tail <= writer->ring_bytes)
		return true;
	uint64_t tail = atomic_load_explicit(&writer->control->tail, memory_order_acquire);

	/* A reader that says nonsense has read nothing. */
	if (writer->head - tail <= writer->ring_bytes)
		writer->tail = tail;
	return writer->head + bytes - writer->tail <= writer->ring_bytes;
}

bool record_writer_lose(struct record_writer *writer, unsigned int n)
{
	if (has_room(writer, BURST_ROOM_BYTES))
		return false;
	writer->lost += n;
	atomic_store_explicit(&writer->control->lost, writer->lost, memory_order_relaxed);
	return true;
}

static struct record *record_at(const struct record_writer *writer)
{
	return (struct record *)(writer->data + (writer->head & (writer->ring_bytes - 1)));
}

struct record *record_writer_reserve(struct record_writer *writer, uint32_t len)
{
	uint32_t bytes = (uint32_t)((sizeof(struct record) + len + 7) & ~7ul);
	uint64_t to_end = writer->ring_bytes - (writer->head & (writer->ring_bytes - 1));
	uint64_t skipped = bytes > to_end ? to_end : 0;

	if (!has_room(writer, skipped + bytes)) {
		atomic_store_explicit(&writer->control->lost, ++writer->lost, memory_order_relaxed);
		return NULL;
	}
	if (skipped != 0) {
		/* There are at least 8 bytes: the reader looks at no more of it. */
		struct record *skip = record_at(writer);

		skip->bytes = (uint32_t)skipped;
		skip->len = RECORD_SKIP;
		writer->head += skipped;
	}
	struct record *record = record_at(writer);

	record->bytes = bytes;
	record->len = len;
	return record;
}

void record_writer_commit(struct record_writer *writer, const struct record *record)
{
	writer->head += record->bytes;
	atomic_store_explicit(&writer->control->kept, ++writer->kept, memory_order_relaxed);
	atomic_store_explicit(&writer->control->head, writer->head, memory_order_release);
}

/* --- reader --- */

void record_reader_begin(struct record_reader *reader, const struct record_map *map,
			 unsigned int ring)
{
	struct record_control *control = control_of(map, ring);

	*reader = (struct record_reader){.control = control,
					 .data = (const uint8_t *)control + RECORD_PAGE,
					 .ring_bytes = map->ring_bytes};
}

/* Is this a record that ends before `room`? */
static bool is_sound(const struct record *record, uint64_t room)
{
	return record->bytes % 8 == 0 && record->bytes >= sizeof(*record) &&
	       record->bytes <= room && record->len <= record->bytes - sizeof(*record) &&
	       record->way >= RECORD_RX && record->way <= RECORD_DROP;
}

int record_reader_next(struct record_reader *reader, struct record *record, const uint8_t **frame)
{
	/* The writer's line is looked at when all that was seen there is taken. */
	if (reader->tail == reader->head)
		reader->head = atomic_load_explicit(&reader->control->head, memory_order_acquire);
	for (;;) {
		uint64_t at = reader->tail & (reader->ring_bytes - 1);
		uint64_t to_end = reader->ring_bytes - at, there = reader->head - reader->tail;
		uint32_t skip[2];

		if (there == 0)
			return 0;
		if (there > reader->ring_bytes || there % 8 != 0)
			return -EBADMSG;
		memcpy(skip, reader->data + at, sizeof(skip));
		if (skip[1] == RECORD_SKIP) {
			if (skip[0] != to_end || to_end > there)
				return -EBADMSG;
			reader->tail += to_end;
			continue;
		}
		if (to_end < sizeof(*record) || there < sizeof(*record))
			return -EBADMSG;
		memcpy(record, reader->data + at, sizeof(*record));
		*frame = reader->data + at + sizeof(*record);
		return is_sound(record, to_end < there ? to_end : there) ? 1 : -EBADMSG;
	}
}

void record_reader_pass(struct record_reader *reader, const struct record *record)
{
	reader->tail += record->bytes;
}

void record_reader_give_back(const struct record_reader *reader)
{
	atomic_store_explicit(&reader->control->tail, reader->tail, memory_order_release);
}

void record_reader_take(struct record_reader *reader, const struct record *record)
{
	record_reader_pass(reader, record);
	record_reader_give_back(reader);
}

uint64_t record_reader_kept(const struct record_reader *reader)
{
	return atomic_load_explicit(&reader->control->kept, memory_order_relaxed);
}

uint64_t record_reader_lost(const struct record_reader *reader)
{
	return atomic_load_explicit(&reader->control->lost, memory_order_relaxed);
}
