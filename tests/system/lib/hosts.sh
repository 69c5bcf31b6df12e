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

# A machine on the underlay, weft or not: underlay_join NUMBER NAMESPACE [MTU]
underlay_join()
{
	local number=$1 name=$2 mtu=${3:-1500}
	ip netns list | grep -q '^core\b' || {
		ip netns add core
		ip -n core link add core type bridge mcast_snooping 0
		ip -n core link set core mtu 9216 up
		# A switch looks into no packet; where br_netfilter is loaded this one would.
		ip netns exec core sh -c 'for call in /proc/sys/net/bridge/bridge-nf-call-*; do
			[ ! -e "$call" ] || echo 0 >"$call"; done'
	}
	ip netns add "$name"
	ip -n "$name" link set lo up
	ip link add u0 mtu "$mtu" netns "$name" type veth peer name "p$number" mtu "$mtu" netns core
	ip -n core link set "p$number" master core up
	ip -n "$name" addr add "10.9.0.$number/24" dev u0
	ip -n "$name" addr add "fd09::$number/64" dev u0 nodad
	ip -n "$name" link set u0 up
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
