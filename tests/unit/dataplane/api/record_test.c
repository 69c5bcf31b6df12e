/* SPDX-License-Identifier: BSD-3-Clause */
/* Rings of records: what goes in comes out, in order, or is counted; nothing that the other side
 * writes is believed. */
#include "dataplane/api/record.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RING_BYTES RECORD_RING_BYTES_MIN
#define THREAD_FRAMES 300000u

struct ends {
	int fd;
	struct record_map ours, theirs;
	struct record_writer writer;
	struct record_reader reader;
};

static void begin(struct ends *ends)
{
	memset(ends, 0, sizeof(*ends));
	assert_int_equal(record_create(2, RING_BYTES, &ends->ours, &ends->fd), 0);
	assert_int_equal(record_open(ends->fd, &ends->theirs), 0);
	assert_int_equal(ends->theirs.n_rings, 2);
	assert_int_equal(record_protect(&ends->theirs), 0);
	record_writer_begin(&ends->writer, &ends->ours, 1);
	record_reader_begin(&ends->reader, &ends->theirs, 1);
}

static void end(struct ends *ends)
{
	record_close(&ends->ours);
	record_close(&ends->theirs);
	close(ends->fd);
}

static bool put(struct record_writer *writer, uint32_t number, uint32_t len)
{
	struct record *record = record_writer_reserve(writer, len);

	if (record == NULL)
		return false;
	record->wire_len = len;
	record->way = RECORD_RX;
	record->time_ns = number;
	memset(record + 1, (int)(number & 0xff), len);
	record_writer_commit(writer, record);
	return true;
}

static bool is_filled(const uint8_t *bytes, uint32_t n, uint8_t with)
{
	for (uint32_t i = 0; i < n; i++) {
		if (bytes[i] != with)
			return false;
	}
	return true;
}

/* Lengths of all kinds, round the ring many times. */
static void test_in_order(void **state)
{
	struct record record;
	const uint8_t *bytes;
	struct ends ends;

	begin(&ends);
	assert_int_equal(record_reader_next(&ends.reader, &record, &bytes), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t len = i % 7 == 0 ? 65000 + i % 500 : i % 1515;

		assert_true(put(&ends.writer, i, len));
		assert_int_equal(record_reader_next(&ends.reader, &record, &bytes), 1);
		assert_int_equal(record.time_ns, i);
		assert_int_equal(record.len, len);
		assert_true(is_filled(bytes, len, (uint8_t)i));
		record_reader_take(&ends.reader, &record);
		assert_int_equal(record_reader_next(&ends.reader, &record, &bytes), 0);
	}
	assert_int_equal(record_reader_kept(&ends.reader), 20000);
	assert_int_equal(record_reader_lost(&ends.reader), 0);
	end(&ends);
}

/* A ring that nobody reads keeps what came first, and counts the rest. */
static void test_full(void **state)
{
	struct record record;
	const uint8_t *bytes;
	struct ends ends;
	uint32_t kept = 0;

	begin(&ends);
	for (uint32_t i = 0; i < 10000; i++)
		kept += put(&ends.writer, i, 100);
	/* 40 and 100 bytes, rounded up to 8 */
	assert_int_equal(kept, RING_BYTES / 144);
	assert_int_equal(record_reader_lost(&ends.reader), 10000 - kept);
	for (uint32_t i = 0; i < kept; i++) {
		assert_int_equal(record_reader_next(&ends.reader, &record, &bytes), 1);
		assert_int_equal(record.time_ns, i);
		record_reader_take(&ends.reader, &record);
	}
	assert_int_equal(record_reader_next(&ends.reader, &record, &bytes), 0);
	assert_true(put(&ends.writer, 1, 100));
	end(&ends);
}

/* A burst is lost as a whole where there is little room, and counted; not where there is some. */
static void test_bursts_are_lost(void **state)
{
	struct record record;
	const uint8_t *bytes;
	struct ends ends;

	begin(&ends);
	assert_false(record_writer_lose(&ends.writer, 64));
	while (put(&ends.writer, 1, 1000))
		;
	assert_true(record_writer_lose(&ends.writer, 64));
	assert_true(record_writer_lose(&ends.writer, 3));
	assert_int_equal(record_reader_lost(&ends.reader), 1 + 64 + 3);
	while (record_reader_next(&ends.reader, &record, &bytes) == 1)
		record_reader_take(&ends.reader, &record);
	assert_false(record_writer_lose(&ends.writer, 64));
	assert_int_equal(record_reader_lost(&ends.reader), 68);
	end(&ends);
}

static void *write_all(void *ctx)
{
	struct record_writer *writer = ctx;

	for (uint32_t i = 0; i < THREAD_FRAMES; i++)
		put(writer, i, i % 200);
	return NULL;
}

/* Two threads: each frame once and whole, in order, or counted as lost. */
static void test_two_threads(void **state)
{
	uint64_t got = 0, next = 0;
	struct record record;
	const uint8_t *bytes;
	struct ends ends;
	pthread_t thread;

	begin(&ends);
	assert_int_equal(pthread_create(&thread, NULL, write_all, &ends.writer), 0);
	while (got + record_reader_lost(&ends.reader) < THREAD_FRAMES ||
	       record_reader_kept(&ends.reader) != got) {
		int n = record_reader_next(&ends.reader, &record, &bytes);

		assert_true(n >= 0);
		if (n == 0)
			continue;
		assert_true(record.time_ns >= next);
		assert_int_equal(record.len, record.time_ns % 200);
		assert_true(is_filled(bytes, record.len, (uint8_t)record.time_ns));
		next = record.time_ns + 1;
		got++;
		record_reader_take(&ends.reader, &record);
	}
	pthread_join(thread, NULL);
	assert_true(got > 0);
	assert_int_equal(got + record_reader_lost(&ends.reader), THREAD_FRAMES);
	end(&ends);
}

/* A writer that was taken over: lengths beyond what there is. */
static void test_reader_believes_nothing(void **state)
{
	static const struct {
		uint32_t bytes, len;
	} bad[] = {{0, 0},    {8, 0},		{44, 0}, {48, 9}, {RING_BYTES + 8, 10},
		   {400, 10}, {48, RECORD_SKIP}};
	struct record record;
	const uint8_t *bytes;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ends ends;

		begin(&ends);
		struct record *made = record_writer_reserve(&ends.writer, 8);

		made->way = RECORD_TX;
		record_writer_commit(&ends.writer, made);
		made->bytes = bad[i].bytes;
		made->len = bad[i].len;
		assert_int_equal(record_reader_next(&ends.reader, &record, &bytes), -EBADMSG);
		end(&ends);
	}
}

/* A reader that was taken over: the writer stays within the ring, and takes it as full. */
static void test_writer_believes_nothing(void **state)
{
	struct ends ends;

	begin(&ends);
	while (put(&ends.writer, 0, 1000))
		;
	for (uint64_t tail = 1; tail != 0; tail <<= 7) {
		atomic_store(&ends.reader.control->tail, ends.writer.head + tail);
		assert_false(put(&ends.writer, 0, 1000));
	}
	end(&ends);
}

static void test_open_refuses(void **state)
{
	struct record_map map;
	struct ends ends;

	begin(&ends);
	ends.ours.header->ring_bytes *= 2;
	assert_int_equal(record_open(ends.fd, &map), -EBADMSG);
	ends.ours.header->ring_bytes = 12345;
	assert_int_equal(record_open(ends.fd, &map), -EBADMSG);
	ends.ours.header->ring_bytes = RING_BYTES;
	ends.ours.header->n_rings = 0;
	assert_int_equal(record_open(ends.fd, &map), -EBADMSG);
	ends.ours.header->n_rings = 2;
	ends.ours.header->version++;
	assert_int_equal(record_open(ends.fd, &map), -EBADMSG);
	assert_true(ftruncate(ends.fd, 10) < 0);
	assert_false(record_is_ended(&ends.theirs));
	record_end(&ends.ours);
	assert_true(record_is_ended(&ends.theirs));
	end(&ends);
}

/* One of the rights (0 read, 1 write) of the page that an address is in, as in "r--s"; 0: nobody
 * maps it. */
static char rights_of(const void *at, unsigned int which)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512], rights[8], found = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 &&
		    (unsigned long)at >= from && (unsigned long)at < to)
			found = rights[which];
	}
	fclose(maps);
	return found;
}

/* The reader's side cannot write to frames, nor to what describes them. */
static void test_reader_writes_only_tails(void **state)
{
	struct ends ends;

	begin(&ends);
	for (unsigned int i = 0; i < 2; i++) {
		struct record_reader reader;

		record_reader_begin(&reader, &ends.theirs, i);
		assert_int_equal(rights_of(reader.control, 1), 'w');
		assert_int_equal(rights_of(reader.data, 0), 'r');
		assert_int_equal(rights_of(reader.data, 1), '-');
		assert_int_equal(rights_of(reader.data + RING_BYTES - 1, 1), '-');
	}
	assert_int_equal(rights_of(ends.theirs.header, 1), '-');
	assert_int_equal(rights_of(ends.ours.header, 1), 'w');
	end(&ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_bursts_are_lost),
		cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_reader_believes_nothing),
		cmocka_unit_test(test_writer_believes_nothing),
		cmocka_unit_test(test_open_refuses),
		cmocka_unit_test(test_reader_writes_only_tails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
