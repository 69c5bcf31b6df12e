#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1                        namespace c2      namespace c3
#     10.0.1.1                            10.0.1.2          10.0.1.3
#        |                                   |                 |
#        +-- tap c1 --+== ALPHA ==+-- tap c2 +                 +-- tap c3 --+== BETA ==
#
# Two namespaces ping and move 256 MiB by TCP intact. The kernel's large segments (TSO) pass whole:
# up to 64 KiB in one frame, none cut. A third in another segment hears nothing.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"

ns_add c1 c2 c3
daemons_start
weft segment add ALPHA vni=100
weft segment add BETA vni=200
weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.1/24
weft port add c2 type=tap segment=ALPHA netns=c2 ip=10.0.1.2/24
weft port add c3 type=tap segment=BETA netns=c3 ip=10.0.1.3/24
port_up c1
port_up c2
port_up c3

step "ping"
ns c1 busybox ping -c 3 -W 2 10.0.1.2
if ns c1 busybox ping -c 1 -W 1 10.0.1.3; then fail "ALPHA reaches BETA"; fi
[ "$(counter c3 tx_frames)" -eq 0 ] || fail "a frame of ALPHA came out in BETA"

step "256 MiB by TCP, both ways"
ip netns exec c2 tcpdump -Q in -nn -c 1 -i c2 'tcp and greater 60000' >"$run/large" 2>"$run/tcpdump.log" &
capture=$!
wait_for 5 "tcpdump listens" grep -q 'listening on' "$run/tcpdump.log"
transfer 256 10.0.1.2 "in_ns c1" "in_ns c2"
transfer 256 10.0.1.1 "in_ns c2" "in_ns c1"

step "large segments pass whole"
kill "$capture" 2>/dev/null || true
wait "$capture" || true
cat "$run/large"
[ -s "$run/large" ] || fail "no frame above 60000 bytes arrived"
for port in c1 c2; do
	[ "$(counter $port rx_gso_frames)" -gt 0 ] || fail "no TSO frame came from $port"
	[ "$(counter $port tx_gso_frames)" -gt 0 ] || fail "no TSO frame went to $port"
	[ "$(counter $port segments)" -eq 0 ] || fail "a frame to $port was cut"
done
weft stats
weft drops
finish
