#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     weft-generate         weft-generate        guest web          namespace c1   namespace c2
#     sends                 receives             10.0.1.1           10.0.1.2       10.0.1.3
#        |                     |                    |                  |              |
#        +-- vhost-user p0     +-- vhost-user p1    +-- vhost-user w0  +-- tap c1     +-- tap c2
#        |                     |                    |                  |              |
#     ===+======= PROBE =======+===              ===+====== ALPHA =====+==============+===
#
# weftd is killed under traffic: not one frame of a numbered 10,000 per second is lost, nor a ping
# between taps; the new weftd finds everything as it was wished, and changes can be made. Then
# weft-dataplane is killed: taps, guest and probe go on by themselves.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=lib/guest.sh
. "$(dirname "$0")/lib/guest.sh"

command -v qemu-system-x86_64 >/dev/null || skip "qemu-system-x86_64 is not installed"
guest_prepare || skip "no guest image"
guest_choose_accel

ns_add c1 c2
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  PROBE: {vni: 100}
	  ALPHA: {vni: 200}
	ports:
	  p0: {type: vhost-user, segment: PROBE}
	  p1: {type: vhost-user, segment: PROBE}
	  w0: {type: vhost-user, segment: ALPHA, vm: web}
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.2/24}
	  c2: {type: tap, segment: ALPHA, netns: c2, ip: 10.0.1.3/24}
LAB
weft export -o yaml >"$run/wish"
guest_start web 10.0.1.1/24 w0
guest_wait web
port_up w0
ns c1 busybox ping -c 1 -W 5 10.0.1.1

# Starts the probe for SECONDS; its figures go to probe.json, one line.
probe_start()
{
	"$build/tests/bench/weft-generate" --a "$run/vhost/p0.sock" --b "$run/vhost/p1.sock" \
		--ring 8192 --probe 10000 --seconds "$1" --json >"$run/probe.json" 2>"$run/probe.log" &
	probe=$!
	wait_for 10 "the probe passes" probe_passes
}

probe_passes()
{
	[ "$(counter p1 tx_frames)" -gt 1000 ]
}

# kill_daemon NAME: returns when the supervisor has started another one.
kill_daemon()
{
	old=$(pid_of "$1")
	kill -9 "$old"
	wait_for 10 "a new $1" another "$1"
}

another()
{
	[ -s "$run/$1.pid" ] && [ "$(pid_of "$1")" != "$old" ]
}

step "kill -9 weftd, twice, under traffic"
probe_start 8
# Busybox waits a second for the last ones, however quick those before were.
ip netns exec c1 busybox ping -q -c 3000 -i 0.002 10.0.1.3 >"$run/ping" &
ping=$!
for _ in 1 2; do
	kill_daemon weftd
	wait_for 10 "weftd answers and has its dataplane" connected
	weft diff -f "$run/wish" || fail "the new weftd sees a difference"
done
wait "$ping" || fail "ping: $(cat "$run/ping")"
grep 'packet loss' "$run/ping"
grep -q ' 0% packet loss' "$run/ping" || fail "a ping was lost"
wait "$probe" || fail "the probe failed: $(cat "$run/probe.log")"
cat "$run/probe.json"
jq -e '.sent > 70000 and .received == .sent and .refused == 0 and .reconnects == 0' "$run/probe.json" \
	>/dev/null || fail "the probe lost frames"
weft export -o yaml | diff "$run/wish" - || fail "the wish has changed"

step "the new weftd can change what the old one made"
weft segment add BETA vni=300
weft port set c2 segment=BETA
if ns c1 busybox ping -c 1 -W 1 10.0.1.3; then fail "c2 left ALPHA and answers there"; fi
weft port set c2 segment=ALPHA
ns c1 busybox ping -c 3 -W 2 10.0.1.3
weft segment del BETA

step "kill -9 weft-dataplane under traffic"
ip netns exec c1 ping -i 0.1 -D 10.0.1.3 >"$run/ping.tap" &
ping_tap=$!
ip netns exec c1 ping -i 0.1 -D 10.0.1.1 >"$run/ping.guest" &
ping_guest=$!
kill_daemon weft-dataplane
killed_us=$(now_us)

# Whether the log of a ping has an answer from after the kill: answered LOG
answered()
{
	awk -v killed="$killed_us" '/bytes from/ && substr($1, 2) * 1000000 > killed { found = 1 }
		END { exit !found }' "$1"
}

wait_for 30 "the taps answer again" answered "$run/ping.tap"
echo "taps: $((($(now_us) - killed_us) / 1000)) ms after the kill"
wait_for 60 "the guest answers again" answered "$run/ping.guest"
echo "guest: $((($(now_us) - killed_us) / 1000)) ms after the kill"
kill "$ping_tap" "$ping_guest"
wait "$ping_tap" "$ping_guest" || true
guest_run web "ping -c 3 -W 2 10.0.1.3"
wait_for 10 "weftd has its dataplane" connected
weft diff -f "$run/wish" || fail "the new dataplane differs from the wish"

step "kill -9 both at once"
old=$(pid_of weftd)
kill -9 "$old" "$(pid_of weft-dataplane)"
wait_for 10 "a new weftd" another weftd
wait_for 20 "weftd has its dataplane" connected
wait_for 30 "the taps answer again" ns c1 busybox ping -c 1 -W 1 10.0.1.3
wait_for 60 "the guest answers again" ns c1 busybox ping -c 1 -W 1 10.0.1.1
weft diff -f "$run/wish" || fail "the host differs from the wish"
weft status
finish
