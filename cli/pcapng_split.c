/* SPDX-License-Identifier: BSD-3-Clause */
/* draft-ietf-opsawg-pcapng, section 3: every block says its length. */
#include "cli/pcapng_split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 8
#define BLOCK_BYTES_MIN 12
#define COUNTS_OPTIONS_AT 20
#define OPTION_DROPPED 5

static uint32_t word_at(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static int make_room(struct pcapng_split *split, size_t n)
{
	if (split->n + n <= split->room)
		return 0;
	uint8_t *bytes = realloc(split->bytes, 2 * (split->n + n));

	if (!bytes)
		return -ENOMEM;
	split->bytes = bytes;
	split->room = 2 * (split->n + n);
	return 0;
}

int pcapng_split_push(struct pcapng_split *split, const void *bytes, size_t n, pcapng_split_fn fn,
		      void *ctx)
{
	size_t at = 0;
	int err = make_room(split, n);

	if (err)
		return err;
	if (n)
		memcpy(split->bytes + split->n, bytes, n);
	split->n += n;
	while (!err && split->n - at >= HEAD_BYTES) {
		const uint8_t *block = split->bytes + at;
		uint32_t block_bytes = word_at(block + 4);

		if (block_bytes < BLOCK_BYTES_MIN || block_bytes % 4 ||
		    block_bytes > PCAPNG_SPLIT_BYTES_MAX)
			return -EBADMSG;
		if (split->n - at < block_bytes)
			break;
		err = fn(ctx, word_at(block), block, block_bytes);
		at += block_bytes;
	}
	split->n -= at;
	if (at && split->n)
		memmove(split->bytes, split->bytes + at, split->n);
	return err;
}

void pcapng_split_fini(struct pcapng_split *split)
{
	free(split->bytes);
	*split = (struct pcapng_split){0};
}

bool pcapng_split_dropped(const uint8_t *block, size_t n, uint64_t *dropped)
{
	size_t at = COUNTS_OPTIONS_AT;

	while (at + 4 <= n - 4) {
		uint16_t code, bytes;

		memcpy(&code, block + at, sizeof(code));
		memcpy(&bytes, block + at + 2, sizeof(bytes));
		at += 4;
		if (code == 0 || at + bytes > n - 4)
			return false;
		if (code == OPTION_DROPPED && bytes == sizeof(*dropped)) {
			memcpy(dropped, block + at, sizeof(*dropped));
			return true;
		}
		at += (bytes + 3u) & ~3u;
	}
	return false;
}
