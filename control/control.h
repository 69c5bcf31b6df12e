/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A running weftd as one value: the parts, and the turn that drives them. No globals, so a test can
 * run one inside itself. One thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "control/http_tls.h"
#include "control/model.h"
#include "control/roles.h"
#include "dataplane/api/dp_msg.h"
#include "dataplane/base/log.h"

struct claims;
struct config;
struct events;
struct fastpath;
struct flights;
struct following;
struct http;
struct loop;
struct plan;
struct recent;
struct recording;
struct playback;
struct reports;
struct store;
struct underlay;

struct control_test;
struct control_watch;

struct control_options {
	const char *run_dir;
	const char *state_dir;
	unsigned int history; /* how many former revisions are kept, at least 1 */
};

#define CONTROL_WATCHES_MAX 32	 /* of all who are counted (http_limits.h) */
#define CONTROL_WATCHES_OF_ONE 8 /* of one caller */
#define CONTROL_TESTS_MAX 4	 /* a peer answers the probes of so many at once */

/* Of a trial that is over, and whose way back was refused. */
struct trial_retry {
	unsigned int n_tries; /* 0: it was not */
	uint64_t next_ns;
	char why[512]; /* the last time; as long as struct problem has it */
};

struct control {
	char run_dir[DP_NAME_BYTES + 64];
	char host[DP_NAME_BYTES];
	const char *cluster;
	struct loop *loop;
	int lock_fd; /* held for as long as this weftd has the state directory */
	struct store *store;
	struct log_limit store_limit; /* of what is said when it cannot be run */
	struct config *config;
	struct model *model; /* what is stored: what should be */
	struct claims *claims;
	uint64_t claimed_version; /* of the fast path, when the claims were last right */
	uint64_t claims_retry_ns; /* when writing them is tried again */
	struct fastpath *fastpath;
	struct underlay *underlay;
	struct events *events;
	struct reports *reports;
	struct recent *recent;	       /* what ports have counted lately */
	uint64_t speeds_due_ns;	       /* when links are asked for their speeds again */
	bool is_reported;	       /* they know the model as it is now */
	struct control_watch *watches; /* clients that follow them (api_watch.c) */
	struct control_test *tests;    /* of ways to peers, that run (api_overlay.c) */
	unsigned int n_tests;
	struct recording *recordings; /* captures that run */
	struct flights *flights;      /* what flight recorders had */
	struct playback *playbacks;   /* replays that run */
	struct following *following;  /* frames that are followed; NULL: none are */
	uint64_t next_poke_ns;	      /* when ports are looked at again for them */
	struct roles roles;	      /* what is granted; may be filled in before the first turn */
	struct http *http;	      /* on the Unix socket */
	struct http_tls tls;
	struct http *https;    /* beyond this host; NULL: not asked for */
	uint64_t trial_end_ns; /* when what is on trial ends (trial.h); 0: nothing is */
	struct trial_retry trial_retry;
	uint64_t loans_retry_ns; /* when ending loans is tried again (loans.h) */
};

/* Opens the state, the socket, everything but the dataplane, which may come later. On -errno `why`
 * has one line. */
int control_create(const struct control_options *options, struct control **control, char *why,
		   size_t why_bytes);
void control_destroy(struct control *control); /* NULL is legal */

/* Listens at a TCP address too, with mutual TLS; `tls` becomes ours. As above. */
int control_listen(struct control *control, const char *address, struct http_tls *tls, char *why,
		   size_t why_bytes);

/* One turn of the loop; waits for something to do. 0 or -errno. */
int control_turn(struct control *control);

/* Tells those who watch of a change that was carried out. */
void control_publish(struct control *control, const struct plan *plan);

/* Answers without an end have something to say. */
void control_wake(struct control *control);

/* Says in the store what this host carries now; a failure is logged, and tried again 2 s later. */
void control_claim(struct control *control);
