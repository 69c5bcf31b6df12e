/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The test of the way to one peer: probes (vxlan_probe.h) from UDP sockets of weftd's own, which
 * the peer's dataplane answers. Small ones first, at PACE, from many source ports; then larger and
 * smaller ones until the largest that arrives is known. Driven by the loop: it never waits. What
 * came of it is said by overlay_verdict.c. One thread.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/underlay.h"

#define OVERLAY_TEST_PORTS 64  /* UDP source ports */
#define OVERLAY_TEST_SMALL 128 /* probes: each port twice */
#define OVERLAY_TEST_TRIES 3   /* probes of each length; one that arrives is enough */
#define OVERLAY_TEST_STEPS 20  /* lengths, at most */
#define OVERLAY_TEST_PROBES (OVERLAY_TEST_SMALL + OVERLAY_TEST_STEPS * OVERLAY_TEST_TRIES)
#define OVERLAY_TEST_PER_S 500

struct loop;
struct overlay_test;

struct overlay_test_spec {
	struct underlay_way way;
	uint16_t vxlan_port;
	uint32_t needed_bytes; /* outer packets of the largest segment's frames; 0: it has none */
	bool has_bare;	       /* half of the small ones go without outer checksum */
};

/* What was sent and what came back. */
struct overlay_test_probe {
	uint64_t sent_ns;   /* 0: the kernel did not take it, or not yet */
	uint64_t delay_ns;  /* there and back; 0: no answer */
	uint16_t seen_port; /* by the peer */
	bool had_checksum;  /* sent with */
	bool seen_checksum; /* by the peer */
};

struct overlay_test_result {
	struct overlay_test_spec spec;
	uint16_t ports[OVERLAY_TEST_PORTS];
	struct overlay_test_probe probes[OVERLAY_TEST_PROBES];
	uint32_t path_bytes; /* the longest packet that arrived; 0: none */
	uint8_t ttl;	     /* that the peer saw */
	int error;	     /* -errno of what could not be sent; -ECONNREFUSED: nobody takes it */
};

/* Opens the sockets. 0 or -errno. */
int overlay_test_create(struct loop *loop, const struct overlay_test_spec *spec,
			struct overlay_test **test);
void overlay_test_destroy(struct overlay_test *test); /* NULL is legal */

/* Sends what is due. Returns ms until it wants to be called again; -1: it has ended. */
int overlay_test_run(struct overlay_test *test, uint64_t now_ns);

/* Of one that has ended. */
const struct overlay_test_result *overlay_test_result(const struct overlay_test *test);
