/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects of the model as messages for the dataplane. Pure. */
#include "control/encode.h"

#include <stddef.h>
#include <string.h>

#include "control/channels.h"
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
		.id = (uint32_t)segment->id,
		.vni = segment->vni,
		.generation = segment->generation,
		.vlan = segment->vlan,
		.mtu = model_segment_mtu(model, segment),
		.age_s = segment->age_s,
		.channel_id = channels_segment_id(model, segment),
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
			(struct dp_member){.segment_id = (uint32_t)segment->id};
	for (unsigned int i = 0; port->trunk != NULL && i < port->trunk->n_members; i++) {
		const struct trunk_member *member = &port->trunk->members[i];

		segment = model_segment(model, member->segment);
		if (segment != NULL)
			message->members[message->n_members++] = (struct dp_member){
				.segment_id = (uint32_t)segment->id,
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
		.channel_id = channels_port_id(model, port),
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

static void encode_pool(const struct model_pool *pool, struct dp_pool *message)
{
	*message = (struct dp_pool){
		.header = {.bytes = sizeof(*message), .type = DP_POOL_PUT},
		.id = (uint32_t)pool->id,
		.generation = pool->generation,
		.capacity_bps = {pool->capacity_bps[DP_TX], pool->capacity_bps[DP_RX]},
	};
	memcpy(message->name, pool->name, strlen(pool->name));
}

static void encode_channel(const struct model *model, const struct model_channel *channel,
			   struct dp_channel *message)
{
	const struct model_pool *pool = model_pool(model, channel->pool);

	*message = (struct dp_channel){
		.header = {.bytes = sizeof(*message), .type = DP_CHANNEL_PUT},
		.id = (uint32_t)channel->id,
		.pool_id = pool != NULL ? (uint32_t)pool->id : 0,
		.generation = channel->generation,
		.account = channel->account,
	};
	channels_derive(model, channel, channels_frame_bytes(model), message->ways);
	memcpy(message->name, channel->name, strlen(channel->name));
}

static void encode_loan(const struct model *model, const struct model_loan *loan, uint64_t now_ns,
			struct dp_loan *message)
{
	const struct model_channel *from = model_channel(model, loan->from);
	const struct model_channel *to = model_channel(model, loan->to);
	uint64_t left_ms = model_loan_left_ms(loan, now_ns);

	*message = (struct dp_loan){
		.header = {.bytes = sizeof(*message), .type = DP_LOAN_PUT},
		.id = (uint32_t)loan->id,
		.from_id = from != NULL ? (uint32_t)from->id : 0,
		.to_id = to != NULL ? (uint32_t)to->id : 0,
		.ways = loan->ways,
		.generation = loan->generation,
		.rate_bps = loan->rate_bps,
		/* One that is over is taken away soon: it still must be a loan. */
		.remaining_ms = left_ms > 0 ? left_ms : 1,
	};
}

bool encode_object(const struct model *model, enum model_kind kind,
		   const struct model_object *object, uint64_t now_ns,
		   union encode_message *message)
{
	switch (kind) {
	case MODEL_SEGMENT:
		encode_segment(model, (const struct model_segment *)object, &message->segment);
		return true;
	case MODEL_PORT:
		encode_port(model, (const struct model_port *)object, &message->port);
		return true;
	case MODEL_POOL:
		encode_pool((const struct model_pool *)object, &message->pool);
		return true;
	case MODEL_CHANNEL:
		encode_channel(model, (const struct model_channel *)object, &message->channel);
		return true;
	case MODEL_LOAN:
		encode_loan(model, (const struct model_loan *)object, now_ns, &message->loan);
		return true;
	case MODEL_VM:
	case MODEL_KINDS:
		break;
	}
	return false;
}

bool encode_default(const struct model *model, union encode_message *message)
{
	struct model_channel channel;

	if (!channels_default(model, &channel))
		return false;
	encode_channel(model, &channel, &message->channel);
	return true;
}

/* By kind. */
static const struct {
	uint16_t put, del;
} types[MODEL_KINDS] = {
	[MODEL_SEGMENT] = {DP_SEGMENT_PUT, DP_SEGMENT_DEL},
	[MODEL_PORT] = {DP_PORT_PUT, DP_PORT_DEL},
	[MODEL_POOL] = {DP_POOL_PUT, DP_POOL_DEL},
	[MODEL_CHANNEL] = {DP_CHANNEL_PUT, DP_CHANNEL_DEL},
	[MODEL_LOAN] = {DP_LOAN_PUT, DP_LOAN_DEL},
};

enum model_kind encode_kind(uint16_t type)
{
	enum model_kind kind = 0;

	while (kind < MODEL_KINDS && (types[kind].put != type || type == 0))
		kind++;
	return kind;
}

uint16_t encode_delete_type(enum model_kind kind)
{
	return types[kind].del;
}

uint64_t encode_id(const struct dp_header *message)
{
	const union encode_message *any = (const void *)message;

	/* All but ports have 32 bits, in the same place. */
	return message->type == DP_PORT_PUT ? any->port.id : any->pool.id;
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

/* What is left of a loan passes by itself, and means nothing else for it. */
static uint64_t digest_loan(const struct dp_loan *loan)
{
	_Static_assert(sizeof(struct dp_loan) ==
			       offsetof(struct dp_loan, remaining_ms) + sizeof(uint64_t),
		       "the last one");
	return digest_words(DP_LOAN_PUT, &loan->id,
			    offsetof(struct dp_loan, remaining_ms) - offsetof(struct dp_loan, id));
}

uint64_t encode_digest(const struct dp_header *message)
{
	const union encode_message *any = (const void *)message;

	switch (message->type) {
	case DP_SEGMENT_PUT:
		return digest_segment(&any->segment);
	case DP_PORT_PUT:
		return digest_port(&any->port);
	case DP_POOL_PUT:
		return digest_words(DP_POOL_PUT, &any->pool.id,
				    sizeof(any->pool) - offsetof(struct dp_pool, id));
	case DP_CHANNEL_PUT:
		return digest_words(DP_CHANNEL_PUT, &any->channel.id,
				    sizeof(any->channel) - offsetof(struct dp_channel, id));
	default:
		return digest_loan(&any->loan);
	}
}
