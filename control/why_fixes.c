/* SPDX-License-Identifier: BSD-3-Clause */
/* Part of why.h: what to do about each reason for a drop. Pure. */
#include <stdbool.h>

#include "control/doctor.h"
#include "control/why.h"
#include "dataplane/api/drop_reasons.h"

/* What comes before and behind the port's name, or its segment's. NULL behind: no name helps. */
static const struct {
	const char *before, *behind;
	bool is_of_segment;
} fixes[DROP_COUNT] = {
	[DROP_BAD_SOURCE] = {"the guest is broken or malicious: look at what it sends", NULL},
	[DROP_TAGGED] = {"remove the VLAN in the guest, or: weft port set ",
			 " qinq=on, at both ports, lets tags pass"},
	[DROP_NO_SEGMENT] = {"weft port set ", " segment=SEGMENT"},
	[DROP_SAME_PORT] = {"both addresses are behind port ", ": look at the bridge there"},
	[DROP_NO_RECEIVER] = {"nobody else is in the segment: weft port list shows who is", NULL},
	[DROP_WRONG_SEGMENT] = {"weft port show ", ": it is not in the frame's segment"},
	[DROP_PORT_DOWN] = {"weft port doctor ", " says what to do"},
	[DROP_RING_FULL] = {"the guest behind ", " is too slow, or give its card "
						 "rx_queue_size=1024"},
	[DROP_BAD_CHAIN] = {"restart the guest behind ", ": its driver went wrong"},
	[DROP_BAD_OFFLOAD] = {"the guest behind ", " asks for the impossible: update its driver"},
	[DROP_TAP_FULL] = {"who reads the tap of ", " is too slow"},
	[DROP_TAP_ERROR] = {"weft port doctor ", " says what to do"},
	[DROP_UPLINK_FULL] = {"the interface of ", " is too slow for what is sent"},
	[DROP_UPLINK_ERROR] = {"weft port doctor ", " says what to do"},
	[DROP_ISOLATED] = {"weft port set ", " isolated=off"},
	[DROP_UNKNOWN] = {"weft segment set ",
			  " unknown=flood, or bind it: weft port set PORT macs=MAC", true},
	[DROP_BROADCAST] = {"weft segment set ",
			    " broadcast=flood, or static ARP entries in the guests", true},
	[DROP_MULTICAST] = {"weft segment set ", " multicast=flood", true},
	[DROP_FLOOD_LIMIT] = {"send smaller frames: too much would be copied at once", NULL},
	[DROP_MAC_SPOOF] = {"weft port set ", " mac= to what the guest has, or mac_guard=off for "
					      "bridges and nested guests"},
	[DROP_IP_SPOOF] = {"give the guest its own address, or: weft port set ", " addresses= "
										 "or ip_guard=off"},
	[DROP_ARP_SPOOF] = {"give the guest its own address, or: weft port set ",
			    " addresses= or arp_guard=off"},
	[DROP_ND_SPOOF] = {"give the guest its own address, or: weft port set ",
			   " addresses= or arp_guard=off"},
	[DROP_ROGUE_DHCP] = {"if it is to be a DHCP server: weft port set ", " dhcp_server=on"},
	[DROP_ROGUE_RA] = {"if it is to be a router: weft port set ", " router=on"},
	[DROP_UNREADABLE] = {"weft port set ", " guard=off if its frames are to be trusted"},
	[DROP_STORM_BROADCAST] = {"look for a loop behind it, or: weft port set ",
				  " broadcast_pps=N"},
	[DROP_STORM_MULTICAST] = {"look for a loop behind it, or: weft port set ",
				  " multicast_pps=N"},
	[DROP_STORM_UNKNOWN] = {"is its receiver silent? else: weft port set ", " unknown_pps=N"},
	[DROP_STORM_SEGMENT] = {"look for a loop, or: weft segment set ", " broadcast_pps=N", true},
	[DROP_BLOCKED] = {"weft port set ", " state=active"},
	[DROP_VLAN] = {"weft port set ", " trunk=SEGMENT:VLAN,... with that VLAN, or remove it in "
					 "the guest"},
	[DROP_TOO_BIG] = {"lower the MTU of the sender, or raise the segment's and that of what "
			  "lies under ",
			  ""},
	[DROP_TUNNEL_PEER] = {"weft peer add HOST vtep=ADDRESS: the sender is no peer of this host",
			      NULL},
	[DROP_TUNNEL_VNI] = {"give both hosts the segment, with the same VNI, and the peer in its "
			     "segments=",
			     NULL},
	[DROP_TUNNEL_TARGET] = {"compare vtep= and vxlan_port= of both hosts", NULL},
	[DROP_TUNNEL_CHECKSUM] = {"weft uplink set ", " zero_checksum6=on, if the other host sends "
						      "none"},
	[DROP_TUNNEL_FRAGMENT] = {"raise the MTU of the underlay, or lower the segment's", NULL},
	[DROP_NO_NEXTHOP] = {"weft port doctor ", " says what the way lacks"},
	[DROP_QUEUE_FULL] = {"its channel is too slow for what comes: weft channel list", NULL},
	[DROP_QUEUE_DELAY] = {"its channel is too slow for what comes: weft channel list", NULL},
};

void why_fixes_say(json_t *checks, unsigned int reason, const char *port, const char *segment)
{
	const char *before = reason < DROP_COUNT ? fixes[reason].before : NULL;
	const char *behind = before != NULL ? fixes[reason].behind : NULL;

	if (before == NULL)
		doctor_fix(checks, "weft drops %s says what it means", port);
	else
		doctor_fix(checks, "%s%s%s", before,
			   behind == NULL		 ? ""
			   : fixes[reason].is_of_segment ? segment
							 : port,
			   behind != NULL ? behind : "");
}
