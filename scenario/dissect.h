/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fields of a frame by name and place, for who compares two: Ethernet, VLAN tags, ARP, IPv4,
 * IPv6, ICMP, TCP, UDP, VXLAN and what is inside. What is not known, or cut off, is `payload`.
 * Every byte belongs to exactly one field. Pure; any bytes are legal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISSECT_FIELDS_MAX 160
#define DISSECT_NAME_BYTES 48
#define DISSECT_TEXT_BYTES 64

enum dissect_form {
	DISSECT_BYTES,
	DISSECT_NUMBER,
	DISSECT_HEX,
	DISSECT_MAC,
	DISSECT_IP, /* 4 or 16 bytes */
};

struct dissect_field {
	const char *name; /* "ipv4.ttl"; a constant */
	uint8_t depth;	  /* tunnels around it: "inner." so many times before the name */
	uint8_t form;	  /* enum dissect_form */
	uint32_t at, n;	  /* bytes of the frame */
};

struct dissect {
	unsigned int n;
	struct dissect_field fields[DISSECT_FIELDS_MAX];
};

void dissect_frame(const uint8_t *bytes, uint32_t n, struct dissect *dissect);

void dissect_name(const struct dissect_field *field, char name[DISSECT_NAME_BYTES]);

/* The field's value in a frame, which may be shorter than that which was dissected. */
void dissect_value(const struct dissect_field *field, const uint8_t *bytes, uint32_t n,
		   char text[DISSECT_TEXT_BYTES]);

/* Could a field be called so? Without "inner.". */
bool dissect_is_name(const char *name);
