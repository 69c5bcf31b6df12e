/* SPDX-License-Identifier: BSD-3-Clause */
/* Fields of a frame. Each protocol is a table of its fixed header. */
#include "scenario/dissect.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define VXLAN_PORT 4789
#define DEPTH_MAX 3

struct row {
	const char *name;
	uint8_t n, form;
};

/* clang-format off */
static const struct row eth[] = {
	{"eth.destination", 6, DISSECT_MAC}, {"eth.source", 6, DISSECT_MAC},
	{"eth.type", 2, DISSECT_HEX}, {NULL, 0, 0}};
static const struct row vlan[] = {
	{"vlan.tag", 2, DISSECT_HEX}, {"vlan.type", 2, DISSECT_HEX}, {NULL, 0, 0}};
static const struct row arp[] = {
	{"arp.hardware", 2, DISSECT_HEX}, {"arp.protocol", 2, DISSECT_HEX},
	{"arp.sizes", 2, DISSECT_HEX}, {"arp.operation", 2, DISSECT_NUMBER},
	{"arp.sender_mac", 6, DISSECT_MAC}, {"arp.sender_ip", 4, DISSECT_IP},
	{"arp.target_mac", 6, DISSECT_MAC}, {"arp.target_ip", 4, DISSECT_IP}, {NULL, 0, 0}};
static const struct row ipv4[] = {
	{"ipv4.version", 1, DISSECT_HEX}, {"ipv4.tos", 1, DISSECT_HEX},
	{"ipv4.length", 2, DISSECT_NUMBER}, {"ipv4.id", 2, DISSECT_NUMBER},
	{"ipv4.fragment", 2, DISSECT_HEX}, {"ipv4.ttl", 1, DISSECT_NUMBER},
	{"ipv4.protocol", 1, DISSECT_NUMBER}, {"ipv4.checksum", 2, DISSECT_HEX},
	{"ipv4.source", 4, DISSECT_IP}, {"ipv4.destination", 4, DISSECT_IP}, {NULL, 0, 0}};
static const struct row ipv6[] = {
	{"ipv6.class_label", 4, DISSECT_HEX}, {"ipv6.length", 2, DISSECT_NUMBER},
	{"ipv6.next", 1, DISSECT_NUMBER}, {"ipv6.hops", 1, DISSECT_NUMBER},
	{"ipv6.source", 16, DISSECT_IP}, {"ipv6.destination", 16, DISSECT_IP}, {NULL, 0, 0}};
static const struct row icmp[] = {
	{"icmp.type", 1, DISSECT_NUMBER}, {"icmp.code", 1, DISSECT_NUMBER},
	{"icmp.checksum", 2, DISSECT_HEX}, {"icmp.rest", 4, DISSECT_HEX}, {NULL, 0, 0}};
static const struct row tcp[] = {
	{"tcp.source", 2, DISSECT_NUMBER}, {"tcp.destination", 2, DISSECT_NUMBER},
	{"tcp.sequence", 4, DISSECT_NUMBER}, {"tcp.acknowledged", 4, DISSECT_NUMBER},
	{"tcp.flags", 2, DISSECT_HEX}, {"tcp.window", 2, DISSECT_NUMBER},
	{"tcp.checksum", 2, DISSECT_HEX}, {"tcp.urgent", 2, DISSECT_NUMBER}, {NULL, 0, 0}};
static const struct row udp[] = {
	{"udp.source", 2, DISSECT_NUMBER}, {"udp.destination", 2, DISSECT_NUMBER},
	{"udp.length", 2, DISSECT_NUMBER}, {"udp.checksum", 2, DISSECT_HEX}, {NULL, 0, 0}};
static const struct row vxlan[] = {
	{"vxlan.flags", 1, DISSECT_HEX}, {"vxlan.reserved", 3, DISSECT_HEX},
	{"vxlan.vni", 3, DISSECT_NUMBER}, {"vxlan.reserved2", 1, DISSECT_HEX}, {NULL, 0, 0}};
static const struct row rest[] = {
	{"ipv4.options", 0, DISSECT_BYTES}, {"tcp.options", 0, DISSECT_BYTES},
	{"payload", 0, DISSECT_BYTES}, {NULL, 0, 0}};
static const struct row *const protocols[] = {
	eth, vlan, arp, ipv4, ipv6, icmp, tcp, udp, vxlan, rest};
/* clang-format on */

/* Where reading goes on. */
struct cursor {
	const uint8_t *bytes;
	uint32_t n, at;
	uint8_t depth;
	struct dissect *out;
};

static uint32_t number(const uint8_t *bytes, uint32_t n)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void add(struct cursor *cursor, const char *name, uint32_t n, enum dissect_form form)
{
	if (n == 0 || cursor->out->n == DISSECT_FIELDS_MAX)
		return;
	cursor->out->fields[cursor->out->n++] =
		(struct dissect_field){name, cursor->depth, (uint8_t)form, cursor->at, n};
	cursor->at += n;
}

/* What is left, as one field. */
static void add_rest(struct cursor *cursor)
{
	add(cursor, "payload", cursor->n - cursor->at, DISSECT_BYTES);
}

/* The bytes of a fixed header, or NULL: it is cut off, and what there is of it is payload. */
static const uint8_t *add_header(struct cursor *cursor, const struct row *rows)
{
	const uint8_t *header = cursor->bytes + cursor->at;
	uint32_t n = 0, n_rows = 0;

	for (; rows[n_rows].name != NULL; n_rows++)
		n += rows[n_rows].n;
	/* One place is kept for the rest. */
	if (cursor->n - cursor->at < n || cursor->out->n + n_rows >= DISSECT_FIELDS_MAX - 1)
		return NULL;
	for (uint32_t i = 0; i < n_rows; i++)
		add(cursor, rows[i].name, rows[i].n, (enum dissect_form)rows[i].form);
	return header;
}

static void add_options(struct cursor *cursor, const char *name, uint32_t n)
{
	uint32_t left = cursor->n - cursor->at;

	add(cursor, name, n < left ? n : left, DISSECT_BYTES);
}

static void read_upper(struct cursor *cursor, uint8_t protocol);

/* Ethernet, and whatever tags follow; the type in *type. false: cut off. */
static bool read_ethernet(struct cursor *cursor, uint32_t *type)
{
	const uint8_t *header = add_header(cursor, eth);

	if (header == NULL)
		return false;
	*type = number(header + 12, 2);
	while (*type == 0x8100 || *type == 0x88a8 || *type == 0x9100) {
		header = add_header(cursor, vlan);
		if (header == NULL)
			return false;
		*type = number(header + 2, 2);
	}
	return true;
}

static void read_packet(struct cursor *cursor, uint32_t type)
{
	const uint8_t *header;

	if (type == 0x0806) {
		add_header(cursor, arp);
	} else if (type == 0x0800 && (header = add_header(cursor, ipv4)) != NULL) {
		uint32_t words = header[0] & 15u;

		if (words > 5)
			add_options(cursor, "ipv4.options", (words - 5) * 4);
		/* A later fragment begins in the middle of something. */
		if ((number(header + 6, 2) & 0x1fff) == 0)
			read_upper(cursor, header[9]);
	} else if (type == 0x86dd && (header = add_header(cursor, ipv6)) != NULL) {
		read_upper(cursor, header[6]);
	}
}

static void read_frame(struct cursor *cursor)
{
	uint32_t type;

	if (read_ethernet(cursor, &type))
		read_packet(cursor, type);
}

static void read_upper(struct cursor *cursor, uint8_t protocol)
{
	const uint8_t *header;

	if (protocol == 1 || protocol == 58) {
		add_header(cursor, icmp);
	} else if (protocol == 6 && (header = add_header(cursor, tcp)) != NULL) {
		uint32_t words = header[12] >> 4;

		if (words > 5)
			add_options(cursor, "tcp.options", (words - 5) * 4);
	} else if (protocol == 17 && (header = add_header(cursor, udp)) != NULL) {
		if (number(header + 2, 2) != VXLAN_PORT || cursor->depth == DEPTH_MAX ||
		    add_header(cursor, vxlan) == NULL)
			return;
		cursor->depth++;
		read_frame(cursor);
	}
}

void dissect_frame(const uint8_t *bytes, uint32_t n, struct dissect *dissect)
{
	struct cursor cursor = {.bytes = bytes, .n = n, .out = dissect};

	dissect->n = 0;
	read_frame(&cursor);
	add_rest(&cursor);
}

void dissect_name(const struct dissect_field *field, char name[DISSECT_NAME_BYTES])
{
	int len = 0;

	for (unsigned int i = 0; i < field->depth; i++)
		len += snprintf(name + len, DISSECT_NAME_BYTES - (size_t)len, "inner.");
	snprintf(name + len, DISSECT_NAME_BYTES - (size_t)len, "%s", field->name);
}

static void format_bytes(const uint8_t *bytes, uint32_t n, const char *between, char *text,
			 size_t room)
{
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < n && len + 6 < room; i++)
		len += (size_t)snprintf(text + len, room - len, "%s%02x", i != 0 ? between : "",
					bytes[i]);
	if (len + 6 >= room)
		snprintf(text + len, room - len, "...");
}

void dissect_value(const struct dissect_field *field, const uint8_t *bytes, uint32_t n,
		   char text[DISSECT_TEXT_BYTES])
{
	const uint8_t *at = bytes + field->at;

	if (field->at >= n || n - field->at < field->n) {
		snprintf(text, DISSECT_TEXT_BYTES, "(not there)");
		return;
	}
	switch (field->form) {
	case DISSECT_NUMBER:
		snprintf(text, DISSECT_TEXT_BYTES, "%u", number(at, field->n));
		return;
	case DISSECT_HEX:
		snprintf(text, DISSECT_TEXT_BYTES, "0x%0*x", (int)field->n * 2,
			 number(at, field->n));
		return;
	case DISSECT_MAC:
		format_bytes(at, field->n, ":", text, DISSECT_TEXT_BYTES);
		return;
	case DISSECT_IP:
		inet_ntop(field->n == 4 ? AF_INET : AF_INET6, at, text, DISSECT_TEXT_BYTES);
		return;
	default:
		format_bytes(at, field->n, "", text, DISSECT_TEXT_BYTES);
	}
}

bool dissect_is_name(const char *name)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		for (const struct row *row = protocols[i]; row->name != NULL; row++) {
			if (strcmp(row->name, name) == 0)
				return true;
		}
	}
	return false;
}
