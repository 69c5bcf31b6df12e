#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1     namespace c2     guests: server split, client split, server packed, client packed
#     10.0.1.1         10.0.1.2         10.0.1.11   10.0.1.12      10.0.1.13       10.0.1.14
#        |                |                |           |              |               |
#     ===+================+=== ALPHA ======+===========+==============+===============+===
#                              |                 |
#                              p0, p1: neighbours, a probe of 10,000 numbered frames a second
#
# How long nothing comes through when weft-dataplane is killed: 10,000 datagrams a second between
# taps, 200 pings a second to each guest; no guest does anything. Then guests are reset and killed
# under traffic: their neighbours lose nothing. ROUNDS=50 RESETS=100 gives figures.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel
rounds=${ROUNDS:-2} resets=${RESETS:-2}
gap="$top/tests/system/gap.py"
names=(ss cs sp cp)

# A guest with a card of split or packed rings, that can be reset: start_guest NAME
start_guest()
{
	local name=$1 packed=off arguments i
	for i in "${!names[@]}"; do
		[ "${names[$i]}" != "$name" ] || break
	done
	[ "${name#?}" = s ] || packed=on
	mapfile -t arguments < <(weft port qemu-args "$name" "memory=$guest_memory" "accel=$guest_accel" -o json |
		jq -r '.[]' | sed "s/^virtio-net-pci,/virtio-net-pci,packed=$packed,/")
	guest_qemu "$name" "weft.ip=10.0.1.1$((i + 1))/24" "${arguments[@]}" -action reboot=reset \
		-monitor "unix:$run/$name.monitor,server=on,wait=off"
}

ns_add c1 c2
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  ALPHA: {vni: 100}
	ports:
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24}
	  c2: {type: tap, segment: ALPHA, netns: c2, ip: 10.0.1.2/24}
	  p0: {type: vhost-user, segment: ALPHA}
	  p1: {type: vhost-user, segment: ALPHA}
	  ss: {type: vhost-user, segment: ALPHA}
	  cs: {type: vhost-user, segment: ALPHA, mode: client}
	  sp: {type: vhost-user, segment: ALPHA}
	  cp: {type: vhost-user, segment: ALPHA, mode: client}
LAB
weft export -o yaml >"$run/wish"
for name in "${names[@]}"; do start_guest "$name"; done
guest_wait "${names[@]}"
for name in "${names[@]}"; do port_up "$name"; done
for name in sp cp; do
	weft port show "$name" -o json | jq -e '.status.features | index("ring_packed")' >/dev/null ||
		fail "guest $name has no packed ring"
done

step "kill -9 of weft-dataplane, $rounds times"
ip netns exec c2 /usr/bin/python3 "$gap" receive 5000 "$run/taps.times" &
jobs=($!)
ip netns exec c1 /usr/bin/python3 "$gap" send 10.0.1.2 5000 10000 &
jobs+=($!)
for i in "${!names[@]}"; do
	ip netns exec c1 ping -n -D -i 0.005 "10.0.1.1$((i + 1))" >"$run/${names[$i]}.times" 2>&1 &
	jobs+=($!)
done

killed=0
# Whether all streams ran in the last half second, and since the kill
all_flow()
{
	local name last
	for name in taps "${names[@]}"; do
		last=$(grep -aE 'bytes from|^[0-9]' "$run/$name.times" | tail -n 1 | grep -oE '[0-9]{9,}\.[0-9]+' | head -n 1)
		[ -n "$last" ] && awk -v last="$last" -v now="$EPOCHREALTIME" -v killed="$killed" \
			'BEGIN { exit !(now - last < 0.5 && last > killed + 0.1) }' || return 1
	done
}

for ((i = 0; i < rounds; i++)); do
	wait_for 30 "all streams flow" all_flow
	old=$(pid_of weft-dataplane)
	killed=$EPOCHREALTIME
	echo "$killed" >>"$run/kills"
	kill -9 "$old"
	wait_for 30 "another weft-dataplane" eval '[ -s "$run/weft-dataplane.pid" ] && [ "$(pid_of weft-dataplane)" != "$old" ]'
done
wait_for 30 "all streams flow" all_flow
kill "${jobs[@]}"
wait "${jobs[@]}" 2>/dev/null || true
/usr/bin/python3 "$gap" table 1000 "$run/kills" "taps=$run/taps.times" || fail "taps were away for more than 1 s"
/usr/bin/python3 "$gap" table 3000 "$run/kills" "QEMU server, split=$run/ss.times" \
	"QEMU client, split=$run/cs.times" "QEMU server, packed=$run/sp.times" \
	"QEMU client, packed=$run/cp.times" || fail "a guest was away for more than 3 s"
wait_for 10 "weftd has its dataplane" connected
weft diff -f "$run/wish" || fail "the new dataplane differs from the wish"

step "guests are reset and killed $resets times under traffic"
seconds=$((resets * 20 + 5))
"$build/tests/bench/weft-generate" --a "$run/vhost/p0.sock" --b "$run/vhost/p1.sock" \
	--probe 10000 --seconds "$seconds" --json >"$run/probe.json" 2>"$run/probe.log" &
probe=$!
probe_passes()
{
	[ "$(counter p1 tx_frames)" -gt 1000 ]
}
wait_for 10 "the probe passes" probe_passes
done_resets=0
for ((i = 0; i < resets; i++)); do
	name=${names[$((i % 4))]}
	/usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.recv(4096)
s.sendall(b"system_reset\n")
s.recv(4096)' "$run/$name.monitor"
	guest_booted "$name" 60 || fail "guest $name did not come up again"
	kill -9 "${guest_pid[$name]}"
	guest_stop "$name" 2>/dev/null
	start_guest "$name"
	guest_wait "$name"
	port_up "$name" 20
	done_resets=$((done_resets + 1))
done
wait "$probe" || fail "the probe failed: $(cat "$run/probe.log")"
cat "$run/probe.json"
echo "$done_resets resets and $done_resets kills"
jq -e '.sent > 100000 and .received == .sent and .refused == 0 and .reconnects == 0' "$run/probe.json" >/dev/null ||
	fail "the neighbours lost frames"
# Guests are never quite still, and the accounts are for when nothing moves.
guests_stop
finish
