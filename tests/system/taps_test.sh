#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace a: tap a0         namespace b: tap b0, b1        tap f0, made by ip tuntap
#     10.0.1.1                    10.0.1.2                       10.0.1.4
#        |                           |                              |
#     ===+============== ALPHA ======+==============================+===
#
# What a user may do to taps: rename, swap, attach, persist, change by hand, delete the namespace.
# After each the port is as asked for, or says what is wrong.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

ns_add a b
daemons_start
lab()
{
	cat <<-LAB
		segments:
		  ALPHA: {vni: 100}
		ports:
		  a0: {type: tap, segment: ALPHA, netns: a, ip: 10.0.1.1/24, mtu: 1400}
		  b0: {type: tap, segment: ALPHA, netns: b, ifname: $1, ip: 10.0.1.2/24, persist: on}
		  b1: {type: tap, segment: ALPHA, netns: b, ifname: $2}
	LAB
}
lab b0 b1 | weft apply -f -

index_of()
{
	ns b cat "/sys/class/net/$1/ifindex"
}

reaches()
{
	ns a busybox ping -c 1 -W 1 "$1"
}

reason_says()
{
	weft port show "$1" -o json | jq -r .status.reason | grep -qF -- "$2"
}

wait_for 5 "a reaches b" reaches 10.0.1.2
[ "$(ns a cat /sys/class/net/a0/mtu)" -eq 1400 ] || fail "the mtu is not as asked for"
refused 4 "its mtu is larger than its segment's" weft port set a0 mtu=1501

step "two taps swap their names in one apply, devices and routes stay"
ns b ip route add 10.9.0.0/16 via 10.0.1.9
b0=$(index_of b0) b1=$(index_of b1)
lab b1 b0 | weft apply -f -
[ "$(index_of b1)" -eq "$b0" ] && [ "$(index_of b0)" -eq "$b1" ] || fail "the names did not swap"
ns b ip route | grep -q '10.9.0.0/16 via 10.0.1.9 dev b1' || fail "the route is lost"
wait_for 5 "a reaches b" reaches 10.0.1.2
lab b0 b1 | weft apply -f -

step "a change that is refused leaves all names as they were"
refused 4 "exists already in namespace b: choose another ifname" weft port set b0 ifname=lo
[ "$(index_of b0)" -eq "$b0" ] && [ "$(index_of b1)" -eq "$b1" ] || fail "a name has changed"

step "what others change is shown, and put right by the next apply"
ns a ip link set a0 down mtu 1300
ns b ip link set b1 name cable
wait_for 5 "a0 is down" reason_says a0 "it is down; mtu is 1300, not 1400"
wait_for 5 "b1 is cable" reason_says b1 "its name is cable, not b1"
lab b0 b1 | weft apply -f -
[ "$(index_of b1)" -eq "$b1" ] || fail "b1 was not renamed back"
is_as_asked() { ! reason_says a0 "somebody"; }
wait_for 5 "a0 is as asked for" is_as_asked
wait_for 5 "a reaches b" reaches 10.0.1.2

step "frames that the kernel could not keep are told as it counts them"
kill -STOP "$(pid_of weft-dataplane)"
ns a bash -c 'for i in {1..3000}; do echo >/dev/udp/10.0.1.2/9; done' 2>/dev/null || true
kill -CONT "$(pid_of weft-dataplane)"
wait_for 5 "a reaches b" reaches 10.0.1.2
lost=$(ns a cat /sys/class/net/a0/statistics/tx_dropped)
# From Linux 7.2 on they wait in the device's queueing discipline, and what that drops is its own.
case $(uname -r) in
[1-6].* | 7.[01].*) [ "$lost" -gt 0 ] || fail "3000 frames fitted" ;;
esac
is_told()
{
	[ "$(weft port show a0 -o json | jq .status.lost)" -eq "$lost" ] &&
		[ "$(weft stats a0 -o json | jq '.ports[0].lost')" -eq "$lost" ]
}
wait_for 5 "it is told" is_told
[ "$(weft port show b0 -o json | jq .status.lost)" -eq 0 ] || fail "$(weft port show b0)"

step "kill -9 weftd: a tap that was renamed meanwhile is the same one"
ns b ip link set b1 name cable
old=$(pid_of weftd)
kill -9 "$old"
another()
{
	[ -s "$run/weftd.pid" ] && [ "$(pid_of weftd)" != "$old" ] && connected
}
wait_for 10 "a new weftd" another
is_b1() { [ "$(index_of b1)" = "$b1" ]; }
wait_for 10 "b1 is renamed back" is_b1

step "kill -9 of everything: what is persistent stays, and is taken again"
kill -9 "$supervisor"
wait "$supervisor" 2>/dev/null || true
supervisor=
pkill -9 weft
no_process()
{
	! pgrep weft
}
wait_for 5 "all processes are gone" no_process
ns b ip route | grep -q '10.9.0.0/16 via 10.0.1.9 dev b0' || fail "the persistent tap or its route is gone"
daemons_start
wait_for 5 "a reaches b" reaches 10.0.1.2
[ "$(index_of b0)" -eq "$b0" ] || fail "the persistent tap was made anew"

step "attach to a tap that somebody else made"
refused 4 "does not exist: make it with: ip tuntap add f0 mode tap" \
	weft port add f0 type=tap segment=ALPHA attach=on
ip tuntap add f0 mode tap
weft port add f0 type=tap segment=ALPHA attach=on ip=10.0.1.4/24
wait_for 5 "a reaches f0" reaches 10.0.1.4
ip link del f0
wait_for 10 "the port says that its device is gone" reason_says f0 "does not exist"
wait_for 5 "f0 is broken" port_is f0 broken
ip tuntap add f0 mode tap
wait_for 10 "the port is up by itself" port_is f0 up
weft port del f0
ip link show f0 >/dev/null || fail "weft removed a device that is not its own"
ip link del f0

step "a deleted namespace: broken with a reason, and back by itself"
ip netns del b
wait_for 10 "b0 is broken" port_is b0 broken
wait_for 5 "the reason says so" reason_says b0 "network namespace b does not exist"
weft port set a0 vm=x
ns_add b
wait_for 10 "b0 is up" port_is b0 up
wait_for 5 "a reaches b" reaches 10.0.1.2
weft port del b0
is_away() { ! ns b ip link show b0; }
wait_for 5 "a persistent tap goes with its port" is_away
finish
