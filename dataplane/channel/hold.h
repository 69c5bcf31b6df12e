/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tx way of a channel for ports that can hold their frames: a guest's ring. What the channel
 * does not let pass stays in the ring, which is not polled meanwhile: the ring fills, the guest's
 * own queueing and TCP slow down, and nothing is dropped. Worker threads.
 *
 *	ring --- takes while there is credit ---> path of frames
 *	  ^                    |
 *	  |        credit is used up, frames are left
 *	  |                    v
 *	  +-- serves -- turnstile (turnstile.h)
 */
#pragma once

struct channel_way;
struct rxq;
struct worker;

/* Polls a queue of a type that holds_rx, within what the way has; returns the frames taken. One
 * that waits is not polled. */
unsigned int hold_poll(struct worker *worker, struct rxq *rxq, struct channel_way *way);
