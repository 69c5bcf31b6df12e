/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a packed ring has to remember, in memory that outlives the process (journal.h). A split ring
 * needs none: its used index stands in guest memory, where the front-end reads it. Of a packed one
 * nobody but the device knows where it stands.
 *
 * A batch of buffers is written down here before the guest sees the first of it, and marked as done
 * afterwards. So whatever instruction a kill hits, the next process finds either no batch, or one
 * that it can give back once more: what is written twice is the same.
 *
 * While no back-end is there, QEMU gives back unsent what the guest offers (it takes the link for
 * down). It does so from the base that it told last, since it knows no better, up to the one that
 * it tells next, and in between nothing is left for us: so the base is kept here, too.
 *
 * The worker that runs the ring writes; main reads before it starts one.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define RING_JOURNAL_VERSION 2
#define RING_JOURNAL_ENTRIES 256

/* A chain that is taken, and later given back. */
struct ring_journal_entry {
	uint16_t id;			/* the guest's name of it */
	uint16_t slots;			/* descriptors of the ring that it has */
	uint32_t bytes;			/* written by us */
};

struct ring_journal {
	uint16_t version;
	uint16_t token;			/* also in the guest's memory; 0: there is nothing here */
	uint16_t size;			/* of the ring */
	uint16_t told;			/* the base that the front-end told when the ring started */
	/* Positions between which the front-end, not we, gave chains back; the same: none. */
	uint16_t lost_from, lost_to;
	/* Position (ring_packed.h) up to which buffers were given back, and in the upper half the
	 * number of entries that are being given back from there on. */
	_Atomic uint32_t state;
	struct ring_journal_entry entries[RING_JOURNAL_ENTRIES];
};
