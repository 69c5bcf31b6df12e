#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# What changes under the tunnels is followed within a second, and a program of the host that uses
# the same address all the time loses nothing.
#
#       a1                 a2                               a3            machines (tap)
#        |                  |                                |
#     [ h1 ]             [ h2 ]                           [ h3 ]         weft
#      u0 10.9.0.1        u0 10.9.0.2                      u0 10.8.0.3
#     ==+========== core ==+======= r1, r2 ===== far =======+===         r1, r2: routers
#                           10.9.0.101, .102  10.8.0.101, .102
#
# Numbered datagrams, 1,000 a second, run from a1 to a2 and a3 and back, and between the programs at
# 10.9.0.1 and 10.9.0.2. How long each event held them up is read from the numbers that are missing.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"

PPS=1000
LIMIT_MS=1000
apart=
stream=$build/tests/system/weft-stream

# Addresses on both networks, of the IP version that the tunnels have: near NUMBER, far NUMBER
near() { case $version in 4) echo "10.9.0.$1" ;; *) echo "fd09::$1" ;; esac; }
far() { case $version in 4) echo "10.8.0.$1" ;; *) echo "fd08::$1" ;; esac; }
vtep() { if [ "$1" -eq 3 ]; then far 3; else near "$1"; fi; }

lab()
{
	local number=$1 other
	echo "segments: {ALPHA: {vni: 100}}"
	echo "ports:"
	echo "  up: {type: uplink, ifname: u0, vtep: '$(vtep "$number")'}"
	echo "  a$number: {type: tap, segment: ALPHA, netns: a$number, ip: 10.0.1.$number/24}"
	echo "peers:"
	for other in 1 2 3; do
		[ "$other" -eq "$number" ] || echo "  h$other: {vtep: '$(vtep $other)'}"
	done
}

# A router between both networks: router NUMBER NAME
router()
{
	underlay_join "$1" "$2"
	underlay_plug "$1" "$2" u1 1500 far 8
	ns "$2" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# Starts a stream: stream_start NAME FROM TO ADDRESS PORT
streams=()
stream_start()
{
	ip netns exec "$3" "$stream" receive "$5" $PPS arrived >"$run/$1.received" &
	streams+=("$1 $3 $5 $!")
	wait_for 5 "$3 listens" listens "$3" "$5"
	ip netns exec "$2" "$stream" send "$4" "$5" $PPS >"$run/$1.sent" &
	streams[-1]+=" $!"
}
# shellcheck disable=SC2016 # read when it ends
at_exit 'for each in "${streams[@]}"; do read -r _ _ _ receiver sender <<<"$each"; kill $receiver $sender; done'

# Whether a socket is there, and whether one has nothing left: listens NAMESPACE PORT
listens() { ns "$1" ss -Hlun "sport = :$2" | grep -q .; }
is_empty() { [ "$(ns "$1" ss -Hlun "sport = :$2" | awk '{ print $2 }')" -eq 0 ]; }

pass_ms()
{
	local until=$(($(now_us) + $1 * 1000))
	while [ "$(now_us)" -lt $until ]; do pause; done
}

ways=("a1-a2 a1 a2 10.0.1.2 5012" "a2-a1 a2 a1 10.0.1.1 5021" "a1-a3 a1 a3 10.0.1.3 5013"
	"a3-a1 a3 a1 10.0.1.1 5031" "h1-h2 h1 h2 10.9.0.2 6012" "h2-h1 h2 h1 10.9.0.1 6021")
streams_start()
{
	local way
	# shellcheck disable=SC2086 # words
	for way in "${ways[@]}"; do stream_start $way; done
	pass_ms 300
}

streams_stop()
{
	local each way name from address at port receiver sender
	for each in "${streams[@]}"; do
		read -r name at port receiver sender <<<"$each"
		kill "$sender"
		wait "$sender"
	done
	# Each way's last datagram has come, since this comes behind it.
	for way in "${ways[@]}"; do
		read -r name from _ address _ <<<"$way"
		[[ " $apart " = *" $name "* ]] || wait_for 5 "$name goes on" reaches "$from" "$address"
	done
	for each in "${streams[@]}"; do
		read -r name at port receiver sender <<<"$each"
		wait_for 2 "$name is read" is_empty "$at" "$port"
		kill "$receiver"
		wait "$receiver"
	done
	streams=()
}

# What a stream lost, in datagrams, those at its end too: missing NAME
missing()
{
	local sent received
	sent=$(awk '$1 == "sent" { print $2 + $4 }' "$run/$1.sent")
	received=$(awk '$1 == "received" { print $2 }' "$run/$1.received")
	echo $((sent - received))
}

# What happens while the streams run. None of them misses more than LIMIT_MS of numbers; those named
# miss nothing at all, those in $apart are the kernel's business. What a new process has to do for it may
# be too slow on a machine that others use: it is in time in one of $goes: event 'WHAT' 'NAME...' COMMAND...
goes=1
event()
{
	local what=$1 whole=" $2 " name n line late go
	shift 2
	for ((go = 1; go <= goes; go++)); do
		line='' late=''
		streams_start
		"$@"
		pass_ms $((LIMIT_MS + 500))
		streams_stop
		for name in a1-a2 a2-a1 a1-a3 a3-a1 h1-h2 h2-h1; do
			n=$(missing $name)
			line+=" $name $n"
			[[ $whole != *" $name "* ]] || [ "$n" -eq 0 ] || fail "$what: $name lost $n datagrams"
			[[ " $apart " = *" $name "* ]] || [ "$n" -le "$LIMIT_MS" ] || late="$name was held up for $n ms"
		done
		echo "$what: missing of 1,000 a second:$line"
		[ -n "$late" ] || return 0
	done
	fail "$what: $late"
}

# The route of a host to the other network: route_by HOST ROUTER
route_by()
{
	case $1 in
	3) ip -n h3 route replace 10.9.0.0/24 via "10.8.0.$2" &&
		ip -n h3 -6 route replace fd09::/64 via "fd08::$2" ;;
	*) ip -n "h$1" route replace 10.8.0.0/24 via "10.9.0.$2" &&
		ip -n "h$1" -6 route replace fd08::/64 via "fd09::$2" ;;
	esac
}
routes_by() { route_by 1 "$1" && route_by 3 "$1"; }

machine a1 a2 a3
underlay_join 1 h1
underlay_join 2 h2
underlay_join 3 h3 1500 far 8
router 101 r1
router 102 r2
for i in 1 2 3; do
	# Whoever has to keep a tunnel up tells its neighbours of a new MAC; addresses outlive a pause.
	ns h$i sysctl -qw net.ipv4.conf.u0.arp_notify=1 net.ipv6.conf.u0.ndisc_notify=1 \
		net.ipv6.conf.u0.keep_addr_on_down=1
	# A MAC that was seen a moment ago may change, too.
	ns h$i sysctl -qw net.ipv4.neigh.u0.locktime=0
	route_by $i 101
	host_start $i
done

router_mac()
{
	# The kernel announces IPv6 addresses itself, if it is told to.
	[ "${2:-}" != announced ] || ns r1 sysctl -qw net.ipv6.conf.u0.ndisc_notify=1
	ip -n r1 link set u0 address "$1"
	[ "${2:-}" != announced ] || ns r1 busybox arping -q -U -c 1 -I u0 10.9.0.101
}
down_up()
{
	ip -n "h$1" link set u0 down
	wait_for 2 "the uplink of h$1 is seen down" uplink_is_gone "$1"
	ip -n "h$1" link set u0 up
	route_by "$1" 101
}
uplink_is_gone() { ! link_is "$1" up up; }
killed() { for name; do kill -9 "$(host_pid 3 "$name")"; done; }
h3_is_back()
{
	wait_for 20 "weftd of h3 is back" host_connected 3
	link_up 3 up h1
}
sent_by_r2() { ns r2 cat /sys/class/net/u1/statistics/tx_packets; }

for version in 4 6; do
	step "tunnels over IPv$version"
	for i in 1 2 3; do
		lab $i >"$run/lab$i.yaml"
		on $i apply -f "$run/lab$i.yaml"
	done
	link_up 1 up h2 h3
	link_up 2 up h1
	link_up 3 up h1
	for pair in "a1 10.0.1.2" "a1 10.0.1.3" "h1 10.9.0.2"; do
		# shellcheck disable=SC2086 # two words
		wait_for 5 "$pair" reaches $pair
	done
	near="a1-a2 a2-a1 h1-h2 h2-h1" # has nothing to do with h3 and its ways
	before=$(sent_by_r2)
	event "routes by r2" "$near a1-a3 a3-a1" routes_by 102
	[ $(($(sent_by_r2) - before)) -gt 1000 ] || fail "nothing went by r2"
	event "routes by r1 again" "$near a1-a3 a3-a1" routes_by 101
	# Over IPv4 its own questions tell; over IPv6 it asks by its link-local address.
	[ $version -eq 6 ] || event "router's MAC, not announced" "$near" router_mac 02:00:00:00:aa:04
	event "router's MAC, announced" "$near" router_mac 02:00:00:00:ab:0$version announced
	event "h3's MAC" "$near" ip -n h3 link set u0 address 02:00:00:00:ac:0$version
	event "h3's underlay down and up" "$near" down_up 3
	# The program's own neighbour is found by the kernel's ARP, which asks once a second.
	apart="h1-h2 h2-h1" event "h1's underlay down and up" "" down_up 1
	goes=3 event "h3's weft-dataplane killed" "$near" killed weft-dataplane
	h3_is_back
	event "h3's weftd killed" "$near a1-a3 a3-a1" killed weftd
	h3_is_back
	# Both at once: a3's device goes with them and is made anew.
	for _ in 1 2 3; do
		killed weft-dataplane weftd
		started=$(now_us)
		wait_for 10 "a3 is reached again" ns a1 ping -q -c 1 -W 0.05 10.0.1.3
		away_ms=$((($(now_us) - started) / 1000))
		echo "h3's weft killed: reached after $away_ms ms"
		h3_is_back
		[ "$away_ms" -gt 2000 ] || break
	done
	[ "$away_ms" -le 2000 ] || fail "a3 was away for too long"
done

hosts_stop
finish
