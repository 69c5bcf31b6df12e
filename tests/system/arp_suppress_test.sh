#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Two hosts, ALPHA with arp_suppress. Who asks for a machine of the other host gets the answer from
# its own host, and the underlay carries no question.
#
#      a1  c1              a2          machines (tap); 10.0.1.N, fd01::N
#       |   |               |
#     [== h1 ==]         [= h2 =]      weft
#       u0 |              u0 |
#     =====+=================+=====    underlay
#
# usage: arp_suppress_test.sh

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/wire.sh
. "$(dirname "$0")/lib/wire.sh"

age_s=10

# The lab of host $1; the other one is $2.
lab()
{
	echo "segments: {ALPHA: {vni: 100, arp_suppress: on, age: ${age_s}s}}"
	echo "ports:"
	echo "  up: {type: uplink, ifname: u0, vtep: 10.9.0.$1}"
	echo "  a$1: {type: tap, segment: ALPHA, netns: a$1, ip: 10.0.1.$1/24}"
	[ "$1" -ne 1 ] || echo "  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.9/24}"
	echo "peers:"
	echo "  h$2: {vtep: 10.9.0.$2, segments: [ALPHA]}"
}

# Questions of a1 and c1 for 10.0.1.2 and fd01::2, to everybody, that the capture has. (A kernel that
# makes sure of a neighbour asks that one alone.) Quick: a2 is forgotten after some seconds.
carried()
{
	python3 - "$run/u0.pcap" <<-'PYTHON'
		import socket, struct, sys
		data, at, n = open(sys.argv[1], "rb").read(), 24, 0
		while len(data) >= at + 16:
		    length, = struct.unpack_from("<I", data, at + 8)
		    # Behind Ethernet, IPv4, UDP, VXLAN; what the capture has not all of has no such words.
		    inner = data[at + 16 + 14 + 20 + 8 + 8:at + 16 + length]
		    at += 16 + length
		    arp = inner[12:14] == b"\x08\x06" and inner[20:22] == b"\x00\x01" \
		        and inner[38:42] == socket.inet_aton("10.0.1.2")
		    nd = inner[12:14] == b"\x86\xdd" and inner[20] == 58 and inner[54] == 135 \
		        and inner[62:78] == socket.inet_pton(socket.AF_INET6, "fd01::2")
		    n += (arp or nd) and inner[0] & 1
		print(n)
	PYTHON
}

# Sets all_carried to the questions of FROM and of those before that the underlay has carried; the
# capture may be late: carried_so_far FROM
n_marks=0
carried_so_far()
{
	n_marks=$((n_marks + 1))
	shout "$1" "$1" "mark-$n_marks-"
	wait_for 5 "the capture has what was carried before" has_heard u0 "mark-$n_marks-"
	all_carried=$(carried)
}

answered()
{
	lost 1 "$1" answered
}

mac_of()
{
	ns "$1" cat "/sys/class/net/$1/address"
}

# The MAC that a machine has noted for an address: noted NAME ADDRESS
noted()
{
	ip -n "$1" neigh show "$2" | sed -n 's/.*lladdr \([^ ]*\).*/\1/p'
}

# Has FROM forget whom it knows and reach ADDRESS again: renew FROM ADDRESS
renew()
{
	ip -n "$1" neigh flush all
	wait_for 5 "$1 reaches $2" reaches "$1" "$2"
}

# Has FROM ask until it was counted: who is asked itself just then (some seconds after traffic a
# kernel makes sure of its neighbours) learns the answer from the question.
is_answered()
{
	renew "$from" "$address"
	[ "$(answered "$from")" -gt "$before" ]
}

# Has FROM ask again and expects that its host answered with MAC: expect_answer FROM ADDRESS MAC
expect_answer()
{
	local from=$1 address=$2 mac=$3 before on_wire
	# Whoever it asks for has spoken just now.
	renew "$from" "$address"
	before=$(answered "$from")
	carried_so_far "$from"
	on_wire=$all_carried
	wait_for 15 "h1 answers $from for $address" is_answered
	[ "$(noted "$from" "$address")" = "$mac" ] ||
		fail "$from noted $(noted "$from" "$address") for $address, not $mac"
	carried_so_far "$from"
	[ "$all_carried" -eq "$on_wire" ] || fail "the underlay carried a question of $from for $address"
	echo "$from: $address is at $mac, $(($(answered "$from") - before)) answered, none carried"
}

machine a1 a2 c1
for i in 1 2; do underlay_join $i h$i; done
for i in 1 2; do host_start $i; done
for i in 1 2; do
	lab $i $((3 - i)) >"$run/lab$i.yaml"
	on $i apply -f "$run/lab$i.yaml"
done
link_up 1 up h2 a1 c1
link_up 2 up h1 a2
for name in a1 a2; do ip -n $name addr add fd01::${name#a}/64 dev $name nodad; done
ip -n c1 addr add fd01::9/64 dev c1 nodad
capture u0 h1 u0 -Q out udp port 4789

step "nobody knows a2: all are asked"
renew a1 10.0.1.2
renew a1 fd01::2
asked() { [ "$(carried)" -ge 2 ]; }
wait_for 5 "the underlay has carried both questions" asked

step "a2 has been heard: its host's neighbour answers"
for from in a1 c1; do
	expect_answer $from 10.0.1.2 "$(mac_of a2)"
	expect_answer $from fd01::2 "$(mac_of a2)"
done

step "a2 has another MAC and says so"
ip -n a2 link set a2 down
ip -n a2 link set a2 address 02:00:00:00:0a:99
ip -n a2 link set a2 up
ip -n a2 addr replace fd01::2/64 dev a2 nodad
ns a2 busybox arping -q -U -c 1 -I a2 10.0.1.2
known() { on 1 where 10.0.1.2 -o json | jq -e '.places[] | select(.mac == "02:00:00:00:0a:99")'; }
wait_for 5 "h1 knows a2's new MAC" known
expect_answer c1 10.0.1.2 02:00:00:00:0a:99

step "off: all are asked again"
on 1 segment set ALPHA arp_suppress=off
carried_so_far c1
before=$all_carried
renew c1 10.0.1.2
carried_so_far c1
[ "$all_carried" -gt "$before" ] || fail "h1 did not ask for 10.0.1.2"
on 1 segment set ALPHA arp_suppress=on
expect_answer c1 10.0.1.2 02:00:00:00:0a:99

step "a2 is gone: after $age_s s of silence it is asked for"
ip -n a2 link set a2 down
# A question every second; those that h1 answers itself are followed by silence.
before=$(carried)
asked_again()
{
	ip -n c1 neigh flush all
	reaches c1 10.0.1.2 || true
	[ "$(carried)" -gt "$before" ]
}
wait_for $((age_s + 10)) "the underlay carries the question again" asked_again

capture_end u0
hosts_stop
finish
