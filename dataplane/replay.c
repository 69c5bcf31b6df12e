/* SPDX-License-Identifier: BSD-3-Clause */
/* See replay.h. Main thread, and the worker that polls the queue. */
#include "dataplane/replay.h"

#include <errno.h>
#include <rte_cycles.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "dataplane/api/replay_gap.h"
#include "dataplane/base/loop.h"
#include "dataplane/carry.h"
#include "dataplane/channel/account.h"
#include "dataplane/channel/channel.h"
#include "dataplane/channel/lane_set.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/fates.h"
#include "dataplane/recorder.h"
#include "dataplane/worker.h"

#define IDLE_NS 1000000ULL /* until a ring without frames is looked at again */
/* A wake-up takes its time, now and then much: exact times are worth some polling. */
#define WAKE_EARLY_NS 500000ULL
#define SLEEP_NS_MIN 20000ULL

static struct replay *replay_of(struct rxq *rxq)
{
	return (struct replay *)((char *)rxq - offsetof(struct replay, rxq));
}

static uint64_t get(const _Atomic uint64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

/* Only the worker writes. */
static void set(_Atomic uint64_t *count, uint64_t value)
{
	atomic_store_explicit(count, value, memory_order_relaxed);
}

static void raise_to(_Atomic uint64_t *count, uint64_t value)
{
	if (get(count) < value)
		set(count, value);
}

/* --- frames: worker --- */

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* A frame that was due is taken now. Times from the start. */
static void measure(struct replay *replay, uint64_t due_ns, uint64_t now_ns)
{
	if (get(&replay->frames) == 0) {
		set(&replay->first_ns, now_ns);
		set(&replay->first_due_ns, due_ns);
	} else {
		uint64_t error_ns = distance(now_ns - get(&replay->last_ns),
					     due_ns - get(&replay->last_due_ns));
		_Atomic uint64_t *bucket = &replay->gap_errors[replay_gap_bucket(error_ns)];

		set(bucket, get(bucket) + 1);
		raise_to(&replay->gap_error_max_ns, error_ns);
	}
	set(&replay->last_ns, now_ns);
	set(&replay->last_due_ns, due_ns);
	if (now_ns > due_ns)
		raise_to(&replay->late_max_ns, now_ns - due_ns);
}

/* A frame of `bytes`, which weftd could still change: each is read once. What does not fit the
 * frame's own memory goes to `at`, in the arena. Returns how much went there. */
static size_t fill_frame(struct burst *burst, const uint8_t *bytes, uint32_t len, uint8_t *at)
{
	struct frame *frame = &burst->frames[burst->n++];

	frame->len = len;
	frame->head_len = (uint16_t)(len < FRAME_HEAD_BYTES ? len : FRAME_HEAD_BYTES);
	frame->out = FRAME_OUT_DROP;
	frame->drop = DROP_NONE;
	frame->n_iov = 0;
	memset(&frame->vnet, 0, sizeof(frame->vnet));
	frame->vnet.num_buffers = 1;
	memcpy(frame->head, bytes, frame->head_len);
	if (len <= FRAME_HEAD_BYTES)
		return 0;
	struct iovec *piece = &burst->pieces[burst->n_pieces++];

	piece->iov_base = at;
	piece->iov_len = len - FRAME_HEAD_BYTES;
	memcpy(at, bytes + FRAME_HEAD_BYTES, piece->iov_len);
	frame->iov = piece;
	frame->n_iov = 1;
	return piece->iov_len;
}

/* The worker says what becomes of it. */
static void mark_frame(const struct replay *replay, struct frame *frame, uint64_t elapsed_ns)
{
	frame->mark = (struct frame_mark){
		.replay = replay->fates->tag,
		.number = (uint32_t)get(&replay->frames),
		.in_ns = atomic_load_explicit(&replay->start_ns, memory_order_relaxed) + elapsed_ns,
	};
}

/* Takes what is due into the burst. */
static void take_due(struct replay *replay, struct burst *burst, uint64_t elapsed_ns)
{
	struct record record;
	const uint8_t *bytes;
	size_t at = 0;
	uint64_t sum = 0;
	int n = 0;

	while (burst->n < BURST_FRAMES && at + FRAME_BYTES_MAX <= BURST_ARENA_BYTES) {
		n = record_reader_next(&replay->reader, &record, &bytes);
		if (n == 1 && (record.len == 0 || record.len > FRAME_BYTES_MAX))
			n = -EBADMSG;
		if (n != 1 || record.time_ns > elapsed_ns)
			break;
		at += fill_frame(burst, bytes, record.len, burst->arena + at);
		at = (at + 63) & ~(size_t)63;
		if (replay->fates != NULL)
			mark_frame(replay, &burst->frames[burst->n - 1], elapsed_ns);
		sum += record.len;
		measure(replay, record.time_ns, elapsed_ns);
		set(&replay->frames, get(&replay->frames) + 1);
		record_reader_pass(&replay->reader, &record);
	}
	/* A poll that takes nothing writes nothing to the line that the writer reads. */
	if (burst->n != 0)
		record_reader_give_back(&replay->reader);
	set(&replay->bytes, get(&replay->bytes) + sum);
	if (n < 0)
		atomic_store_explicit(&replay->fault, DP_REPLAY_DAMAGED, memory_order_relaxed);
}

/* The channel whose credit frames wait for in the machine's own ring; NULL: none, or lanes hold
 * them. */
static struct channel_way *held_by(const struct port *port)
{
	struct channel *channel = atomic_load_explicit(&port->channel, memory_order_acquire);
	const struct lane_set *lanes =
		atomic_load_explicit(&port->lanes[DP_TX], memory_order_acquire);

	if (channel == NULL || !port->type->holds_rx || (lanes != NULL && lanes->holds_all))
		return NULL;
	return &channel->ways[DP_TX];
}

static void charge(struct worker *worker, struct channel_way *way, const struct burst *burst,
		   uint64_t bytes)
{
	struct counters_channel *count = channel_counters(way, worker->index);

	bytes += (uint64_t)burst->n *
		 atomic_load_explicit(&way->frame_extra_bytes, memory_order_relaxed);
	bucket_charge(&way->bucket, burst->now_ns, bytes, burst->n, false);
	channel_count_taken(way, bytes);
	count->asked_frames += burst->n;
	count->asked_bytes += bytes;
	count->passed_frames += burst->n;
	count->passed_bytes += bytes;
	count->delays[account_delay(0)] += burst->n;
}

static void carry(struct worker *worker, struct port *port, struct burst *burst)
{
	struct channel_way *way = held_by(port);
	const struct counters_block *block =
		counters_block(worker->dp->counters, port->slot, worker->index);
	uint64_t rx_bytes = block->rx_bytes;

	worker->sees_channels |= way != NULL;
	if (port_io(port) != port->type)
		carry_recorded(worker, port, burst);
	else if (port->type->send == NULL || !carry_tunnels(worker, port, burst))
		carry_burst(worker, port, burst);
	if (way != NULL)
		charge(worker, way, burst, block->rx_bytes - rx_bytes);
}

/* The same, and what becomes of the frames is kept. */
static void carry_marked(struct replay *replay, struct worker *worker, struct burst *burst)
{
	fates_begin(worker->recorder, burst);
	carry(worker, replay->port, burst);
	set(&replay->fated, get(&replay->fated) + fates_end(worker->recorder, burst));
	/* Inner frames of tunnels, which took the marks along. */
	for (unsigned int i = 0; replay->port->type->send != NULL && i < BURST_FRAMES; i++)
		worker->tunnelled->frames[i].mark = (struct frame_mark){0};
}

/* Not started, ended, or without credit: nothing is taken. */
static bool may_take(const struct replay *replay, uint64_t start_ns, uint64_t now_ns)
{
	const struct channel_way *way = held_by(replay->port);

	return start_ns != 0 && now_ns >= start_ns &&
	       atomic_load_explicit(&replay->fault, memory_order_relaxed) == DP_REPLAY_GOES_ON &&
	       (way == NULL || bucket_credit(&way->bucket, now_ns, false) > 0);
}

/* rxq->worker is main's, and says -1 while the worker's last turn with the queue still runs. */
static struct worker *worker_of(const struct dataplane *dp, const struct burst *burst)
{
	unsigned int i = 0;

	while (dp->workers[i]->burst != burst)
		i++;
	return dp->workers[i];
}

static void source_rx(struct rxq *rxq, struct burst *burst)
{
	struct replay *replay = replay_of(rxq);
	const struct dataplane *dp = replay->source.dp;
	uint64_t start_ns = atomic_load_explicit(&replay->start_ns, memory_order_acquire);
	uint64_t begin = rte_rdtsc();

	if (!may_take(replay, start_ns, burst->now_ns))
		return;
	uint64_t now_ns = dp->config.clock_ns != NULL ? dp->config.clock_ns() : burst->now_ns;

	take_due(replay, burst, now_ns - start_ns);
	if (burst->n == 0)
		return;
	struct worker *worker = worker_of(dp, burst);

	if (replay->fates != NULL)
		carry_marked(replay, worker, burst);
	else
		carry(worker, replay->port, burst);
	worker->n_sourced += burst->n;
	burst->n = 0;
	uint64_t busy = get(&rxq->busy_cycles);

	set(&rxq->busy_cycles, busy + rte_rdtsc() - begin);
}

static void source_rx_done(struct rxq *rxq, struct burst *burst)
{
	/* Is not called: rx leaves nothing in the burst. */
}

/* How long nothing is to be done. */
static uint64_t idle_ns(struct replay *replay, uint64_t now_ns)
{
	uint64_t start_ns = atomic_load_explicit(&replay->start_ns, memory_order_acquire);
	struct record record;
	const uint8_t *bytes;

	if (atomic_load_explicit(&replay->fault, memory_order_relaxed) != DP_REPLAY_GOES_ON)
		return NS_PER_S;
	if (start_ns == 0)
		return IDLE_NS;
	if (now_ns < start_ns)
		return start_ns - now_ns < IDLE_NS ? start_ns - now_ns : IDLE_NS;
	int n = record_reader_next(&replay->reader, &record, &bytes);

	if (n == 0)
		return IDLE_NS;
	if (n < 0 || record.time_ns <= now_ns - start_ns)
		return 0;
	uint64_t ns = record.time_ns - (now_ns - start_ns);

	return ns < NS_PER_S ? ns : NS_PER_S;
}

static bool source_arm(struct rxq *rxq)
{
	struct replay *replay = replay_of(rxq);
	uint64_t now_ns = loop_clock_ns();
	uint64_t ns = idle_ns(replay, now_ns);

	if (ns < WAKE_EARLY_NS + SLEEP_NS_MIN)
		return false;
	uint64_t wake_ns = now_ns + ns - WAKE_EARLY_NS;
	const struct itimerspec time = {.it_value = {.tv_sec = (time_t)(wake_ns / NS_PER_S),
						     .tv_nsec = (long)(wake_ns % NS_PER_S)}};

	return timerfd_settime(replay->timer_fd, TFD_TIMER_ABSTIME, &time, NULL) == 0;
}

static void source_disarm(struct rxq *rxq)
{
	/* A timer that ends while the worker is awake does nothing. */
}

static const struct port_type source_type = {
	.rx = source_rx,
	.rx_done = source_rx_done,
	.arm = source_arm,
	.disarm = source_disarm,
};

/* --- life: main --- */

int replay_create(struct port *port, uint64_t ring_bytes, struct replay **out, int *fd)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (replay == NULL)
		return -ENOMEM;
	replay->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int error = replay->timer_fd < 0 ? -errno : record_create(1, ring_bytes, &replay->map, fd);

	if (error < 0) {
		if (replay->timer_fd >= 0)
			close(replay->timer_fd);
		free(replay);
		return error;
	}
	replay->port = port;
	replay->source.type = &source_type;
	atomic_store(&replay->source.io, &source_type);
	replay->source.dp = port->dp;
	replay->source.spec = port->spec;
	/* Behind all queues that a port can have. */
	replay->rxq = (struct rxq){.port = &replay->source,
				   .wake_fd = replay->timer_fd,
				   .index = PORT_QUEUES_MAX,
				   .worker = -1};
	record_reader_begin(&replay->reader, &replay->map, 0);
	*out = replay;
	return 0;
}

void replay_destroy(struct replay *replay)
{
	port_detach_rxq(&replay->source, &replay->rxq);
	record_end(&replay->map);
	record_close(&replay->map);
	close(replay->timer_fd);
	free(replay);
}

void replay_look(const struct replay *replay, struct dp_replay_state *state)
{
	state->id = replay->id;
	state->frames = get(&replay->frames);
	state->bytes = get(&replay->bytes);
	state->fated = get(&replay->fated);
	state->first_ns = get(&replay->first_ns);
	state->last_ns = get(&replay->last_ns);
	state->first_due_ns = get(&replay->first_due_ns);
	state->last_due_ns = get(&replay->last_due_ns);
	state->late_max_ns = get(&replay->late_max_ns);
	state->gap_error_max_ns = get(&replay->gap_error_max_ns);
	state->fault = atomic_load_explicit(&replay->fault, memory_order_relaxed);
	for (unsigned int i = 0; i < DP_REPLAY_BUCKETS; i++)
		state->gap_errors[i] = get(&replay->gap_errors[i]);
}
