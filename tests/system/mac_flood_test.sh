#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     v1 (tap)   v2 (tap)   v3    v4        f0      f1    f2 (tap), 3 addresses
#        |          |        |     |         |       |      |
#       =+==========+= VICTIM +=====+=      =+=== FLOOD ====+=
#
# weft-mac-flood is v3, v4, f0 and f1: f0 and f1 send from a million addresses each, as fast as
# their rings take it; v3 sends v4 a numbered stream, and v4 speaks from a new address now and then.
# One worker carries all of it. Who floods displaces only its own addresses: those of VICTIM, and
# those of f2 in the same segment, are known afterwards as they were before; VICTIM loses nothing
# meanwhile; what is new in it is learned at once; and weftd answers and changes things as ever.
# FLOOD_SECONDS=60 makes it a minute.

flood_s=${FLOOD_SECONDS:-10}
# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

port_macs=8192    # the default of a port's max_macs
segment_macs=12000
[ "$(nproc)" -ge 2 ] || skip "needs a CPU for the worker and one for the load"

# What the table has of a port or segment, sorted, without ages: fdb KEY=VALUE
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

# Of weft-mac-flood's line: result PATH
result()
{
	jq "$1" "$run/flood.json"
}

# How long commands take, in ms, while the process given runs: sorted, one a line.
# time_while PID COMMAND...
time_while()
{
	local pid=$1 started
	shift
	while kill -0 "$pid" 2>/dev/null; do
		started=$(now_us)
		"$@" >/dev/null || fail "$*"
		echo $((($(now_us) - started) / 1000))
		pause
	done | sort -n
}

# Changes a segment's setting there and back.
change()
{
	weft segment set VICTIM max_macs=9000
	weft segment set VICTIM max_macs=10000
}

# middle and largest of numbers, one a line: spread FILE
spread()
{
	awk '{ v[NR] = $1 } END { printf "%d times, median %d ms, longest %d ms\n", NR, v[int((NR + 1) / 2)], v[NR] }' "$1"
}

ns_add v1 v2 f2
# Load, weftd and the dataplane's main share the other CPU.
daemons_start --workers 0
weft apply -f - >/dev/null <<-LAB
	segments:
	  VICTIM: {vni: 100, unknown: drop}
	  FLOOD:  {vni: 200, max_macs: $segment_macs}
	ports:
	  v1: {type: tap, segment: VICTIM, netns: v1, ip: 10.0.1.1/24}
	  v2: {type: tap, segment: VICTIM, netns: v2, ip: 10.0.1.2/24}
	  v3: {type: vhost-user, segment: VICTIM}
	  v4: {type: vhost-user, segment: VICTIM}
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
# In a session, and so in a CPU group (sched_autogroup), of its own, as guests are. Linux 6.18 weighs
# a group anew whenever a thread of it wakes or sleeps; with main in the group of who fills the CPU,
# a kworker that has to end weftd's fdatasync() at times waited for that CPU until the flood ended.
setsid "$build/tests/bench/weft-mac-flood" --a "$run/vhost/v3.sock" --b "$run/vhost/v4.sock" \
	--flood "$run/vhost/f0.sock" --flood "$run/vhost/f1.sock" \
	--seconds "$flood_s" >"$run/flood.json" 2>"$run/flood.log" &
flood=$!
wait_for 60 "the flood runs" f0_floods
ns v1 busybox ping -i 0.1 -c $((flood_s * 8)) -W 2 10.0.1.2 >"$run/ping.log" &
ping=$!
(time_while "$flood" weft status >"$run/status.ms") &
status=$!
(time_while "$flood" change >"$run/change.ms") &
change=$!
wait "$flood" || fail "weft-mac-flood: $(cat "$run/flood.log")"
wait "$ping" || fail "VICTIM: $(tail -3 "$run/ping.log")"
wait "$status" || fail "weft status failed"
wait "$change" || fail "a change failed"
cat "$run/flood.json"
tail -2 "$run/ping.log"
echo "weft status: $(spread "$run/status.ms")"
echo "two changes of a segment: $(spread "$run/change.ms")"
[ "$(tail -n 1 "$run/status.ms")" -lt 5000 ] || fail "weft status had to wait"
[ "$(tail -n 1 "$run/change.ms")" -lt 5000 ] || fail "a change had to wait"

step "VICTIM lost nothing, and learned what was new"
grep -q ' 0% packet loss' "$run/ping.log" || fail "VICTIM lost frames: $(tail -3 "$run/ping.log")"
# What v4's own ring had no place for, because its CPU was busy, is not the switch's loss.
[ "$(result .lost)" -le "$(dropped v4 ring-full)" ] ||
	fail "frames from v3 to v4 were lost, at v4: $(weft drops v4 -o json | jq -c .drops)"
[ "$(result .late)" -eq 0 ] || fail "frames from v3 to v4 were reordered"
# The last one may have come at the end.
[ "$(result .learned)" -ge $(($(result .new) - 1)) ] || fail "new addresses were not learned"

step "the flooders have their share, the others what they had"
for port in f0 f1; do
	n=$(fdb port=$port | wc -l)
	echo "$port: $(counter $port rx_frames) frames, $n addresses"
	if [ "$n" -lt $((segment_macs / 3)) ] || [ "$n" -gt $port_macs ]; then fail "$port has $n addresses"; fi
	[ "$(counter $port rx_frames)" -gt $((flood_s * 100000)) ] || fail "that was no flood"
done
n=$(fdb segment=FLOOD | wc -l)
[ "$n" -le $segment_macs ] || fail "FLOOD has $n addresses"
after=$(fdb segment=VICTIM; fdb port=f2)
displaced=$(comm -23 <(sort <<<"$before") <(sort <<<"$after"))
[ -z "$displaced" ] || fail "addresses were displaced: $displaced"
echo "not learned of $(counter f0 rx_frames) + $(counter f1 rx_frames) frames' sources: $(weft stats -o json | jq '.workers[0].learn_lost')"
finish
