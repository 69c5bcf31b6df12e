/* SPDX-License-Identifier: BSD-3-Clause */
/* Values that the option tables cannot judge. Pure. */
#include "control/spec_option.h"

#include <stdio.h>
#include <string.h>

#include "control/guards.h"
#include "control/model.h"
#include "dataplane/api/port_options.h"
#include "tap/link.h"

void spec_option_check(const char *key, const char *text, char *why, size_t why_bytes)
{
	struct dp_address addresses[DP_ADDRESSES_MAX];
	uint8_t macs[PORT_OPTIONS_MACS_MAX][6];
	struct link_prefix prefix;

	why[0] = '\0';
	if (strcmp(key, "ifname") == 0 && !link_name_is_valid(text))
		snprintf(why, why_bytes, "ifname: %.20s is not a name that the kernel takes", text);
	else if (strcmp(key, "netns") == 0 && !model_is_name(text))
		snprintf(why, why_bytes, "netns: %.70s is not a name as ip netns knows them", text);
	else if (strcmp(key, "socket") == 0 && text[0] != '/')
		snprintf(why, why_bytes, "socket: %.110s must be an absolute path", text);
	else if (strcmp(key, "ip") == 0 && link_parse_prefix(text, &prefix) < 0)
		snprintf(why, why_bytes,
			 "ip: %.50s is not the address of a host with its prefix "
			 "length; write it as 10.0.1.2/24 or fd00::2/64",
			 text);
	else if (strcmp(key, "addresses") == 0 && guards_parse_addresses(text, addresses) < 0)
		snprintf(why, why_bytes,
			 "addresses: %.119s is not a list of at most %d; write it as "
			 "10.0.1.2,10.1.0.0/16,fd00::2",
			 text, DP_ADDRESSES_MAX);
	else if (strcmp(key, "macs") == 0 && port_options_parse_macs(text, macs) < 0)
		snprintf(why, why_bytes,
			 "macs: %.119s is not a list of at most %d unicast addresses, each once; "
			 "write it as 02:00:00:00:00:01,02:00:00:00:00:02",
			 text, PORT_OPTIONS_MACS_MAX);
	else if (strcmp(key, "vtep") == 0 && guards_parse_vtep(text, addresses) < 0)
		snprintf(
			why, why_bytes,
			"vtep: %.50s is not the address of a host; write it as 10.0.0.1 or fd00::1",
			text);
}
