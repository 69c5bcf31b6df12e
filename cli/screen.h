/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A terminal taken over for a while: its other screen, keys without Enter, signals as keys. Closed,
 * everything is as it was. What is no terminal has no keys and never ends by itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <termios.h>

struct screen {
	FILE *out;
	int keys_fd;	/* -1: no terminal */
	int signals_fd; /* SIGINT, SIGTERM, SIGWINCH */
	struct termios before;
};

enum screen_key {
	SCREEN_TIMEOUT = 0, /* no key came; any other value below is a letter */
	SCREEN_QUIT = 'q',  /* or a signal to end */
	SCREEN_REDRAW = -1, /* the window has another size */
};

/* in and out: a screen only if both are terminals. 0 or -errno. */
int screen_open(struct screen *screen, FILE *in, FILE *out);
void screen_close(struct screen *screen);

bool screen_is_terminal(const struct screen *screen);

/* Lines and columns; without a terminal as many as there may be. */
void screen_size(const struct screen *screen, unsigned int *lines, unsigned int *columns);

/* Lets the time pass, and tells of each key, and of another size, as it comes. false: it is to
 * end. */
typedef void (*screen_fn)(void *ctx, int key);
bool screen_pass(const struct screen *screen, unsigned int interval_ms, screen_fn take, void *ctx);

/* For intervals between pictures. */
uint64_t screen_clock_ns(void);
