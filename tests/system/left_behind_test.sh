#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#     namespace c1 -- tap c1 --+== ALPHA ==+-- vhost-user v0     tap c2 (namespace of weftd)
#                                                                  |
#                                                      ===== BETA ==+====
#
# After a stop no device, socket or process of weft is left; the wish stays in the state directory,
# and the next start makes it true again. The same after both daemons were killed.

# shellcheck source=lib/common.sh
. "$(dirname "$0")/lib/common.sh"

ns_add c1
daemons_start
weft apply -f - <<-'LAB'
	segments:
	  ALPHA: {vni: 100}
	  BETA: {vni: 200}
	ports:
	  c1: {type: tap, segment: ALPHA, netns: c1, ip: 10.0.1.1/24}
	  c2: {type: tap, segment: BETA, ip: 10.0.2.1/24}
	  v0: {type: vhost-user, segment: ALPHA}
LAB
weft export -o yaml >"$run/wish"

# What the lab makes on the host: the devices and the socket.
made()
{
	ip -n c1 link show c1 && ip link show c2 && [ -S "$run/vhost/v0.sock" ]
}

gone()
{
	! ip -n c1 link show c1 && ! ip link show c2 && [ ! -e "$run/vhost/v0.sock" ] &&
		! pgrep 'weft'
}

wait_for 5 "devices and socket are made" made

step "a stop takes all away"
accounting
daemons_stop
wait_for 5 "nothing is left" gone
ip -n c1 -o link | grep -v ' lo:' && fail "a link is left in the namespace"
traces | diff <(echo c1; cat "$run/before") - || fail "left behind: see above"

step "the next start makes it again, without a word"
daemons_start
wait_for 5 "devices and socket are made" made
weft export -o yaml | diff "$run/wish" - || fail "the wish has changed"
weft diff -f "$run/wish" || fail "the host differs from the wish"

step "a kill of everything leaves at worst what the next start clears"
kill -9 "$supervisor"
wait "$supervisor" 2>/dev/null || true
supervisor=
pkill -9 'weft' || fail "no daemon to kill"
no_process()
{
	! pgrep 'weft'
}
wait_for 5 "all processes are gone" no_process
daemons_start
wait_for 5 "devices and socket are made" made
weft diff -f "$run/wish" || fail "the host differs from the wish"

step "an object that is deleted takes its device along"
weft port del c1
weft port del c2
weft port del v0
ports_gone()
{
	! ip -n c1 link show c1 && ! ip link show c2 && [ ! -e "$run/vhost/v0.sock" ]
}
wait_for 5 "nothing of the ports is left" ports_gone
finish
