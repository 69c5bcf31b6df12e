#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace evil                     namespace victim        namespace beta
#     02:..:66 10.0.0.66 fd00::66              |                       |
#        |                                     |                       |
#        +-- tap evil --+== ALPHA (vlan 10) ==+-- tap victim           +-- tap beta --+== BETA (vlan 20)
#
# A table of attacks by a guest of a guarded segment: what it sent, what the victim's kernel received,
# and the counter of each reason. Then one word lets each of them through. Then storms, held to their
# rate, and a machine inside the guest.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

attack=$top/tests/system/attack.py
evil=(type=tap segment=ALPHA netns=evil mac=02:00:00:00:00:66 "addresses=10.0.0.66,fd00::66")

# Frames that the kernel behind a port got: heard PORT
heard()
{
	ns "$1" cat "/sys/class/net/$1/statistics/rx_packets"
}

# Frames that left evil: read by weft, or lost in the device's queue.
left()
{
	ns evil cat /sys/class/net/evil/statistics/tx_{packets,dropped} | awk '{ n += $1 } END { print n }'
}

left_is()
{
	[ "$(left)" -eq "$1" ]
}

# Runs COMMAND..., which sends N frames out of evil, and sets `sent` to those that weft got and
# `delivered` to those that the victim got: attempt N COMMAND...
attempt()
{
	local n=$1 rx before from
	shift
	rx=$(counter evil rx_frames)
	from=$(left)
	before=$(heard victim)
	"$@"
	wait_for 10 "$n frames left evil" left_is $((from + n))
	sent=$(($(counter evil rx_frames) - rx))
	wait_for 10 "all frames are accounted for" "$build/tests/lib/weft-accounting" "$run"
	delivered=$(($(heard victim) - before))
}

row()
{
	printf '%-50s %6s %9s  %-16s %7s\n' "$@"
}

ns_add evil victim beta
daemons_start
weft segment add ALPHA vni=100 vlan=10 guard=on
weft segment add BETA vni=200 vlan=20
weft port add evil "${evil[@]}"
weft port add victim type=tap segment=ALPHA netns=victim
weft port add beta type=tap segment=BETA netns=beta
for port in evil victim beta; do port_up $port; done

step "an honest guest is heard"
honest=$(python3 -Bc "import sys; sys.path.insert(0, '$top/pcaps'); import attacks; print(len(attacks.HONEST))")
attempt "$honest" ns evil "$attack" send evil honest
[ "$delivered" -eq "$honest" ] || fail "$delivered of $honest honest frames arrived: $(weft drops evil)"

step "attacks, guard=on"
row attack sent delivered reason counted
while read -r name reason option n what; do
	counted=$(dropped evil "$reason")
	attempt "$n" ns evil "$attack" send evil "$name"
	counted=$(($(dropped evil "$reason") - counted))
	row "$what" "$n" "$delivered" "$reason" "$counted"
	[ "$delivered" -eq 0 ] || fail "$name: $delivered frames arrived"
	[ "$counted" -eq "$n" ] || fail "$name: $counted of $n counted as $reason: $(weft drops evil)"
done < <("$attack" list)

attempt 7 ns evil "$attack" hop evil 20
row "hops into another VLAN" 7 $((delivered + $(heard beta))) tagged "$(dropped evil tagged)"
[ $((delivered + $(heard beta))) -eq 0 ] || fail "a tag led somewhere"
[ "$(dropped evil tagged)" -eq 7 ] || fail "not all counted as tagged: $(weft drops evil)"

step "one word lets it through"
row attack sent delivered word ""
while read -r name reason option n what; do
	case $option in router | dhcp_server) value=on ;; *) value=off ;; esac
	weft port set evil "$option=$value" >/dev/null
	attempt "$n" ns evil "$attack" send evil "$name"
	row "$what" "$n" "$delivered" "$option=$value" ""
	[ "$delivered" -eq "$n" ] || fail "$option=$value: $delivered of $n arrived: $(weft drops evil)"
	weft port set evil "$option=" >/dev/null
done < <("$attack" list)

step "a machine inside the guest: mac_guard=off"
weft port set evil mac_guard=off >/dev/null
ns evil ip link add link evil name inner address 02:00:00:00:00:77 type macvlan mode bridge
ns evil ip link set inner up
attempt 1 ns evil "$attack" storm inner broadcast 1
[ "$delivered" -eq 1 ] || fail "the port's own address no longer passes"
ns evil ip addr add 10.0.0.66/24 dev inner
ns victim ip addr add 10.0.0.2/24 dev victim
ns evil busybox ping -c 2 -W 2 10.0.0.2
learned() { weft fdb list segment=ALPHA | grep -q 02:00:00:00:00:77; }
wait_for 5 "the inner machine is learned" learned
ns evil ip link del inner
ns victim ip addr flush dev victim
weft port set evil mac_guard= >/dev/null

# Sends N frames of a kind and expects no more than the limit: storm KIND PPS REASON N
storm()
{
	local kind=$1 pps=$2 reason=$3 n=$4 counted ms limit
	counted=$(dropped evil "$reason")
	local begin
	begin=$(now_us)
	attempt "$n" ns evil "$attack" storm evil "$kind" "$n"
	# The sender's time, and that of what was still on its way when it ended.
	ms=$((($(now_us) - begin) / 1000))
	limit=$((pps * ms / 1000 + (pps / 10 > 64 ? pps / 10 : 64)))
	counted=$(($(dropped evil "$reason") - counted))
	row "$kind storm, at most $pps a second" "$sent" "$delivered" "$reason" "$counted"
	[ "$delivered" -le "$limit" ] || fail "$delivered frames arrived in $ms ms, $limit were allowed"
	[ "$delivered" -ge 64 ] || fail "only $delivered frames arrived: a limit is no wall"
	[ $((delivered + counted)) -eq "$sent" ] || fail "$sent sent, $delivered arrived, $counted counted"
}

step "storms: a port's rates, then the segment's"
row storm sent delivered reason counted
weft port set evil broadcast_pps=500 multicast_pps=500 unknown_pps=500 >/dev/null
for kind in broadcast multicast unknown; do
	storm $kind 500 storm-$kind 20000
done
weft port set evil broadcast_pps=0 >/dev/null
weft segment set ALPHA broadcast_pps=500 >/dev/null
storm broadcast 500 storm-segment 20000

step "limits are on by default"
weft segment set ALPHA broadcast_pps= >/dev/null
weft port set evil broadcast_pps= multicast_pps= unknown_pps= >/dev/null
storm broadcast 10000 storm-broadcast 60000
[ "$(heard beta)" -eq 0 ] || fail "BETA heard something"
weft drops
finish
