/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a switch with isolated segments must do with a frame: a second, slow statement of the rules,
 * written apart from dataplane/, to hold it against. One thread.
 */
#pragma once

#include "tests/system/isolation/rig.h"

#define MODEL_ADDRESSES_MAX HOST_FDB_MAX

struct model_address {
	uint8_t segment;
	uint8_t port;		/* index in the rig */
	uint8_t mac[6];
};

struct model {
	struct model_address addresses[MODEL_ADDRESSES_MAX];
	unsigned int n;
};

struct model_outcome {
	uint32_t receivers;	/* bit i: port i gets it, once; RIG_PLAIN in plain packets */
	uint8_t drops[RIG_PORTS_MAX];	/* enum drop_reason, counted at that port */
	unsigned int n_instances;	/* deliveries and drops */
	bool learns;		/* its source is news */
};

/* What happens to a frame that `from` sends; learns its source. */
struct model_outcome model_send(struct model *model, const struct rig *rig,
				const struct rig_port *from, const struct rig_frame *frame);

/* A tag that names no VLAN, and no other behind it: it is taken off, the frame has none. */
bool model_is_priority_tagged(const struct rig_frame *frame);

/* Takes over what the host has learned. -EUCLEAN, said on stderr: an address in a segment in which
 * its port is not. */
int model_load(struct model *model, struct rig *rig);

/* Waits until the host has learned just what the model has. -EUCLEAN: it does not, said. */
int model_wait(const struct model *model, struct rig *rig);
