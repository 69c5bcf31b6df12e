/* SPDX-License-Identifier: BSD-3-Clause */
/* See trace_text.h. Main thread. */
#include "dataplane/trace_text.h"

#include <inttypes.h>
#include <linux/if_ether.h>
#include <stdio.h>

#include "dataplane/dataplane.h"
#include "dataplane/trace_view.h"

/* Sentences that need no more than the name of the other port. */
static const char *const sentences[] = {
	[TRACE_WORD_TUNNELLED] = "VXLAN of a known peer; the frame inside goes on",
	[TRACE_WORD_NOT_LEARNED] = "nothing is learned of this port",
	[TRACE_WORD_KNOWN] = "its sender is known here",
	[TRACE_WORD_NEW] = "its sender is new here, and would be learned",
	[TRACE_WORD_TOLD] = "its sender is told by ICMP, if it is IP",
	[TRACE_WORD_GROUP] = "to a group: to be flooded",
	[TRACE_WORD_UNKNOWN] = "nobody has the address: to be flooded",
	[TRACE_WORD_WITHIN] = "floods are within their rates",
	[TRACE_WORD_WAITS] = "waits for its channel; what becomes of it then is not followed",
	[TRACE_WORD_OUTER] = "has got its outer headers",
	[TRACE_WORD_UNSEEN] = "neither taken nor dropped while it was followed",
};

static const char *port_name(const struct dataplane *dp, uint64_t id)
{
	const struct port *port = port_find(dp, id);

	return port != NULL ? port->spec.name : "(gone)";
}

static const char *port_kind(const struct dataplane *dp, uint64_t id)
{
	const struct port *port = port_find(dp, id);

	return port != NULL ? port->spec.kind : "port";
}

static void list_guards(uint16_t guards, char *text, size_t bytes)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = {{DP_GUARD_MAC, "mac"},
		     {DP_GUARD_IP, "ip"},
		     {DP_GUARD_ARP, "arp"},
		     {DP_GUARD_DHCP, "dhcp"},
		     {DP_GUARD_RA, "ra"}};
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((guards & names[i].bit) != 0 && len < bytes)
			len += (size_t)snprintf(text + len, bytes - len, "%s%s",
						len != 0 ? ", " : "", names[i].name);
	}
}

static void write_guards(uint16_t guards, char *text, size_t bytes)
{
	char names[48];

	list_guards(guards, names, sizeof(names));
	snprintf(text, bytes, "%s%s",
		 names[0] != '\0' ? "nothing against it; on are: " : "none is on", names);
}

/* Those that say numbers or what a segment is called. */
static void write_numbers(const struct dataplane *dp, const struct trace_fact *fact, char *text,
			  size_t bytes)
{
	const struct segment *segment = segment_find(dp, fact->segment_id);
	const char *segment_name = segment != NULL ? segment->spec.name : "none";

	switch (fact->word) {
	case TRACE_WORD_SEGMENT:
		snprintf(text, bytes, "segment %s%s%s", segment_name,
			 (fact->bits & 1) != 0 ? ", tag taken off" : "",
			 (fact->bits & 2) != 0 ? ", a tag stays as payload" : "");
		break;
	case TRACE_WORD_TOO_BIG:
		snprintf(text, bytes,
			 "an IP packet of %" PRIu64 " bytes; segment %s has an MTU of %" PRIu64,
			 fact->value - ETH_HLEN, segment_name, fact->limit - ETH_HLEN);
		break;
	case TRACE_WORD_LIMIT:
		snprintf(text, bytes,
			 "a new address, and the port has %" PRIu64 " of %" PRIu64
			 ": its oldest goes",
			 fact->value, fact->limit);
		break;
	case TRACE_WORD_SPREAD:
		snprintf(text, bytes, "to %" PRIu64 " port%s of the segment", fact->value,
			 fact->value == 1 ? "" : "s");
		break;
	case TRACE_WORD_REST:
		snprintf(text, bytes, "and %" PRIu64 " more ports, which are not followed",
			 fact->value);
		break;
	default:
		snprintf(text, bytes, "%s", sentences[fact->word]);
		break;
	}
}

static void write_text(const struct dataplane *dp, const struct trace_fact *fact, char *text,
		       size_t bytes)
{
	const char *port = port_name(dp, fact->port_id), *kind = port_kind(dp, fact->port_id);
	const char *other = fact->other_id != 0 ? port_name(dp, fact->other_id) : "";

	switch (fact->word) {
	case TRACE_WORD_REASON:
		snprintf(text, bytes, "%s", drop_reason_help(fact->reason));
		break;
	case TRACE_WORD_GUARDS:
		write_guards(fact->bits, text, bytes);
		break;
	case TRACE_WORD_STATIC:
		snprintf(text, bytes,
			 "its sender's address is static at port %s, and stays there: answers go "
			 "there",
			 other);
		break;
	case TRACE_WORD_MOVES:
		snprintf(text, bytes, "its sender was last seen at port %s, and would move here",
			 other);
		break;
	case TRACE_WORD_AT_PORT:
		snprintf(text, bytes, "the address is at port %s", other);
		break;
	case TRACE_WORD_CAME:
		snprintf(text, bytes, "%s %s, a frame of %" PRIu64 " bytes", kind, port,
			 fact->value);
		break;
	case TRACE_WORD_PASSES:
		snprintf(text, bytes, "port %s may have it", port);
		break;
	case TRACE_WORD_TAKEN:
		snprintf(text, bytes, "%s %s has taken it, %" PRIu64 " bytes", kind, port,
			 fact->value);
		break;
	default:
		write_numbers(dp, fact, text, bytes);
		break;
	}
}

void trace_text(const struct dataplane *dp, const struct trace_fact *fact,
		struct dp_trace_step *step)
{
	*step = (struct dp_trace_step){
		.port_id = fact->port_id,
		.segment_id = fact->segment_id,
		.stage = fact->stage,
		.verdict = fact->verdict,
		.reason = fact->reason,
		.value = fact->value,
		.limit = fact->limit,
	};
	write_text(dp, fact, step->text, sizeof(step->text));
}
