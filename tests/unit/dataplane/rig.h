/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dataplane in one thread without EAL, for unit tests, whose ports are arrays of frames: what
 * lies in `in` is received, what is sent lands in `out`. Ports say they are of kind tap.
 */
#pragma once

#include "dataplane/dataplane.h"

#define RIG_FRAMES 256
#define RIG_FRAME_BYTES 256
#define RIG_AGE_S 300
#define RIG_CANNOT_PREPARE "cannot prepare" /* a port with this vm label fails at prepare */

struct rig_frame {
	uint32_t len;
	uint8_t bytes[RIG_FRAME_BYTES];
};

struct rig_port {
	struct rxq rxq;		   /* wakes by an eventfd: a leaked port is a leaked descriptor */
	_Atomic unsigned int n_in; /* a test may send while a worker runs */
	unsigned int n_taken, n_out;
	unsigned int n_rx, n_rx_done, n_turns; /* calls */
	struct rig_frame in[RIG_FRAMES], out[RIG_FRAMES];
};

extern const struct port_type rig_port_type;

/* Settings of a dataplane that has only such ports, and room for few addresses. */
struct dataplane_config rig_config(unsigned int n_workers);

/* A dataplane with these settings; asserts that there is one. */
struct dataplane *rig_create(unsigned int n_workers);

/* Set-up of many tests: ports 1 to 3 in segment RIG_ALPHA, 4 in RIG_BETA, one worker. And its end,
 * which asserts that every frame is accounted for. */
#define RIG_ALPHA 1
#define RIG_BETA 2
int rig_set_up(void **state);
int rig_tear_down(void **state);

/* Messages as weftd would send them. Port ID is called pID; segment 0: none. */
struct dp_segment rig_segment(uint32_t id);
struct dp_port rig_port_spec(uint64_t id, uint32_t segment_id);

/* One more option in a message, as a user would write it. */
void rig_set_segment(struct dp_segment *segment, const char *key, const char *word);
void rig_set_port(struct dp_port *port, const char *key, const char *word);

/* A transaction each; asserts that it succeeds. */
void rig_put_segment_spec(struct dataplane *dp, const struct dp_segment *spec);
void rig_put_port_spec(struct dataplane *dp, const struct dp_port *spec);
void rig_put_segment(struct dataplane *dp, uint32_t id);
void rig_put_port(struct dataplane *dp, uint64_t id, uint32_t segment_id);
void rig_del_port(struct dataplane *dp, uint64_t id);

/* Port ID of the rig; asserts that it is there. */
struct rig_port *rig_port(const struct dataplane *dp, uint64_t id);

/* Station N has 02:00:00:00 and N as address; 0xffffffff: broadcast. */
#define RIG_BROADCAST 0xffffffffu
void rig_mac(uint8_t mac[6], uint32_t station);

/* A frame that port ID will receive: `len` bytes, of which those after the header count up from
 * `mark`. */
void rig_send(const struct dataplane *dp, uint64_t id, uint32_t dst, uint32_t src, uint32_t len,
	      uint8_t mark);

/* One turn of every worker, then one of main. */
void rig_turn(struct dataplane *dp, uint64_t now_s);

/* Sum over all slots and workers; and asserts that the accounting identity holds for it. */
struct counters_block rig_sum(const struct dataplane *dp);
struct counters_block rig_assert_accounted(const struct dataplane *dp);
const struct counters_block *rig_counters(const struct dataplane *dp, uint64_t id);

/* A frame as a stage sees it, on the burst's next place. */
struct frame *rig_add_frame(struct burst *burst, uint32_t dst, uint32_t src, uint32_t len);

/* Descriptors that this process has open. */
unsigned int rig_count_fds(void);
