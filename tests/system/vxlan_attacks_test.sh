#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What no VTEP should take comes to h1, from x9, which also speaks with h2's address.
#
#      a1  b1          a2  b2
#       |   |           |   |
#     [== h1 ==]      [== h2 ==]      weft: h2 is h1's peer for ALPHA (VNI 100) alone
#      u0 |            u0 |         x9: attacker
#     ====+===============+==========+===
#
# Nothing of it comes out at any machine, on either host; each frame is counted by weft by name or
# by a counter of the kernel. Nobody is told that a port is unreachable, not even while weftd is
# killed and started again.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/wire.sh
. "$(dirname "$0")/lib/wire.sh"

attack="$(dirname "$0")/vxlan_attack.py"
frames=20

# lab NUMBER PREFIX
lab()
{
	cat <<-LAB
		segments: {ALPHA: {vni: 100}, BETA: {vni: 200}}
		ports:
		  up: {type: uplink, ifname: u0, vtep: '$2$1'}
		  a$1: {type: tap, segment: ALPHA, netns: a$1, ip: 10.0.1.$1/24}
		  b$1: {type: tap, segment: BETA, netns: b$1, ip: 10.0.2.$1/24}
		peers:
		  h$((3 - $1)): {vtep: '$2$((3 - $1))', segments: [ALPHA]}
	LAB
}

mac_of()
{
	ns "$1" cat "/sys/class/net/$2/address"
}

# A counter of h1's kernel: kernel_counter NAME of nstat
kernel_counter()
{
	ns h1 nstat -asz "$1" | awk -v name="$1" '$1 == name {print $2}'
}

# count_of COUNTER: as vxlan_attack.py names them
count_of()
{
	local v6=''
	[[ $prefix != *:* ]] || v6=6
	case $1 in
	:otherhost) ip -n h1 -s -s -j link show u0 | jq '.[0].stats64.rx.otherhost // 0' ;;
	:no-address) kernel_counter "Ip${v6}InAddrErrors" ;;
	:reassembly) kernel_counter "Ip${v6}ReasmReqds" ;;
	:no-port) kernel_counter "Udp${v6}NoPorts" ;;
	:holder) kernel_counter "Udp${v6}InErrors" ;;
	:payload) on 1 stats h2 -o json | jq '.ports[0].rx_frames' ;;
	*) lost 1 up "$1" ;;
	esac
}

name_of()
{
	local v6=''
	[[ $prefix != *:* ]] || v6=6
	case $1 in
	:otherhost) echo "kernel: otherhost of u0 (ip -s -s link)" ;;
	:no-address) echo "kernel: Ip${v6}InAddrErrors" ;;
	:reassembly) echo "kernel: Ip${v6}ReasmReqds" ;;
	:no-port) echo "kernel: Udp${v6}NoPorts" ;;
	:holder) echo "kernel: Udp${v6}InErrors, the holder of the port takes nothing" ;;
	:payload) echo "weft: rx_frames of the peer, as payload" ;;
	*) echo "weft: $1" ;;
	esac
}

counted()
{
	[ "$(count_of "$1")" -ge "$2" ]
}

launch()
{
	ns x9 python3 "$attack" send "$prefix" u0 "$(mac_of h1 u0)" "$@"
}

# Frames that a capture has of an attack, or of all: marks NAME [ATTACK]
marks()
{
	{ grep -aoF -- "WEFT-ATTACK-${2:-}" "$run/$1.pcap" || true; } | wc -l
}

# came NAME ATTACK COUNT
came()
{
	[ "$(marks "$1" "$2")" -ge "$3" ]
}

# The kernel's words for "nobody has this port", by whomever they are meant for.
hear_unreachable()
{
	capture unreachable h1 u0 -Q out '(icmp and icmp[0] == 3) or (icmp6 and ip6[40] == 1)'
}

unreachable()
{
	tcpdump -n -r "$run/unreachable.pcap" 2>/dev/null | wc -l
}

is_answered()
{
	[ "$(unreachable)" -gt 0 ]
}

# Every attack once, each counted.
all_attacks()
{
	local name counter what before
	while read -r name counter what; do
		before=$(count_of "$counter")
		launch "$name" $frames
		wait_for 5 "$name ($what) is counted as $counter" counted "$counter" $((before + frames))
		printf '%-15s %-45s %s\n' "$name" "$what" "$(name_of "$counter"): +$(($(count_of "$counter") - before))"
	done < <(python3 "$attack" list "$prefix" | grep -v '^other-port ')
}

# What came out of a tunnel is an Ethernet frame of its own; "any" is all that a machine hears.
listen_all()
{
	local name
	for name in a1 b1 a2 b2; do
		capture "$name" "$name" "$name" -Q in ether proto 0x88b5
		capture "$name-any" "$name" "$name" -Q in
	done
	hear_unreachable
}

listen_no_more()
{
	local name
	for name in a1 b1 a2 b2; do
		capture_end $name
		capture_end $name-any
	done
	capture_end unreachable
}

machine a1 b1 a2 b2
underlay_join 1 h1
underlay_join 2 h2
underlay_join 9 x9
host_start 1
host_start 2

for prefix in 10.9.0. fd09::; do
	step "attacks over ${prefix}x, $frames frames each"
	for i in 1 2; do
		lab $i $prefix >"$run/lab$i.yaml"
		on $i apply -f "$run/lab$i.yaml"
	done
	link_up 1 up h2 a1 b1
	link_up 2 up h1 a2 b2
	wait_for 10 "a1 reaches a2" reaches a1 10.0.1.2

	listen_all
	launch honest $frames
	wait_for 5 "a frame of the peer's own is delivered: the listeners hear" came a1 honest $frames
	listen_no_more

	listen_all
	all_attacks
	step "VXLAN with BETA's VNI from a guest in ALPHA to the host's VTEP address"
	before=$(WEFT_RUN_DIR=$run/h1 counter a1 rx_frames)
	refused_before=$(on 1 drops up -o json | jq '[.drops[].frames] | add // 0')
	ns a1 python3 "$attack" guest $prefix a1 "$(mac_of h1 u0)" $frames
	wait_for 5 "they are ALPHA's payload, and go to a2 as they are" came a2-any guest $frames
	echo "weft: rx_frames of a1: +$(($(WEFT_RUN_DIR=$run/h1 counter a1 rx_frames) - before))"
	[ "$(on 1 drops up -o json | jq '[.drops[].frames] | add // 0')" -eq "$refused_before" ] ||
		fail "the host's VTEP has seen them"

	step "the same while weftd is killed and comes back"
	pid=$(host_pid 1 weftd)
	kill -9 "$pid"
	for name in $(python3 "$attack" list $prefix | cut -d ' ' -f 1 | grep -v other-port); do
		launch "$name" 5
	done
	wait_for 20 "weftd of h1 is back" host_connected 1
	[ "$(host_pid 1 weftd)" != "$pid" ] || fail "weftd was not killed"
	all_attacks
	# What is to come has come: this goes the same way.
	launch honest 1
	wait_for 5 "an honest frame behind them" came a1-any honest 1
	wait_for 5 "and at a1's other listener" came a1 honest 1
	listen_no_more
	strangers=$(($(marks a1) - 1 + $(marks a2) + $(marks a2-any nested) + $(marks b1-any) + $(marks b2-any)))
	[ $strangers -eq 0 ] || fail "$strangers frames came where they should not"
	[ "$(unreachable)" -eq 0 ] || fail "the kernel has answered: $(tcpdump -n -r "$run/unreachable.pcap")"
	step "out of a tunnel came 0 frames of the attacks, into BETA 0 of any kind; ICMP unreachable: 0"

	step "another UDP port: the kernel's, which answers as for any port that nobody has"
	hear_unreachable
	before=$(count_of :no-port)
	launch other-port $frames
	wait_for 5 "it is counted" counted :no-port $((before + frames))
	wait_for 5 "that listener hears" is_answered
	capture_end unreachable
	echo "$(name_of :no-port): +$(($(count_of :no-port) - before)), answered $(unreachable) times"
done

hosts_stop
finish
