/* SPDX-License-Identifier: BSD-3-Clause */
/* Guards, storm control and addresses: from the words of the options to what messages carry. The
 * more specific word wins: the port's own, the port's `guard`, the segment's own, the segment's
 * `guard`, the default. Of trusted kinds (uplinks, peers) the default is none, and the address is
 * the end of their tunnels. Pure. */
#pragma once

#include "control/model.h"

/* Fills in guards and limits of a message. */
void guards_encode_segment(const struct model_segment *segment, struct dp_segment *message);
void guards_encode_port(const struct model_port *port, struct dp_port *message);

/* Parses "10.0.1.2,10.1.0.0/16,fd00::2". Returns how many there are, or -EINVAL. */
int guards_parse_addresses(const char *text, struct dp_address addresses[DP_ADDRESSES_MAX]);

/* Parses the address that tunnels end at, of a host: unicast, and no link-local one, as such are no
 * address without the name of an interface. 0 or -EINVAL. */
int guards_parse_vtep(const char *text, struct dp_address *address);
