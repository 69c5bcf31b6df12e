/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the model as messages for the dataplane. Pure. */
#pragma once

#include "control/model.h"
#include "dataplane/api/dp_msg.h"

/* Room for a message of any kind of object. */
union encode_message {
	struct dp_header header;
	struct dp_segment segment;
	struct dp_port port;
	struct dp_pool pool;
	struct dp_channel channel;
	struct dp_loan loan;
};

/* Fills in the message that puts the object, with its type and size. false: the dataplane is not
 * told of objects of this kind. now_ns: of loop_clock_ns(). */
bool encode_object(const struct model *model, enum model_kind kind,
		   const struct model_object *object, uint64_t now_ns,
		   union encode_message *message);

/* The port's segments must be in the model. */
void encode_segment(const struct model *model, const struct model_segment *segment,
		    struct dp_segment *message);
void encode_port(const struct model *model, const struct model_port *port, struct dp_port *message);

/* The same of the default channel (channels.h); false: there is none. */
bool encode_default(const struct model *model, union encode_message *message);

/* Of which kind of object a message puts one; MODEL_KINDS: of none. Type of the message that
 * deletes one, 0: none. */
enum model_kind encode_kind(uint16_t type);
uint16_t encode_delete_type(enum model_kind kind);

/* Id of the object that the message puts. */
uint64_t encode_id(const struct dp_header *message);

/* Of a message, as sent or as the dataplane repeats it: equal if they mean the same. */
uint64_t encode_digest(const struct dp_header *message);
