/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a frame's head, to the reader of the guards. What it points to lies in the head; and
 * a frame that is cut short never looks more harmless than it is: what a guard would judge in the
 * whole may become unreadable, but not plain.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/guard_parse.h"

#define HEAD_BYTES 128
#define ETHERNET_BYTES 14
/* Tags and SNAP headers end here: behind it a cut takes away only what was looked for. */
#define PREFIX_BYTES (12 + 2 + 8 * (GUARD_PARSE_TAGS_MAX + 1))

static void check(int is_true)
{
	if (!is_true)
		abort();
}

static void check_inside(const uint8_t *head, size_t n_head, const uint8_t *at, size_t bytes)
{
	if (at != NULL)
		check(at >= head && at + bytes <= head + n_head);
}

/* In memory of exactly this size, so that a byte too far is seen. */
static enum guard_kind parse(const uint8_t *data, size_t bytes)
{
	struct guard_headers headers;
	uint8_t *head = malloc(bytes);

	check(head != NULL);
	memcpy(head, data, bytes);
	guard_parse(head, (uint16_t)bytes, &headers);
	if (headers.kind != GUARD_UNREADABLE) {
		check(headers.ip_version == 0 || headers.ip_source != NULL);
		check(headers.claim_version == 0 || headers.claim_ip != NULL);
		check(headers.kind != GUARD_ARP || headers.claim_version == 4);
		check(headers.claim_version == 0 || headers.kind == GUARD_ARP ||
		      headers.kind == GUARD_ND);
	}
	check_inside(head, bytes, headers.ip_source, headers.ip_version == 4 ? 4 : 16);
	check_inside(head, bytes, headers.claim_ip, headers.claim_version == 4 ? 4 : 16);
	check_inside(head, bytes, headers.claim_mac, 6);
	free(head);
	return headers.kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	size_t n = bytes < HEAD_BYTES ? bytes : HEAD_BYTES;

	if (n < ETHERNET_BYTES)
		return 0;
	enum guard_kind whole = parse(data, n);

	for (size_t cut = n - 1; cut >= PREFIX_BYTES; cut--) {
		enum guard_kind kind = parse(data, cut);

		check(kind == whole || kind == GUARD_UNREADABLE);
	}
	return 0;
}
