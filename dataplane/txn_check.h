/* SPDX-License-Identifier: BSD-3-Clause */
/* What a transaction holds, and whether its result makes sense. Shared by txn.c and txn_check.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "dataplane/port.h"
#include "dataplane/segment.h"
#include "dataplane/txn_channels.h"
#include "dataplane/txn_lanes.h"

struct txn_segment {
	struct dp_segment spec;		/* is_delete: only the id */
	bool is_delete;
	struct segment *old;		/* after prepare: as it is now; NULL: is not there */
	struct segment *made;		/* to be published */
	bool swaps_flight;		/* its recorder comes or goes: */
	struct flight *flight;		/* to be published; then the one before */
};

struct txn_port {
	struct dp_port spec;		/* is_delete: only the id */
	bool is_delete;
	bool in_place;			/* old stays, only its settings change */
	struct port *old, *made;	/* as above */
	struct guard *guard;		/* for `old` in place: the new one; after commit, the old */
	struct vlan_map *vlans;		/* of a trunk: to be published; then the one before */
	struct segment_set *segments;	/* of a peer, the same */
	unsigned int n_fds;
	int fds[DP_FDS_MAX];
};

/* Where an id is among the staged segments. */
struct txn_id {
	uint32_t id, at;
};

struct txn {
	struct dataplane *dp;
	struct txn_segment *segments;
	size_t n_segments;
	struct txn_port *ports;
	size_t n_ports;
	struct txn_channels channels;
	struct txn_lanes lanes;
	struct txn_id *by_id;		/* segments in the order of ids; from prepare on */
	bool *touched;			/* by segment index: its flood list changes */
	struct flood_list **unused_lists;
	size_t n_unused_lists;
	struct overlay *overlay;	/* to be published; then the one before */
	bool has_overlay;		/* it changes */
	bool has_moved;			/* a segment has another channel, and so have its ports */
};

/* Room for one item more than `n`: twice as much each time, so that a thousand are not copied a
 * thousand times. NULL: no memory, and `items` stays. */
void *txn_make_room(void *items, size_t n, size_t item_bytes);

/* Index that a segment has, or will have when this is committed; 0: there is none. */
uint16_t txn_segment_index(const struct txn *txn, uint32_t id);

/* The staged segment of this id, or NULL; after the index was made: 0 or -ENOMEM. */
int txn_check_index_segments(struct txn *txn);
struct txn_segment *txn_check_staged_segment(const struct txn *txn, uint32_t id);

/* Does no put port share its name, or what it takes of the host, with another port of the result?
 * touched: by index, ports that are there and that the transaction puts or deletes. 0, or -errno
 * with one line. */
int txn_unique_check(const struct txn *txn, const bool *touched, char *why, size_t why_bytes);

/* For a port that is to be compared by later transactions. */
void txn_unique_note(struct port *port);

/* Is every object sound by itself, and the result as a whole? 0, or -errno with one line. Changes
 * nothing but indices of the transaction. */
int txn_check(struct txn *txn, char *why, size_t why_bytes);
