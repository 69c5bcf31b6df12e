#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     attacker     peer       namespaces c1, c2        neighbours
#        |          |            |         |            |      |
#        +-- v0     +-- v1       +-- c1    +-- c2       +-- n0 +-- n1
#        |          |            |         |            |      |
#     ===+== ALPHA =+============+=========+===      ===+ BETA +===
#
# A front-end does everything that one must not do, row by row of tests/lib/attack.h. Only its own
# port suffers: neighbours in another segment and taps in its own lose nothing, every row ends with
# an honest front-end on the same port, and the dataplane holds no more than before.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

ns_add c1 c2
daemons_start
weft apply -f - >/dev/null <<-'LAB'
	segments:
	  ALPHA: {vni: 100}
	  BETA:  {vni: 200}
	ports:
	  v0: {type: vhost-user, segment: ALPHA}
	  v1: {type: vhost-user, segment: ALPHA}
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24}
	  c2: {type: tap, segment: ALPHA, netns: c2, ip: 10.0.1.2/24}
	  n0: {type: vhost-user, segment: BETA}
	  n1: {type: vhost-user, segment: BETA}
LAB
port_up c1
port_up c2
pid=$(pid_of weft-dataplane)

# hostile [ROW]...
hostile()
{
	"$build/tests/system/weft-hostile" "$run" v0 v1 n0 n1 "$@"
}

step "all attacks"
# Not by ns, whose process id is that of a shell; in the background INT would be ignored.
ip netns exec c1 env --default-signal=INT ping -i 0.02 10.0.1.2 >"$run/ping" &
ping=$!
hostile || fail "an attack did more than it may"
n_lines=$(wc -l <"$run/ping")
goes_on() { awk -v n="$n_lines" 'NR > n && /bytes from/ { found = 1 } END { exit !found }' "$run/ping"; }
wait_for 5 "the taps in the attacker's segment pass frames still" goes_on
kill -INT "$ping"
wait "$ping" || true
grep 'packets transmitted' "$run/ping"
# Each in turn; what was sent in the last second may still be on its way.
awk '/bytes from/ { sub(".*icmp_seq=", ""); n_odd += $1 != ++n }
	/packets transmitted/ { n_sent = $1 }
	END { exit n_odd > 0 || n < 100 || n_sent - n > 50 }' "$run/ping" ||
	fail "the taps in the attacker's segment lost frames"
[ "$(pid_of weft-dataplane)" = "$pid" ] || fail "the dataplane died"

step "the user sees which port is broken, and why"
seen=
# It is broken for some ms, which who is slow to ask may miss.
for _ in 1 2 3 4 5; do
	hostile tx-loop >"$run/row.out" &
	row=$!
	seen+=$(
		while kill -0 "$row" 2>/dev/null; do
			weft port show v0 -o json | jq -r 'select(.status.link == "broken") | .status.reason'
		done
	)
	wait "$row" || fail "$(cat "$run/row.out")"
	[ -z "$seen" ] || break
done
head -n 1 <<<"$seen"
grep -q 'queue quarantined: .*loop' <<<"$seen" || fail "weft port show does not say that v0 is broken, and why"
weft drops
accounting

step "the dataplane ends, even while a worker hangs in a call"
"$build/tests/system/weft-hostile" "$run" v0 v1 n0 n1 call-blocks-tx >"$run/row.out" 2>&1 &
row=$!
in_call() { grep -qs eventfd_write "/proc/$pid/task/"*/stack; }
wait_for 5 "a worker hangs in a call" in_call
kill "$pid"
is_another() { [ "$(pid_of weft-dataplane)" != "$pid" ] && connected; }
wait_for 2 "it ended, and another one has started" is_another
kill "$row" 2>/dev/null || true
wait "$row" || true
finish
