#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     guest web          guest old                                namespace c1
#     all offloads       none        sums only   offload=off      all offloads
#     10.0.1.1           10.0.1.2    10.0.2.2    10.0.3.2         10.0.1.3  10.0.2.3  10.0.3.3
#        |                  |           |           |                |         |         |
#     ===+====== ALPHA =====+===========|===========|================+         |         |
#                                    ===+== BETA ===|==========================+         |
#                                                ===+== GAMMA ===========================+
#
# Who sends large TCP segments and open checksums reaches who takes none of them: weft cuts and
# sums, and 64 MiB arrive intact. Guest old gets plain packets only: its own TCP is the judge of
# their checksums. What goes the other way needs nothing.

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
weft apply -f - >/dev/null <<-'LAB'
	segments:
	  ALPHA: {vni: 100}
	  BETA:  {vni: 200}
	  GAMMA: {vni: 300}
	ports:
	  web0: {type: vhost-user, vm: web, segment: ALPHA}
	  none: {type: vhost-user, vm: old, segment: ALPHA}
	  sums: {type: vhost-user, vm: old, segment: BETA}
	  off:  {type: vhost-user, vm: old, segment: GAMMA, offload: off}
	  c1a:  {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.3/24}
	  c1b:  {type: tap, segment: BETA, netns: c1, ip: 10.0.2.3/24}
	  c1c:  {type: tap, segment: GAMMA, netns: c1, ip: 10.0.3.3/24}
LAB

# The arguments of guest old: as weft prints them, with cards that can less.
sends_nothing=csum=off,gso=off,host_tso4=off,host_tso6=off,host_ecn=off
takes_no_tso=guest_tso4=off,guest_tso6=off,guest_ecn=off
read -ra arguments < <(weft port qemu-args none sums off "memory=$guest_memory" "accel=$guest_accel")
for i in "${!arguments[@]}"; do
	case ${arguments[i]} in
	virtio-net-pci,*=weft-net-none,*)
		arguments[i]=${arguments[i]/mrg_rxbuf=on/mrg_rxbuf=off},$sends_nothing,guest_csum=off,$takes_no_tso
		;;
	virtio-net-pci,*=weft-net-sums,*)
		arguments[i]+=,$takes_no_tso
		;;
	esac
done

guest_start web 10.0.1.1/24 web0
guest_qemu old "weft.ip=10.0.1.2/24,10.0.2.2/24,10.0.3.2/24" "${arguments[@]}"
guest_wait web old
for port in web0 none sums off c1a c1b c1c; do
	port_up $port
done

# was_cut PORT-OF-SENDER PORT-OF-RECEIVER: large frames came, plain ones left, nothing was lost on the way.
was_cut()
{
	[ "$(counter "$1" rx_gso_frames)" -gt 0 ] || fail "no large frame came from $1"
	[ "$(counter "$2" segments)" -gt 0 ] || fail "nothing was cut for $2"
	[ "$(counter "$2" tx_gso_frames)" -eq 0 ] || fail "a large frame went to $2"
	[ "$(dropped "$2" no-offload)" -eq 0 ] || fail "$2 did not get what it cannot take itself"
}

step "guest to a guest without offloads, and back"
guest_run web "ping -c 3 -W 2 10.0.1.2"
transfer 64 10.0.1.2 "guest_run web" "guest_run old"
was_cut web0 none
transfer 64 10.0.1.1 "guest_run old" "guest_run web"

step "namespace to a guest without offloads, and back"
transfer 64 10.0.1.2 "in_ns c1" "guest_run old"
was_cut c1a none
transfer 64 10.0.1.3 "guest_run old" "in_ns c1"

step "namespace to a card that sums and does not cut"
transfer 64 10.0.2.2 "in_ns c1" "guest_run old"
was_cut c1b sums

step "namespace to a port with offload=off, and back"
transfer 64 10.0.3.2 "in_ns c1" "guest_run old"
was_cut c1c off
transfer 64 10.0.3.3 "guest_run old" "in_ns c1"
for port in none off; do
	[ "$(counter $port rx_gso_frames)" -eq 0 ] || fail "$port was not offered TSO and sent some"
done

step "nothing is cut for who takes all"
for port in web0 c1a c1b c1c; do
	[ "$(counter $port segments)" -eq 0 ] || fail "a frame to $port was cut"
done
weft stats
weft drops
finish
