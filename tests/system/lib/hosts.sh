# shellcheck shell=bash disable=SC2154 # top, build, run: set by lib/common.sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Several weft hosts on one machine, each in a namespace of its own, on one underlay. Needs
# lib/common.sh.
#
#      h1            h2            h3
#      u0 10.9.0.1   u0 10.9.0.2   u0 10.9.0.3      (and fd09::1 ...)
#       |             |             |
#       p1            p2            p3
#     ==+=============+=============+==  bridge in the namespace core

hosts=()

# A bridge that stands for a switch of the underlay, once: underlay_switch NAME
underlay_switch()
{
	ip netns list | grep -q "^$1\b" || {
		ip netns add "$1"
		ip -n "$1" link add "$1" type bridge mcast_snooping 0
		ip -n "$1" link set "$1" mtu 9216 up
		# A switch looks into no packet; where br_netfilter is loaded this one would.
		ip netns exec "$1" sh -c 'for call in /proc/sys/net/bridge/bridge-nf-call-*; do
			[ ! -e "$call" ] || echo 0 >"$call"; done'
	}
}

# A machine's interface on a switch: underlay_plug NUMBER NAMESPACE IFNAME [MTU [SWITCH NETWORK]]
underlay_plug()
{
	local number=$1 name=$2 ifname=$3 mtu=${4:-1500} switch=${5:-core} network=${6:-9}
	underlay_switch "$switch"
	ip link add "$ifname" mtu "$mtu" netns "$name" type veth \
		peer name "p$number" mtu "$mtu" netns "$switch"
	ip -n "$switch" link set "p$number" master "$switch" up
	ip -n "$name" addr add "10.$network.0.$number/24" dev "$ifname"
	ip -n "$name" addr add "fd0$network::$number/64" dev "$ifname" nodad
	ip -n "$name" link set "$ifname" up
}

# A machine on the underlay, weft or not: underlay_join NUMBER NAMESPACE [MTU [SWITCH NETWORK]]
underlay_join()
{
	local number=$1 name=$2
	shift 2
	ip netns add "$name"
	ip -n "$name" link set lo up
	underlay_plug "$number" "$name" u0 "$@"
}

# weft on a host: on NUMBER WORD...
on()
{
	local number=$1
	shift
	"$build/cli/weft" --run-dir "$run/h$number" "$@"
}

host_connected()
{
	[ "$(on "$1" status -o json | jq -r .dataplane.connected)" = true ]
}

# host_start NUMBER [OPTION of weft-dataplane]...: its namespace is hNUMBER and is there
host_start()
{
	local number=$1
	shift
	ip netns exec "h$number" "$top/scripts/weft-supervise" "$build" "$run/h$number" \
		"$run/state$number" --no-huge "$@" >>"$run/h$number.log" 2>&1 &
	hosts+=("$number:$!")
	wait_for 20 "weftd of h$number answers and has its dataplane" host_connected "$number"
}

# The process id of weftd or weft-dataplane of a host: host_pid NUMBER NAME
host_pid()
{
	cat "$run/h$1/$2.pid"
}

link_is()
{
	[ "$(on "$1" port show "$2" -o json | jq -r .status.link)" = "$3" ]
}

# link_up NUMBER PORT...
link_up()
{
	local number=$1 port
	shift
	for port; do
		wait_for 15 "port $port of h$number is up" link_is "$number" "$port" up
	done
}

# Frames dropped at a port of a host for a reason: lost NUMBER PORT REASON
lost()
{
	on "$1" drops "$2" -o json |
		jq --arg reason "$3" '[.drops[] | select(.reason == $reason) | .frames] | add // 0'
}

# A machine behind a tap, silent by itself: machine NAME...
machine()
{
	ns_add "$@"
	local name
	for name; do
		ns "$name" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/all/disable_ipv6
			echo 0 >/proc/sys/net/ipv6/conf/default/disable_ipv6
			echo 0 >/proc/sys/net/ipv6/conf/default/router_solicitations'
	done
}

# Whether FROM reaches ADDRESS now: reaches NAMESPACE ADDRESS
reaches()
{
	ns "$1" ping -q -c 1 -W 1 "$2"
}

# The accounts of all hosts, and their end.
hosts_stop()
{
	local host
	for host in "${hosts[@]}"; do
		"$build/tests/lib/weft-accounting" "$run/h${host%%:*}"
	done
	for host in "${hosts[@]}"; do
		kill "${host##*:}"
		wait "${host##*:}" || true
		rm -rf "$run/h${host%%:*}" "$run/state${host%%:*}"
	done
	hosts=()
}
at_exit 'for host in "${hosts[@]}"; do kill "${host##*:}"; wait "${host##*:}"; done'
