/* SPDX-License-Identifier: BSD-3-Clause */
/* See fq.h. Workers, one at a time; RFC 8290 section 4, RFC 8289 section 5. */
#include "dataplane/channel/fq.h"

#include <string.h>

#include "dataplane/channel/ecn_mark.h"
#include "dataplane/flow.h"

#define NO_FLOW UINT8_MAX
#define INTERVAL_TARGETS 20
#define INTERVAL_MAX_NS 4000000000ULL /* its square fits a word */
/* A flow that was made slower less than so many intervals ago begins where it was. */
#define MEMORY_INTERVALS 16

enum list {
	LIST_NEW, /* flows that had nothing waiting: served first, once */
	LIST_OLD,
	LIST_NONE,
};

/* What stands in front of a frame's bytes, in its first block. */
struct held {
	uint64_t queued_ns;
	uint32_t next; /* of the flow: its first block */
	uint32_t len;
	uint32_t word; /* the caller's */
	uint16_t segment;
	bool has_tag;
	struct virtio_net_hdr_mrg_rxbuf vnet;
	struct frame_mark mark;
} __attribute__((aligned(64)));

#define FIRST_BYTES (BUFFERS_BLOCK_BYTES - (uint32_t)sizeof(struct held))

_Static_assert(sizeof(struct held) == 64, "bytes begin on a line");
_Static_assert(FQ_FLOWS <= NO_FLOW, "flows are counted in bytes");
_Static_assert(sizeof(struct fq_part) <= BUFFERS_BLOCK_BYTES, "a part is a block");
_Static_assert(FQ_PART % FQ_WAYS == 0, "the places of a flow are in one part");
_Static_assert(FRAME_BYTES_MAX / BUFFERS_BLOCK_BYTES + 2 <= FRAME_IOV_MAX, "one piece a block");

static struct held *held_at(const struct fq *fq, uint32_t block)
{
	return (struct held *)(void *)buffers_at(fq->buffers, block);
}

unsigned int fq_n_blocks(uint32_t len)
{
	return len <= FIRST_BYTES
		       ? 1
		       : 1 + (len - FIRST_BYTES + BUFFERS_BLOCK_BYTES - 1) / BUFFERS_BLOCK_BYTES;
}

static inline struct fq_flow *flow_at(const struct fq *fq, uint8_t index)
{
	return &fq->parts[index / FQ_PART]->flows[index % FQ_PART];
}

static inline uint32_t *bytes_at(const struct fq *fq, uint8_t index)
{
	return &fq->parts[index / FQ_PART]->bytes[index % FQ_PART];
}

void fq_init(struct fq *fq, struct buffers *buffers, uint64_t seed)
{
	memset(fq, 0, sizeof(*fq));
	fq->buffers = buffers;
	fq->seed = seed;
	fq->max_blocks = UINT32_MAX;
	fq->quantum_bytes = FQ_QUANTUM_BYTES;
	fq->table = BUFFERS_NONE;
}

bool fq_reserve(struct fq *fq, uint32_t n_blocks)
{
	uint32_t n = n_blocks + (fq->table == BUFFERS_NONE ? FQ_FLOWS / FQ_PART : 0);

	if (!buffers_reserve(fq->buffers, n))
		return false;
	fq->n_reserved = n;
	return true;
}

void fq_end_reserve(struct fq *fq)
{
	buffers_release(fq->buffers, fq->n_reserved);
	fq->n_reserved = 0;
}

static uint32_t take_any(struct fq *fq, unsigned int n)
{
	if (n > fq->n_reserved)
		return buffers_take(fq->buffers, n);
	fq->n_reserved -= n;
	return buffers_take_reserved(fq->buffers, n);
}

/* Memory for what it knows of flows. false: there is none. */
static bool begin(struct fq *fq)
{
	uint32_t block = take_any(fq, FQ_FLOWS / FQ_PART);

	fq->table = block;
	if (block == BUFFERS_NONE)
		return false;
	for (unsigned int i = 0; i < FQ_FLOWS / FQ_PART; i++) {
		struct fq_part *part = (struct fq_part *)(void *)buffers_at(fq->buffers, block);

		fq->parts[i] = part;
		memset(part, 0, sizeof(*part));
		for (unsigned int k = 0; k < FQ_PART; k++) {
			part->flows[k].first = BUFFERS_NONE;
			part->flows[k].list = LIST_NONE;
		}
		block = buffers_next(fq->buffers, block);
	}
	for (unsigned int i = 0; i < 2; i++)
		fq->lists[i] = (struct fq_list){NO_FLOW, NO_FLOW};
	fq->quantum_bytes = FQ_QUANTUM_BYTES;
	return true;
}

void fq_rest(struct fq *fq)
{
	if (fq->n_frames != 0 || fq->table == BUFFERS_NONE)
		return;
	buffers_give(fq->buffers, fq->table);
	fq->table = BUFFERS_NONE;
}

void fq_set(struct fq *fq, uint64_t target_ns, uint64_t max_bytes)
{
	uint64_t interval_ns = target_ns * INTERVAL_TARGETS;
	uint64_t max_blocks = max_bytes / BUFFERS_BLOCK_BYTES;

	fq->target_ns = target_ns;
	fq->interval_ns = interval_ns < INTERVAL_MAX_NS ? interval_ns : INTERVAL_MAX_NS;
	fq->max_blocks = max_blocks < UINT32_MAX ? (uint32_t)max_blocks : UINT32_MAX;
}

/* --- lists of flows --- */

static void append(struct fq *fq, enum list list, uint8_t index)
{
	struct fq_list *to = &fq->lists[list];

	flow_at(fq, index)->next = NO_FLOW;
	flow_at(fq, index)->list = (uint8_t)list;
	if (to->first == NO_FLOW)
		to->first = index;
	else
		flow_at(fq, to->last)->next = index;
	to->last = index;
}

static void remove_first(struct fq *fq, enum list list)
{
	struct fq_flow *flow = flow_at(fq, fq->lists[list].first);

	fq->lists[list].first = flow->next;
	flow->list = LIST_NONE;
}

/* The place of a flow: its own, else one that is free, else one that it has to share. */
static uint8_t find_flow(const struct fq *fq, uint32_t hash)
{
	uint32_t mixed = hash * 0x9e3779b1u;
	unsigned int set = (mixed >> 16) % (FQ_FLOWS / FQ_WAYS) * FQ_WAYS;
	const struct fq_part *part = fq->parts[set / FQ_PART];
	unsigned int free = FQ_FLOWS;

	for (unsigned int i = set; i < set + FQ_WAYS; i++) {
		if (part->flows[i % FQ_PART].list == LIST_NONE)
			free = i;
		else if (part->hashes[i % FQ_PART] == hash)
			return (uint8_t)i;
	}
	return (uint8_t)(free != FQ_FLOWS ? free : set + mixed % FQ_WAYS);
}

/* --- frames of a flow --- */

static uint32_t pop(struct fq *fq, uint8_t index)
{
	struct fq_flow *flow = flow_at(fq, index);
	uint32_t block = flow->first;

	if (block == BUFFERS_NONE)
		return block;
	const struct held *held = held_at(fq, block);

	flow->first = held->next;
	*bytes_at(fq, index) -= held->len;
	fq->n_bytes -= held->len;
	fq->n_blocks -= fq_n_blocks(held->len);
	fq->n_frames--;
	return block;
}

static void push(struct fq *fq, uint8_t index, uint32_t block)
{
	struct fq_flow *flow = flow_at(fq, index);
	const struct held *held = held_at(fq, block);

	if (flow->first == BUFFERS_NONE)
		flow->first = block;
	else
		held_at(fq, flow->last)->next = block;
	flow->last = block;
	*bytes_at(fq, index) += held->len;
	fq->n_bytes += held->len;
	fq->n_blocks += fq_n_blocks(held->len);
	fq->n_frames++;
}

static void tell_dropped(const struct fq *fq, uint32_t block, enum drop_reason reason)
{
	const struct held *held = held_at(fq, block);

	if (fq->drops != NULL)
		fq->drops->take(fq->drops, &(struct fq_dropped){
						   .bytes = (const uint8_t *)(held + 1),
						   .len = held->len,
						   .reason = reason,
						   .mark = held->mark,
					   });
}

void fq_clear(struct fq *fq)
{
	for (unsigned int i = 0; fq->table != BUFFERS_NONE && i < FQ_FLOWS; i++) {
		for (uint32_t block; (block = pop(fq, (uint8_t)i)) != BUFFERS_NONE;) {
			tell_dropped(fq, block, DROP_RING_FULL);
			buffers_give(fq->buffers, block);
		}
	}
	fq_rest(fq);
}

/* --- in --- */

/* The next byte of the copy, and how many may follow it in its block. */
struct cursor {
	const struct fq *fq;
	uint32_t block;
	uint8_t *at;
	size_t left;
};

static void copy_in(struct cursor *to, const uint8_t *from, size_t bytes)
{
	while (bytes != 0) {
		size_t part;

		if (to->left == 0) {
			to->block = buffers_next(to->fq->buffers, to->block);
			to->at = buffers_at(to->fq->buffers, to->block);
			to->left = BUFFERS_BLOCK_BYTES;
		}
		part = bytes < to->left ? bytes : to->left;
		memcpy(to->at, from, part);
		to->at += part;
		to->left -= part;
		from += part;
		bytes -= part;
	}
}

static void fill(const struct fq *fq, uint32_t block, const struct frame *frame, uint32_t word,
		 uint64_t now_ns)
{
	struct held *held = held_at(fq, block);
	struct cursor to = {
		.fq = fq, .block = block, .at = (uint8_t *)(held + 1), .left = FIRST_BYTES};

	*held = (struct held){
		.queued_ns = now_ns,
		.next = BUFFERS_NONE,
		.len = frame->len,
		.word = word,
		.segment = frame->segment,
		.has_tag = frame->has_tag,
		.vnet = frame->vnet,
		.mark = frame->mark,
	};
	copy_in(&to, frame->head, frame->head_len);
	for (unsigned int i = 0; i < frame->n_iov; i++)
		copy_in(&to, frame->iov[i].iov_base, frame->iov[i].iov_len);
}

static uint8_t find_fattest(const struct fq *fq)
{
	unsigned int fattest = 0;
	uint32_t most = 0;

	for (unsigned int i = 0; i < FQ_FLOWS; i++) {
		uint32_t bytes = *bytes_at(fq, (uint8_t)i);

		fattest = bytes > most ? i : fattest;
		most = bytes > most ? bytes : most;
	}
	return (uint8_t)fattest;
}

static void drop_fattest(struct fq *fq)
{
	uint32_t block = pop(fq, find_fattest(fq));

	fq->account.full++;
	fq->account.full_bytes += held_at(fq, block)->len;
	tell_dropped(fq, block, DROP_QUEUE_FULL);
	buffers_give(fq->buffers, block);
}

/* Makes room for n blocks, and takes them. */
static uint32_t take_blocks(struct fq *fq, unsigned int n)
{
	if (n <= fq->n_reserved)
		return take_any(fq, n);
	while (fq->n_frames != 0 && (fq->n_blocks + n > fq->max_blocks ||
				     fq->n_blocks + n > buffers_n_free(fq->buffers)))
		drop_fattest(fq);
	for (;;) {
		uint32_t block = buffers_take(fq->buffers, n);

		if (block != BUFFERS_NONE || fq->n_frames == 0)
			return block;
		drop_fattest(fq);
	}
}

bool fq_put(struct fq *fq, const struct frame *frame, uint32_t word, uint64_t now_ns)
{
	if (fq->table == BUFFERS_NONE && !begin(fq))
		return false;
	uint32_t block = take_blocks(fq, fq_n_blocks(frame->len));

	if (block == BUFFERS_NONE)
		return false;
	if (frame->len > fq->quantum_bytes)
		fq->quantum_bytes = frame->len;
	uint32_t hash = flow_hash(frame, fq->seed);
	uint8_t index = find_flow(fq, hash);

	fill(fq, block, frame, word, now_ns);
	push(fq, index, block);
	if (flow_at(fq, index)->list == LIST_NONE) {
		fq->parts[index / FQ_PART]->hashes[index % FQ_PART] = hash;
		flow_at(fq, index)->deficit_bytes = (int32_t)fq->quantum_bytes;
		append(fq, LIST_NEW, index);
	}
	return true;
}

/* --- out --- */

/* Floor of the square root. */
static uint64_t root(uint64_t square)
{
	uint64_t result = 0;

	for (uint64_t bit = 1ULL << 31; bit != 0; bit >>= 1) {
		if ((result | bit) * (result | bit) <= square)
			result |= bit;
	}
	return result;
}

/* When to say "slower" again: sooner each time, by the root of the number of times. */
static uint64_t later(const struct fq *fq, uint64_t ns, uint32_t n_drops)
{
	return ns + root(fq->interval_ns * fq->interval_ns / n_drops);
}

/* Has the delay been above the target for an interval? */
static bool is_late(struct fq *fq, uint8_t index, uint32_t block, uint64_t now_ns)
{
	struct fq_flow *flow = flow_at(fq, index);

	if (block == BUFFERS_NONE || now_ns - held_at(fq, block)->queued_ns < fq->target_ns ||
	    *bytes_at(fq, index) < fq->quantum_bytes) {
		flow->first_above_ns = 0;
		return false;
	}
	if (flow->first_above_ns == 0)
		flow->first_above_ns = now_ns + fq->interval_ns;
	return now_ns >= flow->first_above_ns;
}

/* What marks frames does so in a head. */
static bool mark(uint8_t *bytes, uint32_t len)
{
	struct frame frame;

	frame.len = len;
	frame.head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	memcpy(frame.head, bytes, frame.head_len);
	if (!ecn_mark(&frame))
		return false;
	memcpy(bytes, frame.head, frame.head_len);
	return true;
}

/* Says "slower" by a mark if the sender knows it. Else the frame goes, and the next one is it. */
static uint32_t mark_or_drop(struct fq *fq, uint8_t index, uint32_t block)
{
	struct held *held = held_at(fq, block);

	if (mark((uint8_t *)(held + 1), held->len)) {
		fq->account.marks++;
		return block;
	}
	fq->account.late++;
	fq->account.late_bytes += held->len;
	tell_dropped(fq, block, DROP_QUEUE_DELAY);
	buffers_give(fq->buffers, block);
	return pop(fq, index);
}

/* While the delay stays too long. */
static uint32_t go_on_dropping(struct fq *fq, uint8_t index, uint32_t block, uint64_t now_ns)
{
	struct fq_flow *flow = flow_at(fq, index);

	while (flow->is_dropping && now_ns >= flow->next_drop_ns) {
		uint32_t next = mark_or_drop(fq, index, block);

		flow->n_drops++;
		flow->next_drop_ns = later(fq, flow->next_drop_ns, flow->n_drops);
		if (next == block)
			break;
		block = next;
		flow->is_dropping = is_late(fq, index, block, now_ns);
	}
	return block;
}

static uint32_t begin_dropping(struct fq *fq, uint8_t index, uint32_t block, uint64_t now_ns)
{
	struct fq_flow *flow = flow_at(fq, index);
	uint32_t n = flow->n_drops - flow->n_drops_before;
	bool is_again = now_ns - flow->next_drop_ns < MEMORY_INTERVALS * fq->interval_ns;
	uint32_t next = mark_or_drop(fq, index, block);

	if (next != block)
		is_late(fq, index, next, now_ns);
	flow->is_dropping = true;
	flow->n_drops = is_again && n > 1 ? n : 1;
	flow->n_drops_before = flow->n_drops;
	flow->next_drop_ns = later(fq, now_ns, flow->n_drops);
	return next;
}

/* The flow's next frame, with CoDel. */
static uint32_t take_of(struct fq *fq, uint8_t index, uint64_t now_ns)
{
	struct fq_flow *flow = flow_at(fq, index);
	uint32_t block = pop(fq, index);

	if (fq->target_ns == 0)
		return block;
	bool late = is_late(fq, index, block, now_ns);

	if (flow->is_dropping && !late)
		flow->is_dropping = false;
	if (flow->is_dropping)
		block = go_on_dropping(fq, index, block, now_ns);
	else if (late)
		block = begin_dropping(fq, index, block, now_ns);
	return block;
}

/* As the frame that it was, but that its bytes lie in blocks. */
static void give_out(const struct fq *fq, uint32_t block, struct burst *burst)
{
	const struct held *held = held_at(fq, block);
	const uint8_t *bytes = (const uint8_t *)(held + 1);
	struct frame *frame = &burst->frames[burst->n++];
	uint32_t head = held->len < FRAME_HEAD_BYTES ? held->len : FRAME_HEAD_BYTES;
	uint32_t left = held->len - head, room = FIRST_BYTES - head;

	frame->iov = &burst->pieces[burst->n_pieces];
	frame->len = held->len;
	frame->head_len = (uint16_t)head;
	frame->n_iov = 0;
	frame->segment = held->segment;
	frame->out = FRAME_OUT_DROP;
	frame->drop = DROP_NONE;
	frame->has_tag = held->has_tag;
	frame->vnet = held->vnet;
	frame->mark = held->mark;
	memcpy(frame->head, bytes, head);
	for (bytes += head; left != 0; room = BUFFERS_BLOCK_BYTES) {
		uint32_t part = left < room ? left : room;

		burst->pieces[burst->n_pieces++] =
			(struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = part};
		frame->n_iov++;
		left -= part;
		if (left != 0) {
			block = buffers_next(fq->buffers, block);
			bytes = buffers_at(fq->buffers, block);
		}
	}
}

bool fq_take(struct fq *fq, struct burst *burst, uint64_t now_ns, struct fq_taken *taken)
{
	while (fq->n_frames != 0) {
		enum list list = fq->lists[LIST_NEW].first != NO_FLOW ? LIST_NEW : LIST_OLD;
		uint8_t index = fq->lists[list].first;
		struct fq_flow *flow = flow_at(fq, index);

		if (flow->deficit_bytes <= 0) {
			flow->deficit_bytes += (int32_t)fq->quantum_bytes;
			remove_first(fq, list);
			append(fq, LIST_OLD, index);
			continue;
		}
		uint32_t block = take_of(fq, index, now_ns);

		if (block == BUFFERS_NONE) {
			flow->is_dropping = false;
			remove_first(fq, list);
			/* A flow cannot be new again before the old ones had their turn. */
			if (list == LIST_NEW && fq->lists[LIST_OLD].first != NO_FLOW)
				append(fq, LIST_OLD, index);
			continue;
		}
		const struct held *held = held_at(fq, block);

		flow->deficit_bytes -= (int32_t)held->len;
		*taken = (struct fq_taken){
			.waited_ns = now_ns - held->queued_ns,
			.block = block,
			.word = held->word,
		};
		give_out(fq, block, burst);
		return true;
	}
	return false;
}
