/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is meant by the words of `why`: ports with a segment and addresses. weftd's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/control.h"

struct why_end {
	const char *asked;		     /* as the user wrote it */
	const struct model_port *port;	     /* NULL: nobody knows it */
	const struct model_segment *segment; /* NULL: the port is in none */
	uint16_t vlan;			     /* tag of the segment on the port's wire; 0: none */
	uint8_t mac[6];			     /* zero: not known */
	uint8_t ip[16], ip_version;	     /* 0: not known */
	bool is_heard;			     /* it has sent from that address lately */
};

/*
 * A port, a VM, a MAC or an IP address; or MAC@PORT, IP@PORT: such an address behind that port,
 * whether or not anybody has heard it there. Of a machine that is at several places those are meant
 * that have a segment in common. 0 or -ENOMEM.
 */
int why_ends_find(struct control *control, const char *from, const char *to,
		  struct why_end ends[2]);
