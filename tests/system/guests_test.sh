#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     guest web           guest db            namespace c1
#     10.0.1.1            10.0.1.2            10.0.1.3
#        |                   |                   |
#        +-- vhost-user web0 +-- vhost-user db0  +-- tap c1
#        |                   |                   |
#     ===+======= ALPHA =====+===================+===
#
# Two QEMU guests ping and move 256 MiB by TCP intact; a guest and a namespace do the same, both
# ways. The large segments (TSO) of guests and namespace are counted and pass whole.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel
step "accel=$guest_accel"

ns_add c1
daemons_start
weft segment add ALPHA vni=100
weft port add web0 type=vhost-user segment=ALPHA vm=web
weft port add db0 type=vhost-user segment=ALPHA vm=db
weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.3/24
guest_start web 10.0.1.1/24 web0
guest_start db 10.0.1.2/24 db0
guest_wait web db
port_up web0
port_up db0
port_up c1

step "guest to guest"
guest_run web "ping -c 3 -W 2 10.0.1.2"
transfer 256 10.0.1.2 "guest_run web" "guest_run db"
[ "$(counter web0 rx_gso_frames)" -gt 0 ] || fail "no TSO frame came from guest web"
[ "$(counter db0 tx_gso_frames)" -gt 0 ] || fail "no TSO frame went to guest db"

step "guest to namespace, and back"
guest_run web "ping -c 3 -W 2 10.0.1.3"
transfer 256 10.0.1.3 "guest_run web" "in_ns c1"
[ "$(counter c1 tx_gso_frames)" -gt 0 ] || fail "no TSO frame went to the namespace"
transfer 256 10.0.1.1 "in_ns c1" "guest_run web"
[ "$(counter c1 rx_gso_frames)" -gt 0 ] || fail "no TSO frame came from the namespace"

for port in web0 db0 c1; do
	[ "$(counter $port segments)" -eq 0 ] || fail "a frame to $port was cut"
done
weft fdb list
weft stats
weft drops
finish
