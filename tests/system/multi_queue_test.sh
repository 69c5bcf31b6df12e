#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft-flows, 4 queues a port     guest web, 4 queues     namespace c1     namespace c2
#        |                 |          10.0.1.1                10.0.1.3         10.0.1.4
#        +-- v0            +-- v1        +-- web0                +-- tap c1       +-- tap c2, 4 queues
#        |                 |             |                       |                |
#     ===+===== BETA ======+===       ===+======== ALPHA ========+================+===
#
# Ports with several queues: 64 flows go over 4 queues each way, complete, in order, each on one
# queue. A guest starts with one queue, enables and disables others (ethtool -L) while it is pinged:
# weft polls what is enabled, and no ping is lost. A tap has 4 queues for as long as it is there.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"
# shellcheck source=lib/transfer.sh
. "$(dirname "$0")/lib/transfer.sh"

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel

queues_polled()
{
	[ "$(weft port show "$1" -o json | jq .status.queues)" -eq "$2" ]
}

ns_add c1 c2
daemons_start
weft segment add ALPHA vni=100
weft segment add BETA vni=200
weft port add v0 type=vhost-user segment=BETA queues=4
weft port add v1 type=vhost-user segment=BETA queues=4
weft port add web0 type=vhost-user segment=ALPHA queues=4
weft port add c1 type=tap segment=ALPHA netns=c1 ip=10.0.1.3/24
weft port add c2 type=tap segment=ALPHA netns=c2 ip=10.0.1.4/24 queues=4
refused 4 "queues=17" weft port add v2 type=vhost-user segment=BETA queues=17
guest_start web 10.0.1.1/24 web0

step "64 flows over 4 queues"
"$build/tests/bench/weft-flows" --a "$run/vhost/v0.sock" --b "$run/vhost/v1.sock" --queues 4 \
	--pps 20000 --seconds 3 | tee "$run/flows"
[ "$(jq .queues_used "$run/flows")" -eq 4 ] || fail "flows did not spread over the queues"
[ "$(jq .foreign "$run/flows")" -eq 0 ] || fail "foreign frames"

step "a tap with 4 queues"
port_up c1
port_up c2
[ "$(ns c2 find /sys/class/net/c2/queues -name 'rx-*' | wc -l)" -eq 4 ] || fail "c2 has not 4 queues"
wait_for 5 "weft polls 4 queues of c2" queues_polled c2 4
transfer 64 10.0.1.4 "in_ns c1" "in_ns c2"
transfer 64 10.0.1.3 "in_ns c2" "in_ns c1"
step "another number of queues is another device"
for queues in 2 4; do
	weft port set c2 queues=$queues
	port_up c2
	wait_for 5 "weft polls $queues queues of c2" queues_polled c2 $queues
done
transfer 16 10.0.1.4 "in_ns c1" "in_ns c2"

step "weftd takes the device over again"
index=$(ns c2 cat /sys/class/net/c2/ifindex)
old=$(pid_of weftd)
kill -9 "$old"
back() { [ "$(pid_of weftd)" != "$old" ] && connected; }
wait_for 10 "weftd is back" back
port_up c2
[ "$(ns c2 cat /sys/class/net/c2/ifindex)" -eq "$index" ] || fail "c2 was made anew"
step "a guest enables and disables queues"
guest_wait web
port_up web0
# The guest has no ethtool: it fetches what does the same.
ns c1 busybox nc -l -p 7000 -e busybox cat "$build/tests/system/weft-channels" >"$run/nc.log" 2>&1 &
serve=$!
wait_for 5 "the file is offered" ns c1 sh -c "busybox netstat -ltn | grep -q ':7000 '"
guest_run web "nc 10.0.1.3 7000 -e sh -c 'cat >/tmp/channels'; chmod +x /tmp/channels"
wait $serve
[[ $(guest_run web "/tmp/channels eth0") == *" 4" ]] || fail "the guest does not see 4 queues"
# Busybox waits a second for the last ones, however quick those before were.
ns c1 busybox ping -q -i 0.01 -c 1500 10.0.1.1 >"$run/ping" &
ping=$!
for n in 4 1 2 4 3 1 4; do
	guest_run web "/tmp/channels eth0 $n" | grep -q "^$n 4"
	wait_for 10 "weft polls $n queues" queues_polled web0 "$n"
done
wait $ping
cat "$run/ping"
grep -q " 0% packet loss" "$run/ping" || fail "pings were lost"
port_is web0 up || fail "port web0 is not up"
weft drops
finish
