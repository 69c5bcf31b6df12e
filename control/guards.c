/* SPDX-License-Identifier: BSD-3-Clause */
/* Guards, storm control and addresses as messages carry them. Pure. */
#include "control/guards.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/segment_options.h"
#include "tap/link.h"

/* Choices of the rows, in the order of their words. */
enum word {
	WORD_NONE,	/* default, segment */
	WORD_ON,
	WORD_OFF,
};

/* On by default are those that hold a port to a role which only few have, and which it can be given
 * by one word. Who a guest is it says itself in labs: cards with other addresses, bridges and
 * virtual machines inside it. So those are off until one word asks for them. */
static const struct {
	const char *key;
	uint16_t guard;
	bool is_default;
} guards[] = {
	{"mac_guard", DP_GUARD_MAC, false}, {"ip_guard", DP_GUARD_IP, false},
	{"arp_guard", DP_GUARD_ARP, false}, {"dhcp_guard", DP_GUARD_DHCP, true},
	{"ra_guard", DP_GUARD_RA, true},
};

static const char *const storm_keys[DP_STORM_KINDS] = {
	[DP_STORM_BROADCAST] = "broadcast_pps",
	[DP_STORM_MULTICAST] = "multicast_pps",
	[DP_STORM_UNKNOWN] = "unknown_pps",
};

/* The options of one object. */
struct words {
	struct option_set set;
	const struct dp_option *list;
	unsigned int n;
};

static uint64_t number(const struct words *words, const char *key)
{
	return options_number(&words->set, words->list, words->n, key);
}

static enum word word_of(const struct words *words, const char *key)
{
	enum word own = (enum word)number(words, key);

	return own != WORD_NONE ? own : (enum word)number(words, "guard");
}

static bool is_given(const struct words *words, const char *key)
{
	int index = options_find(&words->set, key);

	return options_value(words->list, words->n, (unsigned int)index) != NULL;
}

/* only_given: what is not said is no limit, whatever the rows' default. */
static void encode_storm(const struct words *words, bool only_given, uint32_t pps[DP_STORM_KINDS])
{
	for (int i = 0; i < DP_STORM_KINDS; i++) {
		if (!only_given || is_given(words, storm_keys[i]))
			pps[i] = (uint32_t)number(words, storm_keys[i]);
	}
}

void guards_encode_segment(const struct model_segment *segment, struct dp_segment *message)
{
	struct words words = {segment_options, segment->options, segment->n_options};

	message->guards = DP_GUARD_UNREADABLE;
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		enum word word = word_of(&words, guards[i].key);

		if (word == WORD_ON || (word == WORD_NONE && guards[i].is_default))
			message->guards |= guards[i].guard;
	}
	if (number(&words, "snoop") != 0)
		message->guards |= DP_GUARD_SNOOP;
	encode_storm(&words, false, message->storm_pps);
}

static void set_guard(struct dp_port *message, enum word word, unsigned int guard)
{
	message->guards_on &= (uint16_t)~guard;
	message->guards_off &= (uint16_t)~guard;
	if (word == WORD_ON)
		message->guards_on |= (uint16_t)guard;
	else if (word == WORD_OFF)
		message->guards_off |= (uint16_t)guard;
}

/* What weftd sets on the device is an address of the port as well. Behind a trusted port there is
 * anyone: it has no address but the end of its tunnels. */
static void encode_addresses(const struct model_port *port, struct dp_port *message)
{
	const char *vtep = model_option_text(port, "vtep");
	const char *list = model_option_text(port, "addresses");
	const char *ip = model_option_text(port, "ip");
	struct link_prefix prefix;

	if (port->kind->is_trusted) {
		message->n_addresses =
			vtep != NULL && guards_parse_vtep(vtep, &message->addresses[0]) == 0;
		return;
	}
	int n = list != NULL ? guards_parse_addresses(list, message->addresses) : 0;

	message->n_addresses = n > 0 ? (uint16_t)n : 0;
	if (ip == NULL || message->n_addresses == DP_ADDRESSES_MAX ||
	    link_parse_prefix(ip, &prefix) < 0)
		return;
	struct dp_address *address = &message->addresses[message->n_addresses++];
	bool is_4 = prefix.family == AF_INET;

	address->version = is_4 ? 4 : 6;
	address->prefix_bits = is_4 ? 32 : 128;
	memcpy(address->ip, prefix.address, is_4 ? 4 : 16);
}

void guards_encode_port(const struct model_port *port, struct dp_port *message)
{
	struct words words = {port_kinds_options(port->kind), port->options, port->n_options};

	bool is_trusted = port->kind->is_trusted;

	if (is_trusted)
		set_guard(message, WORD_OFF, DP_GUARD_ALL & ~DP_GUARD_SNOOP);
	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		enum word word = word_of(&words, guards[i].key);

		if (!is_trusted || word != WORD_NONE)
			set_guard(message, word, guards[i].guard);
	}
	set_guard(message, (enum word)number(&words, "snoop"), DP_GUARD_SNOOP);
	/* Roles. A router sends what others gave it, and long chains of segment routing; whom its
	 * neighbours follow anyway need not be read to the last header. */
	if (number(&words, "router") != 0)
		set_guard(message, WORD_OFF, DP_GUARD_RA | DP_GUARD_IP | DP_GUARD_UNREADABLE);
	if (number(&words, "dhcp_server") != 0)
		set_guard(message, WORD_OFF, DP_GUARD_DHCP);
	encode_storm(&words, is_trusted, message->storm_pps);
	encode_addresses(port, message);
}

/* One address, with or without the length of a prefix, which ends at a NUL. */
static bool parse_address(char *text, struct dp_address *address)
{
	char *slash = strchr(text, '/');
	unsigned long bits = 128, bits_max;
	char *end = NULL;

	if (slash != NULL) {
		*slash = '\0';
		bits = strtoul(slash + 1, &end, 10);
		if (!isdigit((unsigned char)slash[1]) || *end != '\0')
			return false;
	}
	*address = (struct dp_address){.version = strchr(text, ':') != NULL ? 6 : 4};
	bits_max = address->version == 4 ? 32 : 128;
	if (slash == NULL)
		bits = bits_max;
	address->prefix_bits = (uint8_t)bits;
	return bits <= bits_max &&
	       inet_pton(address->version == 4 ? AF_INET : AF_INET6, text, address->ip) == 1;
}

int guards_parse_addresses(const char *text, struct dp_address addresses[DP_ADDRESSES_MAX])
{
	char copy[sizeof(((struct dp_option *)0)->text)];
	int n = 0;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	for (char *at = copy; at != NULL;) {
		char *comma = strchr(at, ',');

		if (comma != NULL)
			*comma++ = '\0';
		if (n == DP_ADDRESSES_MAX || !parse_address(at, &addresses[n]))
			return -EINVAL;
		n++;
		at = comma;
	}
	return n;
}

int guards_parse_vtep(const char *text, struct dp_address *address)
{
	static const uint8_t link_local[2] = {0xfe, 0x80};	/* RFC 4291, 2.5.6: fe80::/10 */
	bool is_ipv4 = strchr(text, ':') == NULL;
	struct link_prefix prefix;
	char with_length[64];

	snprintf(with_length, sizeof(with_length), "%s/%s", text, is_ipv4 ? "32" : "128");
	if (link_parse_prefix(with_length, &prefix) < 0 ||
	    (!is_ipv4 && prefix.address[0] == link_local[0] &&
	     (prefix.address[1] & 0xc0) == link_local[1]))
		return -EINVAL;
	*address = (struct dp_address){.version = is_ipv4 ? 4 : 6,
				       .prefix_bits = is_ipv4 ? 32 : 128};
	memcpy(address->ip, prefix.address, is_ipv4 ? 4 : 16);
	return 0;
}
