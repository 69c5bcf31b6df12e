/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker's time, shared out among the queues that it polls, where there are channels: deficit
 * round robin in work. A burst that makes more of it than its share, such as a storm of broadcasts
 * to many ports or one of 64 KiB frames, is paid for by turns in which the queue is not polled
 * while others have something; a ring that can hold its frames is also asked for fewer of them the
 * next time, so that others need not wait long.
 *
 * Work is reckoned, not measured, so a run with the same frames and clock is the same again. Its
 * unit is what a small frame costs to forward, about: some 100 cycles, as is a copy to one more
 * receiver, and a KiB copied. Worker threads.
 */
#pragma once

#include "dataplane/frame.h"
#include "dataplane/port.h"

/* A full burst of frames of 1,514 bytes to one receiver makes 158. */
#define FAIR_SHARE 256
#define FAIR_BYTES_SHIFT 10

/* Of n frames with so many bytes, which got so many receivers more than one each. */
static inline uint32_t fair_work(uint32_t n, uint32_t bytes, uint64_t copies)
{
	uint64_t kib = bytes >> FAIR_BYTES_SHIFT;

	if (__builtin_expect(copies == 0, 1))
		return n + (uint32_t)kib;
	uint64_t work = n + copies + kib * (n + copies) / n;

	return work < INT32_MAX / 2 ? (uint32_t)work : INT32_MAX / 2;
}

/* May the queue be polled? If not, a turn without it is a share of what it owes. */
static inline bool fair_pass(struct rxq *rxq)
{
	if (__builtin_expect(rxq->owed_work <= 0, 1))
		return true;
	rxq->owed_work -= FAIR_SHARE;
	return false;
}

/* A burst of n frames made so much work. */
static inline void fair_charge(struct rxq *rxq, uint32_t n, uint32_t work)
{
	uint32_t fair = BURST_FRAMES;

	/* A full burst of such frames would be more than a share. */
	if (__builtin_expect((uint64_t)work * BURST_FRAMES > FAIR_SHARE * n, 0))
		fair = FAIR_SHARE * n / work;
	rxq->fair_frames = (uint16_t)(fair != 0 ? fair : 1);
	if (__builtin_expect(work > FAIR_SHARE, 0))
		rxq->owed_work = (int32_t)work - FAIR_SHARE;
}

/* Frames that it may bring at once. */
static inline uint32_t fair_frames(const struct rxq *rxq)
{
	return rxq->fair_frames != 0 ? rxq->fair_frames : BURST_FRAMES; /* nothing is known yet */
}
