/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weftd from its socket to the dataplane: a control in this process, stepped while it is asked, and
 * a real weft-dataplane beside it, started without huge pages. Both live in a network namespace of
 * the test's own, for the taps. Needs root; skipped without.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include <jansson.h>

#include "control/control.h"

#define DEADLINE_MS 20000

struct rig {
	const char *dataplane_path;
	char dir[64];
	char run_dir[80];
	char state_dir[80];
	unsigned int history; /* how many revisions are kept */
	unsigned int n_tests;
	pid_t dataplane;
	struct control *control;
};

/* Segments A, B; ports web0 (vhost-user), c1 and c2 (tap). */
extern const char rig_lab[];

void rig_start_dataplane(struct rig *rig);
void rig_stop_dataplane(struct rig *rig);
void rig_start_control(struct rig *rig);

/* Steps control until the dataplane is there, or is not. */
void rig_await_connected(struct rig *rig, bool is_wanted);

/* One request; *status and the body as JSON. */
json_t *rig_call_as(struct rig *rig, const char *method, const char *path, const char *headers,
		    const char *body, int *status);
/* The ETag of what GET answers, in its quotes. */
#define RIG_ETAG_BYTES 64
void rig_read_etag(struct rig *rig, const char *path, char etag[RIG_ETAG_BYTES]);

json_t *rig_call(struct rig *rig, const char *method, const char *path, const char *body,
		 int expected);
void rig_call_only(struct rig *rig, const char *method, const char *path, const char *body,
		   int expected);
void rig_assert_problem(struct rig *rig, const char *method, const char *path, const char *body,
			int status, const char *code, const char *words);
size_t rig_count_changes(struct rig *rig, const char *method, const char *path, const char *body);

/* *json: the port, which the link's name lies in. */
const char *rig_link_of(struct rig *rig, const char *port, json_t **json);
void rig_assert_link(struct rig *rig, const char *port, const char *expected);

/* Each test begins with an empty state and an empty dataplane. */
int rig_setup(void **state);
int rig_teardown(void **state);

#define RIG_TEST(name, rig)                                                                        \
	cmocka_unit_test_prestate_setup_teardown(name, rig_setup, rig_teardown, rig)

/* For main(): argv[1] is the path of weft-dataplane. */
int rig_run(struct rig *rig, int argc, char **argv, const struct CMUnitTest *tests, size_t n_tests);
