/* SPDX-License-Identifier: BSD-3-Clause */
/* Texts and their owners in a hash table with open addresses. One thread. */
#include "control/taken.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/model.h"

#define SLOTS_AT_START 256
#define BLOCK_BYTES 65536 /* more than any text */

struct taken_slot {
	uint64_t hash;
	const char *what; /* NULL: the slot is free */
	const char *owner;
};

struct taken_block {
	struct taken_block *next;
	size_t used;
	char text[BLOCK_BYTES];
};

void taken_fini(struct taken *taken)
{
	while (taken->blocks != NULL) {
		struct taken_block *block = taken->blocks;

		taken->blocks = block->next;
		free(block);
	}
	free(taken->slots);
	*taken = (struct taken){0};
}

/* The slot of the text, or the free one where it would go. There is a free one. */
static struct taken_slot *find(const struct taken *taken, const char *what, uint64_t hash)
{
	size_t at = hash & (taken->n_slots - 1);

	while (taken->slots[at].what != NULL &&
	       (taken->slots[at].hash != hash || strcmp(taken->slots[at].what, what) != 0))
		at = (at + 1) & (taken->n_slots - 1);
	return &taken->slots[at];
}

static uint64_t hash_of(const char *what)
{
	uint64_t hash = model_hash(0, what, strlen(what));

	/* Texts that differ in their last characters are close together otherwise. */
	return hash ^ hash >> 32;
}

const char *taken_owner(const struct taken *taken, const char *what)
{
	return taken->n_slots != 0 ? find(taken, what, hash_of(what))->owner : NULL;
}

static int grow(struct taken *taken)
{
	struct taken larger = {
		.n_slots = taken->n_slots != 0 ? taken->n_slots * 2 : SLOTS_AT_START};

	larger.slots = calloc(larger.n_slots, sizeof(larger.slots[0]));
	if (larger.slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < taken->n_slots; i++) {
		const struct taken_slot *slot = &taken->slots[i];

		if (slot->what != NULL)
			*find(&larger, slot->what, slot->hash) = *slot;
	}
	free(taken->slots);
	taken->slots = larger.slots;
	taken->n_slots = larger.n_slots;
	return 0;
}

static char *copy(struct taken *taken, const char *what)
{
	size_t bytes = strlen(what) + 1;
	struct taken_block *block = taken->blocks;

	if (bytes > BLOCK_BYTES)
		return NULL;
	if (block == NULL || block->used + bytes > BLOCK_BYTES) {
		block = malloc(sizeof(*block));
		if (block == NULL)
			return NULL;
		block->next = taken->blocks;
		block->used = 0;
		taken->blocks = block;
	}
	char *text = block->text + block->used;

	block->used += bytes;
	return memcpy(text, what, bytes);
}

int taken_add(struct taken *taken, const char *what, const char *owner)
{
	uint64_t hash = hash_of(what);

	/* At least half of the slots stay free. */
	if (2 * (taken->n + 1) > taken->n_slots && grow(taken) < 0)
		return -ENOMEM;
	char *text = copy(taken, what);

	if (text == NULL)
		return -ENOMEM;
	*find(taken, what, hash) = (struct taken_slot){hash, text, owner};
	taken->n++;
	return 0;
}
