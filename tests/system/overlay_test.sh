#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Three hosts. ALPHA and BETA are on all, GAMMA is on h1 and h2 only.
#
#      a1  b1  g1          a2  b2  g2            a3  b3          machines (tap)
#       |   |   |           |   |   |             |   |
#     [==== h1 ====]      [==== h2 ====]        [== h3 ==]       weft
#       u0 |                u0 |                  u0 |
#     =====+===================+=====================+=====      underlay, IPv4 and IPv6
#
# Every machine tries every other; what GAMMA says never comes to h3. A machine that moves to
# another host is followed at once; a host that lost its weftd goes on.
#
# usage: overlay_test.sh [DRIVER]     of the uplinks, default af_packet

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/wire.sh
. "$(dirname "$0")/lib/wire.sh"

driver=${1:-af_packet}

# The lab of host $1 with tunnels over IPv4 or IPv6: lab NUMBER PREFIX
lab()
{
	local number=$1 prefix=$2 other segments
	echo "segments: {ALPHA: {vni: 100}, BETA: {vni: 200}, GAMMA: {vni: 300}}"
	echo "ports:"
	echo "  up: {type: uplink, ifname: u0, vtep: '$prefix$number', driver: $driver}"
	echo "  a$number: {type: tap, segment: ALPHA, netns: a$number, ip: 10.0.1.$number/24}"
	echo "  b$number: {type: tap, segment: BETA, netns: b$number, ip: 10.0.2.$number/24}"
	[ "$number" -eq 3 ] ||
		echo "  g$number: {type: tap, segment: GAMMA, netns: g$number, ip: 10.0.3.$number/24}"
	echo "peers:"
	for other in 1 2 3; do
		[ "$other" -ne "$number" ] || continue
		segments="ALPHA, BETA"
		[ "$number$other" != 12 ] && [ "$number$other" != 21 ] || segments+=", GAMMA"
		echo "  h$other: {vtep: '$prefix$other', segments: [$segments]}"
	done
}

# The whole matrix: same segment yes, other segment no. Who is in the wrong one is asked for by a
# broadcast, as if it were a neighbour; those questions wait for their answers side by side.
matrix()
{
	local from to n=0
	rm -f "$run"/foreign.*
	for from in a1 a2 a3 b1 b2 b3 g1 g2; do
		for to in a1 a2 a3 b1 b2 b3 g1 g2; do
			[ "$from" != "$to" ] || continue
			n=$((n + 1))
			if [ "${from%?}" = "${to%?}" ]; then
				wait_for 10 "$from reaches $to" reaches "$from" "$(address "$to")"
			else
				ask_foreign "$from" "$to" &
				asked+=($!)
			fi
		done
	done
	wait "${asked[@]}"
	asked=()
	! ls "$run"/foreign.* 2>/dev/null || fail "a machine answered that is in another segment"
	step "$n pairs as expected"
}

address()
{
	case $1 in a*) echo "10.0.1.${1#?}" ;; b*) echo "10.0.2.${1#?}" ;; g*) echo "10.0.3.${1#?}" ;; esac
}

asked=()
ask_foreign()
{
	! ns "$1" busybox arping -q -c 1 -w 1 -I "$1" "$(address "$2")" 2>/dev/null ||
		touch "$run/foreign.$1.$2"
}

machine a1 a2 a3 b1 b2 b3 g1 g2
for i in 1 2 3; do underlay_join $i h$i; done
for i in 1 2 3; do host_start $i; done

for prefix in 10.9.0. fd09::; do
	step "tunnels over $prefix, $driver"
	for i in 1 2 3; do
		lab $i $prefix >"$run/lab$i.yaml"
		on $i apply -f "$run/lab$i.yaml"
	done
	# What comes to h3 by the underlay, to be looked through for GAMMA's VNI (300 = 0x12c).
	capture h3 core p3 -Q out udp port 4789
	link_up 1 up h2 h3 a1
	link_up 2 up h1 h3
	link_up 3 up h1 h2
	matrix
	# Behind all that they have sent.
	shout a1 a1 of-ALPHA
	shout b2 b2 of-BETA
	wait_for 5 "the capture has what went to h3" has_heard h3 of-ALPHA
	wait_for 5 "the capture has what went to h3" has_heard h3 of-BETA
	capture_end h3
	/usr/bin/python3 - "$run/h3.pcap" <<-'PYTHON'
		import sys
		from scapy.all import rdpcap, UDP
		vnis = [int.from_bytes(bytes(p[UDP].payload)[4:7], "big") for p in rdpcap(sys.argv[1]) if UDP in p]
		print("at h3:", {vni: vnis.count(vni) for vni in sorted(set(vnis))})
		sys.exit(not {100, 200} <= set(vnis) or 300 in vnis)
	PYTHON
	for i in 1 2 3; do
		refused_at=$(lost $i up tunnel-vni)
		[ "$refused_at" -eq 0 ] || fail "h$i refused $refused_at frames of a VNI it does not have"
	done
done

step "an MTU that fits: 1500 - 70 over IPv6"
fits()
{
	[ "$(on 1 segment show ALPHA -o json | jq .status.mtu)" -eq 1430 ] &&
		[ "$(ns a1 cat /sys/class/net/a1/mtu)" -eq 1430 ]
}
wait_for 5 "segment and tap have it" fits
reaches_whole() { ns a1 ping -q -c 1 -W 2 -M "do" -s $((1430 - 28)) 10.0.1.3; }
wait_for 5 "a full packet passes" reaches_whole

step "weftd is killed on all hosts: nothing is lost meanwhile"
ns a1 busybox ping -q -i 0.01 -c 300 10.0.1.3 >"$run/ping.out" &
ping=$!
for i in 1 2 3; do kill -9 "$(host_pid $i weftd)"; done
wait $ping || true
grep -q ' 0% packet loss' "$run/ping.out" || fail "pings were lost: $(cat "$run/ping.out")"
for i in 1 2 3; do
	wait_for 20 "weftd of h$i is back" host_connected $i
	on $i diff -f "$run/lab$i.yaml" || fail "h$i differs"
done

step "where is a3? asked on h1"
is_found()
{
	on 1 where 10.0.1.3 | grep -q 'ALPHA *h3 .* h3 .*10.0.1.3'
}
wait_for 5 "it is behind h3" is_found
on 1 where 10.0.1.3

step "a3 moves to h2 and says so once"
on 3 port del a3
# Its address is derived from its name, so it is the same there.
on 2 port add a3 type=tap segment=ALPHA netns=a3 ip=10.0.1.3/24
link_up 2 a3
ns a3 busybox arping -q -U -c 1 -I a3 10.0.1.3
moved() { on 1 where 10.0.1.3 -o json | jq -e '.places[] | select(.port == "h2")'; }
wait_for 2 "h1 knows that a3 is behind h2 now" moved
wait_for 2 "a1 reaches a3 there" reaches a1 10.0.1.3

hosts_stop
finish
