#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1 -- tap c1 --+== ALPHA ==+-- tap c2 -- namespace c2
#                                  |
#                               tap c3, whose namespace goes
#
# The disk of the store fills up, later its file is damaged: a change is refused with one line, the old
# state stays, frames flow all the time, and when there is room again the same change succeeds.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

ns_add c1 c2 c3
mkdir "$state"
mount -t tmpfs -o size=4m weft-state "$state"
at_exit 'umount -l "$state" 2>/dev/null'
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  ALPHA: {vni: 100}
	ports:
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24}
	  c2: {type: tap, segment: ALPHA, netns: c2, ip: 10.0.1.2/24}
	  c3: {type: tap, segment: ALPHA, netns: c3}
LAB
port_up c1
port_up c2
port_up c3
weft export >"$run/export.before"

# Everything as before, and frames flow.
unharmed()
{
	weft export | diff "$run/export.before" - || fail "$1 changed something"
	ns c1 ping -c 3 -i 0.05 -W 2 10.0.1.2 >/dev/null || fail "$1: frames do not flow"
}

step "a full disk: changes are refused, the same weftd goes on"
weftd=$(pid_of weftd)
dd if=/dev/zero of="$state/filler" bs=64k status=none 2>/dev/null || true
# What is left in the last page of the log may do for a change or two.
for i in {1..50}; do
	weft segment add "S$i" vni="$((1000 + i))" >/dev/null 2>&1 || break
done
weft export >"$run/export.before"
refused 4 "the disk is full; free some space and try again" weft segment add FULL vni=9
unharmed "a refused change"
refused 4 "the disk is full" weft rollback
unharmed "a refused rollback"
[ "$(pid_of weftd)" = "$weftd" ] || fail "weftd was not the same"

step "what else cannot be written is tried and told every 2 s, however often weftd turns"
claims_told()
{
	grep -c 'writing claims: .*; trying again' "$daemon_log"
}
ip netns del c3
wait_for 10 "the claim of c3 cannot be taken back" claims_told
told=$(claims_told)
# A capture wakes weftd every 5 ms.
timeout 20 "$build/cli/weft" capture c1 --seconds 2 -w "$run/turns.pcapng" 2>"$run/capture.err"
told=$(($(claims_told) - told))
[ "$told" -le 3 ] || fail "claims were told of $told times within 2 s"
unharmed "a port that has gone"

step "with room again the same change succeeds, and survives a restart"
rm "$state/filler"
weft segment add FULL vni=9
weft export >"$run/export.before"
kill -9 "$weftd"
wait_for 10 "weftd is back" connected
unharmed "a restart"

step "a damaged store: weftd says so and stays away, the dataplane forwards"
daemons_stop
"$build/dataplane/weft-dataplane" --run-dir "$run" --no-huge >>"$daemon_log" 2>&1 &
dataplane=$!
"$build/control/weftd" --run-dir "$run" --state-dir "$state" >>"$daemon_log" 2>&1 &
weftd=$!
wait_for 20 "connected again" connected
port_up c1
port_up c2
kill -9 "$weftd"
wait "$weftd" || true
cp "$state/weft.db" "$run/good.db"
rm -f "$state"/weft.db-*
head -c 4096 /dev/urandom | dd of="$state/weft.db" conv=notrunc status=none
refused 1 "is damaged" timeout 10 "$build/control/weftd" --run-dir "$run" --state-dir "$state"
ns c1 ping -c 3 -i 0.05 -W 2 10.0.1.2 >/dev/null || fail "frames do not flow without weftd"
kill "$dataplane"
wait "$dataplane" || true
rm -f "$run/dataplane.sock" "$run/weftd.sock"
umount "$state"
finish
