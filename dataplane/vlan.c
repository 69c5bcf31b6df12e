/* SPDX-License-Identifier: BSD-3-Clause */
/* VLAN tags: maps (main), tags off and on (worker threads). */
#include "dataplane/vlan.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/offload.h"

#define TAG_AT (2 * ETH_ALEN)	/* a tag stands where the EtherType would */
#define VLAN_ID_MASK 0x0fff

struct vlan_map *vlan_create(const struct vlan_member *members, unsigned int n)
{
	unsigned int n_vlans = 1, n_segments = 1;

	for (unsigned int i = 0; i < n; i++) {
		if (members[i].vlan >= n_vlans)
			n_vlans = members[i].vlan + 1u;
		if (members[i].segment >= n_segments)
			n_segments = members[i].segment + 1u;
	}
	struct vlan_map *map =
		calloc(1, sizeof(*map) + (n_vlans + n_segments) * sizeof(map->entries[0]));

	if (map == NULL)
		return NULL;
	map->n_vlans = (uint16_t)n_vlans;
	map->n_segments = (uint16_t)n_segments;
	for (unsigned int i = 0; i < n_segments; i++)
		map->entries[n_vlans + i] = VLAN_NOT_MEMBER;
	for (unsigned int i = 0; i < n; i++) {
		map->entries[members[i].vlan] = members[i].segment;
		map->entries[n_vlans + members[i].segment] = members[i].vlan;
	}
	map->native = map->entries[0];
	return map;
}

static uint16_t read_be16(const struct frame *frame, unsigned int at)
{
	uint16_t value;

	memcpy(&value, frame->head + at, sizeof(value));
	return be16toh(value);
}

/* The four bytes go; offsets in the virtio-net header move with what they mean. */
static bool strip(struct frame *frame)
{
	memmove(frame->head + TAG_AT, frame->head + TAG_AT + VLAN_BYTES,
		(size_t)(frame->head_len - TAG_AT - VLAN_BYTES));
	frame->head_len = (uint16_t)(frame->head_len - VLAN_BYTES);
	frame->len -= VLAN_BYTES;
	return offload_shift(frame, -VLAN_BYTES);
}

enum drop_reason vlan_take(struct frame *frame, const struct vlan_map *map, bool takes_tags,
			   uint16_t *segment)
{
	uint16_t type = read_be16(frame, TAG_AT);
	uint16_t vlan;

	if (frame->len < ETH_HLEN + VLAN_BYTES)
		return DROP_RUNT;
	vlan = read_be16(frame, TAG_AT + 2) & VLAN_ID_MASK;
	if (map == NULL && (type != ETH_P_8021Q || vlan != 0)) {
		frame->has_tag = true;
		return takes_tags ? DROP_NONE : DROP_TAGGED;
	}
	if (type != ETH_P_8021Q && (type != ETH_P_8021AD || !takes_tags))
		return DROP_TAGGED;
	if (map != NULL) {
		*segment = vlan_segment(map, vlan);
		if (*segment == 0)
			return vlan == 0 ? DROP_NO_SEGMENT : DROP_VLAN;
	}
	if (!strip(frame))
		return DROP_BAD_OFFLOAD;
	frame->has_tag = vlan_is_tag(read_be16(frame, TAG_AT));
	/* A tag behind no tag would become one where the next trunk sends it untagged. */
	if (frame->has_tag && (!takes_tags || (map != NULL && vlan == 0)))
		return DROP_TAGGED;
	return DROP_NONE;
}

/* What no longer fits the head becomes the first piece of the body. */
static void spill(const struct frame *frame, struct frame *copy, unsigned int n, struct burst *to)
{
	struct iovec *pieces = &to->pieces[to->n_pieces];

	pieces[0].iov_base = (void *)(uintptr_t)(frame->head + frame->head_len - n);
	pieces[0].iov_len = n;
	if (frame->n_iov != 0)
		memcpy(&pieces[1], frame->iov, frame->n_iov * sizeof(pieces[0]));
	copy->iov = pieces;
	copy->n_iov = (uint16_t)(frame->n_iov + 1);
	to->n_pieces += copy->n_iov;
}

bool vlan_put(const struct frame *frame, uint16_t vlan, struct burst *to)
{
	struct frame *copy = &to->frames[to->n];
	uint16_t tag[2] = {htobe16(ETH_P_8021Q), htobe16(vlan)};
	unsigned int head_len = frame->head_len, over = 0;

	*copy = *frame;
	if (vlan != 0) {
		if (head_len + VLAN_BYTES > FRAME_HEAD_BYTES)
			over = head_len + VLAN_BYTES - FRAME_HEAD_BYTES;
		memcpy(copy->head + TAG_AT, tag, VLAN_BYTES);
		memcpy(copy->head + TAG_AT + VLAN_BYTES, frame->head + TAG_AT,
		       head_len - TAG_AT - over);
		copy->head_len = (uint16_t)(head_len + VLAN_BYTES - over);
		copy->len += VLAN_BYTES;
		if (!offload_shift(copy, VLAN_BYTES))
			return false;
	}
	if (over != 0)
		spill(frame, copy, over, to);
	to->n++;
	return true;
}
