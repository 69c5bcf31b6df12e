#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     v1 (tap)   v2 (tap)        weft-generate      f2 (tap), 3 addresses
#        |          |              |       |             |
#       =+== VICTIM =+=           f0      f1             |
#                                 =+======= FLOOD =======+=
#
# f0 and f1 send from a million addresses each, as fast as they can. Who floods displaces only its
# own addresses: those of VICTIM, and those of f2 in the same segment, are known afterwards as they
# were before, and VICTIM loses nothing meanwhile. FLOOD_SECONDS=60 makes it a minute.

flood_s=${FLOOD_SECONDS:-5}
# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

max_macs=8192

# What the table has: fdb KEY=VALUE, sorted, without ages.
fdb()
{
	weft fdb list "$1" -o json | jq -r '.entries[] | "\(.mac) \(.port)"' | sort
}

# Frames from three addresses of namespace f2, so that f2 is known by them.
speak()
{
	ns f2 python3 - <<-'PYTHON'
		import socket
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("f2", 0))
		for n in range(3):
		    s.send(bytes([255] * 6 + [2, 0xf2, 0, 0, 0, n]) + b"\x88\xb5" + bytes(46))
	PYTHON
}

f2_is_known()
{
	[ "$(fdb port=f2 | grep -c 02:f2)" -eq 3 ]
}

f0_floods()
{
	[ "$(counter f0 rx_frames)" -gt 100000 ]
}

ns_add v1 v2 f2
daemons_start
weft apply -f - >/dev/null <<-'LAB'
	segments:
	  VICTIM: {vni: 100}
	  FLOOD:  {vni: 200}
	ports:
	  v1: {type: tap, segment: VICTIM, netns: v1, ip: 10.0.1.1/24}
	  v2: {type: tap, segment: VICTIM, netns: v2, ip: 10.0.1.2/24}
	  f0: {type: vhost-user, segment: FLOOD}
	  f1: {type: vhost-user, segment: FLOOD}
	  f2: {type: tap, segment: FLOOD, netns: f2}
LAB
for port in v1 v2 f2; do port_up $port; done
ns v1 busybox ping -c 3 -W 2 10.0.1.2 >/dev/null
speak
wait_for 5 "f2 is known" f2_is_known
before=$(fdb segment=VICTIM; fdb port=f2)

step "a million addresses a side, $flood_s s"
"$build/tests/bench/weft-generate" --a "$run/vhost/f0.sock" --b "$run/vhost/f1.sock" \
	--macs 1000000 --seconds "$flood_s" >"$run/flood.log" 2>&1 &
flood=$!
wait_for 60 "the flood runs" f0_floods
ns v1 busybox ping -i 0.1 -c $((flood_s * 5)) -W 2 10.0.1.2 >"$run/ping.log" || fail "VICTIM: $(tail -3 "$run/ping.log")"
wait "$flood" || fail "weft-generate: $(cat "$run/flood.log")"
grep -q ' 0% packet loss' "$run/ping.log" || fail "VICTIM lost frames: $(tail -3 "$run/ping.log")"
cat "$run/flood.log"
tail -2 "$run/ping.log"

step "the flooders have their share, the others what they had"
for port in f0 f1; do
	n=$(fdb port=$port | wc -l)
	echo "$port: $(counter $port rx_frames) frames, $n addresses"
	if [ "$n" -eq 0 ] || [ "$n" -gt $max_macs ]; then fail "$port has $n addresses"; fi
done
[ "$(counter f0 rx_frames)" -gt 100000 ] || fail "that was no flood"
after=$(fdb segment=VICTIM; fdb port=f2)
[ "$before" = "$after" ] || fail "addresses were displaced: $before; then: $after"
accounting
finish
