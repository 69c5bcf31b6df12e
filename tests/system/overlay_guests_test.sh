#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Guests on three hosts. ALPHA and BETA are on all, GAMMA is on h1 and h2 only.
#
#      guest v1  b1  g1     guest v2  b2  g2     guest v3           b: tap; g1 guest, g2 tap
#       a1 g1    |           a2       |   |       a3  b3            a: vhost-user
#        |  |    |            |       |   |        |   |
#     [====== h1 ======]   [======= h2 =======]  [== h3 ==]         weft
#            u0 |                 u0 |              u0 |
#     ==========+====================+=================+====        underlay, MTU 1500
#
# Every machine tries every other on every segment. TCP between guests on two hosts arrives intact;
# its large frames (TSO) are cut for the tunnel.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

driver=${1:-af_packet}
mib=16
command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel
step "accel=$guest_accel, $driver"

# Every card: port, machine, segment, host, device in the machine, address.
cards="
	a1 v1 ALPHA 1 eth0 10.0.1.1
	a2 v2 ALPHA 2 eth0 10.0.1.2
	a3 v3 ALPHA 3 eth0 10.0.1.3
	b1 b1 BETA  1 b1   10.0.2.1
	b2 b2 BETA  2 b2   10.0.2.2
	b3 v3 BETA  3 eth1 10.0.2.3
	g1 v1 GAMMA 1 eth1 10.0.3.1
	g2 g2 GAMMA 2 g2   10.0.3.2
"

lab()
{
	local number=$1 other segments
	echo "segments: {ALPHA: {vni: 100}, BETA: {vni: 200}, GAMMA: {vni: 300}}"
	echo "peers:"
	for other in 1 2 3; do
		[ "$other" -ne "$number" ] || continue
		segments="ALPHA, BETA"
		[ $((number + other)) -ne 3 ] || segments+=", GAMMA"
		echo "  h$other: {vtep: 10.9.0.$other, segments: [$segments]}"
	done
	echo "ports:"
	echo "  up: {type: uplink, ifname: u0, vtep: 10.9.0.$number, driver: $driver}"
	awk -v host="$number" '
		$4 == host && $5 ~ /^eth/ { printf "  %s: {type: vhost-user, segment: %s}\n", $1, $3 }
		$4 == host && $5 !~ /^eth/ { printf "  %s: {type: tap, segment: %s, netns: %s, ip: %s/24}\n",
			$1, $3, $2, $6 }' <<<"$cards"
}

# Runs a shell line in a machine.
in_machine()
{
	case $1 in
	v*) guest_run "$1" "$2" ;;
	*) in_ns "$1" "$2" ;;
	esac
}

# Asks for ADDRESS... by ARP on one card, all at the same time; prints those that answer.
answers()
{
	local port=$1 machine device
	shift
	read -r machine device < <(awk -v port="$port" '$1 == port { print $2, $5 }' <<<"$cards")
	in_machine "$machine" "for to in $*; do (busybox arping -q -f -c 1 -w 1 -I $device \$to && \
echo \$to) & done; wait" </dev/null
}

all_answer()
{
	[ "$(answers "$@" | wc -l)" -eq $(($# - 1)) ]
}

# The same broadcast on every wire: its own segment answers, no other does.
matrix()
{
	local port machine segment seen n=0
	local -a own others
	while read -r port machine segment; do
		mapfile -t own < <(awk -v m="$machine" -v s="$segment" 'NF && $2 != m && $3 == s { print $6 }' <<<"$cards")
		mapfile -t others < <(awk -v m="$machine" -v s="$segment" 'NF && $2 != m && $3 != s { print $6 }' <<<"$cards")
		wait_for 10 "$port reaches ${own[*]}" all_answer "$port" "${own[@]}"
		seen=$(answers "$port" "${others[@]}")
		[ -z "$seen" ] || fail "$port of $segment reached $seen"
		n=$((n + ${#own[@]} + ${#others[@]}))
	done < <(awk 'NF { print $1, $2, $3 }' <<<"$cards")
	[ "$n" -eq 52 ] || fail "$n pairs were tried, not 52"
	step "$n pairs as expected"
}

# One counter of a port of a host: count_of NUMBER PORT rx_frames
count_of()
{
	on "$1" stats "$2" -o json | jq ".ports[0].$3"
}

machine b1 b2 g2
for i in 1 2 3; do underlay_join $i h$i; done
for i in 1 2 3; do host_start $i; done
for i in 1 2 3; do
	lab $i >"$run/lab$i.yaml"
	on $i apply -f "$run/lab$i.yaml" >/dev/null
done
guest_weft=$run/h1 guest_start v1 10.0.1.1/24,10.0.3.1/24 a1 g1
guest_weft=$run/h2 guest_start v2 10.0.1.2/24 a2
guest_weft=$run/h3 guest_start v3 10.0.1.3/24,10.0.2.3/24 a3 b3
guest_wait v1 v2 v3
link_up 1 up h2 h3 a1 b1 g1
link_up 2 up h1 h3 a2 b2 g2
link_up 3 up h1 h2 a3 b3
[ "$(guest_run v1 "cat /sys/class/net/eth0/mtu")" -eq 1450 ] || fail "guest v1 was not told the MTU"

step "every machine to every other, on every segment"
matrix

# transfer_across FROM-HOST TO-HOST: between their guests, in ALPHA
transfer_across()
{
	local from=$1 to=$2 whole cut sent
	whole=$(count_of "$from" "a$from" rx_gso_frames)
	cut=$(count_of "$from" "h$to" segments)
	sent=$(count_of "$from" up carried_tx_bytes)
	transfer $mib "10.0.1.$to" "guest_run v$from" "guest_run v$to"
	whole=$(($(count_of "$from" "a$from" rx_gso_frames) - whole))
	cut=$(($(count_of "$from" "h$to" segments) - cut))
	sent=$(($(count_of "$from" up carried_tx_bytes) - sent))
	[ "$whole" -gt 0 ] || fail "guest v$from sent no large frame"
	[ "$cut" -gt "$whole" ] || fail "$whole large frames, but only $cut pieces for the tunnel"
	[ "$sent" -gt $((mib * 1048576)) ] || fail "the uplink of h$from carried only $sent bytes"
	[ "$(count_of "$from" "h$to" tx_gso_frames)" -eq 0 ] || fail "a large frame went into a tunnel"
	echo "$whole large frames of v$from, cut into $((whole + cut)); $sent bytes on the wire"
}

step "$mib MiB by TCP between guests of two hosts, each way"
transfer_across 1 2
transfer_across 2 1
step "$mib MiB by TCP from a guest to a namespace on another host"
transfer $mib 10.0.2.1 "guest_run v3" "in_ns b1"

step "weft stats shows what went over the wire, and at h3 nothing of GAMMA came"
on 1 stats | awk -v frames="$(count_of 1 up carried_tx_frames)" \
	'$1 == "up" { exit !(frames > 0 && $6 >= frames) }' || fail "$(on 1 stats)"
[ "$(lost 3 up tunnel-vni)" -eq 0 ] || fail "h3 was sent a segment that it does not have"
on 1 where 10.0.1.3 | grep -q 'ALPHA *h3 .* h3 ' || fail "where: $(on 1 where 10.0.1.3)"

guests_stop
hosts_stop
finish
