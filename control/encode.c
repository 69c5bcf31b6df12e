/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the model as messages for the dataplane. Pure. */
#include "control/encode.h"

#include <stddef.h>
#include <string.h>

#include "control/guards.h"
#include "dataplane/api/segment_options.h"

/* Those that the dataplane acts on. Returns their number. */
static unsigned int copy_options(const struct option_set *set, const struct dp_option *from,
				 unsigned int n_from, struct dp_option *to)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < n_from; i++) {
		if (options_row(set, from[i].index)->user == OPTION_FOR_DATAPLANE)
			to[n++] = from[i];
	}
	return n;
}

void encode_segment(const struct model *model, const struct model_segment *segment,
		    struct dp_segment *message)
{
	*message = (struct dp_segment){
		.header = {.bytes = sizeof(*message), .type = DP_SEGMENT_PUT},
		.id = segment->id,
		.vni = segment->vni,
		.generation = segment->generation,
		.vlan = segment->vlan,
		.mtu = model_segment_mtu(model, segment),
		.age_s = segment->age_s,
	};
	memcpy(message->name, segment->name, strlen(segment->name));
	message->n_options = copy_options(&segment_options, segment->options, segment->n_options,
					  message->options);
	guards_encode_segment(segment, message);
}

static void add_members(const struct model *model, const struct model_port *port,
			struct dp_port *message)
{
	const struct model_segment *segment = model_segment(model, port->segment);

	if (segment != NULL)
		message->members[message->n_members++] =
			(struct dp_member){.segment_id = segment->id};
	for (unsigned int i = 0; port->trunk != NULL && i < port->trunk->n_members; i++) {
		const struct trunk_member *member = &port->trunk->members[i];

		segment = model_segment(model, member->segment);
		if (segment != NULL)
			message->members[message->n_members++] = (struct dp_member){
				.segment_id = segment->id,
				.vlan = port->kind->place == PORT_PLACE_VNI ? 0
					: member->vlan != 0		    ? member->vlan
									    : segment->vlan,
			};
	}
}

void encode_port(const struct model *model, const struct model_port *port, struct dp_port *message)
{
	struct option_set set = port_kinds_options(port->kind);

	*message = (struct dp_port){
		.header = {.bytes = sizeof(*message), .type = DP_PORT_PUT},
		.id = port->id,
		.generation = port->generation,
		.mtu = model_port_mtu(model, port),
	};
	add_members(model, port, message);
	memcpy(message->mac, port->mac, sizeof(message->mac));
	memcpy(message->name, port->name, strlen(port->name));
	memcpy(message->kind, port->kind->name, strlen(port->kind->name));
	memcpy(message->vm, port->vm, strlen(port->vm));
	message->n_options =
		(uint16_t)copy_options(&set, port->options, port->n_options, message->options);
	guards_encode_port(port, message);
}

/* Words, not bytes: a host has thousands of ports. */
static uint64_t digest_words(uint64_t digest, const void *data, size_t bytes)
{
	const uint8_t *at = data;

	for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t), at += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		digest = (digest ^ word) * 0x9e3779b97f4a7c15ULL;
		digest ^= digest >> 32;
	}
	return digest;
}

/* All behind the header, and of the arrays at the end what is used. */
static uint64_t digest_segment(const struct dp_segment *segment)
{
	_Static_assert(offsetof(struct dp_segment, options) % 8 == 0, "digested in words");
	uint64_t digest = digest_words(DP_SEGMENT_PUT, &segment->id,
				       offsetof(struct dp_segment, options) -
					       offsetof(struct dp_segment, id));

	return digest_words(digest, segment->options,
			    segment->n_options * sizeof(segment->options[0]));
}

static uint64_t digest_port(const struct dp_port *port)
{
	_Static_assert(offsetof(struct dp_port, members) % 8 == 0, "digested in words");
	uint64_t digest =
		digest_words(DP_PORT_PUT, &port->id,
			     offsetof(struct dp_port, members) - offsetof(struct dp_port, id));

	digest = digest_words(digest, port->members, port->n_members * sizeof(port->members[0]));
	return digest_words(digest, port->options, port->n_options * sizeof(port->options[0]));
}

uint64_t encode_digest(const struct dp_header *message)
{
	return message->type == DP_SEGMENT_PUT ? digest_segment((const void *)message)
					       : digest_port((const void *)message);
}
