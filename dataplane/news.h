/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How workers tell main that there is something for it: in a ring to it, or at a port.
 *
 * The first word wakes main. After that main does not listen for NEWS_PAUSE_NS: it looks by itself
 * then, and finds whatever has come. So a flood of new addresses costs one system call in that
 * time, not one for each of them, and main wakes twice in it, however many workers there are: a
 * thread that is woken ten thousand times a second is a bad neighbour on its CPU.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define NEWS_PAUSE_MS 1
#define NEWS_PAUSE_NS (NEWS_PAUSE_MS * UINT64_C(1000000))

struct loop;
struct loop_watch;

struct news {
	int fd;				/* eventfd; -1: none */
	struct loop_watch *watch;
	uint64_t heard_ns;		/* when main was woken last; main */
	_Atomic bool main_listens;	/* the next word wakes it */
	_Atomic bool ports_want_turn;	/* a worker found something for them */
};

/* 0 or -errno. Of zeroed memory news_destroy() is legal once fd is -1. Main, as the next three. */
int news_create(struct news *news, struct loop *loop);
void news_destroy(struct news *news);

/* Main's turn begins: after it main looks at all that workers may have for it. */
void news_turn(struct news *news, uint64_t now_ns);

/* How long main may sleep if nothing else wakes it, at most max_ms. */
int news_sleep_ms(const struct news *news, int max_ms);

/* There is something in a ring, or ports_want_turn is set. Worker. */
void news_tell(struct news *news);
