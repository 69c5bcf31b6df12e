/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rings of one front-end: what it said about each, and whether the port runs it. A running ring
 * changes by pause, change, resume. Knows nothing of messages. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/vhost/session.h"

struct queue {
	bool is_running;		/* between ring_start() and ring_stop() */
	bool is_enabled;		/* by SET_VRING_ENABLE */
	bool has_addr;
	uint16_t base;			/* as in struct session_ring */
	uint32_t size;			/* 0: not known yet */
	struct vhost_ring_addr addr;
	int kick_fd;			/* -1: none, the ring is stopped */
	int call_fd;			/* -1: none yet */
};

struct queues {
	const struct session_config *config;
	uint64_t features;
	bool has_features;
	struct guest_memory *memory;
	struct dirty_log *log;		/* used while VHOST_F_LOG_ALL is among the features */
	const char *why;		/* after an error: one line */
	unsigned n_queues;
	struct queue *queue;
};

/* 0 or -ENOMEM. config stays the caller's. */
int queues_init(struct queues *queues, const struct session_config *config);
/* Halts all, closes every descriptor, unmaps the memory. */
void queues_fini(struct queues *queues);

/* Makes the port stop the ring, if it runs. */
void queues_pause(struct queues *queues, unsigned index);
/* Makes the port run the ring, if all that it needs is known and it does not run. 0 or -errno. */
int queues_resume(struct queues *queues, unsigned index);
/* Pauses the ring until it gets a new kick descriptor. */
void queues_halt(struct queues *queues, unsigned index);

/* Whether the ring has all that it needs. */
bool queues_is_complete(const struct queues *queues, unsigned index);

/* Takes over fd; -1: the front-end wants no calls. A running ring does not stop. 0 or -errno. */
int queues_set_call(struct queues *queues, unsigned index, int fd);
/* Features; while a ring runs only VHOST_F_LOG_ALL can come or go. 0 or -errno. */
int queues_set_features(struct queues *queues, uint64_t features);
/* Replaces the log of dirty pages, whatever runs. fd stays the caller's. 0 or -errno. */
int queues_set_log(struct queues *queues, int fd, uint64_t bytes, uint64_t offset);
/* Replaces the memory; rings that can run with it go on. fds stay the caller's. 0 or -errno. */
int queues_set_memory(struct queues *queues, const struct vhost_memory_table *table,
		      const int *fds);
