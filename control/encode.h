/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the model as messages for the dataplane. Pure. */
#pragma once

#include "control/model.h"
#include "dataplane/api/dp_msg.h"

void encode_segment(const struct model *model, const struct model_segment *segment,
		    struct dp_segment *message);

/* The port's segments must be in the model. */
void encode_port(const struct model *model, const struct model_port *port, struct dp_port *message);

/* A digest of a segment or port, all behind the header: equal for what the dataplane has and what
 * it should have if, practically, they are the same. */
uint64_t encode_digest(const struct dp_header *message);
