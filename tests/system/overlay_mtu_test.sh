#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Machines that were set to 1500 by hand, on an underlay of 1500: a tunnel over IPv4 leaves 1450.
#
#     a1 (tap, 1500)  guest web (1500)            a2 (tap, 1500)
#      |               |                           |
#     [======= h1 =======]                      [ h2 ]           weft, segment ALPHA
#            u0 10.9.0.1                          u0 10.9.0.2
#     ==========+=================================+===========   underlay
#
# TCP gets through whole, by ICMP or by the clamp; UDP with DF is told; the segment's MTU follows the
# underlay; weft port doctor says what differs.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"
# shellcheck source=lib/hosts.sh
. "$(dirname "$0")/lib/hosts.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

lab()
{
	local number=$1 other=$((3 - $1))
	echo "segments: {ALPHA: {vni: 100}}"
	echo "ports:"
	echo "  up: {type: uplink, ifname: u0, vtep: 10.9.0.$number}"
	echo "  a$number: {type: tap, segment: ALPHA, netns: a$number, ip: 10.0.1.$number/24}"
	[ "$number" -ne 1 ] || echo "  web0: {type: vhost-user, segment: ALPHA, vm: web}"
	echo "peers: {h$other: {vtep: 10.9.0.$other}}"
}

# What a port of a host counted: count_of NUMBER PORT COUNTER
count_of() { on "$1" stats "$2" -o json | jq ".ports[0].$3"; }

# What the kernel of a machine learned of a way is forgotten: forget NAMESPACE...
forget()
{
	local name
	for name; do
		ip -n "$name" route flush cache
		ip -n "$name" -6 route flush cache
	done
}

by_hand()
{
	ip -n a1 link set a1 mtu 1500
	ip -n a2 link set a2 mtu 1500
	forget a1 a2
}

# Whether it says so within a second, or within ten looks where a second has not so many:
# in_a_second 'what' COMMAND...
in_a_second()
{
	local what=$1 started elapsed_ms=0 n_looks=0
	shift
	started=$(now_us)
	until "$@" >/dev/null 2>&1; do
		n_looks=$((n_looks + 1))
		[ "$elapsed_ms" -lt 1000 ] || [ "$n_looks" -lt 10 ] || fail "not within a second: $what"
		pause
		elapsed_ms=$((($(now_us) - started) / 1000))
	done
	echo "$what: after $elapsed_ms ms"
}

# finds CODE RESULT CHECK TEXT NUMBER PORT: the examination ends with CODE and has such a line.
finds()
{
	local code=0
	on "$5" port doctor "$6" >"$run/doctor" || code=$?
	[ "$code" -eq "$1" ] || fail "doctor $6: exit code $code instead of $1: $(cat "$run/doctor")"
	grep -E "^$2 +$3 " "$run/doctor" | grep -F -- "$4" || fail "doctor $6: no '$2 $3 ... $4': $(cat "$run/doctor")"
}

segment_has() { [ "$(on 1 segment show ALPHA -o json | jq .status.mtu)" -eq "$1" ]; }
tap_has() { [ "$(ns a1 cat /sys/class/net/a1/mtu)" -eq "$1" ]; }
guest_would_have() { on 1 port qemu-args web0 | grep -q "host_mtu=$1,"; }

# The command after the last "fix: " of a line with that name.
fix() { sed -n 's/^ *fix: //p' "$run/doctor" | tail -n 1; }

machine a1 a2
underlay_join 1 h1
underlay_join 2 h2
for i in 1 2; do
	host_start $i
	lab $i >"$run/lab$i.yaml"
	on $i apply -f "$run/lab$i.yaml"
done
link_up 1 up h2 a1
link_up 2 up h1 a2
for i in 1 2; do ip -n a$i addr add fd01::$i/64 dev a$i nodad; done
wait_for 5 "a1 reaches a2" reaches a1 10.0.1.2
wait_for 5 "a1 reaches a2 by IPv6" reaches a1 fd01::2
wait_for 5 "tap a1 has what is left" tap_has 1450

step "doctor: a tap that was set by hand"
by_hand
finds 0 warn mtu "a1 has 1500, segment ALPHA 1450" 1 a1
fix | tee "$run/fix"
grep -q "ip -n a1 link set a1 mtu 1450" "$run/fix"

step "UDP with DF is told"
ns a1 ping -M "do" -s 1472 -c 1 -W 10 10.0.1.2 | tee "$run/ping" || true
grep -qF 'Frag needed and DF set (mtu = 1450)' "$run/ping"
forget a1
ns a1 ping -6 -M "do" -s 1452 -c 1 -W 10 fd01::2 | tee "$run/ping" || true
grep -qiF 'Packet too big: mtu=1450' "$run/ping"

step "no more than 100 of them a second"
forget a1
before=$(count_of 1 a1 generated)
started=$(now_us)
# Raw sockets send what the kernel would not once it knows: each packet is too big anew.
ns a1 /usr/bin/python3 - <<'PYTHON'
import select, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE: DF, the interface's MTU
for i in range(2000):
    s.sendto(bytes(1472), ("10.0.1.2", 9))
    if i % 20 == 0:
        select.select([], [], [], 0.005)  # as a pace
PYTHON
elapsed_ms=$((($(now_us) - started) / 1000))
answered=$(($(count_of 1 a1 generated) - before))
echo "2,000 packets in $elapsed_ms ms: $answered answers"
[ "$answered" -ge 50 ] && [ "$answered" -le $((200 + elapsed_ms / 10)) ]

step "TCP by ICMP alone"
by_hand
generated=$(count_of 1 a1 generated)
transfer 8 10.0.1.2 "in_ns a1" "in_ns a2"
transfer 8 10.0.1.1 "in_ns a2" "in_ns a1"
[ "$(count_of 1 a1 generated)" -gt "$generated" ] || fail "no ICMP was due"

step "TCP by the clamp"
for i in 1 2; do on $i segment set ALPHA mss_clamp=on; done
by_hand
too_big=$(lost 1 a1 too-big)
transfer 8 10.0.1.2 "in_ns a1" "in_ns a2"
[ "$(lost 1 a1 too-big)" -eq "$too_big" ] || fail "frames were too big in spite of the clamp"
[ "$(count_of 1 a1 rx_gso_frames)" -gt 0 ] || fail "no TSO frame came from a1"
[ "$(count_of 1 h2 segments)" -gt 0 ] || fail "no TSO frame was cut for the tunnel"
for i in 1 2; do on $i segment set ALPHA mss_clamp=off; done

step "the segment follows the underlay, and back"
for mtu in 1400 1500; do
	ip -n h1 link set u0 mtu $mtu
	in_a_second "segment ALPHA has $((mtu - 50))" segment_has $((mtu - 50))
	in_a_second "tap a1 has $((mtu - 50))" tap_has $((mtu - 50))
	in_a_second "a guest would get $((mtu - 50))" guest_would_have $((mtu - 50))
done
finds 0 ok mtu "1450, as in segment ALPHA" 1 a1

step "a way that carries less than its interface"
finds 0 ok way "10.9.0.2 is reached" 1 h2
finds 0 ok mtu "the way carries 1450" 1 h2
finds 0 ok heard "frames went there" 1 h2
ip -n h1 route add 10.9.0.2/32 dev u0 src 10.9.0.1 mtu 1300
way_carries() { on 1 port doctor h2 | grep -q "the way carries $1"; }
in_a_second "the way carries 1250" way_carries 1250
finds 0 warn mtu "segment ALPHA has 1450, the way carries 1250" 1 h2
fix | grep -qF "weft segment set ALPHA mtu=1250"
too_big=$(lost 1 h2 too-big)
! ns a1 ping -q -M "do" -s 1372 -c 1 -W 1 10.0.1.2 >/dev/null || fail "1400 bytes went by a way of 1250"
[ "$(lost 1 h2 too-big)" -gt "$too_big" ] || fail "what was too big for the way was not counted"
ip -n h1 route del 10.9.0.2/32
in_a_second "the way carries 1450 again" way_carries 1450
on 1 segment set ALPHA mtu=1500
finds 0 warn mtu "segment ALPHA has 1500, the way carries 1450" 1 h2
on 1 segment set ALPHA mtu=

step "no host: the doctor says so"
on 1 port add h9 type=peer vtep=10.77.0.9
finds 1 fail way "no route to its vtep" 1 h9
on 1 port del h9

if command -v qemu-system-x86_64 >/dev/null && guest_prepare; then
	step "a guest that was set by hand"
	guest_choose_accel
	read -ra arguments < <(on 1 port qemu-args web0 memory=$guest_memory "accel=$guest_accel")
	# As from a tool that knows nothing of MTUs.
	guest_qemu web "weft.ip=10.0.1.9/24 weft.mtu=1500" "${arguments[@]/host_mtu=1450,/}"
	guest_wait web
	link_up 1 web0
	finds 1 fail mtu "the guest is not told that segment ALPHA has an MTU of 1450" 1 web0
	fix | tee "$run/fix"
	grep -qF "ip link set eth0 mtu 1450" "$run/fix"
	generated=$(count_of 1 web0 generated)
	transfer 4 10.0.1.2 "guest_run web" "in_ns a2"
	[ "$(count_of 1 web0 generated)" -gt "$generated" ] || fail "no ICMP was due"
	guests_stop
fi

hosts_stop
finish
