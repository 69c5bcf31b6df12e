#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     a0  a1  c1 (tap)  gw0     b0  b1  c2 (tap)  gw1     g0  g1 (no offloads)  c3 (tap)     d0
#      |   |   |         |       |   |   |         |       |   |                 |            |
#     =+===+== ALPHA ====+=     =+===+== BETA =====+=     =+===+==== GAMMA ======+=     = DELTA =
#              VLAN 10                   VLAN 20                  VLAN 30                alone
#
# gw0 and gw1 are one machine. Every port sends every shape of frame to every kind of address;
# weft-isolation plays all the machines and knows what must become of each frame. Then ports change
# segments, and ports and segments are deleted and made again, under traffic. Last, dataplanes with
# one deliberate leak each must fail the same test.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

ports=(a0:ALPHA:vhost a1:ALPHA:vhost c1:ALPHA:tap:c1 gw0:ALPHA:vhost
	b0:BETA:vhost b1:BETA:vhost c2:BETA:tap:c2 gw1:BETA:vhost
	g0:GAMMA:vhost g1:GAMMA:plain c3:GAMMA:tap:c3
	d0:DELTA:vhost)

# Starts the daemons and applies the drawing.
host_start()
{
	daemons_start
	weft apply -f - >/dev/null <<-'LAB'
		segments:
		  ALPHA: {vni: 100, vlan: 10}
		  BETA:  {vni: 200, vlan: 20}
		  GAMMA: {vni: 300, vlan: 30}
		  DELTA: {vni: 400}
		ports:
		  a0:  {type: vhost-user, segment: ALPHA}
		  a1:  {type: vhost-user, segment: ALPHA}
		  c1:  {type: tap, segment: ALPHA, netns: c1}
		  gw0: {type: vhost-user, segment: ALPHA, vm: gw}
		  b0:  {type: vhost-user, segment: BETA}
		  b1:  {type: vhost-user, segment: BETA}
		  c2:  {type: tap, segment: BETA, netns: c2}
		  gw1: {type: vhost-user, segment: BETA, vm: gw}
		  g0:  {type: vhost-user, segment: GAMMA}
		  g1:  {type: vhost-user, segment: GAMMA}
		  c3:  {type: tap, segment: GAMMA, netns: c3}
		  d0:  {type: vhost-user, segment: DELTA}
	LAB
}

# isolation ROUNDS-OF-CHANGES
isolation()
{
	"$build/tests/system/weft-isolation" "$run" "$build/cli/weft" "$1" "${ports[@]}"
}

ns_add c1 c2 c3
host_start
pid=$(pid_of weft-dataplane)
# Whoever connects leaves nothing behind: a first round sets what "nothing" is.
"$build/tests/system/weft-isolation" "$run" "$build/cli/weft" 0 "${ports[@]}" >/dev/null
baseline=$("$build/tests/lib/weft-baseline" "$pid")

step "every shape to every address, and changes under traffic"
isolation 1
accounting
weft drops a0
[ "$(dropped a0 tagged)" -gt 0 ] || fail "weft drops does not show the tagged frames of a0"
[ "$(dropped a0 runt)" -gt 0 ] || fail "weft drops does not show the runts of a0"
[ "$(counter g1 segments)" -gt 0 ] || fail "nothing was cut for g1, which takes no large frames"
[ "$(dropped d0 no-receiver)" -gt 0 ] || fail "weft drops does not show that d0 is alone"
[ "$(pid_of weft-dataplane)" = "$pid" ] || fail "the dataplane was restarted"
# shellcheck disable=SC2086 # three words
"$build/tests/lib/weft-baseline" "$pid" $baseline
daemons_stop
rm -rf "$state"

# A build folder that differs in its dataplane must fail: leaky NAME HOW-IT-IS-FOUND [ROUNDS]
leaky()
{
	local fake=$run/leak/$1 real=$build
	step "leak: $1"
	mkdir -p "$fake/dataplane"
	ln -s "$real/cli" "$real/control" "$real/tests" "$fake"
	"$top/tests/system/leak.py" "$real" "$fake/dataplane/weft-dataplane" "$1"
	build=$fake
	host_start
	build=$real
	if isolation "${3:-0}" >"$run/leak.out" 2>&1; then
		cat "$run/leak.out"
		fail "a dataplane with the leak '$1' passed"
	fi
	grep -m 2 -E "$2" "$run/leak.out" || fail "'$1' was not found out as it should: $(cat "$run/leak.out")"
	daemons_stop
	rm -rf "$state"
}

leaky flood-everywhere 'FOREIGN frame'
leaky wrong-segment 'FOREIGN frame'
leaky key-without-segment 'FOREIGN frame'
leaky moved-address 'FOREIGN frame' 1
leaky tags-pass 'changed on its way|not for|wrong counters'
finish
