#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# weft with VXLAN that others wrote: the Linux kernel's device and Open vSwitch.
#
#      a1 10.0.1.1           vx 10.0.1.2              m0 10.0.1.3
#       |                     |                        |
#     [= h1 =] weft         [= k2 =] kernel          [= o3 =] OVS, userspace datapath
#      u0 |                  u0 |                     u0 |
#     ====+=====================+========================+=====     underlay, 1500 and 9000 bytes
#
# Unicast, broadcast and TCP in both directions, over IPv4 and IPv6, with outer checksums off and
# on. tshark finds nothing wrong with any frame that weft sent. (What the kernel sends is not on a
# wire yet where it could be captured: it leaves cutting and summing to the other end of its veth.)
#
# WEFT_TRANSFER_MIB: how much goes each way, default 16. WEFT_UNDERLAY_MTUS: default "1500 9000".

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"
# shellcheck source=lib/wire.sh
. "$(dirname "$0")/lib/wire.sh"
# shellcheck source=lib/ovs.sh
. "$(dirname "$0")/lib/ovs.sh"

here=$(dirname "$0")
mib=${WEFT_TRANSFER_MIB:-16}
mtus=${WEFT_UNDERLAY_MTUS:-1500 9000}

# lab PREFIX SEGMENT-MTU CHECKSUM
lab()
{
	cat <<-LAB
		segments: {ALPHA: {vni: 100, mtu: $2}}
		ports:
		  up: {type: uplink, ifname: u0, vtep: '${1}1', checksum: $3}
		  a1: {type: tap, segment: ALPHA, netns: a1, ip: 10.0.1.1/24}
		peers:
		  k2: {vtep: '${1}2'}
		  o3: {vtep: '${1}3'}
	LAB
}

# The kernel's device, anew: kernel_tunnel PREFIX SEGMENT-MTU CHECKSUM
kernel_tunnel()
{
	local checksum=udpcsum
	[ "$3" = on ] || checksum=noudpcsum
	ip -n k2 link del vx 2>/dev/null || true
	ip -n k2 link add vx type vxlan id 100 local "${1}2" dstport 4789 dev u0 "$checksum"
	ns k2 bridge fdb append 00:00:00:00:00:00 dev vx dst "${1}1"
	ip -n k2 link set vx mtu "$2" up
	ip -n k2 addr add 10.0.1.2/24 dev vx
}

underlay_mtu()
{
	local number name
	for name in h1 k2 o3; do
		number=${name#?}
		ip -n core link set "p$number" mtu "$1"
		ip -n "$name" link set u0 mtu "$1"
	done
}

# exchange NAMESPACE DEVICE ADDRESS ROUND: all kinds of traffic between a1 and a machine
exchange()
{
	local in=$1 device=$2 address=$3 round=$4
	ip -n a1 neigh flush dev a1
	ip -n "$in" neigh flush dev "$device"
	wait_for 10 "$in reaches a1" reaches "$in" 10.0.1.1
	wait_for 10 "a1 reaches $in" reaches a1 "$address"
	ns a1 busybox arping -q -c 1 -w 5 -I a1 "$address"
	ns "$in" busybox arping -q -c 1 -w 5 -I "$device" 10.0.1.1
	capture to-peer "$in" "$device" ether proto 0x88b5
	capture to-weft a1 a1 ether proto 0x88b5
	shout a1 a1 "$round-from-weft"
	shout "$in" "$device" "$round-from-peer"
	wait_for 5 "a broadcast of a1 comes to $in" has_heard to-peer "$round-from-weft"
	wait_for 5 "a broadcast of $in comes to a1" has_heard to-weft "$round-from-peer"
	capture_end to-peer
	capture_end to-weft
	transfer "$mib" "$address" "in_ns a1" "in_ns $in"
	transfer "$mib" 10.0.1.1 "in_ns $in" "in_ns a1"
}

# round PREFIX UNDERLAY-MTU CHECKSUM
round()
{
	local prefix=$1 mtu=$2 checksum=$3 fits=$(($2 - 50)) expected=none
	[[ $prefix != *:* ]] || { fits=$((mtu - 70)) expected=full; }
	[ "$checksum" = off ] || expected=full
	step "underlay ${prefix}x of $mtu bytes, segment of $fits, checksum=$checksum"
	underlay_mtu "$mtu"
	lab "$prefix" "$fits" "$checksum" >"$run/lab.yaml"
	on 1 apply -f "$run/lab.yaml"
	kernel_tunnel "$prefix" "$fits" "$checksum"
	ovs_tunnel "${prefix}1" "$mtu" "$fits" "$([ "$checksum" = on ] && echo true || echo false)"
	link_up 1 up k2 o3 a1
	capture sent h1 u0 src host "${prefix}1" or src host "${prefix}3"
	echo "the kernel:"
	exchange k2 vx 10.0.1.2 "$mtu-$expected-kernel"
	echo "OVS:"
	exchange o3 m0 10.0.1.3 "$mtu-$expected-ovs"
	capture_end sent
	gso=$(on 1 stats k2 -o json | jq '.ports[0].rx_gso_frames')
	echo "the kernel's frames: $gso came whole, to be cut by no one"
	[ "$gso" -ge "$mib" ] || fail "only $gso large frames of the kernel"
	dissected sent >"$run/sent.txt"
	for sender in 1 3; do
		[ $sender = 1 ] || expected=any
		python3 "$here/wire.py" well-formed "$prefix$sender" $expected <"$run/sent.txt" ||
			fail "the wire had bad frames of $prefix$sender, or none: $(cat "$run/tshark.err")"
	done
	rm "$run/sent.pcap" "$run/sent.txt"
}

# whisper PORT FLOWS: three datagrams of each from a1, source ports from PORT on
whisper()
{
	ns a1 python3 - "$1" "$2" <<-'PYTHON'
		import socket, sys
		first, flows = int(sys.argv[1]), []
		for port in range(first, first + int(sys.argv[2])):
		    flows.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
		    flows[-1].bind(("10.0.1.1", port))
		for i in range(3):
		    for flow in flows:
		        flow.sendto(b"weft %d" % i, ("10.0.1.2", 9))
	PYTHON
}

sent_frames()
{
	on 1 stats k2 -o json | jq '.ports[0].tx_frames'
}

has_sent()
{
	[ "$(sent_frames)" -ge "$1" ]
}

machine a1
underlay_join 1 h1
underlay_join 2 k2
underlay_join 3 o3
host_start 1
ovs_start o3
ip -n o3 addr add 10.0.1.3/24 dev m0

for mtu in $mtus; do
	round 10.9.0. "$mtu" off
	round fd09:: "$mtu" off
done
round 10.9.0. "${mtus%% *}" on

step "entropy: 1,000 flows"
capture flows h1 u0 -Q out udp dst port 4789
# Few at once: a queue that overflows is no fault here, so each flow has three.
for ((i = 0; i < 20; i++)); do
	before=$(sent_frames)
	whisper $((20000 + i * 50)) 50
	wait_for 10 "two of three have left" has_sent $((before + 100))
done
# What has left may still lie in the kernel's buffer for the capture.
are_spread()
{
	dissected flows | python3 "$here/wire.py" entropy 1000 900
}
holds_within 10 are_spread || true
capture_end flows
are_spread

step "what weft dropped at its uplink"
on 1 drops up
for reason in tunnel-malformed tunnel-checksum tunnel-peer tunnel-vni tunnel-fragment bad-offload; do
	[ "$(lost 1 up $reason)" -eq 0 ] || fail "$reason at the uplink"
done

ovs_stop
hosts_stop
finish
